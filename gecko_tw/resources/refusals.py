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


class MissingContentLength(Refusal):
    """You must provide the Content-Length HTTP header."""


class MissingRequestBodyError(Refusal):
    """Request body is empty."""


class InvalidRange(Refusal):
    """The requested range is not satisfiable."""


class InvalidURI(Refusal):
    """Couldn't parse the specified URI."""


class NoSuchCORSConfiguration(Refusal):
    """The CORS configuration does not exist."""


class MalformedPOSTRequest(Refusal):
    """The body of your POST request is not well-formed multipart/form-data."""


class MaxPostPreDataLengthExceededError(Refusal):
    """Your POST request fields preceding the upload file were too large."""


class MaxMessageLengthExceeded(Refusal):
    """Your request was too big."""


class RequestTimeout(Refusal):
    """Your socket connection to the server was not read from or written to within the timeout period."""


class InvalidLocationConstraint(Refusal):
    """The specified location-constraint is not valid."""


class InvalidStorageClass(Refusal):
    """The storage class you specified is not valid."""
