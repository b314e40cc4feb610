"""The requests of S3 as they come, for ``mc admin trace``."""

import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

from gecko_tw.admin.minio.rows import V3, Question, minio
from gecko_tw.resources.access_logs.recent import Seen
from gecko_tw.resources.answers.streaming import Stream
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import GET
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

S3 = 1 << 2
"""The kind of trace that requests of S3 are; there are no others here."""

WATCHED = 60.0
"""Seconds after each look for which requests are taken; the next look comes long before."""

_KINDS = (
    "internal storage os scanner decommission healing batch-replication batch-keyrotation batch-expire rebalance replication-resync"
    " bootstrap ftp ilm kms formatting"
).split()
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


async def _trace(call: Call, question: Question) -> Stream:
    recent = question.ground.live.requests
    recent.watch(call.service.clock.seconds() + WATCHED)
    counts, least = recent.counts(), _seconds(question.text("threshold", "0s"))
    wanted, failed = question.text("s3", "false") == "true", question.text("err", "false") == "true"
    node = call.header(b"host") or ""

    async def look() -> list[Json]:
        recent.watch(call.service.clock.seconds() + WATCHED)
        now = recent.counts()
        found = [seen for seen in recent.since(counts) if seen.number < now[seen.place]]
        counts[:] = now
        passing = (seen for seen in found if wanted and seen.seconds >= least and (seen.status >= 400 or not failed))
        return [traced(seen, node) for seen in passing]

    return question.ground.live.streams.begin(look, media=b"application/json", write=_line, begins=b"", idle=b" ")


def _line(one: Json) -> bytes:
    return json.dumps(one).encode() + b"\n"


def traced(seen: Seen, node: str) -> dict[str, Json]:
    """A request as ``mc admin trace`` reads it. Headers are not kept, so there are none."""
    began = f"{datetime.fromtimestamp(seen.started, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    ended = f"{datetime.fromtimestamp(seen.started + seen.seconds, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    parts, took = urlsplit(seen.uri), int(seen.seconds * 1e9)
    request = {"time": began, "proto": "HTTP/1.1", "method": seen.method, "path": parts.path, "rawquery": parts.query}
    return {
        "type": S3,
        "nodename": node,
        "funcname": f"s3.{seen.operation or 'Unknown'}",
        "time": began,
        "path": parts.path,
        "dur": took,
        "bytes": seen.received + seen.sent,
        "error": seen.error,
        "http": {
            "request": {**request, "headers": {}, "client": seen.address.rpartition(":")[0]},
            "response": {"time": ended, "headers": {}, "statuscode": seen.status},
            "stats": {"inputbytes": seen.received, "outputbytes": seen.sent, "latency": took, "timetofirstbyte": took},
        },
    }


def _seconds(text: str) -> float:
    """A duration as programs in Go write it, of one number and one unit. Raises InvalidArgument."""
    number = text.rstrip("nuµmsh")
    try:
        return float(number) * _UNITS[text[len(number) :] or "s"]
    except (ValueError, KeyError):
        raise InvalidArgument(f"{text!r} is no duration; allowed is such as 100ms.", ArgumentName="threshold") from None


@minio(
    "Trace",
    GET,
    V3 + "trace",
    "s3",
    "err",
    "threshold",
    "threshold-ttfb",
    *_KINDS,
    needs="admin:ServerTrace",
    stream=_trace,
)
def trace(question: Question) -> Json:
    """The requests of S3 as they come, a line of JSON each. Other kinds of traces there are none, so they stay silent."""
    raise NotImplementedError("the answer of a stream is not made by its act")
