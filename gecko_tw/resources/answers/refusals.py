"""The refusals that only the protocol knows; as in ``store/refusals.py`` the class name is S3's code, its docstring the message."""

from gecko_tw.store.refusals import Refusal


class NotImplemented_(Refusal):  # noqa: N801 - S3's code is NotImplemented, a Python built-in
    """A header or query you provided implies functionality that is not implemented."""

    @property
    def code(self) -> str:
        return "NotImplemented"


class InternalError(Refusal):
    """We encountered an internal error. Please try again."""


class MethodNotAllowed(Refusal):
    """The specified method is not allowed against this resource."""


class BadRequest(Refusal):
    """Bad Request"""


class AccessForbidden(Refusal):
    """CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request
    method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."""


class MalformedXML(Refusal):
    """The XML you provided was not well-formed or did not validate against our published schema."""


class IllegalVersioningConfigurationException(Refusal):
    """The versioning configuration specified in the request is invalid."""


class InvalidRetentionPeriod(Refusal):
    """Default retention period must be a positive integer value."""


class ObjectLockConfigurationNotFoundError(Refusal):
    """Object Lock configuration does not exist for this bucket."""


class NoSuchObjectLockConfiguration(Refusal):
    """The specified object does not have an Object Lock configuration."""


class MissingContentLength(Refusal):
    """You must provide the Content-Length HTTP header."""


class MissingRequestBodyError(Refusal):
    """Request body is empty."""


class InvalidRange(Refusal):
    """The requested range is not satisfiable."""


class InvalidURI(Refusal):
    """Couldn't parse the specified URI."""


class NoSuchWebsiteConfiguration(Refusal):
    """The specified bucket does not have a website configuration"""


class NoSuchCORSConfiguration(Refusal):
    """The CORS configuration does not exist."""


class NoSuchLifecycleConfiguration(Refusal):
    """The lifecycle configuration does not exist."""


class ServerSideEncryptionConfigurationNotFoundError(Refusal):
    """The server side encryption configuration was not found"""


class InvalidEncryptionAlgorithmError(Refusal):
    """The encryption request that you specified is not valid. The valid value is AES256."""


class NoSuchTagSet(Refusal):
    """The TagSet does not exist"""


class NoSuchConfiguration(Refusal):
    """The specified configuration does not exist."""


class ReplicationConfigurationNotFoundError(Refusal):
    """The replication configuration was not found"""


class MalformedPOSTRequest(Refusal):
    """The body of your POST request is not well-formed multipart/form-data."""


class MaxPostPreDataLengthExceededError(Refusal):
    """Your POST request fields preceding the upload file were too large."""


class MaxMessageLengthExceeded(Refusal):
    """Your request was too big."""


class RequestTimeout(Refusal):
    """Your socket connection to the server was not read from or written to within the timeout period."""


class InvalidLocationConstraint(Refusal):
    """The specified location-constraint is not valid"""


class InvalidRedirectLocation(Refusal):
    """The website redirect location must have a prefix of 'http://' or 'https://' or '/'."""


class InvalidStorageClass(Refusal):
    """The storage class you specified is not valid."""


class AccessControlListNotSupported(Refusal):
    """The bucket does not allow ACLs"""


class InvalidBucketAclWithObjectOwnership(Refusal):
    """Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"""


class MalformedACLError(Refusal):
    """The XML you provided was not well-formed or did not validate against our published schema"""


class MissingSecurityHeader(Refusal):
    """Your request was missing a required header"""


class NoSuchBucketPolicy(Refusal):
    """The bucket policy does not exist"""


class NoSuchPublicAccessBlockConfiguration(Refusal):
    """The public access block configuration was not found"""


class OwnershipControlsNotFoundError(Refusal):
    """The bucket ownership controls were not found"""


class UnexpectedContent(Refusal):
    """This request does not support content"""


class InvalidTargetBucketForLogging(Refusal):
    """The target bucket for logging does not exist, is not owned by you, or does not have the appropriate grants for the
    log-delivery group."""


class CrossLocationLoggingProhibited(Refusal):
    """Cross-location logging not allowed. A bucket in one geographic location cannot log information to a bucket in another
    location."""


class InvalidAction(Refusal):
    """The action or operation requested is invalid."""


class ValidationError(Refusal):
    """The input fails to satisfy the constraints specified by an AWS service."""


class MissingAuthenticationToken(Refusal):
    """Request is missing Authentication Token"""


class MalformedPolicyDocument(Refusal):
    """The request was rejected because the policy document was malformed."""


class PackedPolicyTooLarge(Refusal):
    """The request was rejected because the session policy is too large."""
