"""Canonical forms, and the worked examples that AWS publishes."""

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.v4 import (
    ChunkSigner,
    canonical_headers,
    canonical_path,
    canonical_query,
    iso_date,
    iso_date_of,
    scope_of,
    seconds_of,
    signing_key,
)
from gecko_tw.wire.head import head_of

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DATE, SCOPE = "20130524T000000Z", "20130524/us-east-1/s3/aws4_request"
EMPTY = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

examples = Authenticator(OnePair(KEY, SECRET), lambda: 1_369_353_600.0, "us-east-1")


def example(method: str, target: bytes, signature: str, headers: dict[bytes, bytes]) -> None:
    headers = {b"host": b"examplebucket.s3.amazonaws.com", b"x-amz-date": DATE.encode(), **headers}
    signed = b";".join(sorted(headers)).decode()
    authorization = f"AWS4-HMAC-SHA256 Credential={KEY}/{SCOPE},SignedHeaders={signed},Signature={signature}"
    head = head_of(method, target, {**headers, b"authorization": authorization.encode()})
    assert examples.authenticate(head).kind == "header"


def test_the_published_get_with_a_range_verifies() -> None:
    example(
        "GET",
        b"/test.txt",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        {b"range": b"bytes=0-9", b"x-amz-content-sha256": EMPTY},
    )


@pytest.mark.parametrize("target", [b"/test%24file.text", b"/test$file.text"])
def test_the_published_put_verifies_however_the_dollar_is_spelled(target: bytes) -> None:
    example(
        "PUT",
        target,
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        {
            b"date": b"Fri, 24 May 2013 00:00:00 GMT",
            b"x-amz-storage-class": b"REDUCED_REDUNDANCY",
            b"x-amz-content-sha256": b"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        },
    )


def test_the_published_get_of_a_subresource_verifies() -> None:
    signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    example("GET", b"/?lifecycle", signature, {b"x-amz-content-sha256": EMPTY})


def test_the_published_listing_verifies() -> None:
    signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    example("GET", b"/?prefix=J&max-keys=2", signature, {b"x-amz-content-sha256": EMPTY})


def test_the_published_presigned_url_verifies() -> None:
    target = (
        b"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        b"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        b"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    caller = examples.authenticate(head_of("GET", target, {b"host": b"examplebucket.s3.amazonaws.com"}))
    assert caller.kind == "presigned"


def test_the_published_signing_key_is_derived() -> None:
    # "Deriving a signing key" is shown there for another service; the chunk examples below bind ours.
    key = signing_key(SECRET, "20130524", "us-east-1")
    chunks = ChunkSigner(key, DATE, SCOPE, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
    published = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
    assert chunks.chunk("bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a") == published


@given(st.binary(max_size=200))
def test_a_path_has_one_canonical_form_however_it_is_escaped(key: bytes) -> None:
    canonical = ("/b/" + quote(key, safe="/~")).encode()
    everything_escaped = b"/b/" + b"".join(b"/" if byte == 0x2F else b"%%%02x" % byte for byte in key)
    as_little_as_possible = b"/b/" + key.replace(b"%", b"%25")
    assert canonical_path(canonical) == canonical
    assert canonical_path(everything_escaped) == canonical
    assert canonical_path(as_little_as_possible) == canonical
    assert unquote_to_bytes(canonical_path(canonical)) == b"/b/" + key


def test_an_escaped_slash_stays_escaped() -> None:
    assert canonical_path(b"/b/a%2fb%2Fc/%252F") == b"/b/a%2Fb%2Fc/%252F"


def test_a_path_is_not_normalised() -> None:
    assert canonical_path(b"/b//a/./../c/") == b"/b//a/./../c/"
    assert canonical_path(b"") == b"/"


def test_a_query_is_sorted_by_encoded_name_then_value() -> None:
    assert canonical_query(b"b=2&a-b=1&a=2&a=1&acl&A=x") == b"A=x&a=1&a=2&a-b=1&acl=&b=2"
    assert canonical_query(b"a=b=c&&x=%7e%7E~&d=1+1%2B1") == b"a=b%3Dc&d=1%201%2B1&x=~~~"
    assert canonical_query(b"") == b""
    assert canonical_query(b"a=1&gone=2&z=3", without=b"gone") == b"a=1&z=3"


def test_header_values_lose_their_inner_runs_of_spaces() -> None:
    headers = {b"a": b"one  two \t three", b"b": b"plain value"}
    assert canonical_headers(headers, [b"a", b"b", b"absent"]) == b"a:one two three\nb:plain value\nabsent:\n"


@given(st.integers(0, 253_402_300_799))
def test_dates_come_back_as_they_went(seconds: int) -> None:
    date = iso_date(seconds)
    if len(date) == 16:
        assert seconds_of(date) == seconds
        assert iso_date_of(date) == date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20130524",
        "20130524T000000",
        "20131324T000000Z",
        "20130524t000000Z",
        "2013-05-24T00:00Z",
        "²0130524T000000Z",
        "+0130524T000000Z",
    ],
)
def test_what_is_no_date_is_told(text: str) -> None:
    assert seconds_of(text) is None


def test_http_dates_are_understood() -> None:
    assert iso_date_of("Fri, 24 May 2013 00:00:00 GMT") == DATE
    assert iso_date_of("24 May 2013 00:00:00 -0000") == DATE
    assert iso_date_of("31 Dec 9999 23:59:59 -2359") is None
    assert iso_date_of("yesterday") is None


def test_an_access_key_may_contain_slashes() -> None:
    scope = scope_of("a/b//20130524/us-east-1/s3/aws4_request")
    assert scope is not None
    assert (scope.access_key, scope.text) == ("a/b/", SCOPE)
    assert scope_of("/20130524/us-east-1/s3/aws4_request") is None
    assert scope_of("20130524/us-east-1/s3/aws4_request") is None


def test_overlong_credentials_are_malformed_and_overlong_values_are_encoded() -> None:
    assert scope_of("a" * 1000 + "/" + SCOPE) is None
    assert canonical_query(b"a=" + b"/" * 5000) == b"a=" + b"%2F" * 5000
