"""Cross-origin requests: the CORS configuration of buckets, preflights, and the headers that every answer gets."""

from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.answers.refusals import (
    AccessForbidden,
    BadRequest,
    MissingRequestBodyError,
    NoSuchCORSConfiguration,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import (
    BUCKET,
    DELETE,
    GET,
    OBJECT,
    OPTIONS,
    PUT,
    SERVICE,
    Document,
    operation,
)
from gecko_tw.resources.documents import cors
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.cors import Rule
from gecko_tw.store.refusals import InvalidBucketName, NoSuchBucket, Refusal

_SETTING = "cors"
_VARY = (b"Vary", b"Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
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


@operation("GetBucketCors", GET, BUCKET, "cors", needs="s3:GetBucketCORS")
async def get_bucket_cors(call: Call) -> Answer:
    """Source: S3 API Reference, GetBucketCors."""
    return xml(cors.write_rules(await read_setting(call, _SETTING, NoSuchCORSConfiguration)))


@operation("PutBucketCors", PUT, BUCKET, "cors", needs="s3:PutBucketCORS", body=Document(256 * 1024))
async def put_bucket_cors(call: Call, document: bytes) -> Answer:
    """Source: S3 API Reference, PutBucketCors."""
    if not document:
        raise MissingRequestBodyError
    await _change(call, cors.read_rules(document))
    return Answer(200)


@operation("DeleteBucketCors", DELETE, BUCKET, "cors", needs="s3:PutBucketCORS")
async def delete_bucket_cors(call: Call) -> Answer:
    """Source: S3 API Reference, DeleteBucketCors."""
    await _change(call, None)
    return Answer(204)


async def _change(call: Call, rules: list[Rule] | None) -> None:
    await change_setting(call, _SETTING, rules)


@operation("OptionsService", OPTIONS, SERVICE, needs=None)
async def preflight_service(call: Call) -> Answer:
    """A preflight for ListBuckets."""
    return await _preflight(call)


@operation("OptionsBucket", OPTIONS, BUCKET, needs=None)
async def preflight_bucket(call: Call) -> Answer:
    """A preflight for anything that addresses a bucket."""
    return await _preflight(call)


@operation("OptionsObject", OPTIONS, OBJECT, needs=None)
async def preflight_object(call: Call) -> Answer:
    """A preflight for anything that addresses an object. Source: S3 API Reference, "OPTIONS object"."""
    return await _preflight(call)


async def _preflight(call: Call) -> Answer:
    rules, origin = await _rules(call), call.header(b"origin")
    if rules is None and call.service.cors == "permissive" and (origin or not _is_presigned(call)):
        return Answer(200, _permissive(call))
    if not origin:
        raise BadRequest("Insufficient information. Origin request header needed.")
    method = call.header(b"access-control-request-method")
    if method not in cors.METHODS:
        raise BadRequest(f"Invalid Access-Control-Request-Method: {method or 'null'}")
    named = (call.header(b"access-control-request-headers") or "").split(",")
    requested = [name.strip().lower() for name in named if name.strip()]
    if rules is None:
        raise AccessForbidden("CORSResponse: CORS is not enabled for this bucket.", Method=method)
    rule = cors.match(rules, origin, method, requested)
    if rule is None:
        raise AccessForbidden(Method=method, ResourceType="OBJECT" if call.key else "BUCKET")
    found = cors.allowing_headers(rule, origin)
    if requested:
        found.append((b"Access-Control-Allow-Headers", ", ".join(requested).encode("latin-1")))
    return Answer(200, [*found, _VARY])


def _is_presigned(call: Call) -> bool:
    """Whether a client has signed the URL: then it speaks S3, where only a preflight is OPTIONS. GeckoS3 answers 200 to everybody else."""
    return "X-Amz-Signature" in call.query or "Signature" in call.query


def _permissive(call: Call) -> Headers:
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
    if record is None or _SETTING in record.settings or b"origin" in call.headers or call.head.method == OPTIONS:
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
        return [_VARY]


async def _headers(call: Call) -> Headers:
    service = call.service
    rules, origin = await _rules(call), call.header(b"origin")
    if rules is None:
        return _permissive(call) if service.cors == "permissive" else []
    # S3 believes the header of a preflight in any request.
    method = call.header(b"access-control-request-method") or call.head.method
    rule = cors.match(rules, origin, method) if origin else None
    return [_VARY] if rule is None else [*cors.allowing_headers(rule, origin), _VARY]


async def _rules(call: Call) -> list[Rule] | None:
    """The bucket's own rules, or None when it has none or does not exist."""
    record = call.record
    if record is None:
        if not call.bucket:
            return None
        try:
            record = await call.service.read(call.service.buckets.get, call.bucket)
        except (NoSuchBucket, InvalidBucketName):
            return None
    return record.settings.get(_SETTING)
