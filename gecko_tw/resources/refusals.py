"""The refusals that only the protocol knows; as in ``store/refusals.py`` the class name is S3's code, its docstring the message."""

from gecko_tw.store.refusals import Refusal


class NotImplemented_(Refusal):  # noqa: N801 - S3's code is NotImplemented, a Python built-in
    """A header or query you provided implies functionality that is not implemented."""

    @property
    def code(self) -> str:
        return "NotImplemented"


class MethodNotAllowed(Refusal):
    """The specified method is not allowed against this resource."""


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


class MalformedTrailerError(Refusal):
    """The request contained trailing data that was not well-formed or did not conform to our published schema."""


class InvalidChunkSizeError(Refusal):
    """Only the last chunk is allowed to have a size less than 8192 bytes."""


class MaxMessageLengthExceeded(Refusal):
    """Your request was too big."""


class RequestTimeout(Refusal):
    """Your socket connection to the server was not read from or written to within the timeout period."""


class InvalidLocationConstraint(Refusal):
    """The specified location-constraint is not valid."""


class NotModified(Refusal):
    """Not modified."""
