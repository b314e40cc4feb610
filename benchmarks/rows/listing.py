"""Pages of 1,000 keys in buckets of different sizes."""

import http.client
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.load import Load, heads_of
from benchmarks.results import Figure, Run
from benchmarks.rows.row import Plan, Row, expect, once
from benchmarks.rows.small import fill
from benchmarks.running import LeftOut, Server
from benchmarks.signing import path_of

PAGE = 1000
SIZES = (1000, 100_000, 1_000_000)
_PLACES = 16
"""Different pages that are asked for by turns."""
_CHUNK = 20_000


def key_of(number: int) -> str:
    """Keys in folders of 1,000."""
    return f"d{number // PAGE:04}/k{number:07}"


def bucket_of(size: int) -> str:
    return f"list-{size}"


def pages(size: int) -> list[dict[str, str]]:
    """Pages from everywhere in the bucket, each with all 1,000 keys."""
    places = [place * (size - PAGE) // _PLACES for place in range(_PLACES)]
    return [_query(**({"start-after": key_of(place - 1)} if place else {})) for place in places]


def folders(size: int) -> list[dict[str, str]]:
    """Pages of one folder each."""
    count = size // PAGE
    return [_query(delimiter="/", prefix=f"d{place * count // _PLACES:04}/") for place in range(_PLACES)]


def roots(size: int) -> list[dict[str, str]]:
    """The page of all folders."""
    return [_query(delimiter="/")]


def _query(**more: str) -> dict[str, str]:
    return {"list-type": "2", "max-keys": str(PAGE), **more}


def prepare(server: Server, plan: Plan, size: int, queries: list[dict[str, str]], inside: bytes, wanted: int) -> None:
    """Fills the bucket, and asks for the last of the pages and counts what is in it.

    :raises LeftOut: it cannot be filled in time, or a page is not what it should be.
    """
    bucket = bucket_of(size)
    once(server, bucket, lambda: _fill(server, plan, size))
    try:
        answer = server.client.must("GET", bucket, query=queries[-1])
    except (OSError, http.client.HTTPException) as trouble:
        raise LeftOut(f"no page: {trouble}") from trouble
    expect(answer.body.count(inside), wanted, f"{inside.decode()} in a page")


def measure(server: Server, plan: Plan, size: int, queries: list[dict[str, str]]) -> tuple[Run, ...]:
    """Pages by turns."""
    heads = [head for query in queries for head in _heads(server, bucket_of(size), query)]
    return (server.send(Load(server.url, heads), plan.seconds, plan.connections).rate(),)


def _heads(server: Server, bucket: str, query: Mapping[str, str]) -> list[str]:
    return heads_of("GET", server.client.signer.presigned("GET", [path_of(bucket)], query), server.host)


def _fill(server: Server, plan: Plan, size: int) -> None:
    """By uploads of a byte each; large buckets as files where a server takes those for objects, which is faster."""
    bucket = bucket_of(size)
    server.client.make_bucket(bucket)
    folder = server.bucket_folder(bucket)
    if folder is not None and size > _CHUNK:
        _fill_with_files(folder, size)
        return
    end = time.monotonic() + plan.fill_seconds
    for first in range(0, size, _CHUNK):
        left = end - time.monotonic()
        if left < 1:
            raise LeftOut(f"took only {first:,} of {size:,} objects in {plan.fill_seconds:.0f} s")
        fill(server, bucket, [key_of(number) for number in range(first, min(first + _CHUNK, size))], 1, left)


def _fill_with_files(folder: Path, size: int) -> None:
    for first in range(0, size, PAGE):
        place = folder / Path(key_of(first)).parent
        place.mkdir(parents=True)
        for number in range(first, first + PAGE):
            file = os.open(folder / key_of(number), os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(file, b"x")
            os.close(file)


def _row(name: str, size: int, queries: list[dict[str, str]], inside: bytes, wanted: int) -> Row:
    def prepared(server: Server, plan: Plan) -> None:
        prepare(server, plan, size, queries, inside, wanted)

    def measured(server: Server, plan: Plan) -> tuple[Run, ...]:
        return measure(server, plan, size, queries)

    return Row((Figure(name, "a second"),), measured, prepared, long=size > PAGE)


_KINDS: tuple[tuple[str, Callable[[int], list[dict[str, str]]], bytes, Callable[[int], int]], ...] = (
    ("LIST 1,000 of {:,}", pages, b"<Key>", lambda size: PAGE),
    ("LIST 1,000 of {:,}, a folder", folders, b"<Key>", lambda size: PAGE),
    ("LIST all folders of {:,}", roots, b"<CommonPrefixes>", lambda size: size // PAGE),
)

ROWS = tuple(
    _row(name.format(size), size, queries(size), inside, wanted(size))
    for size in SIZES
    for name, queries, inside, wanted in _KINDS
)
