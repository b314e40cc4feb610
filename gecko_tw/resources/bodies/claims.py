"""What a client says its bytes are: lengths, Content-MD5, ``x-amz-content-sha256``, ``x-amz-checksum-*`` and trailers. Pure.

Source: S3 User Guide, "Checking object integrity".
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping

from attrs import frozen

from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.resources.answers.refusals import MissingContentLength
from gecko_tw.store.checksums import ALGORITHMS, raw_of
from gecko_tw.store.refusals import (
    BadDigest,
    EntityTooLarge,
    InvalidArgument,
    InvalidDigest,
    InvalidRequest,
    XAmzContentSHA256Mismatch,
)
from gecko_tw.store.requests import Claim

_PREFIX = b"x-amz-checksum-"
_NO_VALUES = frozenset((b"x-amz-checksum-algorithm", b"x-amz-checksum-mode", b"x-amz-checksum-type"))
_BY_HEADER = {b"x-amz-checksum-" + name.lower().encode(): name for name in ALGORITHMS}
_SINGLE = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."


@frozen
class Claims:
    """The digests that a body must have.

    :ivar checksum: the algorithm whose value is stored, claimed or not, or None for the store's own choice.
    :ivar trailer: the lower-case name of the trailer that will bring the claim of ``checksum``, or None.
    """

    claims: tuple[Claim, ...] = ()
    checksum: str | None = None
    trailer: str | None = None

    @property
    def vouched(self) -> bool:
        """Whether the client vouches for the body with more than its signature: by Content-MD5, or by a checksum."""
        return self.trailer is not None or any(claim.refusal is BadDigest for claim in self.claims)

    @property
    def algorithms(self) -> list[str]:
        """What has to be computed while the body comes."""
        wanted = [claim.algorithm for claim in self.claims]
        return wanted if self.checksum is None else [*wanted, self.checksum]

    def with_trailers(self, trailers: Mapping[str, str]) -> tuple[Claim, ...]:
        """All claims once the body is in. Raises InvalidRequest when the trailer's value is malformed."""
        if self.trailer is None or self.checksum is None or self.trailer not in trailers:
            return self.claims
        return (*self.claims, Claim(self.checksum, raw_of(self.checksum, trailers[self.trailer])))


def read_claims(headers: Mapping[bytes, bytes], caller: Caller, described: bool = True) -> Claims:
    """The claims of a request.

    :param described: False when ``x-amz-checksum-*`` speak of something else than this body, as with CompleteMultipartUpload.

    :raises InvalidDigest: a malformed Content-MD5.
    :raises InvalidRequest: more than one checksum, an unknown one, a malformed value, or an algorithm named without its value.
    """
    claims = []
    digest = caller.digest
    if digest is not None:
        claims.append(Claim("SHA256", digest, XAmzContentSHA256Mismatch))
    md5 = headers.get(b"content-md5")
    if md5 is not None:
        claims.append(Claim("MD5", _md5(md5)))
    if not described:
        return Claims(tuple(claims))
    algorithm, value = checksum_header(headers)
    trailer = headers.get(b"x-amz-trailer")
    if trailer is not None:
        if algorithm is not None:
            raise InvalidRequest(_SINGLE)
        name = trailer.decode("latin-1").strip().lower()
        algorithm = _BY_HEADER.get(name.encode("latin-1"))
        if algorithm is None or not framed(headers, caller):
            raise InvalidRequest("The value specified in the x-amz-trailer header is not supported")
        _check_named(headers, algorithm)
        return Claims(tuple(claims), algorithm, name)
    _check_named(headers, algorithm)
    if algorithm is not None:
        claims.append(Claim(algorithm, raw_of(algorithm, value)))
    return Claims(tuple(claims), algorithm)


def _md5(value: bytes) -> bytes:
    try:
        raw = b64decode(value, validate=True)
    except (NotBase64, ValueError):
        raw = b""
    if len(raw) != 16:
        raise InvalidDigest("The Content-MD5 you specified was invalid.", **{"Content-MD5": value.decode("latin-1")})
    return raw


def checksum_header(headers: Mapping[bytes, bytes]) -> tuple[str | None, str]:
    """The algorithm and the value of the only ``x-amz-checksum-*`` header. Raises InvalidRequest when there are several."""
    found = [name for name in headers if name.startswith(_PREFIX) and name not in _NO_VALUES]
    if not found:
        return None, ""
    if len(found) > 1:
        raise InvalidRequest(_SINGLE)
    algorithm = _BY_HEADER.get(found[0])
    if algorithm is None:
        raise InvalidRequest("The algorithm type you specified in x-amz-checksum- header is invalid.")
    return algorithm, headers[found[0]].decode("latin-1")


def _check_named(headers: Mapping[bytes, bytes], algorithm: str | None) -> None:
    """``x-amz-sdk-checksum-algorithm`` must name the algorithm whose value comes."""
    named = headers.get(b"x-amz-sdk-checksum-algorithm")
    if named is None:
        return
    if algorithm is None:
        raise InvalidRequest(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
        )
    if named.decode("latin-1").upper() != algorithm:
        raise InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")


def framed(headers: Mapping[bytes, bytes], caller: Caller) -> bool:
    """Whether the body is aws-chunked: the payload declaration says so, or Content-Encoding does.

    A body whose hash is given is as it comes, unless its decoded length is given too: then Content-Encoding is but a word.
    """
    if caller.streaming:
        return True
    coding = headers.get(b"content-encoding")
    if coding is None or b"aws-chunked" not in coding.lower():
        return False
    return caller.digest is None or b"x-amz-decoded-content-length" in headers


def announced_length(headers: Mapping[bytes, bytes], caller: Caller, limit: int) -> int | None:
    """How many bytes the body will have without framing, or None when only its end will tell.

    :param limit: the most bytes allowed.
    :raises MissingContentLength: nothing tells where the body ends.
    :raises EntityTooLarge: more is announced than allowed.
    """
    if framed(headers, caller):
        value = headers.get(b"x-amz-decoded-content-length")
    else:
        value = headers.get(b"content-length")
        if value is None and b"transfer-encoding" in headers:
            return None
    if value is None:
        raise MissingContentLength
    if not value.isdigit() or len(value) > 18:
        raise InvalidArgument("The length of the body is not a number.", ArgumentValue=value.decode("latin-1"))
    length = int(value)
    if length > limit:
        raise EntityTooLarge(ProposedSize=length, MaxSizeAllowed=limit)
    return length
