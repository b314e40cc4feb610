"""Signature version 2 in URLs, forms and headers, held against botocore's own signers."""

from base64 import b64encode
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1PostAuth, HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.refusals import AccessDenied, InvalidAccessKeyId, RequestTimeTooSkewed, SignatureDoesNotMatch
from gecko_tw.callers.signatures.authenticate import Authenticator, claimed_key
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, Refusal
from gecko_tw.wire.head import Head, head_of
from tests.callers.signatures.signing import ACCESS_KEY, NOW, SECRET

CREDENTIALS = Credentials(ACCESS_KEY, SECRET)


def authenticator(now: float = NOW, version_two: bool = True) -> Authenticator:
    return Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: now, version_two=version_two)


@pytest.fixture(autouse=True)
def _botocore_signs_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.time.time", lambda: NOW)
    monkeypatch.setattr("botocore.auth.HmacV1Auth._get_date", lambda signer: formatdate(NOW, usegmt=True))


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


def test_headers_as_they_are_spelled_mean_nothing_in_the_query() -> None:
    # The SDK for JavaScript, version 2, puts all headers of the request there, and signs but the type that is sent with it.
    kind = {b"content-type": b"image/png"}
    head = presigned("PUT", headers={"content-type": "image/png"})
    target = head.target.replace(b"&content-type=", b"&Content-Type=")
    assert b"&Content-Type=image%2Fpng" in target
    target += b"&Cache-Control=no-cache&Content-Disposition=inline&Content-Encoding=gzip&If-Match=a&Range=bytes%3D0-1"
    caller = authenticator().authenticate(head_of("PUT", target, {**head.headers, **kind}))
    assert (caller.kind, dict(caller.hoisted)) == ("presigned", {})
    for headers in ({}, {b"content-type": b"text/html"}):
        assert refused(head_of("PUT", target, {**head.headers, **headers})).code == "SignatureDoesNotMatch"


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


@pytest.mark.parametrize(
    ("target", "signed", "folded"),
    [
        (
            "/bucket/key",
            {"x-amz-meta-a": "v", "x-amz-object-lock-legal-hold": "ON"},
            (b"x-amz-meta-a=v&x-amz-object-lock-legal-hold=ON", b"x-amz-meta-a=v%0Ax-amz-object-lock-legal-hold%3AON"),
        ),
        (
            "/bucket/key?response-expires=x&versionId=v",
            {},
            (b"response-expires=x&versionId=v", b"response-expires=x%26versionId%3Dv"),
        ),
    ],
)
def test_what_was_signed_cannot_be_hidden_in_the_value_before_it(
    target: str, signed: dict[str, str], folded: tuple[bytes, bytes]
) -> None:
    head = presigned("PUT", target, signed)
    assert authenticator().authenticate(head).kind == "presigned"
    assert folded[0] in head.target
    assert refused(head_of("PUT", head.target.replace(*folded), dict(head.headers))).code == "AccessDenied"


def test_a_value_may_have_an_ampersand() -> None:
    head = presigned(target="/bucket/key?response-content-disposition=a%26b%3Dc")
    assert authenticator().authenticate(head).kind == "presigned"


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


def signed(
    method: str = "GET",
    target: str = "/bucket/key",
    headers: dict[str, str] | None = None,
    date: bool = True,
    path: str | None = None,
) -> Head:
    """A request that botocore's signer of version 2 has signed in its header, with ``path`` as what it addresses."""
    request = AWSRequest(method=method, url="http://localhost:9000" + target, headers=headers or {}, auth_path=path)
    HmacV1Auth(CREDENTIALS).add_auth(request)
    sent = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    if not date:
        del sent[b"date"]
    return head_of(method, target.encode(), {b"host": b"localhost:9000", **sent})


@given(
    st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]),
    st.text("abcZ09-._~%2F+:=/", min_size=1, max_size=30),
    st.sampled_from(["", "?tagging", "?uploadId=abc&partNumber=7", "?versionId=null", "?acl", "?prefix=a%20b"]),
    st.sampled_from([{}, {"content-type": "image/png", "x-amz-meta-colour": "blue"}, {"content-md5": "abc"}]),
)
def test_what_botocore_signs_in_a_header_is_accepted(
    method: str, key: str, query: str, headers: dict[str, str]
) -> None:
    caller = authenticator().authenticate(signed(method, "/bucket/" + key.replace("%", "%25") + query, headers))
    assert (caller.kind, caller.identity.access_key) == ("header", ACCESS_KEY)


@pytest.mark.parametrize(
    ("target", "changed"),
    [
        (b"/bucket/kex?tagging", {}),
        (b"/bucket/key?acl", {}),
        (b"/bucket/key", {}),
        (b"/bucket/key?tagging", {b"x-amz-acl": b"public-read"}),
        (b"/bucket/key?tagging", {b"date": b"Thu, 01 Jan 2026 12:00:01 GMT"}),
        (b"/bucket/key?tagging", {b"authorization": f"AWS {ACCESS_KEY}:abc".encode()}),
    ],
)
def test_a_request_that_is_not_as_signed_in_its_header_is_refused(target: bytes, changed: dict[bytes, bytes]) -> None:
    head = signed(target="/bucket/key?tagging")
    assert isinstance(refused(head_of("GET", target, {**head.headers, **changed})), SignatureDoesNotMatch)


def test_a_bucket_may_be_signed_with_a_slash_behind_its_name() -> None:
    assert authenticator().authenticate(signed("PUT", "/bucket", path="/bucket/")).kind == "header"
    assert isinstance(refused(signed("PUT", "/bucket", path="/other/")), SignatureDoesNotMatch)


def test_a_header_does_not_cover_all_parameters_either() -> None:
    refusal = refused(signed("PUT", "/bucket/key?retention"))
    assert isinstance(refusal, AccessDenied)
    assert refusal.details["ParametersNotSigned"] == "retention"


def test_a_signed_header_is_good_for_fifteen_minutes() -> None:
    head = signed()
    for now in (NOW - 899, NOW + 899):
        assert authenticator(now).authenticate(head).kind == "header"
    for now in (NOW - 901, NOW + 901):
        assert isinstance(refused(head, now=now), RequestTimeTooSkewed)
    assert isinstance(refused(signed(date=False)), AccessDenied)
    assert isinstance(refused(signed(headers={"x-amz-date": "yesterday"})), AccessDenied)
    assert isinstance(refused(signed(headers={"x-amz-date": ""})), AccessDenied)
    assert isinstance(refused(signed(headers={"x-amz-date": "Tue, 07 Jul 1950 21:53:04 GMT"})), AccessDenied)


def test_a_header_that_is_none_or_of_a_stranger_is_told() -> None:
    for text in (b"AWS", b"AWS HAHAHA", b"AWS :abc", b"AWS abc:"):
        assert isinstance(refused(head_of("GET", b"/b/k", {b"authorization": text})), InvalidArgument)
    assert isinstance(refused(head_of("GET", b"/b/k", {b"authorization": b"AWS stranger:abc"})), InvalidAccessKeyId)
    assert claimed_key(signed()) == ACCESS_KEY


def test_signed_headers_can_be_switched_off_too() -> None:
    assert isinstance(refused(signed(), version_two=False), InvalidRequest)
