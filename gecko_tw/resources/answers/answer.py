"""Outcomes become answers: the one table of status numbers, the error document, and the ways an answer is sent."""

from typing import Protocol

from attrs import define, field

from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import S3
from gecko_tw.resources.documents import query_protocol
from gecko_tw.resources.documents.markup import bare_document, texts
from gecko_tw.resources.headers.objects import http_date
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.refusals import Refusal

Headers = list[tuple[bytes, bytes]]

XML = (b"Content-Type", b"application/xml")

STATUS = {
    "AccessControlListNotSupported": 400,
    "AccessDenied": 403,
    "AccessForbidden": 403,
    "AuthorizationHeaderMalformed": 400,
    "AuthorizationQueryParametersError": 400,
    "BadDigest": 400,
    "BadRequest": 400,
    "BucketAlreadyExists": 409,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "ConditionalRequestConflict": 409,
    "CrossLocationLoggingProhibited": 403,
    "DeleteConflict": 409,
    "EntityAlreadyExists": 409,
    "EntityTooLarge": 400,
    "EntityTooSmall": 400,
    "ExpiredToken": 400,
    "ExpiredTokenException": 400,
    "IDPCommunicationError": 400,
    "IdempotentParameterMismatch": 400,
    "IllegalVersioningConfigurationException": 400,
    "IncompleteBody": 400,
    "IncompleteSignature": 400,
    "InsufficientStorage": 507,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidAction": 400,
    "InvalidArgument": 400,
    "InvalidBucketAclWithObjectOwnership": 400,
    "InvalidBucketName": 400,
    "InvalidBucketState": 409,
    "InvalidChunkSizeError": 400,
    "InvalidClientTokenId": 403,
    "InvalidDigest": 400,
    "InvalidEncryptionAlgorithmError": 400,
    "InvalidIdentityToken": 400,
    "InvalidInput": 400,
    "InvalidLocationConstraint": 400,
    "InvalidPart": 400,
    "InvalidPartNumber": 416,
    "InvalidPartOrder": 400,
    "InvalidPolicyDocument": 400,
    "InvalidRange": 416,
    "InvalidRedirectLocation": 400,
    "InvalidRequest": 400,
    "InvalidRetentionPeriod": 400,
    "InvalidStorageClass": 400,
    "InvalidTag": 400,
    "InvalidTargetBucketForLogging": 400,
    "InvalidToken": 400,
    "InvalidURI": 400,
    "KMS.NotFoundException": 400,
    "KeyTooLongError": 400,
    "LimitExceeded": 409,
    "MalformedACLError": 400,
    "MalformedPOSTRequest": 400,
    "MalformedPolicy": 400,
    "MalformedPolicyDocument": 400,
    "MalformedTrailerError": 400,
    "MalformedXML": 400,
    "MaxMessageLengthExceeded": 400,
    "MaxPostPreDataLengthExceededError": 400,
    "MetadataTooLarge": 400,
    "MethodNotAllowed": 405,
    "MissingAuthenticationToken": 403,
    "MissingContentLength": 411,
    "MissingRequestBodyError": 400,
    "MissingSecurityHeader": 400,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchCORSConfiguration": 404,
    "NoSuchConfiguration": 404,
    "NoSuchEntity": 404,
    "NoSuchKey": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchObjectLockConfiguration": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchTagSet": 404,
    "NoSuchUpload": 404,
    "NoSuchVersion": 404,
    "NoSuchWebsiteConfiguration": 404,
    "NotImplemented": 501,
    "ObjectDamaged": 500,
    "ObjectLockConfigurationNotFoundError": 404,
    "OwnershipControlsNotFoundError": 404,
    "PackedPolicyTooLarge": 400,
    "PreconditionFailed": 412,
    "QuotaExceeded": 403,
    "ReplicationConfigurationNotFoundError": 404,
    "RequestTimeTooSkewed": 403,
    "RequestTimeout": 400,
    "ServerSideEncryptionConfigurationNotFoundError": 404,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "SlowDown": 503,
    "UnexpectedContent": 400,
    "UnresolvableGrantByEmailAddress": 400,
    "ValidationError": 400,
    "XAmzContentSHA256Mismatch": 400,
}
"""Status number by S3's error code (S3 API Reference, "Error responses")."""


class Outcome(Protocol):
    """What an operation returns: an Answer, Spans, or what is not known yet."""

    status: int
    error: str

    async def send(self, call: Call, more: Headers) -> int:
        """Sends it with ``more`` headers; returns the number of body bytes."""


@define(eq=False)
class Answer:
    """A whole answer: sent in one write.

    :ivar lines: the head of a :class:`gecko_tw.resources.answers.cached_heads.CachedHead`, or empty; then there are no other headers.
    :ivar about: the record, page or refusal that it tells of, for wires that write it in their own way.
    """

    status: int
    headers: Headers = field(factory=list)
    body: bytes = b""
    error: str = ""
    lines: bytes = b""
    about: object | None = None

    async def send(self, call: Call, more: Headers) -> int:
        """Sends it with ``more`` headers; returns the number of body bytes."""
        call.request.answer(self.status, more + self.headers, self.body, self.lines, self.about)
        return 0 if call.head.method == "HEAD" else len(self.body)


@define(eq=False)
class Spans:
    """An answer whose body is read from an opened version, ``length`` bytes from ``offset``; ``lines`` as those of an Answer."""

    status: int
    headers: Headers
    reading: IReading
    offset: int
    length: int
    error: str = ""
    lines: bytes = b""

    async def send(self, call: Call, more: Headers) -> int:
        """As :meth:`Answer.send`; the reading is closed by the request."""
        request, pool = call.request, call.service.bytes_pool
        return await request.answer_spans(
            self.status, more + self.headers, self.reading, self.offset, self.length, pool, lines=self.lines
        )


def xml(body: bytes, status: int = 200, headers: Headers | None = None, about: object | None = None) -> Answer:
    """An answer with a document."""
    return Answer(status, [XML, *(headers or ())], body, about=about)


def error_document(refusal: Refusal, call: Call) -> bytes:
    """S3's error document: code, message, the refusal's details, and what identifies the request."""
    details = {"Resource": call.head.path.decode("latin-1"), **refusal.details}
    ends = {"RequestId": call.request_id, "HostId": call.service.host_id}
    content = texts({"Code": refusal.code, "Message": refusal.message, **details, **ends})
    return bare_document("Error", content)


def answer_for(refusal: Refusal, call: Call) -> Answer:
    """The answer to a refused request. The answer to HEAD has no document: S3 sends none."""
    if call.operation is not None and call.operation.service != S3:
        return _answer_beyond_s3(refusal, call, call.operation.service)
    code = refusal.code
    status = STATUS[code]
    headers: Headers = [XML]
    if status == 503:
        headers.append(_retry_after(refusal))
    elif code == "MethodNotAllowed":
        headers.append((b"Allow", refusal.details.get("Allow", "").encode()))
    elif code == "InvalidRange":
        headers.append((b"Content-Range", b"bytes */" + refusal.details.get("ActualObjectSize", "*").encode()))
    elif code == "ObjectDamaged" and call.head.method == "HEAD":  # there is no document that could tell
        told = " ".join([refusal.message, refusal.details.get("Reason", "")]).rstrip()
        headers += [(b"x-amz-error-code", code.encode()), (b"x-amz-error-message", told.encode())]
    if refusal.marker is not None:
        headers += [(b"x-amz-delete-marker", b"true"), (b"x-amz-version-id", refusal.marker.version_id.encode())]
        if code == "MethodNotAllowed":
            headers.append((b"Last-Modified", http_date(refusal.marker.modified // 1_000_000_000)))
    body = b"" if call.head.method == "HEAD" else error_document(refusal, call)
    return Answer(status, headers, body, f"{code}: {refusal.message}", about=refusal)


def _answer_beyond_s3(refusal: Refusal, call: Call, service: str) -> Answer:
    code = query_protocol.code_of(refusal)
    status = STATUS[code]
    headers: Headers = [XML]
    if status == 503:
        headers.append(_retry_after(refusal))
    document = query_protocol.error_document(service, refusal, status, call.request_id)
    return Answer(status, headers, document, f"{code}: {refusal.message}")


def _retry_after(refusal: Refusal) -> tuple[bytes, bytes]:
    return b"Retry-After", refusal.details.get("RetryAfterSeconds", "1").encode()
