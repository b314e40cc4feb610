"""Every way a request fails to prove who asks; as in ``store/refusals.py`` the class name is S3's code, its docstring the message.

Sources: S3 API Reference, "Error responses" and "Authenticating Requests (AWS Signature Version 4)".
"""

from gecko_tw.store.refusals import Refusal


class AccessDenied(Refusal):
    """Access Denied"""


# What a signature claims is not, or no longer, good for this request; told in the log as other failures are.
class Unproven(AccessDenied):
    """Access Denied"""

    @property
    def code(self) -> str:
        return "AccessDenied"


class SignatureDoesNotMatch(Refusal):
    """The request signature we calculated does not match the signature you provided. Check your key and signing method."""


class InvalidAccessKeyId(Refusal):
    """The AWS Access Key Id you provided does not exist in our records."""


class WrongSecret(Refusal):
    """The secret that you provided is not that of the access key id."""

    @property
    def code(self) -> str:
        return "AccessDenied"


class InvalidToken(Refusal):
    """The provided token is malformed or otherwise invalid."""


class ExpiredToken(Refusal):
    """The provided token has expired."""


class InvalidIdentityToken(Refusal):
    """The web identity token that was passed could not be validated."""


class ExpiredTokenException(Refusal):
    """The web identity token that was passed is expired or is not valid."""


class IDPCommunicationError(Refusal):
    """The request could not be fulfilled because the identity provider (IDP) that was asked to verify the incoming identity token
    could not be reached."""


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


class UnresolvableGrantByEmailAddress(Refusal):
    """The e-mail address that you provided does not match any account on record."""


class NoSuchEntity(Refusal):
    """There is no such account, user, group, role, policy or access key."""


class EntityAlreadyExists(Refusal):
    """There is one of that name already."""


class LimitExceeded(Refusal):
    """There are as many already as there may be."""


class DeleteConflict(Refusal):
    """It is still in use."""
