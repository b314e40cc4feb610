"""The ten algorithms against published values, and the arithmetic of multipart checksums."""

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.checksums import (
    ALGORITHMS,
    SIZES,
    Digests,
    check_kind,
    combine,
    composite,
    composite_etag,
    default_kind,
    raw_digest,
    raw_of,
)
from gecko_tw.store.refusals import InvalidRequest

CRCS = ("CRC32", "CRC32C", "CRC64NVME")

CHECK_VALUES = {  # of b"123456789", from the CRC catalogue of RevEng, RFC 3720 B.4 and the NVM Express specification
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "SHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "SHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "MD5": "25f9e794323b453885f5181f1b624d0b",
}

EMPTY_VALUES = {  # from the specification of xxHash, seed 0
    "XXHASH64": "ef46db3751d8e999",
    "XXHASH3": "2d06800538d394c2",
    "XXHASH128": "99aa06d3014798d86001c324468d497f",
    "SHA512": "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "CRC32": "00000000",
}


def digest(algorithm: str, *pieces: bytes) -> bytes:
    digests = Digests([algorithm])
    for piece in pieces:
        digests.update(piece)
    return digests.raw(algorithm)


@pytest.mark.parametrize(("algorithm", "expected"), CHECK_VALUES.items())
def test_the_check_string_has_its_published_digest(algorithm: str, expected: str) -> None:
    assert digest(algorithm, b"123456789").hex() == expected


@pytest.mark.parametrize(("algorithm", "expected"), EMPTY_VALUES.items())
def test_nothing_has_its_published_digest(algorithm: str, expected: str) -> None:
    assert digest(algorithm).hex() == expected


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_digests_do_not_depend_on_how_the_stream_was_cut(pieces: list[bytes]) -> None:
    digests = Digests(ALGORITHMS)
    for piece in pieces:
        digests.update(memoryview(piece))
    for algorithm in ALGORITHMS:
        raw = digests.raw(algorithm)
        assert raw == digest(algorithm, b"".join(pieces))
        assert len(raw) == SIZES[algorithm]
        assert digests.raw(algorithm) == raw
        assert raw_of(algorithm, digests.value(algorithm)) == raw


def test_reading_a_digest_does_not_end_the_stream() -> None:
    for algorithm in ALGORITHMS:
        digests = Digests([algorithm])
        digests.update(b"1234")
        digests.raw(algorithm)
        digests.update(b"56789")
        assert digests.raw(algorithm) == digest(algorithm, b"123456789")


def test_only_the_asked_digests_are_there() -> None:
    digests = Digests(["MD5", "MD5"])
    with pytest.raises(KeyError):
        digests.raw("SHA256")
    with pytest.raises(KeyError):
        Digests(["CRC16"])


@given(st.lists(st.binary(max_size=5000), max_size=6))
def test_combined_crcs_equal_the_crc_of_the_concatenation(pieces: list[bytes]) -> None:
    for algorithm in CRCS:
        parts = [(digest(algorithm, piece), len(piece)) for piece in pieces]
        assert combine(algorithm, parts) == digest(algorithm, b"".join(pieces))


def test_combining_counts_lengths_beyond_four_gibibytes() -> None:
    megabyte, raw, length = bytes(1 << 20), digest("CRC32", bytes(1 << 20)), 1 << 20
    for _ in range(13):
        raw, length = combine("CRC32", [(raw, length), (raw, length)]), length * 2
    expected = 0
    for _ in range(1 << 13):
        expected = zlib.crc32(megabyte, expected)
    assert int.from_bytes(raw, "big") == expected


def test_only_crcs_can_be_combined() -> None:
    with pytest.raises(KeyError):
        combine("SHA256", [])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_composite_value_is_the_digest_of_the_part_digests_and_their_number(algorithm: str) -> None:
    parts = [digest(algorithm, b"one"), digest(algorithm, b"two")]
    expected = base64.b64encode(digest(algorithm, *parts)).decode() + "-2"
    assert composite(algorithm, parts) == expected


def test_a_composite_etag_is_the_md5_of_the_part_md5s_and_their_number() -> None:
    parts = [hashlib.md5(b"one").hexdigest(), hashlib.md5(b"two").hexdigest()]
    joined = hashlib.md5(b"one").digest() + hashlib.md5(b"two").digest()
    assert composite_etag(parts) == hashlib.md5(joined).hexdigest() + "-2"


@pytest.mark.parametrize(
    "text", ["", "AAAA", "AAAAAAA=", "AAAAAA==\n", "AAAAAA", "AAAAAA==AAAA", "ÄAAAAA==", "AA AAAA=="]
)
def test_a_malformed_claim_is_told_from_a_wrong_one(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"Value for x-amz-checksum-crc32 header is invalid\."):
        raw_of("CRC32", text)
    with pytest.raises(InvalidRequest, match=r"Value for x-amz-checksum-crc32 trailing header is invalid\."):
        raw_of("CRC32", text, "trailing header")


def test_kinds_follow_the_table_of_s3() -> None:
    composite_only = {"SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"}
    for algorithm in ALGORITHMS:
        assert default_kind(algorithm) == ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
        check_kind(algorithm, default_kind(algorithm))
    for algorithm in composite_only:
        with pytest.raises(
            InvalidRequest, match=f"FULL_OBJECT checksum type cannot be used with the {algorithm.lower()} "
        ):
            check_kind(algorithm, "FULL_OBJECT")
    for algorithm in ("CRC32", "CRC32C"):
        check_kind(algorithm, "FULL_OBJECT")
    with pytest.raises(
        InvalidRequest, match="The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."
    ):
        check_kind("CRC64NVME", "COMPOSITE")
    with pytest.raises(InvalidRequest, match="x-amz-checksum-type"):
        check_kind("CRC32", "PARTIAL")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("data", [b"", b"meow", bytes(range(256)) * 9])
def test_a_raw_digest_is_the_one_of_the_stream(algorithm: str, data: bytes) -> None:
    digests = Digests((algorithm,))
    digests.update(data)
    assert raw_digest(algorithm, data) == raw_digest(algorithm, bytearray(data)) == digests.raw(algorithm)
