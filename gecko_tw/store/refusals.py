"""Every way the store says no.

The class name is S3's error code and the docstring is the message a client reads. Status numbers are not known here: they are
in the one table of ``resources/answers/answer.py``. ``details`` become further elements of the error document.
"""

from gecko_tw.store.records import DeleteMarker


class Refusal(Exception):
    """We encountered an internal error. Please try again."""

    marker: DeleteMarker | None = None
    """The DeleteMarker that is the reason, or None."""

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.details = {name: str(value) for name, value in details.items()}
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """S3's error code."""
        return type(self).__name__

    def because_of(self, marker: DeleteMarker) -> "Refusal":
        """Itself, naming the delete marker that is the reason."""
        self.marker = marker
        return self


class NoSuchBucket(Refusal):
    """The specified bucket does not exist"""


class NoSuchKey(Refusal):
    """The specified key does not exist."""


class NoSuchVersion(Refusal):
    """The specified version does not exist."""


class DeleteMarkerNamed(Refusal):
    """The specified method is not allowed against this resource."""

    @property
    def code(self) -> str:
        return "MethodNotAllowed"


class ObjectLocked(Refusal):
    """Access Denied because object protected by object lock."""

    @property
    def code(self) -> str:
        return "AccessDenied"


class InvalidBucketState(Refusal):
    """The request is not valid for the current state of the bucket."""


class NoSuchUpload(Refusal):
    """The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload
    might have been aborted or completed."""


class BucketAlreadyOwnedByYou(Refusal):
    """Your previous request to create the named bucket succeeded and you already own it."""


class BucketAlreadyExists(Refusal):
    """The requested bucket name is not available. The bucket namespace is shared by all users of the
    system. Please select a different name and try again."""


class BucketNotEmpty(Refusal):
    """The bucket you tried to delete is not empty."""


class InvalidBucketName(Refusal):
    """The specified bucket is not valid."""


class KeyTooLongError(Refusal):
    """Your key is too long."""


class InvalidArgument(Refusal):
    """Invalid argument."""


class InvalidRequest(Refusal):
    """Invalid request."""


class InvalidPart(Refusal):
    """One or more of the specified parts could not be found. The part may not have been uploaded, or the
    specified entity tag may not match the part's entity tag."""


class InvalidPartOrder(Refusal):
    """The list of parts was not in ascending order. Parts must be ordered by part number."""


class InvalidPartNumber(Refusal):
    """The requested partnumber is not satisfiable."""


class EntityTooSmall(Refusal):
    """Your proposed upload is smaller than the minimum allowed size."""


class EntityTooLarge(Refusal):
    """Your proposed upload exceeds the maximum allowed size."""


class MetadataTooLarge(Refusal):
    """Your metadata headers exceed the maximum allowed metadata size."""


class BadDigest(Refusal):
    """The Content-MD5 or checksum value that you specified did not match what the server received."""


class InvalidDigest(Refusal):
    """The Content-MD5 or checksum value that you specified is not valid."""


class XAmzContentSHA256Mismatch(Refusal):
    """The provided 'x-amz-content-sha256' header does not match what was computed."""


class IncompleteBody(Refusal):
    """You did not provide the number of bytes specified by the Content-Length HTTP header."""


class PreconditionFailed(Refusal):
    """At least one of the pre-conditions you specified did not hold."""


class ConditionalRequestConflict(Refusal):
    """The conditional request cannot succeed due to a conflicting operation against this resource."""


class InvalidTag(Refusal):
    """The tag provided was not a valid tag."""


class TooManyTags(Refusal):
    """Object tags cannot be greater than 10"""

    @property
    def code(self) -> str:
        return "BadRequest"


class IdempotentParameterMismatch(Refusal):
    """Parameters on this idempotent request are inconsistent with parameters used in previous request(s)."""


class QuotaExceeded(Refusal):
    """The bucket's quota does not allow this."""


class SlowDown(Refusal):
    """Please reduce your request rate."""


class ServiceUnavailable(Refusal):
    """Service is unable to handle request."""


class WrongCustomerKey(Refusal):
    """Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."""

    @property
    def code(self) -> str:
        return "AccessDenied"


class KeyNotFound(Refusal):
    """The key that was named for server-side encryption does not exist."""

    @property
    def code(self) -> str:
        return "KMS.NotFoundException"


class ObjectDamaged(Refusal):
    """The stored bytes of this object are not those that were stored. Restore it from a copy, or remove it."""


class InsufficientStorage(Refusal):
    """There is not enough free space on the server's disk to store this object."""
