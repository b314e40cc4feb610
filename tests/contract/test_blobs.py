"""The contract of IBlobs, over every driver."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning, IBlobReader, IBlobs, IBlobWriter
from gecko_tw.store.records import BlobNote, Span
from tests.contract.acts import a_bucket, commit, content, described, look, put, sweep

NOTE = BlobNote(bucket="photos", key=b"cat.jpg", record=described(b""))


@pytest.fixture(autouse=True)
def bucket(driver):
    return a_bucket(driver)


def names(driver):
    return set(driver.blobs.older_than(-60))


def test_blobs_keep_their_interfaces(driver):
    writer = driver.blobs.create()
    assert verifyObject(IBlobs, driver.blobs)
    assert verifyObject(IBlobWriter, writer)
    with_reader = driver.blobs.open(writer.commit(NOTE))
    assert verifyObject(IBlobReader, with_reader)
    with_reader.close()


@pytest.mark.parametrize("size", [0, 1, 4096, 3_000_000])
def test_what_was_written_is_read(driver, size):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    span = commit(driver, data, NOTE)
    reader = driver.blobs.open(span.blob)
    assert reader.size == size
    assert reader.read(0, size + 10) == data
    assert reader.read(size // 2, 100) == data[size // 2 :][:100]
    assert reader.read(size, 10) == b""
    reader.close()


def test_a_file_descriptor_starts_at_the_first_byte(driver):
    reader = driver.blobs.open(commit(driver, b"0123456789" * 10, NOTE).blob)
    descriptor = reader.fileno()
    if descriptor is not None:
        assert os.pread(descriptor, 12, 5) == b"567890123456"
    reader.close()


def test_two_writers_do_not_mix(driver):
    first, second = driver.blobs.create(), driver.blobs.create()
    for _ in range(100):
        first.write(b"1" * 1000)
        second.write(b"2" * 1000)
    names = second.commit(NOTE), first.commit(NOTE)
    assert names[0] != names[1]
    assert content(driver, described(b"", spans=(Span(names[1], 0, 100_000),))) == b"1" * 100_000
    assert content(driver, described(b"", spans=(Span(names[0], 0, 100_000),))) == b"2" * 100_000


def test_a_writer_takes_views_of_memory_too(driver):
    writer = driver.blobs.create()
    writer.write(memoryview(b"abcdef")[1:4])
    blob = writer.commit(NOTE)
    assert content(driver, described(b"", spans=(Span(blob, 0, 3),))) == b"bcd"


def test_an_aborted_writer_leaves_nothing(driver):
    before = names(driver)
    writer = driver.blobs.create()
    writer.write(b"x" * 100_000)
    writer.abort()
    writer.abort()
    assert names(driver) == before


def test_abort_after_commit_changes_nothing(driver):
    writer = driver.blobs.create()
    writer.write(b"kept")
    blob = writer.commit(NOTE)
    writer.abort()
    writer.abort()
    assert content(driver, described(b"", spans=(Span(blob, 0, 4),))) == b"kept"


def test_a_removed_blob_is_gone(driver):
    span = commit(driver, b"bytes", NOTE)
    driver.blobs.remove([span.blob])
    with pytest.raises(BlobGone):
        driver.blobs.open(span.blob)
    assert span.blob not in names(driver)


def test_removing_again_or_the_unknown_is_harmless(driver):
    span = commit(driver, b"bytes", NOTE)
    other = commit(driver, b"other", NOTE)
    driver.blobs.remove([span.blob])
    driver.blobs.remove(iter([span.blob]))
    driver.blobs.remove(())
    assert content(driver, described(b"", spans=(other,))) == b"other"


def test_an_opened_reader_survives_removal(driver):
    data = b"still here" * 100_000
    reader = driver.blobs.open(commit(driver, data, NOTE).blob)
    driver.blobs.remove(names(driver))
    assert reader.read(0, 10) == b"still here"
    assert reader.read(500_000, 10) == b"still here"
    reader.close()
    reader.close()


def test_an_opened_reader_survives_an_overwrite_of_its_object(driver, bucket):
    old = put(driver, bucket, b"key", b"old" * 1000)
    reader = driver.blobs.open(old.spans[0].blob)
    put(driver, bucket, b"key", b"new" * 1000)
    driver.blobs.remove([old.spans[0].blob])
    assert reader.read(0, 3000) == b"old" * 1000
    reader.close()
    assert content(driver, look(driver, bucket, b"key").newest) == b"new" * 1000


def test_dropping_what_an_overwrite_replaced_never_drops_the_new_bytes(driver, bucket):
    """The name of the old blob may be that of the visible file, which is the new one's now."""
    for turn in range(3):
        old = look(driver, bucket, b"key").newest
        put(driver, bucket, b"key", b"%d" % turn)
        if old is not None:
            driver.blobs.remove([old.spans[0].blob])
        assert content(driver, look(driver, bucket, b"key").newest) == b"%d" % turn


def test_only_what_is_old_enough_is_a_candidate_for_the_sweeper(driver):
    span = commit(driver, b"young", NOTE)
    writer = driver.blobs.create()
    writer.write(b"on its way" * 200_000)
    assert set(driver.blobs.older_than(3600)) == set()
    assert span.blob in names(driver)
    assert len(names(driver)) >= 2
    writer.abort()


def test_the_sweeper_removes_what_nobody_holds_and_nothing_else(driver, bucket):
    held = put(driver, bucket, b"held", b"held")
    orphan = commit(driver, b"orphan", NOTE)
    driver.blobs.create().write(b"on its way")
    sweep(driver)
    assert names(driver) - driver.catalog.references(names(driver)) == set()
    assert content(driver, held) == b"held"
    with pytest.raises(BlobGone):
        driver.blobs.open(orphan.blob)


@settings(max_examples=25)
@given(data=st.data())
def test_a_clone_is_the_bytes_of_its_spans(candidate, tmp_path_factory, data):
    with candidate.opened(tmp_path_factory.mktemp("clone")) as driver:
        if not IBlobCloning.providedBy(driver.blobs):
            pytest.skip("no power to clone")
        a_bucket(driver)
        sources = [b"0123456789" * 500, b"abc", b""]
        blobs = [commit(driver, source, NOTE).blob for source in sources]
        spans, expected = [], b""
        for _ in range(data.draw(st.integers(0, 4))):
            which = data.draw(st.integers(0, 2))
            offset = data.draw(st.integers(0, len(sources[which])))
            length = data.draw(st.integers(0, len(sources[which]) - offset))
            spans.append(Span(blobs[which], offset, length))
            expected += sources[which][offset : offset + length]
        clone = driver.blobs.clone(tuple(spans), NOTE)
        driver.blobs.remove(blobs)
        assert content(driver, described(b"", spans=(Span(clone, 0, len(expected)),))) == expected


def test_a_clone_of_what_is_gone_says_so_and_leaves_nothing(driver):
    if not IBlobCloning.providedBy(driver.blobs):
        pytest.skip("no power to clone")
    here, gone = commit(driver, b"here", NOTE), commit(driver, b"gone", NOTE)
    driver.blobs.remove([gone.blob])
    before = names(driver)
    with pytest.raises(BlobGone):
        driver.blobs.clone((here, gone), NOTE)
    assert names(driver) == before


def test_a_cloned_visible_file_is_a_blob_of_its_own(driver, bucket):
    if not IBlobCloning.providedBy(driver.blobs):
        pytest.skip("no power to clone")
    original = put(driver, bucket, b"original", b"the same bytes")
    clone = driver.blobs.clone(original.spans, NOTE)
    put(driver, bucket, b"original", b"other bytes")
    driver.blobs.remove([original.spans[0].blob])
    assert content(driver, described(b"", spans=(Span(clone, 0, 14),))) == b"the same bytes"
