"""Large objects: whole, with one connection and with four, plain and over TLS, and in parts."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local

from benchmarks.client import Client
from benchmarks.load import EACH
from benchmarks.peers import PLAIN, TLS
from benchmarks.results import Figure, Run
from benchmarks.rows.row import Plan, Row, expect, once
from benchmarks.running import BUCKET, LeftOut, Server

MEBIBYTE = 1 << 20
SIZE = 64 * MEBIBYTE
KEYS = [f"large/{number}" for number in range(4)]
PART, PARTS = 8 * MEBIBYTE, 32
_UPLOADERS = 4


def _prepare(server: Server, plan: Plan) -> None:
    def put() -> None:
        body = bytes(SIZE)
        for key in KEYS:
            server.client.must("PUT", BUCKET, key, body=body)

    once(server, "large", put)
    expect(len(server.client.must("GET", BUCKET, KEYS[-1]).body), SIZE, "GET, length")


def _get(server: Server, plan: Plan, connections: int) -> tuple[Run, ...]:
    load = server.signed_load("GET", BUCKET, KEYS)
    return (server.send(load, plan.seconds, connections).throughput(),)


def _put(server: Server, plan: Plan, connections: int) -> tuple[Run, ...]:
    load = server.signed_load("PUT", BUCKET, KEYS, SIZE, EACH)
    return (server.send(load, 2 * plan.seconds, connections).throughput(SIZE),)


def _row(method: str, measure: Callable[[Server, Plan, int], tuple[Run, ...]], connections: int, mode: str) -> Row:
    def measured(server: Server, plan: Plan) -> tuple[Run, ...]:
        return measure(server, plan, connections)

    told = f"{connections} connection{'s' if connections > 1 else ''}{', TLS' if mode == TLS else ''}"
    return Row((Figure(f"{method} 64 MiB, {told}", "MiB/s"),), measured, _prepare, mode)


def multipart(server: Server, plan: Plan) -> tuple[Run, ...]:
    """256 MiB in parts over four connections; the end of it is timed by itself as well."""
    key, client = "parts/whole", server.client
    started = client.must("POST", BUCKET, key, query={"uploads": ""})
    upload = _inside(started.body, b"UploadId")
    body, mine = bytes(PART), local()

    def put(number: int) -> str:
        if not hasattr(mine, "client"):
            mine.client = server.connect()
        own: Client = mine.client
        query = {"partNumber": str(number), "uploadId": upload}
        return own.must("PUT", BUCKET, key, query=query, body=body).headers["etag"]

    begin = time.perf_counter()
    with ThreadPoolExecutor(_UPLOADERS) as pool:
        tags = list(pool.map(put, range(1, PARTS + 1)))
    sent = time.perf_counter()
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1))
    document = (
        f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{parts}</CompleteMultipartUpload>'
    )
    joined = client.must("POST", BUCKET, key, query={"uploadId": upload}, body=document.encode())
    end = time.perf_counter()
    _inside(joined.body, b"ETag")
    length = client.must("HEAD", BUCKET, key).headers.get("content-length")
    expect(length, str(PART * PARTS), "length of what was joined")
    return Run(PART * PARTS / MEBIBYTE / (end - begin)), Run((end - sent) * 1000)


def _inside(document: bytes, name: bytes) -> str:
    """The text of an element.

    :raises LeftOut: there is none.
    """
    found = re.search(rb"<%b>([^<]+)<" % name, document)
    if found is None:
        raise LeftOut(f"no {name.decode()} in {document[:100]!r}")
    return found[1].decode()


ROWS = tuple(
    _row(method, measure, connections, mode)
    for mode in (PLAIN, TLS)
    for method, measure in (("GET", _get), ("PUT", _put))
    for connections in (1, 4)
)
MULTIPART = Row(
    (
        Figure("Multipart of 256 MiB in parts of 8 MiB", "MiB/s"),
        Figure("Complete of 256 MiB in parts of 8 MiB", "ms", less=True),
    ),
    multipart,
)
