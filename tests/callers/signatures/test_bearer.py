"""Key pairs in plain words: who is let in, and that secrets stay secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.refusals import InvalidAccessKeyId, InvalidToken, WrongSecret
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.payloads import SIGNED_CHUNKS, UNSIGNED_CHUNKS_AND_TRAILER, UNSIGNED_PAYLOAD
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, Refusal
from gecko_tw.wire.head import Head, head_of
from tests.callers.signatures.signing import NOW, presigned

PRINTABLE = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=30)


def authenticator(access_key: str = "key", secret: str = "secret") -> Authenticator:
    return Authenticator(OnePair(access_key, secret), lambda: NOW)


def bearing(credentials: str, **headers: str) -> Head:
    more = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return head_of("GET", b"/bucket/key", {b"authorization": credentials.encode(), **more})


def refused(head: Head) -> Refusal:
    with pytest.raises(Refusal) as caught:
        authenticator().authenticate(head)
    return caught.value


@given(access_key=PRINTABLE.filter(lambda text: ":" not in text), secret=PRINTABLE)
def test_every_pair_whose_key_id_has_no_colon_can_be_given(access_key: str, secret: str) -> None:
    caller = authenticator(access_key, secret).authenticate(bearing(f"Bearer {access_key}:{secret}"))
    assert caller.kind == "bearer"
    assert caller.identity is not None and caller.identity.access_key == access_key
    assert (caller.payload, caller.chunks, caller.hoisted) == (UNSIGNED_PAYLOAD, None, {})


def test_the_pair_is_split_at_its_first_colon() -> None:
    assert authenticator("key", "a:b").authenticate(bearing("bearer key:a:b")).kind == "bearer"
    with pytest.raises(InvalidAccessKeyId):
        authenticator("key:a", "b").authenticate(bearing("Bearer key:a:b"))


@given(PRINTABLE.filter(lambda text: text != "secret"))
def test_another_secret_is_refused_and_shown_to_nobody(secret: str) -> None:
    refusal = refused(bearing(f"Bearer key:{secret}"))
    assert isinstance(refusal, WrongSecret)
    assert (refusal.code, refusal.details) == ("AccessDenied", {"AWSAccessKeyId": "key"})


@pytest.mark.parametrize("credentials", ["Bearer x", "Bearer :", "Bearer key:", "Bearer :secret", "Bearer  "])
def test_what_is_no_pair_is_told(credentials: str) -> None:
    refusal = refused(bearing(credentials))
    assert isinstance(refusal, InvalidArgument)
    assert refusal.details == {"ArgumentName": "Authorization", "ArgumentValue": "Bearer"}


def test_secrets_of_unknown_schemes_are_not_repeated() -> None:
    assert refused(bearing("Basic a2V5OnNlY3JldA==")).details["ArgumentValue"] == "Basic"
    both = head_of("GET", presigned().target, {b"authorization": b"Bearer key:secret", b"host": b"localhost:9000"})
    assert refused(both).details["ArgumentValue"] == "Bearer"


def test_a_body_may_be_declared_but_has_no_chunk_signatures() -> None:
    digest = "0" * 64
    assert authenticator().authenticate(bearing("Bearer key:secret", x_amz_content_sha256=digest)).payload == digest
    chunked = bearing("Bearer key:secret", content_encoding="aws-chunked")
    assert authenticator().authenticate(chunked).payload == UNSIGNED_CHUNKS_AND_TRAILER
    assert isinstance(refused(bearing("Bearer key:secret", x_amz_content_sha256=SIGNED_CHUNKS)), InvalidRequest)


def test_a_session_token_that_does_not_belong_to_the_pair_is_refused() -> None:
    assert isinstance(refused(bearing("Bearer key:secret", x_amz_security_token="token")), InvalidToken)
