"""Header, presigned, anonymous and open requests: who is let in, and what the others are told."""

import hashlib
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.refusals import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    InvalidAccessKeyId,
    InvalidToken,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)
from gecko_tw.callers.signatures.payloads import SIGNED_CHUNKS, UNSIGNED_CHUNKS_AND_TRAILER, UNSIGNED_PAYLOAD
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest
from gecko_tw.wire.head import Head, head_of
from tests.callers.signatures.signing import (
    ACCESS_KEY,
    NOW,
    REGION,
    SECRET,
    authenticator,
    presigned,
    refused,
    signed_by_header,
    signed_with_payload,
    with_header,
    with_target,
)

KEYS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.text("/.%2F+:~ =&?#a\\", min_size=1, max_size=30),
)
TOKENS = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=12)
QUERIES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10), KEYS, max_size=4)
VALUES = st.text(string.ascii_letters + string.digits + '  ,;:/="', max_size=20).map(str.strip)
HEADERS = st.dictionaries(TOKENS.map(lambda name: f"x-amz-meta-{name.lower()}"), VALUES, max_size=4)


def target_of(key: str, query: dict[str, str] | None = None) -> str:
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in (query or {}).items())
    return f"/bucket/{quote(key, safe='/~')}" + (f"?{pairs}" if pairs else "")


def respelled(target: bytes) -> bytes:
    """The same target as another client would write it."""
    path, question, query = target.partition(b"?")
    for mark in b"!$'()*+,:;=@":
        path = path.replace(b"%%%02X" % mark, bytes([mark]))
    return path.replace(b"%C3", b"%c3").replace(b"a", b"%61") + question + query.replace(b"%20", b"+")


# ---- who is let in


@given(key=KEYS, query=QUERIES, headers=HEADERS, body=st.binary(max_size=40))
def test_whatever_botocore_signs_in_a_header_verifies(
    key: str, query: dict[str, str], headers: dict[str, str], body: bytes
) -> None:
    head = signed_by_header("PUT", target_of(key, query), headers, body)
    caller = authenticator().authenticate(head)
    assert (caller.kind, caller.chunks, caller.hoisted) == ("header", None, {})
    assert caller.identity is not None and caller.identity.access_key == ACCESS_KEY
    assert caller.digest == hashlib.sha256(body).digest()
    assert not caller.streaming
    assert authenticator().authenticate(with_target(head, respelled(head.target))).kind == "header"


@given(key=KEYS, query=QUERIES, headers=HEADERS)
def test_whatever_botocore_presigns_verifies(key: str, query: dict[str, str], headers: dict[str, str]) -> None:
    head = presigned("PUT", target_of(key, query), headers)
    caller = authenticator(NOW + 1800).authenticate(head)
    assert (caller.kind, caller.payload, caller.digest) == ("presigned", UNSIGNED_PAYLOAD, None)
    assert authenticator().authenticate(with_target(head, respelled(head.target))).kind == "presigned"


@pytest.mark.parametrize("key", ["a%2Fb", "//a//", "a/../b/.", "a+b c", "a:b=c", "ü/€", "%", "a?b#c&d"])
def test_odd_keys_verify(key: str) -> None:
    assert authenticator().authenticate(signed_by_header("GET", target_of(key))).kind == "header"


def test_an_escaped_slash_is_not_a_slash_to_the_signature() -> None:
    head = signed_by_header("GET", "/bucket/a%2Fb")
    assert authenticator().authenticate(head).kind == "header"
    assert isinstance(refused(with_target(head, b"/bucket/a/b")), SignatureDoesNotMatch)


def test_spaces_between_the_components_do_not_matter() -> None:
    head = signed_by_header()
    for spelled in (b",", b" , ", b",  "):
        authorization = head.headers[b"authorization"].replace(b", ", spelled)
        assert authenticator().authenticate(with_header(head, b"authorization", authorization)).kind == "header"


def test_the_date_header_will_do() -> None:
    head = signed_by_header(headers={"Date": "now"})
    assert b"x-amz-date" not in head.headers
    assert authenticator().authenticate(head).kind == "header"


def test_the_region_is_free_unless_it_is_set() -> None:
    head = signed_by_header()
    assert authenticator(region=None).authenticate(head).kind == "header"
    assert authenticator(region=REGION).authenticate(head).kind == "header"
    refusal = refused(head, region="us-east-1")
    assert isinstance(refusal, AuthorizationHeaderMalformed)
    assert refusal.details["Region"] == "us-east-1"
    assert refusal.message.endswith("the region 'eu-central-1' is wrong; expecting 'us-east-1'")


def test_signed_chunks_bring_their_signer() -> None:
    headers = {"x-amz-decoded-content-length": "3"}
    head = signed_with_payload("PUT", {**headers, "x-amz-content-sha256": SIGNED_CHUNKS})
    caller = authenticator().authenticate(head)
    assert caller.payload == SIGNED_CHUNKS
    assert caller.streaming
    assert caller.chunks is not None
    unsigned = signed_with_payload("PUT", {**headers, "x-amz-content-sha256": UNSIGNED_CHUNKS_AND_TRAILER})
    assert authenticator().authenticate(unsigned).chunks is None


def test_a_hash_in_capitals_is_a_hash() -> None:
    digest = hashlib.sha256(b"body")
    caller = authenticator().authenticate(
        signed_with_payload("PUT", {"x-amz-content-sha256": digest.hexdigest().upper()})
    )
    assert caller.digest == digest.digest()


# ---- who is not


@pytest.mark.parametrize("make", [signed_by_header, presigned])
def test_changing_any_signed_character_is_refused(make: Callable[..., Head]) -> None:
    head = make("PUT", "/bucket/key/part?alpha=beta&gamma", {"x-amz-meta-name": "value"})
    for at in range(1, len(head.target)):
        if head.target[at : at + 1] == b"?":
            continue  # without its query a presigned URL is an anonymous request
        refused(with_target(head, changed_at(head.target, at)))
    for name, value in head.headers.items():
        for at in range(len(value)):
            if value[at] not in b" ,":  # spaces and commas between the components of Authorization carry nothing
                refused(with_header(head, name, changed_at(value, at)))


def changed_at(text: bytes, at: int) -> bytes:
    return text[:at] + (b"z" if text[at : at + 1] != b"z" else b"y") + text[at + 1 :]


@given(st.sampled_from(["GET", "HEAD", "DELETE", "POST"]), st.booleans())
def test_a_signature_is_good_for_one_method(method: str, in_query: bool) -> None:
    head = presigned("PUT") if in_query else signed_by_header("PUT")
    assert isinstance(refused(evolve(head, method=method)), SignatureDoesNotMatch)


def test_a_wrong_signature_is_explained() -> None:
    head = signed_by_header(secret="wrong")
    refusal = refused(head)
    assert isinstance(refusal, SignatureDoesNotMatch)
    canonical = refusal.details["CanonicalRequest"]
    assert canonical.startswith("GET\n/bucket/key\n\nhost:localhost:9000\nx-amz-content-sha256:e3b0c442")
    assert refusal.details["StringToSign"].split("\n") == [
        "AWS4-HMAC-SHA256",
        "20260101T120000Z",
        "20260101/eu-central-1/s3/aws4_request",
        hashlib.sha256(canonical.encode()).hexdigest(),
    ]
    assert refusal.details["AWSAccessKeyId"] == ACCESS_KEY
    assert refusal.details["SignatureProvided"] == head.headers[b"authorization"].decode().rpartition("=")[2]
    assert bytes.fromhex(refusal.details["StringToSignBytes"]).decode() == refusal.details["StringToSign"]
    assert bytes.fromhex(refusal.details["CanonicalRequestBytes"]).decode() == canonical
    assert not any(SECRET in value for value in refusal.details.values())


def test_an_unknown_key_is_told() -> None:
    head = signed_by_header()
    authorization = head.headers[b"authorization"].replace(ACCESS_KEY.encode(), b"nobody")
    refusal = refused(with_header(head, b"authorization", authorization))
    assert isinstance(refusal, InvalidAccessKeyId)
    assert refusal.details == {"AWSAccessKeyId": "nobody"}


@pytest.mark.parametrize("drift", [-901, 901])
def test_a_clock_that_differs_by_more_than_fifteen_minutes_is_told(drift: int) -> None:
    refusal = refused(signed_by_header(now=NOW + drift))
    assert isinstance(refusal, RequestTimeTooSkewed)
    assert refusal.details["ServerTime"] == "2026-01-01T12:00:00Z"
    assert refusal.details["MaxAllowedSkewMilliseconds"] == "900000"
    assert refusal.details["RequestTime"].startswith("20260101T")


@pytest.mark.parametrize("drift", [-899, 899])
def test_a_clock_that_differs_by_less_is_fine(drift: int) -> None:
    assert authenticator().authenticate(signed_by_header(now=NOW + drift)).kind == "header"


def test_every_amz_header_and_the_host_must_be_signed() -> None:
    head = with_header(signed_by_header(), b"x-amz-acl", b"public-read")
    refusal = refused(with_header(head, b"x-amz-meta-a", b"1"))
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "There were headers present in the request which were not signed"
    assert refusal.details == {"HeadersNotSigned": "x-amz-acl, x-amz-meta-a"}
    no_host = with_header(head, b"authorization", head.headers[b"authorization"].replace(b"host;", b""))
    assert "host" in refused(no_host).details["HeadersNotSigned"]
    assert isinstance(refused(with_header(presigned(), b"x-amz-acl", b"public-read")), AccessDenied)


def test_headers_that_are_not_s3s_need_no_signature() -> None:
    head = with_header(signed_by_header(), b"content-type", b"text/plain")
    assert authenticator().authenticate(head).kind == "header"


def test_the_payload_must_be_declared() -> None:
    refusal = refused(with_header(signed_by_header(), b"x-amz-content-sha256", None))
    assert isinstance(refusal, InvalidRequest)
    assert refusal.message == "Missing required header for this request: x-amz-content-sha256"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x" * 64,
        "a" * 63,
        "unsigned-payload",
        "STREAMING-",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b785 b855",
    ],
)
def test_an_unknown_payload_declaration_is_refused(value: str) -> None:
    for refusal in (
        refused(signed_with_payload("PUT", {"x-amz-content-sha256": value})),
        refused(head_of("PUT", b"/b/k", {b"x-amz-content-sha256": value.encode()})),
    ):
        assert isinstance(refusal, InvalidArgument)
        assert refusal.details == {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": value}


def test_signature_version_4a_is_not_implemented() -> None:
    payload = signed_with_payload("PUT", {"x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"})
    scheme = with_header(signed_by_header(), b"authorization", b"AWS4-ECDSA-P256-SHA256 Credential=a")
    query = with_target(presigned(), presigned().target.replace(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256"))
    for head in (payload, scheme, query):
        refusal = refused(head)
        assert isinstance(refusal, UnsupportedSignature)
        assert refusal.code == "NotImplemented"


def test_two_mechanisms_at_once_are_refused() -> None:
    head = with_header(presigned(), b"authorization", signed_by_header().headers[b"authorization"])
    refusal = refused(head)
    assert isinstance(refusal, InvalidArgument)
    assert refusal.message.startswith("Only one auth mechanism allowed")
    assert refusal.details["ArgumentName"] == "Authorization"


def test_session_tokens_belong_to_no_key_here() -> None:
    assert isinstance(refused(signed_by_header(headers={"x-amz-security-token": "token"})), InvalidToken)
    assert isinstance(refused(presigned(target="/b/k?X-Amz-Security-Token=token")), InvalidToken)


# ---- who needs no signature


def test_a_request_without_any_signature_is_anonymous() -> None:
    caller = authenticator().authenticate(head_of("GET", b"/bucket/key?prefix=X-Amz-&Signature"))
    assert (caller.kind, caller.identity, caller.payload) == ("anonymous", None, UNSIGNED_PAYLOAD)


def test_an_anonymous_upload_is_decoded_as_it_says() -> None:
    # botocore without credentials over TLS sends no x-amz-content-sha256.
    headers = {b"content-encoding": b"gzip,aws-chunked", b"x-amz-trailer": b"x-amz-checksum-crc32"}
    assert authenticator().authenticate(head_of("PUT", b"/b/k", headers)).payload == UNSIGNED_CHUNKS_AND_TRAILER
    with pytest.raises(InvalidRequest):
        authenticator().authenticate(head_of("PUT", b"/b/k", {b"x-amz-content-sha256": SIGNED_CHUNKS.encode()}))


def test_with_authentication_off_everybody_passes_and_payloads_are_still_read() -> None:
    door = authenticator(enabled=False)
    for head in (
        signed_by_header(secret="wrong", now=0),
        presigned(now=0),
        head_of("GET", b"/"),
        head_of("GET", b"/?X-Amz-Signature="),
    ):
        caller = door.authenticate(head)
        assert (caller.kind, caller.identity, caller.chunks) == ("open", None, None)
    assert (
        door.authenticate(head_of("PUT", b"/", {b"x-amz-content-sha256": SIGNED_CHUNKS.encode()})).payload
        == SIGNED_CHUNKS
    )
    digest = hashlib.sha256(b"x").hexdigest()
    assert door.authenticate(head_of("PUT", b"/", {b"x-amz-content-sha256": digest.encode()})).payload == digest
    chunked = head_of("PUT", b"/", {b"content-encoding": b"aws-chunked"})
    assert door.authenticate(chunked).payload == UNSIGNED_CHUNKS_AND_TRAILER
    url = head_of("PUT", b"/?X-Amz-Signature=a&x-amz-acl=private&X-Amz-Content-Sha256=" + digest.encode())
    assert door.authenticate(url).hoisted == {b"x-amz-acl": b"private"}
    assert door.authenticate(url).payload == digest


def test_a_pair_knows_itself_and_hides_its_secret() -> None:
    pair = OnePair("ключ", "тайна", "owner")
    identity = pair.find("ключ")
    assert identity is not None
    assert (identity.account, identity.superuser) == ("owner", True)
    assert "тайна" not in repr(identity)
    assert pair.find("ключ ") is None
