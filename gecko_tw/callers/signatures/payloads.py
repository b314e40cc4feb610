"""What a request declares about its body: the effective ``x-amz-content-sha256``."""

from gecko_tw.callers.refusals import UnsupportedSignature
from gecko_tw.store.refusals import InvalidArgument

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_AND_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_CHUNKS_AND_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_WORDS = {UNSIGNED_PAYLOAD, SIGNED_CHUNKS, SIGNED_CHUNKS_AND_TRAILER, UNSIGNED_CHUNKS_AND_TRAILER}
_ECDSA = {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"}
_HEX = "0123456789abcdefABCDEF"


def payload_of(text: str) -> str:
    """The declaration, a hash in lower case.

    :raises InvalidArgument: it is none that S3 knows.
    :raises UnsupportedSignature: it needs SigV4a.
    """
    if text in _WORDS:
        return text
    if len(text) == 64 and not text.strip(_HEX):
        return text.lower()
    if text in _ECDSA:
        raise UnsupportedSignature(Header="x-amz-content-sha256")
    raise InvalidArgument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        ArgumentName="x-amz-content-sha256",
        ArgumentValue=text,
    )


def undeclared(headers: dict[bytes, bytes]) -> str:
    """The payload of a request without ``x-amz-content-sha256``.

    Unsigned uploads of botocore over TLS are framed as aws-chunked and say so only in ``Content-Encoding``.
    """
    if b"aws-chunked" in headers.get(b"content-encoding", b"").lower():
        return UNSIGNED_CHUNKS_AND_TRAILER
    return UNSIGNED_PAYLOAD
