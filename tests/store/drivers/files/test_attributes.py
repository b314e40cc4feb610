"""Descriptions: whatever is written beside bytes is read back the same."""

from types import SimpleNamespace

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.drivers.files.attributes import Description, description_of, text_of
from gecko_tw.store.records import Checksum, DeleteMarker, Part, PartSize, Span, Version

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.dictionaries(TEXTS, TEXTS, max_size=3)
NUMBERS = st.integers(0, 2**62)
CHECKSUMS = st.none() | st.builds(
    Checksum, st.sampled_from(["CRC32", "SHA256"]), st.just("AAAA=="), st.just("COMPOSITE")
)
VERSIONS = st.builds(
    Version,
    version_id=st.sampled_from(["null", "3/L4kqtJlcpXroDTDmJ"]),
    etag=TEXTS,
    size=NUMBERS,
    modified=NUMBERS,
    headers=NAMES,
    metadata=NAMES,
    tags=NAMES,
    checksum=CHECKSUMS,
    parts=st.lists(st.builds(PartSize, NUMBERS, NUMBERS, st.none() | TEXTS), max_size=3).map(tuple),
    upload=st.none() | st.just("u1"),
    owner=TEXTS,
    extra=st.dictionaries(TEXTS, st.recursive(NUMBERS | TEXTS, lambda inner: st.lists(inner, max_size=2)), max_size=2),
)
PARTS = st.builds(
    Part, number=NUMBERS, etag=TEXTS, size=NUMBERS, modified=NUMBERS, spans=st.just(()), checksum=CHECKSUMS
)
MARKERS = st.builds(DeleteMarker, version_id=st.just("v1"), modified=NUMBERS, owner=TEXTS)
SPANS = st.lists(st.builds(Span, st.just("0" * 32), NUMBERS, NUMBERS), max_size=3).map(tuple)
KEYS = st.binary(min_size=1, max_size=30)


@given(VERSIONS, KEYS, st.none() | SPANS, st.none() | st.just("f" * 32), st.none() | st.tuples(NUMBERS, NUMBERS))
def test_the_description_of_a_version_is_read_back_the_same(version, key, spans, kept, replaces):
    description = Description(bucket="photos", key=key, record=version, spans=spans, kept=kept, replaces=replaces)
    assert text_of(description).isascii()
    assert description_of(text_of(description)) == description


@given(PARTS | MARKERS, KEYS)
def test_the_description_of_a_part_or_a_marker_is_read_back_the_same(record, key):
    upload = "u1" if isinstance(record, Part) else None
    description = Description(bucket="photos", key=key, record=record, upload=upload)
    assert description_of(text_of(description)) == description


@given(st.binary(max_size=50) | st.recursive(st.none() | TEXTS, st.lists).map(repr).map(str.encode))
def test_what_is_none_of_ours_is_no_description(text):
    assert description_of(text) is None


@given(VERSIONS, KEYS, st.data())
def test_half_a_description_is_none(version, key, data):
    text = text_of(Description(bucket="photos", key=key, record=version))
    assert description_of(text[: data.draw(st.integers(0, len(text) - 1))]) is None


def test_a_description_fits_only_the_file_that_it_was_written_for():
    description = Description(bucket="b", key=b"k", record=Version(etag="e", size=5, modified=7))
    assert description.fits(SimpleNamespace(st_size=5, st_mtime_ns=7))
    assert not description.fits(SimpleNamespace(st_size=6, st_mtime_ns=7))
    assert not description.fits(SimpleNamespace(st_size=5, st_mtime_ns=8))
    assert evolve(description, mtime=8).fits(SimpleNamespace(st_size=5, st_mtime_ns=8))
