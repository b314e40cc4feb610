"""Cross-origin requests: the CORS configuration of buckets, and preflights."""

from gecko_tw.resources.answers.answer import Answer, xml
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
from gecko_tw.resources.headers.cors import SETTING, VARY, permissive, rules_of


@operation("GetBucketCors", GET, BUCKET, "cors", needs="s3:GetBucketCORS")
async def get_bucket_cors(call: Call) -> Answer:
    """Source: S3 API Reference, GetBucketCors."""
    return xml(cors.write_rules(await read_setting(call, SETTING, NoSuchCORSConfiguration)))


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
    await change_setting(call, SETTING, rules)


@operation("OptionsService", OPTIONS, SERVICE, needs=None, unsigned=True)
async def preflight_service(call: Call) -> Answer:
    """A preflight for ListBuckets."""
    return await _preflight(call)


@operation("OptionsBucket", OPTIONS, BUCKET, needs=None, unsigned=True)
async def preflight_bucket(call: Call) -> Answer:
    """A preflight for anything that addresses a bucket."""
    return await _preflight(call)


@operation("OptionsObject", OPTIONS, OBJECT, needs=None, unsigned=True)
async def preflight_object(call: Call) -> Answer:
    """A preflight for anything that addresses an object. Source: S3 API Reference, "OPTIONS object"."""
    return await _preflight(call)


async def _preflight(call: Call) -> Answer:
    rules, origin = await rules_of(call), call.header(b"origin")
    if rules is None and call.service.cors == "permissive" and (origin or not _is_presigned(call)):
        return Answer(200, permissive(call))
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
    return Answer(200, [*found, VARY])


def _is_presigned(call: Call) -> bool:
    """Whether a client has signed the URL: then it speaks S3, where only a preflight is OPTIONS. GeckoS3 answers 200 to everybody else."""
    return "X-Amz-Signature" in call.query or "Signature" in call.query
