"""Presigned URLs: their time, their parameters, and the headers they carry."""

import pytest

from gecko_tw.callers.refusals import AccessDenied, AuthorizationQueryParametersError
from gecko_tw.callers.signatures.signature_cache import LONGEST
from gecko_tw.wire.head import head_of
from tests.callers.signatures.signing import NOW, authenticator, presigned, refused, with_header


@pytest.mark.parametrize("expires", [1, 3600, 604_800])
def test_a_url_is_good_until_it_expires(expires: int) -> None:
    head = presigned(expires=expires)
    assert authenticator(NOW + expires).authenticate(head).kind == "presigned"
    refusal = refused(head, NOW + expires + 1)
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "Request has expired"
    assert refusal.details["X-Amz-Expires"] == str(expires)
    assert set(refusal.details) == {"X-Amz-Expires", "Expires", "ServerTime"}


def test_when_a_url_expired_is_told() -> None:
    details = refused(presigned(expires=60), NOW + 120).details
    assert details == {"X-Amz-Expires": "60", "Expires": "2026-01-01T12:01:00Z", "ServerTime": "2026-01-01T12:02:00Z"}


def test_a_url_may_be_fifteen_minutes_early() -> None:
    assert authenticator(NOW - 900).authenticate(presigned()).kind == "presigned"
    refusal = refused(presigned(), NOW - 901)
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "Request is not valid yet"


@pytest.mark.parametrize(
    ("expires", "message"),
    [
        (-5, "X-Amz-Expires must be non-negative"),
        (604_801, "X-Amz-Expires must be less than a week"),
        ("1e3", "X-Amz-Expires should be a number"),
        ("²", "X-Amz-Expires should be a number"),
        ("9" * 5000, "X-Amz-Expires should be a number"),
    ],
)
def test_a_lifetime_is_at_most_seven_days(expires: int | str, message: str) -> None:
    refusal = refused(presigned(expires=expires))  # type: ignore[arg-type]
    assert isinstance(refusal, AuthorizationQueryParametersError)
    assert refusal.message.startswith(message)


def test_a_url_that_is_good_for_no_time_has_expired() -> None:
    refusal = refused(presigned(expires=0))
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "Request has expired"


@pytest.mark.parametrize(
    "name",
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"],
)
def test_no_parameter_may_be_missing_or_empty(name: str) -> None:
    head = presigned()
    parts = head.query.split(b"&")
    without = [part for part in parts if not part.startswith(name.encode() + b"=")]
    assert len(without) == len(parts) - 1
    for query in (without, [*without, name.encode() + b"="], [*without, name.encode()]):
        refusal = refused(head_of("GET", head.path + b"?" + b"&".join(query), head.headers))
        assert isinstance(refusal, AuthorizationQueryParametersError)
        assert refusal.message.startswith("Query-string authentication version 4 requires")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"AWS4-HMAC-SHA256", b"AWS5", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
        (
            b"%2Feu-central-1%2Fs3%2Faws4_request",
            b"",
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed",
        ),
        (b"%2Fs3%2F", b"%2Fsts%2F", 'Error parsing the X-Amz-Credential parameter; incorrect service "sts"'),
        (b"20260101T120000Z", b"2026-01-01", "X-Amz-Date must be in the ISO8601 Long Format"),
        (b"%2F20260101%2F", b"%2F20260102%2F", 'Invalid credential date "20260102"'),
    ],
)
def test_an_odd_parameter_is_told(old: bytes, new: bytes, message: str) -> None:
    head = presigned()
    assert old in head.target
    refusal = refused(head_of("GET", head.target.replace(old, new), head.headers))
    assert isinstance(refusal, AuthorizationQueryParametersError)
    assert refusal.message.startswith(message)


def test_the_expected_region_is_told() -> None:
    refusal = refused(presigned(), region="mars-1")
    assert isinstance(refusal, AuthorizationQueryParametersError)
    assert refusal.details == {"Region": "mars-1"}


def test_headers_moved_into_the_query_count_as_headers() -> None:
    head = presigned(
        "PUT",
        "/b/k?x-amz-acl=public-read&X-Amz-Meta-Name=J%C3%BCrgen%20B&x-amz-tagging=a%3Db&x-amz-server-side-encryption=AES256"
        "&x-amz-storage-class=STANDARD&x-amz-checksum-mode=ENABLED&partNumber=1",
    )
    assert authenticator().authenticate(head).hoisted == {
        b"x-amz-acl": b"public-read",
        b"x-amz-meta-name": "Jürgen B".encode(),
        b"x-amz-tagging": b"a=b",
        b"x-amz-server-side-encryption": b"AES256",
        b"x-amz-storage-class": b"STANDARD",
        b"x-amz-checksum-mode": b"ENABLED",
    }


def test_checksums_moved_into_the_query_are_ignored() -> None:
    head = presigned("PUT", "/b/k?x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32")
    assert authenticator().authenticate(head).hoisted == {}


def test_a_url_may_name_the_hash_of_its_body() -> None:
    digest = "a" * 64
    for headers, target in (({"x-amz-content-sha256": digest}, "/b/k"),):
        caller = authenticator().authenticate(presigned("PUT", target, headers))
        assert (caller.payload, caller.digest) == (digest, bytes.fromhex(digest))


@pytest.mark.parametrize("name", ["X-Amz-Content-Sha256", "x-amz-content-sha256"])
def test_a_payload_named_in_the_query_is_the_one_that_was_signed(name: str) -> None:
    # botocore signs UNSIGNED-PAYLOAD, so that value verifies and any other is another request.
    head = presigned("PUT", f"/b/k?{name}=UNSIGNED-PAYLOAD")
    assert authenticator().authenticate(head).payload == "UNSIGNED-PAYLOAD"
    assert authenticator().authenticate(head).hoisted == {}
    refused(presigned("PUT", f"/b/k?{name}={'a' * 64}"))


@pytest.mark.parametrize("value", ["UNSIGNED-PAYLOAD", "a" * 64, "nonsense"])
def test_a_hash_beside_the_url_that_was_not_signed_is_ignored(value: str) -> None:
    there, head = authenticator(), presigned("PUT")
    beside = with_header(head, b"x-amz-content-sha256", value.encode())
    for one in (beside, head, beside):
        assert there.authenticate(one).payload == "UNSIGNED-PAYLOAD"
    with pytest.raises(AccessDenied, match="not signed"):
        there.authenticate(with_header(beside, b"x-amz-user-agent", b"test"))


def test_a_hash_beside_the_url_does_not_stand_in_for_the_one_in_it() -> None:
    head = with_header(
        presigned("PUT", "/b/k?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"), b"x-amz-content-sha256", b"a" * 64
    )
    assert authenticator().authenticate(head).payload == "UNSIGNED-PAYLOAD"


def test_a_frame_of_chunks_beside_the_url_is_not_ignored() -> None:
    for payload in (b"STREAMING-UNSIGNED-PAYLOAD-TRAILER", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        refusal = refused(with_header(presigned("PUT"), b"x-amz-content-sha256", payload))
        assert refusal.details["HeadersNotSigned"] == "x-amz-content-sha256"


def test_the_first_of_repeated_parameters_is_the_one_that_counts() -> None:
    head = presigned()
    refused(head_of("GET", head.target + b"&X-Amz-Expires=604800", head.headers))
    refused(head_of("GET", head.path + b"?X-Amz-Expires=604800&" + head.query, head.headers))


def test_a_remembered_url_covers_no_header_in_the_place_of_one_that_was_signed_as_absent() -> None:
    there = authenticator()
    bare = with_header(presigned("PUT", headers={"x-amz-meta-colour": ""}), b"x-amz-meta-colour", None)
    for _ in range(2):
        assert there.authenticate(bare).kind == "presigned"
    with pytest.raises(AccessDenied, match="not signed"):
        there.authenticate(with_header(bare, b"x-amz-acl", b"public-read"))


def test_urls_that_cover_much_are_good_again_and_not_remembered() -> None:
    there = authenticator()
    head = presigned("PUT", headers={"x-amz-meta-colour": "b" * LONGEST})
    for _ in range(2):
        assert there.authenticate(head).kind == "presigned"
    assert not there._proofs._known
