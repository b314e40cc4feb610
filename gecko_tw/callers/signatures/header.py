"""The claim of a request that is signed in its ``Authorization`` header.

Source: S3 API Reference, "Authenticating Requests: Using the Authorization Header".
"""

from functools import lru_cache

from gecko_tw.callers.refusals import AccessDenied, AuthorizationHeaderMalformed, UnsupportedSignature
from gecko_tw.callers.signatures.bearer import without_secret
from gecko_tw.callers.signatures.claims import Claim, Place, check_day, read_scope
from gecko_tw.callers.signatures.v4 import ALGORITHM, Scope, iso_date_of
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.wire.head import Head

_SIGNATURE = b"Signature="
_LONGEST_REMEMBERED = 1024

PLACE = Place(AuthorizationHeaderMalformed, "The authorization header is malformed; ")


def header_claim(head: Head, region: str | None, service: str = "s3") -> Claim:
    """Reads the claim; verifies nothing but its form.

    :param region: the only region accepted, or None.
    :param service: that of AWS which is asked.
    :raises AuthorizationHeaderMalformed: naming what is wrong with it.
    """
    authorization = head.headers[b"authorization"]
    begin, sign, signature = authorization.rpartition(_SIGNATURE)
    if sign and signature.isalnum() and len(begin) <= _LONGEST_REMEMBERED:
        scope, signed = _begun(begin, region, service)
        given = signature.decode("ascii")
    else:
        components = _components(authorization)
        scope = read_scope(components["Credential"], PLACE, region, service)
        signed = components["SignedHeaders"].encode("latin-1", "replace")
        given = components["Signature"]
    date = _date(head.headers)
    check_day(scope, date, PLACE)
    return Claim(scope, date, signed, given)


@lru_cache(1024)
def _begun(begin: bytes, region: str | None, service: str) -> tuple[Scope, bytes]:
    """Scope and SignedHeaders of a header whose Signature comes last: all requests of a client begin alike for a day."""
    components = _components(begin + _SIGNATURE + b"-")
    scope = read_scope(components["Credential"], PLACE, region, service)
    return scope, components["SignedHeaders"].encode("latin-1", "replace")


def _components(authorization: bytes) -> dict[str, str]:
    try:
        text = authorization.decode("utf-8")
    except UnicodeDecodeError:
        text = authorization.decode("latin-1")
    scheme, _, rest = text.partition(" ")
    if scheme != ALGORITHM:
        raise _other_scheme(scheme, text)
    components = {}
    # Commas are split off from the right, so that an access key with commas survives.
    for part in rest.rsplit(",", 2):
        name, _, value = part.strip().partition("=")
        components[name] = value
    if len(components) != 3:
        raise PLACE.refuse(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature."
        )
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not components.get(name):
            raise PLACE.refuse(f"missing {name}.")
    return components


def _other_scheme(scheme: str, text: str) -> Exception:
    if scheme == "AWS4-ECDSA-P256-SHA256":
        return UnsupportedSignature(Header="Authorization")
    return InvalidArgument(
        "Unsupported Authorization Type", ArgumentName="Authorization", ArgumentValue=without_secret(text)
    )


def _date(headers: dict[bytes, bytes]) -> str:
    value = headers.get(b"x-amz-date") or headers.get(b"date", b"")
    date = iso_date_of(value.decode("latin-1"))
    if date is None:
        raise AccessDenied("AWS authentication requires a valid Date or x-amz-date header")
    return date
