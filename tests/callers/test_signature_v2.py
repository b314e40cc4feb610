"""Presigned URLs and forms of signature version 2, held against botocore's own signers."""

from base64 import b64encode
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1PostAuth, HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.authenticate import Authenticator
from gecko_tw.callers.identities import OnePair
from gecko_tw.callers.proxies import Front
from gecko_tw.callers.refusals import AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch
from gecko_tw.head import Head, head_of
from gecko_tw.store.refusals import InvalidRequest, Refusal
from tests.callers.signing import ACCESS_KEY, NOW, SECRET

CREDENTIALS = Credentials(ACCESS_KEY, SECRET)


def authenticator(now: float = NOW, version_two: bool = True) -> Authenticator:
    return Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: now, version_two=version_two)


@pytest.fixture(autouse=True)
def _botocore_signs_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.time.time", lambda: NOW)


def presigned(method: str = "GET", target: str = "/bucket/key", headers: dict[str, str] | None = None) -> Head:
    request = AWSRequest(method=method, url="http://localhost:9000" + target, headers=headers or {})
    HmacV1QueryAuth(CREDENTIALS, expires=60).add_auth(request)
    url = urlsplit(request.url)
    return head_of(method, f"{url.path}?{url.query}".encode(), {b"host": b"localhost:9000"})


def test_a_bucket_in_the_host_is_signed_as_the_beginning_of_the_path() -> None:
    door = Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: NOW, front=Front(domains=("s3.test",)))
    head = presigned(target="/photos/cat")
    named = head_of("GET", b"/cat?" + head.query, {b"host": b"photos.s3.test"})
    assert door.authenticate(named).kind == "presigned"
    with pytest.raises(SignatureDoesNotMatch):
        door.authenticate(head_of("GET", b"/photos/cat?" + head.query, {b"host": b"secret.s3.test"}))


def test_a_prefix_may_be_signed_or_not() -> None:
    front = Front(prefix=b"/s3")
    door = Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: NOW, front=front)
    for signed, came in (("/s3/b/k", b"/b/k"), ("/b/k", b"/s3/b/k"), ("/s3/b/k", b"/s3/b/k")):
        head = presigned(target=signed)
        assert door.authenticate(front.arrived(head_of("GET", came + b"?" + head.query))).kind == "presigned"


def refused(head: Head, **how: float) -> Refusal:
    with pytest.raises(Refusal) as caught:
        authenticator(**how).authenticate(head)
    return caught.value


def signed_form(policy: dict[str, object]) -> dict[str, str]:
    request = AWSRequest(method="POST", url="http://localhost:9000/bucket")
    fields: dict[str, str] = {}
    request.context["s3-presign-post-fields"] = fields
    request.context["s3-presign-post-policy"] = policy
    HmacV1PostAuth(CREDENTIALS).add_auth(request)
    return fields


@given(
    st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]),
    st.text("abcZ09-._~%2F+:=/", min_size=1, max_size=30),
    st.sampled_from(
        ["", "?tagging", "?uploadId=abc&partNumber=7", "?versionId=null", "?x-id=GetObject", "?prefix=a%20b"]
    ),
)
def test_what_botocore_presigns_is_accepted(method: str, key: str, query: str) -> None:
    caller = authenticator().authenticate(presigned(method, "/bucket/" + key.replace("%", "%25") + query))
    assert (caller.kind, caller.identity.access_key) == ("presigned", ACCESS_KEY)


def test_response_overrides_are_signed_decoded() -> None:
    head = presigned(target="/bucket/key?response-content-disposition=attachment%3B%20filename%3D%22a%20b.txt%22")
    assert authenticator().authenticate(head).kind == "presigned"


def test_headers_moved_into_the_query_are_signed_and_count_as_headers() -> None:
    head = presigned("PUT", headers={"x-amz-meta-colour": "blue", "content-type": "image/png"})
    assert authenticator().authenticate(head).hoisted[b"x-amz-meta-colour"] == b"blue"


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"/bucket/key", b"/bucket/kex"), (b"Expires=1767268860", b"Expires=1767268861"), (b"uploadId=a", b"uploadId=b")],
)
def test_a_changed_request_is_refused(old: bytes, new: bytes) -> None:
    head = presigned(target="/bucket/key?uploadId=a")
    assert old in head.target
    assert isinstance(refused(head_of("GET", head.target.replace(old, new), head.headers)), SignatureDoesNotMatch)


def test_another_method_or_an_added_header_is_refused() -> None:
    head = presigned()
    assert isinstance(refused(head_of("PUT", head.target, head.headers)), SignatureDoesNotMatch)
    more = {**head.headers, b"x-amz-acl": b"public-read"}
    assert isinstance(refused(head_of("GET", head.target, more)), SignatureDoesNotMatch)


@pytest.mark.parametrize(
    "added", [b"retention", b"X-Amz-Acl=public-read", b"legal-hold=", b"anything=1", b"X-AMZ-META-A=b"]
)
def test_what_the_signature_does_not_cover_cannot_be_added(added: bytes) -> None:
    head = presigned("PUT")
    refusal = refused(head_of("PUT", head.target + b"&" + added, head.headers))
    assert isinstance(refusal, AccessDenied)
    assert refusal.details["ParametersNotSigned"] == added.partition(b"=")[0].decode()


def test_an_expired_or_endless_url_is_refused() -> None:
    assert isinstance(refused(presigned(), now=NOW + 61), AccessDenied)
    target = presigned().target.replace(b"Expires=1767268860", b"Expires=never")
    assert isinstance(refused(head_of("GET", target)), AccessDenied)


def test_an_unknown_key_is_named() -> None:
    target = b"/bucket/key?AWSAccessKeyId=stranger&Signature=x&Expires=%d" % (NOW + 60)
    refusal = refused(head_of("GET", target))
    assert isinstance(refusal, InvalidAccessKeyId)
    assert refusal.details["AWSAccessKeyId"] == "stranger"


def test_signed_chunks_have_nothing_to_go_on_from() -> None:
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    head = presigned("PUT", headers={"x-amz-content-sha256": payload})
    headers = {**head.headers, b"x-amz-content-sha256": payload.encode()}
    assert isinstance(refused(head_of("PUT", head.target, headers)), InvalidRequest)


def test_it_can_be_switched_off() -> None:
    refusal = refused(presigned(), version_two=False)
    assert isinstance(refusal, InvalidRequest)
    assert refusal.message.endswith("Please use AWS4-HMAC-SHA256.")


def test_a_form_signed_by_botocore_is_accepted_and_a_changed_one_refused() -> None:
    fields = {
        "key": "a",
        **signed_form({"expiration": "2099-01-01T00:00:00Z", "conditions": [{"bucket": "b"}, {"key": "a"}]}),
    }
    caller, _ = authenticator().authenticate_form("b", fields)
    assert (caller.kind, caller.identity.access_key) == ("form", ACCESS_KEY)
    other = b64encode(b'{"expiration": "2099-01-01T00:00:00Z", "conditions": []}').decode()
    with pytest.raises(SignatureDoesNotMatch):
        authenticator().authenticate_form("b", {**fields, "policy": other})
    with pytest.raises(InvalidRequest):
        authenticator(version_two=False).authenticate_form("b", fields)
