"""Short descriptions: what is plain is packed into an inode and read back the same, what is not is left to JSON."""

from base64 import b64encode

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.drivers.files.attributes import Description
from gecko_tw.store.drivers.files.compact import LONGEST, pack, unpack
from gecko_tw.store.records import Checksum, Version
from tests.store.drivers.files.test_attributes import VERSIONS

PLAIN = Version(
    etag="0123456789abcdef" * 2,
    size=4096,
    modified=1_700_000_000_123_456_789,
    owner="geckoadmin",
    headers={"content-type": "image/jpeg"},
    checksum=Checksum("CRC32", b64encode(b"1234").decode()),
)


def described(version: Version) -> Description:
    return Description(bucket="photos", key=b"key", record=version)


def test_a_plain_object_fits_into_an_inode():
    packed = pack(described(PLAIN))
    assert len(packed) <= LONGEST
    assert unpack(packed).record == PLAIN


@given(VERSIONS, st.sampled_from(["0" * 32, "f" * 32, "F" * 32, "0" * 31 + " ", "1" * 32 + "-2", ""]))
def test_what_is_packed_is_read_back_the_same(version, etag):
    version = evolve(version, etag=etag)
    packed = pack(described(version))
    if packed is not None:
        assert unpack(packed).record == version


@pytest.mark.parametrize(
    "more",
    [
        *({"metadata": {"a": "b"}}, {"tags": {"a": "b"}}, {"extra": {"a": 1}}, {"upload": "u1"}, {"version_id": "v1"}),
        *({"headers": {"expires": "x"}}, {"headers": {"content-type": ""}}, {"headers": {"content-type": "x" * 40}}),
        *({"etag": "A" * 32}, {"owner": "a\0b"}, {"checksum": Checksum("CRC32", "AAAA")}, {"size": 2**64}),
        {"checksum": Checksum("SHA256", b64encode(b"x" * 32).decode())},
    ],
)
def test_what_says_more_is_not_packed(more):
    assert pack(described(evolve(PLAIN, **more))) is None


@given(st.binary(max_size=80))
def test_other_bytes_never_raise(data):
    unpack(data)
    unpack(b"\x01" + data)
