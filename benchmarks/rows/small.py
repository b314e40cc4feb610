"""Requests of small objects, as fast as 16 connections get them answered."""

from collections.abc import Callable, Iterator
from itertools import count

from benchmarks.load import CIRCLE, ONCE, Load, heads_of
from benchmarks.peers import FSYNC, PLAIN
from benchmarks.results import Figure, Run
from benchmarks.rows.row import Plan, Row, expect, once
from benchmarks.running import BUCKET, LeftOut, Server
from benchmarks.signing import path_of

SIZE = 4096
KEYS = [f"small/{number:05}" for number in range(1000)]
EMPTY = [f"empty/{number:05}" for number in range(1000)]
_RATE = 20_000
"""Keys that are made ready for each second of a run; a faster server's run ends when they are used up."""

_numbers: Iterator[int] = count()


def fill(server: Server, bucket: str, keys: list[str], size: int, seconds: float = 60) -> None:
    """Puts objects.

    :raises LeftOut: not all were put within so many seconds.
    """
    # Those under way when the last is sent are not waited for, so some are sent twice.
    load = server.signed_load("PUT", bucket, [*keys, *keys[:32]], size, ONCE)
    sent = server.send(load, seconds)
    if sent.errors or sent.used < len(load.requests):
        raise LeftOut(f"stored {sent.used:,} of {len(keys):,} objects in {seconds:.0f} s, {sent.errors:,} errors")


def _prepare(server: Server, plan: Plan) -> None:
    once(server, "small", lambda: fill(server, BUCKET, KEYS, SIZE))
    expect(server.client.must("GET", BUCKET, KEYS[7]).body, b"x" * SIZE, "GET")


def _prepare_empty(server: Server, plan: Plan) -> None:
    once(server, "empty", lambda: fill(server, BUCKET, EMPTY, 0))
    expect(server.client.must("HEAD", BUCKET, EMPTY[7]).headers.get("content-length", "0"), "0", "HEAD")


def _get(server: Server, plan: Plan) -> tuple[Run, ...]:
    return _rate(server, plan, server.signed_load("GET", BUCKET, KEYS))


def _get_signed_in_the_head(server: Server, plan: Plan) -> tuple[Run, ...]:
    return _rate(server, plan, server.head_signed_load("GET", BUCKET, KEYS))


def _head(server: Server, plan: Plan) -> tuple[Run, ...]:
    return _rate(server, plan, server.signed_load("HEAD", BUCKET, EMPTY))


def _overwrite(server: Server, plan: Plan) -> tuple[Run, ...]:
    return _rate(server, plan, server.signed_load("PUT", BUCKET, KEYS, SIZE))


def _put_new(server: Server, plan: Plan) -> tuple[Run, ...]:
    return _rate(server, plan, server.signed_load("PUT", BUCKET, _new_keys(plan), SIZE, ONCE))


def _delete(server: Server, plan: Plan) -> tuple[Run, ...]:
    keys = _new_keys(plan)
    put = server.send(server.signed_load("PUT", BUCKET, keys, SIZE, ONCE), plan.seconds)
    if put.errors:
        # What is not there is removed fastest of all, and answered with success.
        raise LeftOut(f"nothing to remove: {put.errors:,} errors while objects were stored")
    there = keys[: max(put.used - plan.connections, 1)]
    return _rate(server, plan, server.signed_load("DELETE", BUCKET, there, 0, ONCE))


def _mixed(server: Server, plan: Plan) -> tuple[Run, ...]:
    """The shares of warp's `mixed`: of 20 requests 9 are GET, 6 HEAD, 3 PUT and 2 DELETE of what was put."""
    heads: list[str] = []
    signer, host = server.client.signer, server.host
    for turn in range(100):
        for method, keys in (
            ("PUT", [f"mixed/{turn:03}-{number}" for number in range(3)]),
            ("GET", KEYS[turn * 9 : turn * 9 + 9]),
            ("HEAD", EMPTY[turn * 6 : turn * 6 + 6]),
            ("DELETE", [f"mixed/{turn:03}-{number}" for number in range(2)]),
        ):
            heads += heads_of(method, signer.presigned(method, [path_of(BUCKET, key) for key in keys]), host, SIZE)
    return _rate(server, plan, Load(server.url, heads, SIZE, CIRCLE))


def _prepare_mixed(server: Server, plan: Plan) -> None:
    _prepare(server, plan)
    _prepare_empty(server, plan)


def _rate(server: Server, plan: Plan, load: Load) -> tuple[Run, ...]:
    return (server.send(load, plan.seconds, plan.connections).rate(),)


def _new_keys(plan: Plan) -> list[str]:
    """Keys that no run has used."""
    number = next(_numbers)
    return [f"new/{number:03}/{key:06}" for key in range(int(_RATE * plan.seconds))]


def _row(name: str, measure: Callable[[Server, Plan], tuple[Run, ...]], prepare=_prepare, mode: str = PLAIN) -> Row:  # type: ignore[no-untyped-def]
    return Row((Figure(name, "a second"),), measure, prepare, mode)


ROWS = (
    _row("GET 4 KiB", _get),
    _row("GET 4 KiB, signed in the head", _get_signed_in_the_head),
    _row("HEAD", _head, _prepare_empty),
    _row("PUT 4 KiB, new keys", _put_new),
    _row("PUT 4 KiB, overwriting", _overwrite),
    _row("Mixed 4 KiB: GET, HEAD, PUT, DELETE", _mixed, _prepare_mixed),
)
FSYNC_ROWS = (
    _row("PUT 4 KiB, new keys, fsync", _put_new, mode=FSYNC),
    _row("PUT 4 KiB, overwriting, fsync", _overwrite, mode=FSYNC),
)
LAST = (_row("DELETE 4 KiB", _delete),)
"""Rows that leave traces: some file systems make files slowly after many were removed."""
