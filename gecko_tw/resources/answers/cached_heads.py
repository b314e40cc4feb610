"""Heads of answers that were given before: to equal requests for an unchanged version they are equal, and rendering them is what
takes longest in answering a small object.

Nothing is decided here. Who asks, and for which version, is found out for every request; then a version, the bucket's record and the
request's target say what the headers are, as long as the request has no headers but those known to mean nothing to an answer. Pages of
websites are always made anew: there the same target means something else.
"""

from gecko_tw.resources.access_logs.server_log import has_log
from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.answers.head_cache import CachedHead
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import WEBSITE
from gecko_tw.resources.headers.cors import cors_at_hand
from gecko_tw.store.records import Version

_LONGEST_TARGET = 1024
_LONGEST_LINES = 2048

_MODE = b"x-amz-checksum-mode"
_WITHOUT_MEANING = frozenset(
    (
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"amz-sdk-invocation-id",
        b"amz-sdk-request",
        b"authorization",
        b"cache-control",
        b"connection",
        b"cookie",
        b"date",
        b"dnt",
        b"host",
        b"pragma",
        b"priority",
        b"referer",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"x-amz-content-sha256",
        b"x-amz-date",
        b"x-amz-security-token",
        b"x-amz-user-agent",
        _MODE,
    )
)
"""Headers that say nothing about what is to be answered, but for the checksum mode, which is asked for."""


def find(call: Call, version: Version) -> CachedHead | None:
    """What the same request for this version was answered with, or None."""
    head = call.head
    known = call.service.head_cache.get(head.method, head.target) if _is_plain(call) else None
    # A store gives the same object again for what nobody has changed, and equal ones do not matter here.
    if known is None or known.version is not version or known.record is not call.record:
        return None
    return known if head.headers.get(_MODE) == known.mode else None


def keep(call: Call, version: Version, length: int, headers: Headers) -> CachedHead | None:
    """Keeps what a request is answered with, 200 and all of the object; None when no other one may be answered so.

    :param headers: without those that every answer has.
    """
    head, record = call.head, call.record
    if record is None or len(head.target) > _LONGEST_TARGET or not _is_plain(call):
        return None
    more = cors_at_hand(call)
    if more is None or has_log(record):
        return None
    every = [(b"x-amz-id-2", call.service.host_id.encode()), *more]
    lines = call.request.lines([*every, *headers, (b"Content-Length", b"%d" % length)])
    if len(lines) > _LONGEST_LINES:
        return None
    repeated = CachedHead(version, record, head.headers.get(_MODE), length, lines)
    call.service.head_cache.keep(head.method, head.target, repeated)
    return repeated


def _is_plain(call: Call) -> bool:
    """Whether nothing but its target says what a request asks for, and the checksum mode."""
    assert call.operation is not None
    return call.operation.target != WEBSITE and call.head.headers.keys() <= _WITHOUT_MEANING
