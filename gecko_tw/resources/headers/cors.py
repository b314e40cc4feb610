"""The headers by which browsers learn whether a page of another origin may read an answer."""

from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import OPTIONS
from gecko_tw.resources.documents import cors
from gecko_tw.resources.documents.cors import Rule
from gecko_tw.store.refusals import InvalidBucketName, NoSuchBucket, Refusal

SETTING = "cors"
VARY = (b"Vary", b"Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
_ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Content-Length, X-Amz-Content-Sha256, X-Amz-Date, X-Amz-Security-Token,"
    b" X-Amz-User-Agent, x-amz-acl, x-amz-meta-*"
)
_PERMISSIVE = [
    (b"Access-Control-Allow-Methods", b"GET, PUT, POST, DELETE, HEAD, OPTIONS"),
    (b"Access-Control-Allow-Headers", _ALLOWED_HEADERS),
    (b"Access-Control-Expose-Headers", b"*"),
    (b"Access-Control-Max-Age", b"3600"),
]
_VARY_PERMISSIVE = [(b"Vary", b"Origin")]
"""What is told to who is no page: a cache must not show a page what it got for somebody else."""


def permissive(call: Call) -> Headers:
    """GeckoS3's headers, where there is an origin, and everything exposed. A preflight is allowed the headers it asks for, too."""
    origin = call.headers.get(b"origin")
    if not origin:
        return _VARY_PERMISSIVE
    found = [(b"Access-Control-Allow-Origin", origin), *_PERMISSIVE, *_VARY_PERMISSIVE]
    requested = call.headers.get(b"access-control-request-headers")
    if requested:
        found[2] = (b"Access-Control-Allow-Headers", _ALLOWED_HEADERS + b", " + requested)
    return found


def cors_at_hand(call: Call) -> Headers | None:
    """What :func:`cors_headers` answers to who is no browser, where the bucket has no rules; None to everybody else."""
    record = call.record
    if record is None or SETTING in record.settings or b"origin" in call.headers or call.head.method == OPTIONS:
        return None
    return _VARY_PERMISSIVE if call.service.cors == "permissive" else []


async def cors_headers(call: Call) -> Headers:
    """The headers by which browsers learn whether a page may read this answer, errors included."""
    if call.head.method == OPTIONS:
        return []
    try:
        return await _headers(call)
    except Refusal:
        # The rules cannot be read now, and the answer says why: no page may read it.
        return [VARY]


async def _headers(call: Call) -> Headers:
    service = call.service
    rules, origin = await rules_of(call), call.header(b"origin")
    if rules is None:
        return permissive(call) if service.cors == "permissive" else []
    # S3 believes the header of a preflight in any request.
    method = call.header(b"access-control-request-method") or call.head.method
    rule = cors.match(rules, origin, method) if origin else None
    return [VARY] if rule is None or origin is None else [*cors.allowing_headers(rule, origin), VARY]


async def rules_of(call: Call) -> list[Rule] | None:
    """The bucket's own rules, or None when it has none or does not exist."""
    record = call.record
    if record is None:
        if not call.bucket:
            return None
        try:
            record = await call.service.read(call.service.buckets.get, call.bucket)
        except (NoSuchBucket, InvalidBucketName):
            return None
    return record.settings.get(SETTING)
