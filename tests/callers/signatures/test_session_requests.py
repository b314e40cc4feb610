"""Requests with the key pair and the token of a session, in every way that a request can prove who asks."""

from base64 import b64encode
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import (
    HmacV1Auth,
    HmacV1PostAuth,
    HmacV1QueryAuth,
    S3SigV4Auth,
    S3SigV4PostAuth,
    S3SigV4QueryAuth,
    SigV4Auth,
)
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.refusals import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    ExpiredToken,
    InvalidAccessKeyId,
    InvalidToken,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
    WrongSecret,
)
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.store.refusals import InvalidArgument, Refusal
from gecko_tw.wire.head import Head
from tests.callers.accounts.test_sessions import READ, Office
from tests.callers.signatures.signing import NOW, ORIGIN, REGION, clock_of_botocore, head_from, with_header, with_target

OFFICE = Office()
GIVEN = OFFICE.sessions.issue(OFFICE.parent(), READ, 900, "work", NOW)
OTHER = OFFICE.sessions.issue(OFFICE.parent(), READ, 900, "work", NOW)
WAYS = ("header", "query", "header of version 2", "query of version 2", "bearer")


@pytest.fixture(autouse=True)
def _botocore_signs_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.time.time", lambda: NOW)
    monkeypatch.setattr("botocore.auth.HmacV1Auth._get_date", lambda signer: formatdate(NOW, usegmt=True))


def door(now: float = NOW) -> Authenticator:
    return Authenticator(OFFICE.directory, lambda: now)


def keys(
    access_key: str = GIVEN.access_key, secret: str = GIVEN.secret, token: str | None = GIVEN.token
) -> Credentials:
    return Credentials(access_key, secret, token)


def signed(way: str, credentials: Credentials) -> Head:
    request = AWSRequest(method="GET", url=ORIGIN + "/bucket/key", headers={})
    with clock_of_botocore(NOW):
        if way == "bearer":
            request.headers["Authorization"] = f"Bearer {credentials.access_key}:{credentials.secret_key}"
            if credentials.token is not None:
                request.headers["x-amz-security-token"] = credentials.token
        else:
            signers: dict[str, Any] = {
                "header": lambda: S3SigV4Auth(credentials, "s3", REGION),
                "query": lambda: S3SigV4QueryAuth(credentials, "s3", REGION, expires=7200),
                "header of version 2": lambda: HmacV1Auth(credentials),
                "query of version 2": lambda: HmacV1QueryAuth(credentials, expires=7200),
            }
            signers[way]().add_auth(request)
    return head_from(request)


def form(credentials: Credentials, version: int) -> dict[str, str]:
    request = AWSRequest(method="POST", url=ORIGIN + "/bucket")
    request.context["s3-presign-post-fields"] = {"key": "a"}
    conditions = [{"bucket": "bucket"}, {"key": "a"}]
    request.context["s3-presign-post-policy"] = {"expiration": "2030-01-01T00:00:00Z", "conditions": conditions}
    with clock_of_botocore(NOW):
        signer = S3SigV4PostAuth(credentials, "s3", REGION) if version == 4 else HmacV1PostAuth(credentials)
        signer.add_auth(request)
    return dict(request.context["s3-presign-post-fields"])


def refused(head: Head, now: float = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        door(now).authenticate(head)
    return caught.value


def refused_form(fields: dict[str, str]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        door().authenticate_form("bucket", fields)
    return caught.value


@pytest.mark.parametrize("way", WAYS)
def test_a_session_is_let_in_as_who_it_stands_for(way: str) -> None:
    there = door()
    for _ in range(2):  # a URL is good again and again
        caller = there.authenticate(signed(way, keys()))
        assert caller.identity is not None
        assert (caller.identity.access_key, caller.identity.parent) == (GIVEN.access_key, "annkey")
        assert caller.principal.user_name == "ann"
        assert b"x-amz-security-token" not in caller.hoisted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("credentials", "kind"),
    [
        (keys(token=None), InvalidAccessKeyId),
        (keys(token=OTHER.token), InvalidToken),
        (keys(token="nonsense"), InvalidToken),
        (keys(token=GIVEN.token[:-1] + ("A" if GIVEN.token[-1] != "A" else "B")), InvalidToken),
        (keys("annkey", "annsecret"), InvalidToken),
        (keys("root", "rootsecret"), InvalidToken),
        (keys("annkey", GIVEN.secret), InvalidToken),
        (keys("nobody", GIVEN.secret), InvalidToken),
        (keys(secret="annsecret"), (SignatureDoesNotMatch, WrongSecret)),
    ],
    ids=[
        "no token",
        "another session's",
        "nonsense",
        "altered",
        "lasting key",
        "superuser's key",
        "parent's id",
        "unknown id",
        "parent's secret",
    ],
)
def test_only_the_three_that_belong_together_are_let_in(way: str, credentials: Credentials, kind: Any) -> None:
    refusal = refused(signed(way, credentials))
    assert isinstance(refusal, kind)
    told = f"{refusal.message} {refusal.details}"
    assert not [secret for secret in (GIVEN.secret, GIVEN.token, OTHER.token, "annsecret") if secret in told]


@pytest.mark.parametrize("way", WAYS)
def test_a_session_ends_when_its_time_is_over(way: str) -> None:
    head = signed(way, keys())
    assert door(NOW + 899).authenticate(head).identity is not None
    assert isinstance(refused(head, NOW + 900), ExpiredToken)


@pytest.mark.parametrize("way", WAYS)
def test_a_revoked_parent_is_refused_at_the_next_request(way: str) -> None:
    office = Office()
    given = office.sessions.issue(office.parent(), None, 900, "work", NOW)
    there = Authenticator(office.directory, lambda: NOW)
    head = signed(way, Credentials(given.access_key, given.secret, given.token))
    assert there.authenticate(head).identity is not None
    office.registry.remove("key", "annkey")
    with pytest.raises(InvalidToken):
        there.authenticate(head)


@pytest.mark.parametrize("way", ["header", "query", "header of version 2", "query of version 2"])
def test_the_token_is_part_of_what_is_signed(way: str) -> None:
    """A token that is put beside a request that was signed without one makes no session's request of it."""
    head = with_header(signed(way, keys(token=None)), b"x-amz-security-token", GIVEN.token.encode())
    assert isinstance(refused(head), AccessDenied | SignatureDoesNotMatch)


def test_a_token_without_a_signature_is_nobodys() -> None:
    head = with_header(with_target(signed("header", keys()), b"/bucket/key"), b"authorization", None)
    assert door().authenticate(head).kind == "anonymous"
    query = b"/bucket/key?X-Amz-Security-Token=" + quote(GIVEN.token).encode()
    assert door().authenticate(with_target(with_header(head, b"x-amz-security-token", None), query)).kind == "anonymous"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("token", ["ä" * 100, "A" * 12_000, "%00", "=", " "])
def test_strange_tokens_are_refused_as_tokens(way: str, token: str) -> None:
    encoded = token.encode()
    if "query" in way:
        name = b"X-Amz-Security-Token=" if way == "query" else b"x-amz-security-token="
        head = signed(way, keys(token="TOKEN"))
        target = head.target.replace(name + b"TOKEN", name + quote(token).encode())
        assert target != head.target
        head = with_target(head, target)
    else:
        head = with_header(signed(way, keys(token="TOKEN")), b"x-amz-security-token", encoded)
    assert isinstance(refused(head), InvalidToken)


@pytest.mark.parametrize("version", [2, 4])
def test_a_form_carries_its_token_in_a_field(version: int) -> None:
    caller, _ = door().authenticate_form("bucket", form(keys(), version))
    assert caller.identity is not None and caller.identity.access_key == GIVEN.access_key
    assert isinstance(refused_form(form(keys(token=None), version)), InvalidAccessKeyId)
    for token in (OTHER.token, "\ud800", "ä", "A" * 20_000):
        fields = form(keys(), version)
        assert isinstance(refused_form({**fields, "x-amz-security-token": token}), InvalidToken)
    assert isinstance(refused_form(form(keys("annkey", "annsecret"), version)), InvalidToken)


@pytest.mark.parametrize("version", [2, 4])
def test_no_refusal_of_a_form_tells_its_token(version: int) -> None:
    fields = form(keys(secret="wrong"), version)
    refusal = refused_form(fields)
    assert isinstance(refusal, SignatureDoesNotMatch)
    told = f"{refusal.message} {refusal.details}"
    assert fields["policy"] not in told and fields["policy"].encode().hex(" ") not in told
    plain = form(Credentials("annkey", "wrong"), version)
    assert plain["policy"] in str(refused_form(plain).details)


def test_no_condition_on_a_token_is_told() -> None:
    conditions = [{"bucket": "bucket"}, {"key": "a"}, {"x-amz-security-token": "hidden-token"}]
    request = AWSRequest(method="POST", url=ORIGIN + "/bucket")
    request.context["s3-presign-post-fields"] = {"key": "a"}
    request.context["s3-presign-post-policy"] = {"expiration": "2030-01-01T00:00:00Z", "conditions": conditions}
    with clock_of_botocore(NOW):
        S3SigV4PostAuth(keys(), "s3", REGION).add_auth(request)
    refusal = refused_form(dict(request.context["s3-presign-post-fields"]))
    assert isinstance(refusal, AccessDenied) and "hidden" not in refusal.message and "***" in refusal.message


def test_urls_of_sessions_are_not_remembered() -> None:
    there = door()
    there.authenticate(signed("query", keys()))
    assert not there._proofs._known
    there.authenticate(signed("query", Credentials("annkey", "annsecret")))
    assert there._proofs._known


def document_head(body: bytes, service: str = "sts", credentials: Credentials | None = None, **headers: str) -> Head:
    """A request to another service, as botocore signs it."""
    request = AWSRequest(method="POST", url=ORIGIN + "/", data=body, headers=headers)
    with clock_of_botocore(NOW):
        SigV4Auth(credentials or keys(), service, REGION).add_auth(request)
    return head_from(request)


def test_a_request_to_another_service_is_signed_with_its_document() -> None:
    head = document_head(b"Action=x")
    caller = door().authenticate_document(head, b"Action=x", "sts")
    assert (caller.kind, caller.principal.user_name) == ("header", "ann")
    for document, service in ((b"Action=y", "sts"), (b"", "sts"), (b"Action=x ", "sts")):
        with pytest.raises(SignatureDoesNotMatch):
            door().authenticate_document(head, document, service)


def test_a_signature_for_one_service_is_of_no_use_at_another() -> None:
    for_s3 = document_head(b"Action=x", "s3")
    with pytest.raises(AuthorizationHeaderMalformed):
        door().authenticate_document(for_s3, b"Action=x", "sts")
    relabelled = for_s3.headers[b"authorization"].replace(b"/s3/", b"/sts/")
    with pytest.raises(SignatureDoesNotMatch):
        door().authenticate_document(with_header(for_s3, b"authorization", relabelled), b"Action=x", "sts")
    assert isinstance(refused(document_head(b"Action=x")), AuthorizationHeaderMalformed)


@pytest.mark.parametrize(
    "authorization",
    [
        b"Bearer annkey:annsecret",
        b"AWS annkey:" + b64encode(b"x" * 20),
        b"Basic x",
        b"",
        b"\xff",
        b"AWS4-HMAC-SHA256 x",
    ],
)
def test_another_service_takes_signatures_of_version_4_only(authorization: bytes) -> None:
    head = with_header(document_head(b"x"), b"authorization", authorization)
    with pytest.raises((InvalidArgument, AuthorizationHeaderMalformed)):
        door().authenticate_document(head, b"x", "sts")


def test_old_requests_to_another_service_and_headers_that_are_not_signed_are_refused() -> None:
    with pytest.raises(RequestTimeTooSkewed):
        door(NOW - 901).authenticate_document(document_head(b"x"), b"x", "sts")
    more = with_header(document_head(b"x"), b"x-amz-more", b"1")
    with pytest.raises(AccessDenied):
        door().authenticate_document(more, b"x", "sts")


def test_while_authentication_is_switched_off_no_token_is_looked_at() -> None:
    there = Authenticator(OnePair("k", "s"), lambda: NOW, enabled=False)
    assert there.authenticate(signed("header", keys(token="nonsense"))).kind == "open"
    assert there.authenticate_document(document_head(b"x"), b"", "sts").kind == "open"
