"""Records as text, and back."""

from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.drivers.sqlite import notation
from gecko_tw.store.drivers.sqlite.rows import Placement, row_of, version_of
from gecko_tw.store.records import BucketRecord, DeleteMarker, Span, Upload
from tests.store.drivers.files.test_attributes import CHECKSUMS, MARKERS, NAMES, NUMBERS, TEXTS, VERSIONS

BLOBS = st.text("0123456789abcdef", min_size=32, max_size=32)
SPANS = st.lists(st.builds(Span, BLOBS, NUMBERS, NUMBERS), max_size=3).map(tuple)


@given(VERSIONS | MARKERS, SPANS)
def test_a_row_in_the_pool_stands_for_the_record_it_was_made_of(record, spans):
    row = row_of(record, 1, Placement(False, spans=spans))
    found = version_of(row, "photos", b"key")
    if isinstance(record, DeleteMarker):
        assert found == record
    else:
        assert (found.spans, found.metadata, found.parts, found.extra) == (
            spans,
            record.metadata,
            record.parts,
            record.extra,
        )
        assert row_of(found, 1, Placement(False, spans=spans)) == row


@given(VERSIONS)
def test_a_visible_row_names_its_file(version):
    found = version_of(row_of(version, 1, Placement(True, 7)), "photos", b"a/b")
    assert found.spans == (Span(f"/7/{version.size}/photos/a/b", 0, version.size),)


@given(VERSIONS)
def test_records_of_two_reads_share_nothing_that_can_be_changed(version):
    row = row_of(version, 1, Placement(True, 7))
    one, other = version_of(row, "b", b"k"), version_of(row, "b", b"k")
    one.headers["changed"] = one.metadata["changed"] = one.extra["changed"] = "x"
    assert other == version_of(row, "b", b"k")
    assert "changed" not in other.headers


@given(CHECKSUMS)
def test_a_checksum_is_read_back(checksum):
    assert notation.checksum_of(notation.checksum_text(checksum)) == checksum


@given(
    st.builds(
        Upload,
        id=TEXTS,
        initiated=NUMBERS,
        headers=NAMES,
        tags=NAMES,
        owner=TEXTS,
        checksum_kind=st.none() | TEXTS.filter(bool),
        revision=NUMBERS,
    )
)
def test_an_upload_is_read_back(upload):
    text = notation.upload_text(upload)
    assert notation.upload_of(upload.id, upload.initiated, upload.revision, text) == upload


@given(st.builds(BucketRecord, name=TEXTS, created=NUMBERS, owner=TEXTS, region=TEXTS, settings=NAMES))
def test_a_bucket_is_read_back(record):
    assert notation.bucket_of(record.name, notation.bucket_text(record)) == record
