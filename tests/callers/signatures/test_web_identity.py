"""Tokens of OpenID Connect providers: what proves somebody, and everything that does not."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gecko_tw.callers.accounts.roles import Provider
from gecko_tw.callers.refusals import ExpiredTokenException, InvalidIdentityToken
from gecko_tw.callers.signatures.web_identity import conditions_of, key_for, keys_of, prove, read_token

URL = "https://id.example.com/realms/x"
PROVIDER = Provider(account="main", url=URL, clients=("app", "other"))
RSA, EC, STRANGE = (
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP256R1()),
)
JWKS = {
    "keys": [
        {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "rsa", "alg": "RS256", "use": "sig"},
        {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "ec"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"},
        {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "enc", "use": "enc"},
        {"kty": "new"},
    ]
}
KEYS = keys_of(JWKS)
NOW = time.time()


def claims(**changes):
    told = {"iss": URL, "sub": "ann", "aud": "app", "exp": NOW + 60, "iat": NOW, "groups": ["a", "b"], **changes}
    return {name: value for name, value in told.items() if value is not None}


def token(key=EC, kid="ec", algorithm="ES256", **changes):
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} if kid else {})


def proven(text):
    return prove(text, key_for(KEYS, read_token(text).key_id), PROVIDER, NOW)


def test_a_token_of_a_known_key_proves_who_somebody_is():
    assert proven(token())["sub"] == "ann"
    assert proven(token(RSA, "rsa", "RS256", aud=["x", "other"]))["sub"] == "ann"


def test_only_keys_that_sign_and_cannot_be_shared_count():
    assert [key.key_id for key in KEYS] == ["rsa", "ec"]
    assert key_for(KEYS, None) is None and key_for(KEYS[:1], None) is KEYS[0]
    assert key_for(KEYS, "shared") is None
    for nonsense in (None, [], {"keys": {}}, {}):
        with pytest.raises(ValueError):
            keys_of(nonsense)


@pytest.mark.parametrize(
    "changes",
    (
        {"iss": "https://other.example.com"},
        {"iss": URL + "/"},
        {"aud": "nobody"},
        {"aud": ["nobody"]},
        {"aud": None},
        {"aud": {"app": 1}},
        {"sub": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": NOW + 3600},
        {"iat": NOW + 3600},
    ),
)
def test_a_token_that_says_something_else_is_refused(changes):
    text = token(**changes)
    with pytest.raises(InvalidIdentityToken):
        prove(text, KEYS[1], PROVIDER, NOW)


def test_a_token_that_is_over_is_refused_as_that():
    with pytest.raises(ExpiredTokenException):
        proven(token(exp=NOW - 1))


def test_a_token_that_nobody_or_somebody_else_has_signed_is_refused():
    head, body, _ = token().split(".")
    for text in (
        token(STRANGE),
        jwt.encode(claims(), None, "none", headers={"kid": "ec"}),
        jwt.encode(claims(), "secret" * 8, "HS256", headers={"kid": "rsa"}),
        f"{head}.{body}.",
        token(EC, "rsa"),
        token(RSA, "rsa", "PS256"),
    ):
        with pytest.raises(InvalidIdentityToken):
            proven(text)


@pytest.mark.parametrize("text", ("", "x", "a.b.c", "." * 3, "e30.e30.e30", "x" * 20_001, token(iss=None)))
def test_what_is_no_token_is_refused(text):
    with pytest.raises(InvalidIdentityToken):
        read_token(text)


def test_conditions_can_ask_for_claims_that_are_texts():
    found = conditions_of(PROVIDER, {"sub": "Ann", "groups": ["a", "b"], "exp": 1, "Mixed": "x", "odd": [1]})
    name = "id.example.com/realms/x"
    assert found == {f"{name}:sub": ["Ann"], f"{name}:groups": ["a", "b"], f"{name}:mixed": ["x"]}
