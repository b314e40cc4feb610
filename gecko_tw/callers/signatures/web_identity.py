"""Tokens of OpenID Connect providers: who they say somebody is, proven by the provider's keys. Pure.

Source: OpenID Connect Core 1.0, section 3.1.3.7 ("ID Token Validation"); RFC 7515, 7517 and 7519.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from gecko_tw.callers.accounts.roles import Provider
from gecko_tw.callers.refusals import ExpiredTokenException, InvalidIdentityToken

LONGEST = 20_000
"""Characters of a token (STS API Reference, AssumeRoleWithWebIdentity)."""

_ALGORITHMS = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"))
"""Signatures that only the provider can make: with a shared secret whoever can verify can sign."""

_SKEW = 60
"""Seconds that clocks may differ in what is not valid yet. What is over, is over."""


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


def keys_of(document: Any) -> list[Any]:
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


def key_for(keys: Sequence[Any], key_id: str | None) -> Any | None:
    """The key of that id; the only one where a token names none."""
    if key_id is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.key_id == key_id), None)


def prove(token: str, key: Any, provider: Provider, now: float) -> Mapping[str, Any]:
    """The claims of a token that the provider has signed with this key, for one of its clients, and that is valid now.

    :param now: seconds since 1970.
    :raises InvalidIdentityToken: always when it is not so.
    :raises ExpiredTokenException: it is over.
    """
    import jwt

    unchecked = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            issuer=provider.url,
            options={**unchecked, "require": ["exp", "iss", "sub", "aud"]},  # type: ignore[typeddict-item]
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


def audience_of(claims: Mapping[str, Any]) -> list[str]:
    """For whom a token is."""
    found = claims["aud"]
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _number(claims: Mapping[str, Any], name: str, usual: float) -> float:
    value = claims.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidIdentityToken(f"The claim {name} is no time.")
    return float(value)


def conditions_of(provider: Provider, claims: Mapping[str, Any]) -> dict[str, Any]:
    """What conditions of trust policies can ask for: each claim that is a text, or a list of texts, by ``issuer:claim`` in lower case.

    Source: IAM User Guide, "Available keys for AWS OIDC federation".
    """
    found: dict[str, Any] = {}
    for name, value in claims.items():
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(one, str) for one in values):
            found[f"{provider.name}:{name}".lower()] = values
    return found
