"""Every way a request fails to prove who asks; as in ``store/refusals.py`` the class name is S3's code, its docstring the message.

Sources: S3 API Reference, "Error responses" and "Authenticating Requests (AWS Signature Version 4)".
"""

from gecko_tw.store.refusals import Refusal


class AccessDenied(Refusal):
    """Access Denied"""


class SignatureDoesNotMatch(Refusal):
    """The request signature we calculated does not match the signature you provided. Check your key and signing method."""


class InvalidAccessKeyId(Refusal):
    """The AWS Access Key Id you provided does not exist in our records."""


class InvalidToken(Refusal):
    """The provided token is malformed or otherwise invalid."""


class RequestTimeTooSkewed(Refusal):
    """The difference between the request time and the current time is too large."""


class AuthorizationHeaderMalformed(Refusal):
    """The authorization header that you provided is not valid."""


class AuthorizationQueryParametersError(Refusal):
    """The authorization query parameters that you provided are not valid."""


class UnsupportedSignature(Refusal):
    """A header or query you provided implies functionality that is not implemented."""

    @property
    def code(self) -> str:
        return "NotImplemented"


class InvalidPolicyDocument(Refusal):
    """The content of the form does not meet the conditions specified in the policy document."""


class InvalidChunkSizeError(Refusal):
    """Only the last chunk is allowed to have a size less than 8192 bytes."""


class MalformedTrailerError(Refusal):
    """The request contained trailing data that was not well-formed or did not conform to our published schema."""
