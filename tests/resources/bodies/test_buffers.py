"""The memory of large bodies: nothing in it changes before it was written, and then it is used again."""

import gc
import hashlib
from weakref import ref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface.verify import verifyObject

from gecko_tw.resources.bodies.buffers import BUFFER_BYTES, Basin, BodyBuffers
from gecko_tw.wire.interfaces import IRoomyConsumer, UploadCut
from tests.resources.asking import FakeUpload, HeldPool, shop
from tests.resources.bodies.test_streams import MIB, UNSIGNED, checksum, framed


class DrawnUpload(FakeUpload):
    """A body that is put into the consumer's space where there is any; ``work`` is done whenever the consumer wants a rest."""

    def work(self) -> None:
        """Nothing to be done."""

    def deliver(self, consumer) -> Deferred:
        assert verifyObject(IRoomyConsumer, consumer)
        consumer.registerProducer(self, True)
        for piece in self.pieces:
            while piece:
                space = consumer.space()
                space = space[: len(piece)]
                space[:] = piece[: len(space)]
                piece = piece[len(space) :]
                consumer.filled(len(space))
        consumer.unregisterProducer()
        return fail(UploadCut("left")) if self.cut else succeed(None)

    def pauseProducing(self) -> None:
        self.work()

    def resumeProducing(self) -> None:
        pass


def noise(size: int) -> bytes:
    return hashlib.shake_128(b"%d" % size).digest(size)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 2 * MIB), min_size=1, max_size=3), st.booleans(), st.booleans())
def test_a_body_in_tanks_is_stored_as_it_came_however_late_it_is_written(sizes, in_frames, late) -> None:
    content = noise(sum(sizes) + MIB)
    there = shop()
    there.ask("PUT", "/photos")
    headers: dict[str, str | bytes] = {}
    body = content
    if in_frames:
        body = framed(content, f"x-amz-checksum-crc32:{checksum('CRC32', content)}", 300_000)
        headers = {
            "x-amz-content-sha256": UNSIGNED,
            "x-amz-trailer": "x-amz-checksum-crc32",
            "x-amz-decoded-content-length": str(len(content)),
        }
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    upload = DrawnUpload([*pieces, body[at:]], len(body))
    if late:
        there.service.bytes_pool = pool = HeldPool()
        upload.work = pool.work  # type: ignore[method-assign]
    headers["content-length"] = str(len(body))
    request = there.send("PUT", "/photos/cat.jpg", headers=headers, upload=upload)
    while late and pool.waiting:
        pool.work()
    assert request.status == 200
    there.service.bytes_pool = there.service.catalog_pool
    assert there.ask("GET", "/photos/cat.jpg").body == content


def test_a_tank_is_used_again_once_its_bytes_are_written_and_not_before() -> None:
    buffers = BodyBuffers()
    basin = Basin(buffers)
    first = basin.space(0).obj
    basin.filled(BUFFER_BYTES)
    second = basin.space(BUFFER_BYTES).obj
    assert second is not first
    basin.written(BUFFER_BYTES - 1)
    assert buffers.take() is not first
    basin.written(BUFFER_BYTES)
    assert buffers.take() is first


def test_no_more_tanks_are_kept_than_was_said() -> None:
    buffers = BodyBuffers(kept=1)
    first, second = buffers.take(), buffers.take()
    buffers.give(first)
    buffers.give(second)
    assert buffers.take() is first
    assert buffers.take() is not second


class Buffer(bytearray):
    """One that can be watched."""


class Watched(BodyBuffers):
    """Tells which buffers are still there."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[ref[Buffer]] = []

    def take(self) -> bytearray:
        buffer = Buffer(BUFFER_BYTES)
        self.made.append(ref(buffer))
        return buffer


@pytest.mark.parametrize("leaves", [False, True])
def test_no_tank_waits_for_the_garbage_collector(leaves: bool) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    there.service.buffers = buffers = Watched()
    upload = DrawnUpload([noise(BUFFER_BYTES)] if leaves else [noise(BUFFER_BYTES), b"x"], BUFFER_BYTES + 1, cut=leaves)
    gc.disable()
    try:
        request = there.ask("PUT", "/photos/cat.jpg", headers={"content-length": str(upload.length)}, upload=upload)
        assert request.status == (400 if leaves else 200)
        assert len(buffers.made) == (1 if leaves else 2)
        assert [buffer() for buffer in buffers.made] == [None] * len(buffers.made)
    finally:
        gc.enable()
