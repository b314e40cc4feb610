"""Encrypted blobs: whatever range is read, it is the plaintext; whatever is changed, it is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.drivers.memory import MemoryBlobs
from gecko_tw.store.encryption.format import CHECKED, FRAME, HEAD, TAG, UNCHECKED, is_intact, sealed_size
from gecko_tw.store.encryption.frames import SealedBlob, SealingWriter, Tampered
from gecko_tw.store.records import BlobNote, Version

KEY = bytes(range(32))
NOTE = BlobNote(bucket="photos", key=b"cat", record=Version(etag="", size=0, modified=0))
SIZES = st.sampled_from([0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME - 1, 3 * FRAME + 5]) | st.integers(
    0, 4 * FRAME
)


def plain(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def sealed(data: bytes, piece: int = 100_000, key: bytes = KEY, number: int = 0, form: int = CHECKED) -> bytes:
    blobs = MemoryBlobs(lambda: 0.0)
    writer = SealingWriter(blobs.create(), key, number, form)
    for start in range(0, len(data), piece):
        writer.write(data[start : start + piece])
    return blobs.open(writer.commit(NOTE)).read(0, 1 << 30)


def opened(stored: bytes, size: int, key: bytes = KEY, number: int = 0) -> SealedBlob:
    return SealedBlob(lambda offset, length: stored[offset : offset + length], key, size, number)


def read_all(blob: SealedBlob, offset: int, length: int) -> bytes:
    data = bytearray()
    while len(data) < length and (more := blob.read(offset + len(data), length - len(data))):
        data += more
    return bytes(data)


FORMS = st.sampled_from([UNCHECKED, CHECKED])


@given(SIZES, st.sampled_from([1000, FRAME, 100_000, 1 << 20]), FORMS, st.data())
def test_any_range_of_any_size_is_read_as_it_was_written(size: int, piece: int, form: int, data: st.DataObject) -> None:
    original = plain(size)
    stored = sealed(original, piece, form=form)
    assert len(stored) == sealed_size(size, form)
    offset = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - offset))
    assert read_all(opened(stored, size), offset, length) == original[offset : offset + length]
    assert read_all(opened(stored, size), 0, size) == original


@given(SIZES.filter(bool), st.data())
def test_a_flipped_bit_is_noticed_by_whoever_reads_that_frame(size: int, data: st.DataObject) -> None:
    stored = bytearray(sealed(plain(size)))
    place = data.draw(st.integers(0, sealed_size(size, UNCHECKED) - 1))
    stored[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Tampered):
        read_all(opened(bytes(stored), size), 0, size)


@given(SIZES.filter(bool), st.data())
def test_a_blob_that_was_cut_is_noticed_whatever_size_it_is_said_to_have(size: int, data: st.DataObject) -> None:
    stored = sealed(plain(size))
    cut = stored[: data.draw(st.integers(0, sealed_size(size, UNCHECKED) - 1))]
    said = data.draw(st.sampled_from([size, max(size - 1, 1), max(size // FRAME * FRAME, 1)]))
    with pytest.raises(Tampered):
        read_all(opened(cut, said), 0, said)


@given(SIZES, st.integers(0, 3), st.data())
def test_without_the_key_a_blob_is_told_from_one_that_was_changed_or_cut(
    size: int, before: int, data: st.DataObject
) -> None:
    stored = bytes(before) + sealed(plain(size))
    at = data.draw(st.integers(before, len(stored) - 1))
    changed = stored[:at] + bytes([stored[at] ^ 1 << data.draw(st.integers(0, 7))]) + stored[at + 1 :]

    def intact(found: bytes) -> bool:
        return is_intact(lambda offset, length: found[offset : offset + length], before, size)

    assert intact(stored)
    assert intact(stored + b"of the next blob")
    assert not intact(changed)
    assert not intact(stored[:at])


@given(st.permutations(range(4)).filter(lambda order: order != [0, 1, 2, 3]))
def test_frames_in_another_order_are_noticed(order: list[int]) -> None:
    size, stored = 4 * FRAME, sealed(plain(4 * FRAME))
    frames = [stored[HEAD + n * (FRAME + TAG) : HEAD + (n + 1) * (FRAME + TAG)] for n in range(4)]
    mixed = stored[:HEAD] + b"".join(frames[n] for n in order)
    with pytest.raises(Tampered):
        read_all(opened(mixed, size), 0, size)


def test_a_frame_of_another_blob_of_the_same_key_is_noticed() -> None:
    size = 2 * FRAME
    one, other = sealed(plain(size)), sealed(plain(size))
    with pytest.raises(Tampered):
        read_all(opened(one[: HEAD + FRAME + TAG] + other[HEAD + FRAME + TAG :], size), 0, size)


@pytest.mark.parametrize(("key", "number"), [(bytes(32), 1), (KEY, 2), (KEY, 0)])
def test_another_key_or_another_part_opens_nothing(key: bytes, number: int) -> None:
    stored = sealed(b"meow", number=1)
    assert opened(stored, 4, KEY, 1).read(0, 4) == b"meow"
    with pytest.raises(Tampered):
        opened(stored, 4, key, number).read(0, 4)


def test_a_range_reads_only_the_frames_that_it_touches() -> None:
    size = 10 * FRAME
    stored, fetched = sealed(plain(size)), []

    def fetch(offset: int, length: int) -> bytes:
        fetched.append((offset, length))
        return stored[offset : offset + length]

    assert SealedBlob(fetch, KEY, size).read(7 * FRAME + 3, 5) == plain(size)[7 * FRAME + 3 : 7 * FRAME + 8]
    assert fetched == [(0, HEAD), (HEAD + 7 * (FRAME + TAG), FRAME + TAG)]


def test_the_same_bytes_never_look_the_same_twice() -> None:
    assert sealed(b"meow")[1:] != sealed(b"meow")[1:]
    assert b"meow" not in sealed(b"meow")


def test_a_body_that_is_given_up_leaves_nothing() -> None:
    blobs = MemoryBlobs(lambda: 0.0)
    writer = SealingWriter(blobs.create(), KEY)
    writer.write(plain(2 * FRAME))
    writer.abort()
    assert list(blobs.older_than(-1)) == []
