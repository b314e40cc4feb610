"""What a request says about its signature, wherever it says it, and whether that is true."""

from hmac import compare_digest

from attrs import frozen

from gecko_tw.callers.refusals import SignatureDoesNotMatch, Unproven
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.callers.signatures.showing import without_secrets
from gecko_tw.callers.signatures.v4 import (
    TERMINATOR,
    Scope,
    canonical_query,
    canonical_request,
    scope_of,
    sign,
    signing_key,
    string_to_sign,
)
from gecko_tw.store.refusals import InvalidRequest, Refusal
from gecko_tw.wire.head import Head

NO_FRONT = Front()


@frozen
class Claim:
    """A signature and what it was made with.

    :ivar date: the request's date, ``YYYYMMDDTHHMMSSZ``.
    :ivar signed: the SignedHeaders exactly as given: lower-case names joined by ``;``.
    :ivar signature: hex.
    """

    scope: Scope
    date: str
    signed: bytes
    signature: str


@frozen
class Place:
    """Where a claim was read from: which refusal, and the beginning of its message, tells that it is malformed there."""

    refusal: type[Refusal]
    prefix: str

    def refuse(self, reason: str, **details: str) -> Refusal:
        """The refusal to raise."""
        return self.refusal(self.prefix + reason, **details)


def read_scope(credential: str, place: Place, region: str | None, service: str = "s3") -> Scope:
    """The scope of a credential, checked against what this server is.

    :param region: the only region accepted, or None.
    :param service: that of AWS which is asked.
    """
    scope = scope_of(credential)
    if scope is None:
        raise place.refuse(
            'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        )
    if scope.terminator != TERMINATOR:
        raise place.refuse(f'incorrect terminal "{scope.terminator}". This endpoint uses "{TERMINATOR}".')
    if scope.service != service:
        raise place.refuse(f'incorrect service "{scope.service}". This endpoint belongs to "{service}".')
    if region is not None and scope.region != region:
        raise place.refuse(f"the region '{scope.region}' is wrong; expecting '{region}'", Region=region)
    if len(scope.day) != 8 or not (scope.day.isascii() and scope.day.isdecimal()):
        raise place.refuse(
            f'incorrect date format "{scope.day}". This date in the credential must be in the format "yyyyMMdd".'
        )
    return scope


def check_day(scope: Scope, date: str, place: Place) -> None:
    """Refuses a credential of another day than the request's."""
    if date[:8] != scope.day:
        raise place.refuse(
            f'Invalid credential date "{scope.day}". This date is not the same as X-Amz-Date: "{date[:8]}".'
        )


def check_signed_headers(head: Head, signed: bytes, ignored: bytes = b"") -> None:
    """Refuses a request whose ``Host``, or any of whose ``x-amz-*`` headers, was not signed.

    :param ignored: a header that may come without being signed, because nobody reads it then.
    """
    names = [*signed.split(b";"), ignored]
    missing = [name for name in head.headers if name.startswith(b"x-amz-") and name not in names]
    if b"host" not in names:
        missing.append(b"host")
    if missing:
        raise Unproven(
            "There were headers present in the request which were not signed",
            HeadersNotSigned=b", ".join(sorted(missing)).decode("latin-1"),
        )


def verify(head: Head, query: bytes, claim: Claim, secret: str, payload: bytes, front: Front = NO_FRONT) -> bytes:
    """Returns the signing key when the claimed signature is right: of the request as it is, or as it was before proxies changed it.

    :param query: the canonical query.
    :param payload: the ``x-amz-content-sha256`` that was signed.
    :raises SignatureDoesNotMatch: with all that is needed to find out why.
    """
    request = canonical_request(head, query, claim.signed, payload)
    text = string_to_sign(claim.date, claim.scope, request)
    key = signing_key(secret, claim.scope.day, claim.scope.region, claim.scope.service)
    if same(sign(key, text.encode("utf-8")), claim.signature):
        return key
    as_sent = canonical_query(head.query, as_sent=True)
    if as_sent != query:
        other = string_to_sign(claim.date, claim.scope, canonical_request(head, as_sent, claim.signed, payload))
        if same(sign(key, other.encode("utf-8")), claim.signature):
            return key
    for version in front.versions(head, claim.signed):
        other = string_to_sign(claim.date, claim.scope, canonical_request(version, query, claim.signed, payload))
        if same(sign(key, other.encode("utf-8")), claim.signature):
            return key
    shown = without_secrets(request)
    raise SignatureDoesNotMatch(
        AWSAccessKeyId=claim.scope.access_key,
        StringToSign=text,
        SignatureProvided=claim.signature,
        StringToSignBytes=text.encode("utf-8").hex(" "),
        CanonicalRequest=shown.decode("utf-8", "replace"),
        CanonicalRequestBytes=shown.hex(" "),
        HostsTried=b", ".join(front.hosts(head)).decode("latin-1"),
    )


def same(expected: str, given: str) -> bool:
    """Compares two signatures without telling by time where they differ."""
    return compare_digest(expected.encode("ascii"), given.encode("utf-8", "replace"))


def refuse_version_two() -> Refusal:
    """The refusal of Signature Version 2."""
    return InvalidRequest(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    )
