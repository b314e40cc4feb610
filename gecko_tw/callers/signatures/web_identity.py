"""Tokens of OpenID Connect providers: who they say somebody is, proven by the provider's keys. Pure.

Source: OpenID Connect Core 1.0, section 3.1.3.7 ("ID Token Validation"); RFC 7515, 7517 and 7519.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen
from zope.interface import Interface

from gecko_tw.callers.accounts.roles import Provider
from gecko_tw.callers.refusals import ExpiredTokenException, InvalidIdentityToken
from gecko_tw.store.records import Json

if TYPE_CHECKING:
    from jwt import PyJWK

LONGEST = 20_000
"""Characters of a token (STS API Reference, AssumeRoleWithWebIdentity)."""

_ALGORITHMS = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"))
"""Signatures that only the provider can make: with a shared secret whoever can verify can sign."""

_SKEW = 60
"""Seconds that clocks may differ in what is not valid yet. What is over, is over."""


class IIssuers(Interface):
    """Where the keys of providers are found."""

    def key(url: str, key_id: str | None) -> Awaitable["PyJWK | None"]:
        """A key of the provider at a URL, by its id, or None. Raises IDPCommunicationError."""


@frozen
class Unproven:
    """What a token says before anybody has verified it: whose key verifies it."""

    issuer: str
    key_id: str | None


def read_token(token: str) -> Unproven:
    """The issuer that a token names, and the id of its key. Raises InvalidIdentityToken."""
    import jwt  # few deployments have providers

    if len(token) > LONGEST:
        raise InvalidIdentityToken("The token is too long.")
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise InvalidIdentityToken("The token is no JSON Web Token.") from None
    issuer, key_id = claims.get("iss"), header.get("kid")
    if not isinstance(issuer, str) or not isinstance(key_id, str | None):
        raise InvalidIdentityToken("The token names no issuer.")
    return Unproven(issuer, key_id)


def keys_of(document: Json) -> "list[PyJWK]":
    """The keys of a JSON Web Key Set that verify signatures which only its owner can make. Raises ValueError when it is none."""
    import jwt

    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("it is no JSON Web Key Set")
    found = []
    for given in document["keys"]:
        try:
            key = jwt.PyJWK.from_dict(given)
        except (jwt.PyJWTError, AttributeError, TypeError, ValueError):
            continue  # of a kind that nobody knows here
        if key.algorithm_name in _ALGORITHMS and given.get("use", "sig") == "sig":
            found.append(key)
    return found


def key_for(keys: "Sequence[PyJWK]", key_id: str | None) -> "PyJWK | None":
    """The key of that id; the only one where a token names none."""
    if key_id is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.key_id == key_id), None)


def prove(token: str, key: "PyJWK", provider: Provider, now: float) -> Mapping[str, Json]:
    """The claims of a token that the provider has signed with this key, for one of its clients, and that is valid now.

    :param now: seconds since 1970.
    :raises InvalidIdentityToken: always when it is not so.
    :raises ExpiredTokenException: it is over.
    """
    import jwt

    unchecked = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False)
    try:
        claims: dict[str, Json] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            issuer=provider.url,
            options={**unchecked, "require": ["exp", "iss", "sub", "aud"]},  # type: ignore[arg-type] # names of options
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise InvalidIdentityToken("The token is not one that its provider has signed.") from None
    if not isinstance(claims["sub"], str):
        raise InvalidIdentityToken("The token names no subject.")
    if not set(audience_of(claims)) & set(provider.clients):
        raise InvalidIdentityToken("Incorrect token audience")
    if _number(claims, "exp", now) <= now:
        raise ExpiredTokenException("Token expired")
    if max(_number(claims, "nbf", now), _number(claims, "iat", now)) > now + _SKEW:
        raise InvalidIdentityToken("The token is not valid yet.")
    return claims


def audience_of(claims: Mapping[str, Json]) -> list[str]:
    """For whom a token is."""
    found = claims["aud"]
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _number(claims: Mapping[str, Json], name: str, usual: float) -> float:
    value = claims.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidIdentityToken(f"The claim {name} is no time.")
    return float(value)


def conditions_of(provider: Provider, claims: Mapping[str, Json]) -> dict[str, Json]:
    """What conditions of trust policies can ask for: each claim that is a text, or a list of texts, by ``issuer:claim`` in lower case.

    Source: IAM User Guide, "Available keys for AWS OIDC federation".
    """
    found: dict[str, Json] = {}
    for name, value in claims.items():
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(one, str) for one in values):
            found[f"{provider.name}:{name}".lower()] = values
    return found
