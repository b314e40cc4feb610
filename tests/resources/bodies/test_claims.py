"""What clients say of their bodies."""

import hashlib
from base64 import b64encode

import pytest

from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.resources.answers.refusals import MissingContentLength
from gecko_tw.resources.bodies.claims import announced_length, framed, read_claims
from gecko_tw.store.checksums import ALGORITHMS, Digests
from gecko_tw.store.refusals import (
    EntityTooLarge,
    InvalidArgument,
    InvalidDigest,
    InvalidRequest,
    XAmzContentSHA256Mismatch,
)
from gecko_tw.store.requests import Claim

PLAIN = Caller()
CHUNKED = Caller(payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
CRC = b64encode(bytes(4))


def value_of(algorithm: str) -> tuple[bytes, bytes]:
    digests = Digests((algorithm,))
    digests.update(b"hello")
    return digests.raw(algorithm), digests.value(algorithm).encode()


def test_nothing_said_is_nothing_claimed() -> None:
    claims = read_claims({}, PLAIN)
    assert (claims.claims, claims.checksum, claims.algorithms) == ((), None, [])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_of_the_ten_checksums_is_a_claim(algorithm: str) -> None:
    raw, value = value_of(algorithm)
    claims = read_claims({b"x-amz-checksum-" + algorithm.lower().encode(): value}, PLAIN)
    assert claims.claims == (Claim(algorithm, raw),)
    assert claims.checksum == algorithm


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_of_the_ten_checksums_may_come_as_a_trailer(algorithm: str) -> None:
    raw, value = value_of(algorithm)
    name = f"x-amz-checksum-{algorithm.lower()}"
    claims = read_claims({b"x-amz-trailer": name.encode()}, CHUNKED)
    assert (claims.claims, claims.checksum, claims.algorithms) == ((), algorithm, [algorithm])
    assert claims.with_trailers({name: value.decode()}) == (Claim(algorithm, raw),)


def test_the_hash_of_the_payload_and_content_md5_are_claims_too() -> None:
    sha, md5 = hashlib.sha256(b"hello"), hashlib.md5(b"hello")
    claims = read_claims({b"content-md5": b64encode(md5.digest())}, Caller(payload=sha.hexdigest()))
    assert claims.claims == (Claim("SHA256", sha.digest(), XAmzContentSHA256Mismatch), Claim("MD5", md5.digest()))
    assert claims.checksum is None


@pytest.mark.parametrize("value", [b"", b"x", b64encode(b"short"), b"0" * 32])
def test_a_malformed_content_md5_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidDigest):
        read_claims({b"content-md5": value}, PLAIN)


@pytest.mark.parametrize(
    ("headers", "caller", "message"),
    [
        ({b"x-amz-checksum-crc32": CRC, b"x-amz-checksum-crc32c": CRC}, PLAIN, "Expecting a single x-amz-checksum-"),
        ({b"x-amz-checksum-crc32": CRC, b"x-amz-trailer": b"x-amz-checksum-crc32"}, CHUNKED, "Expecting a single"),
        ({b"x-amz-checksum-crc8": CRC}, PLAIN, "algorithm type you specified"),
        ({b"x-amz-checksum-crc32": b"AAAA"}, PLAIN, "Value for x-amz-checksum-crc32 header is invalid."),
        ({b"x-amz-checksum-crc32": b"%%%"}, PLAIN, "Value for x-amz-checksum-crc32 header is invalid."),
        (
            {b"x-amz-trailer": b"x-amz-meta-a"},
            CHUNKED,
            "The value specified in the x-amz-trailer header is not supported",
        ),
        ({b"x-amz-trailer": b"x-amz-checksum-crc32"}, PLAIN, "The value specified in the x-amz-trailer header"),
        ({b"x-amz-sdk-checksum-algorithm": b"CRC32"}, PLAIN, "but no corresponding x-amz-checksum-"),
        (
            {b"x-amz-sdk-checksum-algorithm": b"SHA1", b"x-amz-checksum-crc32": CRC},
            PLAIN,
            "x-amz-sdk-checksum-algorithm",
        ),
        ({b"x-amz-sdk-checksum-algorithm": b"SHA1", b"x-amz-trailer": b"x-amz-checksum-crc32"}, CHUNKED, "x-amz-sdk"),
    ],
)
def test_contradictions_are_refused(headers: dict[bytes, bytes], caller: Caller, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read_claims(headers, caller)


def test_a_malformed_trailer_is_refused_when_it_has_come() -> None:
    claims = read_claims({b"x-amz-trailer": b"x-amz-checksum-crc32"}, CHUNKED)
    with pytest.raises(InvalidRequest):
        claims.with_trailers({"x-amz-checksum-crc32": "nonsense"})


def test_headers_that_name_no_value_are_no_checksum() -> None:
    headers = {b"x-amz-checksum-mode": b"ENABLED", b"x-amz-checksum-type": b"x", b"x-amz-checksum-algorithm": b"CRC32"}
    assert read_claims(headers, PLAIN).checksum is None


def test_checksums_of_something_else_are_no_claim_on_this_body() -> None:
    assert read_claims({b"x-amz-checksum-crc32": CRC}, PLAIN, described=False).claims == ()


def test_the_length_is_that_without_framing() -> None:
    headers = {b"content-length": b"100", b"x-amz-decoded-content-length": b"70", b"transfer-encoding": b"chunked"}
    assert announced_length(headers, CHUNKED, 100) == 70
    assert announced_length(headers, PLAIN, 100) == 100
    assert announced_length({b"transfer-encoding": b"chunked"}, PLAIN, 100) is None


def test_a_body_without_any_length_is_refused() -> None:
    with pytest.raises(MissingContentLength):
        announced_length({}, PLAIN, 100)
    with pytest.raises(MissingContentLength):
        announced_length({b"content-length": b"100"}, CHUNKED, 100)


@pytest.mark.parametrize("value", [b"-1", b"x", b"", b"1" * 30])
def test_a_length_that_is_no_number_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidArgument):
        announced_length({b"x-amz-decoded-content-length": value}, CHUNKED, 100)


def test_too_long_a_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(EntityTooLarge) as refused:
        announced_length({b"content-length": b"101"}, PLAIN, 100)
    assert refused.value.details == {"ProposedSize": "101", "MaxSizeAllowed": "100"}


def test_a_body_is_framed_when_its_hash_or_its_encoding_says_so() -> None:
    assert framed({}, CHUNKED)
    assert framed({b"content-encoding": b"gzip, aws-chunked"}, PLAIN)
    assert not framed({b"content-encoding": b"gzip"}, PLAIN)
    hashed = Caller(payload="0" * 64)
    assert not framed({b"content-encoding": b"gzip, aws-chunked"}, hashed)
    assert framed({b"content-encoding": b"aws-chunked", b"x-amz-decoded-content-length": b"5"}, hashed)
