"""The last requests and those that come, with filters; refused signatures with what differed."""

from collections.abc import Iterable, Mapping

from attrs import asdict

from gecko_tw.admin.rows import GET, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, Schema, answer, listed, members, text, whole
from gecko_tw.callers.accounts.changes import time_text
from gecko_tw.resources.access_logs.recent import KEPT, Seen
from gecko_tw.resources.answers.streaming import Stream
from gecko_tw.resources.call import Call
from gecko_tw.store.records import Json

_TEXT: Schema = {"type": "string"}
_SECONDS: Schema = {"type": "number"}
_TEXTS = "request_id method uri address operation bucket access_key auth error why".split()
REQUEST = answer(
    time=_TEXT,
    started=_SECONDS,
    seconds=_SECONDS,
    status=whole(),
    received=whole(),
    sent=whole(),
    **dict.fromkeys(_TEXTS, _TEXT),
)
_EQUAL = {"method": 16, "operation": 64, "bucket": 63, "access_key": 128, "address": 64}
_FILTERS = {
    **{name: text(longest, least=1) for name, longest in _EQUAL.items()},
    "status": whole(100, 599),
    "failed": BOOLEAN,
    "refused": BOOLEAN,
}


def _wanted(asked: Asked, found: Iterable[Seen]) -> list[dict[str, Json]]:
    """Those that the filters let through; the address is compared without its port."""
    query = asked.query
    return [_told(seen) for seen in found if _passes(query, seen)]


def _passes(query: Mapping[str, Json], seen: Seen) -> bool:
    for name in _EQUAL:
        found = seen.address.rpartition(":")[0] if name == "address" else getattr(seen, name)
        if query.get(name, found) != found:
            return False
    if "status" in query and seen.status != query["status"]:
        return False
    if "failed" in query and (seen.status >= 400) != query["failed"]:
        return False
    return "refused" not in query or bool(seen.why) == query["refused"]


def _told(seen: Seen) -> dict[str, Json]:
    values = asdict(seen)
    del values["place"], values["number"]
    return {"time": time_text(seen.started), **values}


@row(
    "ListRequests",
    GET,
    "/requests",
    needs="admin:ServerTrace",
    query=members(limit=whole(1, 1000), **_FILTERS),
    answer=listed(REQUEST),
)
def list_requests(asked: Asked) -> Json:
    """The last requests of S3 in all processes, oldest first; `refused` are those whose signature was not good, `why` is what differed."""
    recent = asked.ground.live.requests
    found = _wanted(asked, recent.since([0] * len(recent.counts())))
    return found[-int(asked.query.get("limit", KEPT)) :]


async def _stream(call: Call, asked: Asked) -> Stream:
    recent = asked.ground.live.requests
    counts = recent.counts()

    async def look() -> list[dict[str, Json]]:
        now = recent.counts()
        found = recent.since(counts)
        counts[:] = now
        return _wanted(asked, [seen for seen in found if seen.number < now[seen.place]])

    return asked.ground.live.streams.begin(look)


@row(
    "StreamRequests",
    GET,
    "/requests/stream",
    needs="admin:ServerTrace",
    query=members(**_FILTERS),
    answer=_TEXT,
    stream=_stream,
)
def stream_requests(asked: Asked) -> Json:
    """The requests of S3 as they come, as Server-Sent Events: each is a line of JSON as of ListRequests."""
    raise NotImplementedError("the answer of a stream is not made by a verb")
