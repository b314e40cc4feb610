"""The claim of a request that is signed in its query: a presigned URL.

Source: S3 API Reference, "Authenticating Requests: Using Query Parameters".
"""

from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from gecko_tw.callers.refusals import AuthorizationQueryParametersError, Unproven, UnsupportedSignature
from gecko_tw.callers.signatures.claims import Claim, Place, check_day, read_scope
from gecko_tw.callers.signatures.v4 import ALGORITHM, seconds_of

LONGEST = 604_800
"""Seconds that a presigned URL may be good for: seven days."""

EARLY = 900
"""Seconds that the signer's clock may be ahead of ours."""

PLACE = Place(AuthorizationQueryParametersError, "Error parsing the X-Amz-Credential parameter; ")
_PLAIN = Place(AuthorizationQueryParametersError, "")

_REQUIRED = (
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Date",
    b"X-Amz-Expires",
    b"X-Amz-Signature",
    b"X-Amz-SignedHeaders",
)
_SIGNATURE_ITSELF = frozenset(
    b"x-amz-algorithm x-amz-credential x-amz-date x-amz-expires x-amz-signature x-amz-signedheaders "
    b"x-amz-security-token x-amz-content-sha256 x-amz-sdk-checksum-algorithm".split()
)


def query_signature(query: bytes) -> dict[bytes, bytes] | None:
    """The decoded parameters of a query that carries a signature, first value of each name; None when it carries none.

    A signature of version 2 has ``AWSAccessKeyId`` and ``Signature``; the names of version 4 begin with ``X-Amz-``.
    """
    if b"X-Amz-" not in query and b"AWSAccessKeyId" not in query:
        return None
    parameters = decoded_query(query)
    if b"X-Amz-Algorithm" in parameters or b"X-Amz-Credential" in parameters or b"X-Amz-Signature" in parameters:
        return parameters
    return parameters if is_version_two(parameters) else None


def decoded_query(query: bytes) -> dict[bytes, bytes]:
    """The decoded parameters of a query, first value of each name."""
    parameters: dict[bytes, bytes] = {}
    for part in query.split(b"&") if query else ():
        name, _, value = part.partition(b"=")
        if b"%" in name or b"+" in name:
            name = _decoded(name)
        if name not in parameters:
            parameters[name] = _decoded(value) if b"%" in value or b"+" in value else value
    return parameters


def is_version_two(parameters: dict[bytes, bytes]) -> bool:
    """Whether a query carries a signature of version 2 and none of version 4."""
    return b"AWSAccessKeyId" in parameters and b"Signature" in parameters and b"X-Amz-Algorithm" not in parameters


def _decoded(component: bytes) -> bytes:
    return unquote_to_bytes(component.replace(b"+", b" "))


def query_claim(parameters: dict[bytes, bytes], now: float, region: str | None) -> Claim:
    """Reads the claim of a presigned URL and checks that it is good now; does not verify its signature.

    :param parameters: as from :func:`query_signature`.
    :param now: seconds since 1970.
    :param region: the only region accepted, or None.
    :raises AuthorizationQueryParametersError: naming what is wrong with it.
    :raises AccessDenied: not yet good, or no longer.
    """
    for name in _REQUIRED:
        if not parameters.get(name):
            raise AuthorizationQueryParametersError(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
                "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
            )
    if parameters[b"X-Amz-Algorithm"] != ALGORITHM.encode("ascii"):
        raise _other_algorithm(parameters[b"X-Amz-Algorithm"])
    scope = read_scope(parameters[b"X-Amz-Credential"].decode("utf-8", "replace"), PLACE, region)
    date = parameters[b"X-Amz-Date"].decode("latin-1")
    signed_at = seconds_of(date)
    if signed_at is None:
        raise AuthorizationQueryParametersError(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    check_day(scope, date, _PLAIN)
    _check_time(signed_at, _lifetime(parameters[b"X-Amz-Expires"]), now)
    return Claim(scope, date, parameters[b"X-Amz-SignedHeaders"], parameters[b"X-Amz-Signature"].decode("latin-1"))


def _other_algorithm(algorithm: bytes) -> Exception:
    if algorithm == b"AWS4-ECDSA-P256-SHA256":
        return UnsupportedSignature(Resource="X-Amz-Algorithm")
    return AuthorizationQueryParametersError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')


def _lifetime(text: bytes) -> int:
    digits = text[1:] if text.startswith(b"-") else text
    if not digits.isdigit() or len(digits) > 18:
        raise AuthorizationQueryParametersError("X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise AuthorizationQueryParametersError("X-Amz-Expires must be non-negative")
    if seconds > LONGEST:
        raise AuthorizationQueryParametersError(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{LONGEST} seconds"
        )
    return seconds


def _check_time(signed_at: int, lifetime: int, now: float) -> None:
    if now < signed_at - EARLY:
        raise Unproven(
            "Request is not valid yet",
            RequestTime=iso_time(signed_at),
            ServerTime=iso_time(now),
        )
    if now > signed_at + lifetime or not lifetime:
        raise Unproven(
            "Request has expired",
            **{"X-Amz-Expires": lifetime, "Expires": iso_time(signed_at + lifetime), "ServerTime": iso_time(now)},
        )


def good_for(parameters: dict[bytes, bytes]) -> tuple[float, float]:
    """From when until when, in seconds since 1970, a presigned URL is good whose claim :func:`query_claim` has read."""
    signed_at = seconds_of(parameters[b"X-Amz-Date"].decode("latin-1"))
    assert signed_at is not None
    return signed_at - EARLY, signed_at + _lifetime(parameters[b"X-Amz-Expires"])


def iso_time(seconds: float) -> str:
    """A moment as S3's error documents write it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hoisted(parameters: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The ``x-amz-*`` parameters that mean as much as headers, by lower-case name.

    SDKs move headers into the query when they presign. S3 ignores checksums there: SDKs sign those of an empty body.
    """
    found = {}
    for name, value in parameters.items():
        lower = name.lower()
        if lower.startswith(b"x-amz-") and lower not in _SIGNATURE_ITSELF:
            if lower.startswith(b"x-amz-checksum-") and lower != b"x-amz-checksum-mode":
                continue
            found[lower] = value
    return found
