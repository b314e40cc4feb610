"""Presigned URLs of Jay's kind: whoever has one may do what the token may, by one method and with one path."""

from gecko_tw.admin.families.presigning import own_endpoint
from gecko_tw.admin.rows import Asked, row
from gecko_tw.admin.schemas import MOST, answer, members, text
from gecko_tw.callers.signatures.jay import link
from gecko_tw.callers.signatures.presigned import LONGEST
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
_HOUR = 3600


@row(
    "JayPresign",
    POST,
    "/presign",
    needs=None,
    changes=False,
    body=members(
        token_id=text(1024),
        method=text(16),
        bucket=text(63),
        key=text(1024),
        expires_seconds={"type": "integer", "minimum": -MOST, "maximum": MOST},
    ),
    answer=answer(url={"type": "string"}),
)
def presign(asked: Asked) -> Json:
    """A URL for a bucket or an object, good for up to seven days."""
    given, ground = asked.given, asked.ground
    token, method, bucket = (given(name, "") for name in ("token_id", "method", "bucket"))
    if not token or not method or not bucket:
        raise InvalidArgument("token_id, method, and bucket are required")
    if method not in _METHODS:
        raise InvalidArgument(f"method must be one of {', '.join(_METHODS)}")
    if not is_bucket_name(bucket):
        raise InvalidArgument("bucket must be the name of a bucket")
    seconds = given("expires_seconds", 0)
    if seconds > LONGEST:
        raise InvalidArgument(f"expires_seconds must be at most {LONGEST}")
    if ground.identities.find(token) is None:
        raise InvalidArgument("token not found")
    until = int(ground.clock()) + (seconds if seconds > 0 else _HOUR)
    path = f"/{bucket}/{given('key')}" if given("key") else f"/{bucket}"
    endpoint = own_endpoint(asked)
    if endpoint is None:
        raise InvalidArgument("it cannot be told where clients find S3: --public-base-url says it")
    return {"url": endpoint + link(ground.jay_secret, token, method, path.encode(), until)}
