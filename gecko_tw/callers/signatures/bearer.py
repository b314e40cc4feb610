"""Key pairs given in plain words: ``Authorization: Bearer <access key id>:<secret>``, for callers that cannot sign.

Source of the form: RFC 6750, 2.1. Whoever sends one over an unencrypted connection shows it to everybody on the way.
"""

from hmac import compare_digest

from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.refusals import WrongSecret
from gecko_tw.store.refusals import InvalidArgument

_SCHEMES_TOLD = ("AWS", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")


def bearer_pair(authorization: bytes) -> tuple[str, str] | None:
    """Access key id and secret of a Bearer header, split at the first colon; None for other schemes.

    So an access key id with a colon in it can sign, but not be given here.

    :raises InvalidArgument: what follows ``Bearer`` is no pair.
    """
    if authorization[:7].lower() != b"bearer ":
        return None
    access_key, colon, secret = authorization[7:].strip().partition(b":")
    if not access_key or not colon or not secret:
        raise InvalidArgument(
            "A Bearer authorization must be an access key id and its secret with a colon between them",
            ArgumentName="Authorization",
            ArgumentValue="Bearer",
        )
    return access_key.decode("utf-8", "replace"), secret.decode("utf-8", "replace")


def check_secret(identity: Identity, secret: str) -> None:
    """Raises WrongSecret unless it is the key pair's; takes as long wherever they differ."""
    if not compare_digest(identity.secret.encode("utf-8"), secret.encode("utf-8")):
        raise WrongSecret(AWSAccessKeyId=identity.access_key)


def without_secret(authorization: str) -> str:
    """An Authorization header to be shown: of schemes whose credentials are secrets only the name, of no scheme nothing."""
    scheme, space, _ = authorization.partition(" ")
    return authorization if scheme in _SCHEMES_TOLD else scheme if space else ""
