"""The claim of a request that is signed in its ``Authorization`` header.

Source: S3 API Reference, "Authenticating Requests: Using the Authorization Header".
"""

from gecko_tw.callers.bearer import without_secret
from gecko_tw.callers.claims import Claim, Place, check_day, read_scope
from gecko_tw.callers.refusals import AccessDenied, AuthorizationHeaderMalformed, UnsupportedSignature
from gecko_tw.callers.signature_v4 import ALGORITHM, iso_date_of
from gecko_tw.head import Head
from gecko_tw.store.refusals import InvalidArgument

PLACE = Place(AuthorizationHeaderMalformed, "The authorization header is malformed; ")


def header_claim(head: Head, region: str | None) -> Claim:
    """Reads the claim; verifies nothing but its form.

    :param region: the only region accepted, or None.
    :raises AuthorizationHeaderMalformed: naming what is wrong with it.
    """
    components = _components(head.headers[b"authorization"])
    scope = read_scope(components["Credential"], PLACE, region)
    date = _date(head.headers)
    check_day(scope, date, PLACE)
    return Claim(scope, date, components["SignedHeaders"].encode("latin-1", "replace"), components["Signature"])


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
