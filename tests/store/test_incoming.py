"""A body on its way in, pushed by one thread and flushed by another."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.checksums import Digests
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.incoming import Incoming, pseudo_etag
from gecko_tw.store.records import BlobNote, Version
from gecko_tw.store.refusals import BadDigest, IncompleteBody, XAmzContentSHA256Mismatch
from gecko_tw.store.requests import Claim

NOTE = BlobNote(bucket="photos", key=b"cat", record=Version(etag="", size=0, modified=0))


def test_bytes_pushed_while_others_are_flushed_keep_their_order():
    driver = MemoryDriver()
    incoming = Incoming(driver.blobs, ["SHA256"])
    chunks = [b"%06d" % number for number in range(3000)]

    def push():
        for chunk in chunks:
            incoming.push(chunk)

    with ThreadPoolExecutor(1) as threads:
        pushed = threads.submit(push)
        while not pushed.done():
            incoming.flush()
        pushed.result()
    incoming.verify(18_000, [Claim("SHA256", hashlib.sha256(b"".join(chunks)).digest())])
    assert incoming.pending == 0
    reader = driver.blobs.open(incoming.commit(NOTE))
    assert reader.read(0, 20_000) == b"".join(chunks)


@given(st.lists(st.lists(st.integers(1, 400_000), max_size=6), max_size=4), st.booleans())
def test_tasks_of_a_flush_may_be_done_in_any_order(batches, backwards):
    driver = MemoryDriver()
    incoming = Incoming(driver.blobs, ["MD5", "SHA256", "CRC64NVME"])
    whole = b""
    for batch in batches:
        for size in batch:
            whole += (data := hashlib.shake_128(b"%d" % len(whole)).digest(size))
            incoming.push(memoryview(data))
        tasks = incoming.tasks(2)
        for task in reversed(tasks) if backwards else tasks:
            task()
        assert incoming.pending == 0
    wanted = Digests(["MD5", "SHA256", "CRC64NVME"])
    wanted.update(whole)
    incoming.verify(len(whole), [Claim(name, wanted.raw(name)) for name in ("MD5", "SHA256", "CRC64NVME")])
    assert driver.blobs.open(incoming.commit(NOTE)).read(0, len(whole)) == whole


def test_pending_is_what_was_pushed_and_not_flushed():
    incoming = Incoming(MemoryDriver().blobs, [])
    incoming.push(b"12345")
    assert (incoming.size, incoming.pending) == (5, 5)
    incoming.flush()
    incoming.push(b"678")
    assert (incoming.size, incoming.pending) == (8, 3)


@pytest.mark.parametrize(("length", "sent"), [(3, b"12"), (2, b"123"), (0, b"1"), (1, b"")])
def test_the_announced_length_is_compared(length, sent):
    incoming = Incoming(MemoryDriver().blobs, [])
    incoming.push(sent)
    with pytest.raises(IncompleteBody) as refused:
        incoming.verify(length, ())
    assert refused.value.details == {"Expected": str(length), "Received": str(len(sent))}


def test_every_claim_is_compared_and_refused_by_its_own_name():
    incoming = Incoming(MemoryDriver().blobs, ["MD5", "SHA256"])
    right = Claim("MD5", hashlib.md5(b"", usedforsecurity=False).digest())
    incoming.verify(0, [right])
    with pytest.raises(XAmzContentSHA256Mismatch):
        incoming.verify(0, [right, Claim("SHA256", bytes(32), XAmzContentSHA256Mismatch)])
    with pytest.raises(BadDigest, match="The MD5 you specified"):
        incoming.verify(0, [Claim("MD5", bytes(16))])


def test_a_body_that_is_forgotten_leaves_nothing():
    driver = MemoryDriver()
    incoming = Incoming(driver.blobs, [])
    incoming.push(b"data")
    incoming.flush()
    incoming.abort()
    incoming.abort()
    assert list(driver.blobs.older_than(-60)) == []


def test_the_etag_of_bytes_that_are_not_hashed_is_made_of_size_and_time():
    assert pseudo_etag(5, 7) == hashlib.md5(b"5-7", usedforsecurity=False).hexdigest() + "-1"
