"""A presigned URL, made. Source: S3 API Reference, "Authenticating Requests: Using Query Parameters"."""

from urllib.parse import quote, urlencode

from attrs import frozen

from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.signatures.payloads import UNSIGNED_PAYLOAD
from gecko_tw.callers.signatures.v4 import (
    ALGORITHM,
    TERMINATOR,
    Scope,
    canonical_query,
    canonical_request,
    iso_date,
    sign,
    signing_key,
    string_to_sign,
)
from gecko_tw.wire.head import head_of


@frozen(kw_only=True)
class Link:
    """What a URL is to be good for.

    :ivar scheme: ``http`` or ``https``; ``host`` with its port, as the client will name it.
    :ivar path: of the object, not encoded; ``version_id`` empty for the newest version.
    :ivar seconds: how long it is good.
    """

    method: str
    scheme: str
    host: str
    path: bytes
    seconds: int
    version_id: str = ""


def presigned(link: Link, identity: Identity, region: str, now: float) -> str:
    """The URL: whoever has it may do what the identity may, by this method and with this object.

    :param now: seconds since 1970.
    """
    date = iso_date(now)
    scope = Scope(identity.access_key, date[:8], region, "s3", TERMINATOR)
    pairs = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{identity.access_key}/{scope.text}",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(link.seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if identity.token is not None:
        pairs["X-Amz-Security-Token"] = identity.token
    if link.version_id:
        pairs["versionId"] = link.version_id
    target = f"{quote(link.path, safe='/-_.~')}?{urlencode(pairs, quote_via=quote, safe='-_.~')}"
    head = head_of(link.method, target.encode(), {b"host": link.host.encode()})
    request = canonical_request(head, canonical_query(head.query), b"host", UNSIGNED_PAYLOAD.encode())
    key = signing_key(identity.secret, scope.day, scope.region, scope.service)
    signature = sign(key, string_to_sign(date, scope, request).encode())
    return f"{link.scheme}://{link.host}{target}&X-Amz-Signature={signature}"
