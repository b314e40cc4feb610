"""What putting, reading, removing and copying objects mean, over the reference driver."""

import base64
import hashlib
import os
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gecko_tw.store.checksums import ALGORITHMS, Digests
from gecko_tw.store.drivers.interfaces import BlobGone, Stale
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.interfaces import IIncoming, IObjects, IReading
from gecko_tw.store.objects import DEFAULT_CHECKSUM
from gecko_tw.store.records import Change, Checksum
from gecko_tw.store.refusals import (
    BadDigest,
    IncompleteBody,
    InsufficientStorage,
    InvalidRequest,
    KeyTooLongError,
    NoSuchBucket,
    NoSuchKey,
    NoSuchVersion,
    ObjectDamaged,
    PreconditionFailed,
    XAmzContentSHA256Mismatch,
)
from gecko_tw.store.requests import Claim, Copy, ListRequest, Put, Remove, Source, WriteConditions
from tests.store.shop import BUCKET, NOW, Shop, md5, open_shop, read_all

CAT = b"the bytes of a cat"
NEVER = WriteConditions(if_match="0" * 32)
ONLY_NEW = WriteConditions(if_none_match="*")


def copied(shop, source, key, **asked):
    return shop.objects.copy(Source(bucket=BUCKET, key=source), BUCKET, key, Copy(**{"now": NOW + 1, **asked}))


def test_the_store_keeps_its_interfaces(shop):
    shop.put(b"cat", CAT)
    incoming, reading = shop.objects.receive(()), shop.objects.open(BUCKET, b"cat")
    assert verifyObject(IObjects, shop.objects)
    assert verifyObject(IIncoming, incoming)
    assert verifyObject(IReading, reading)
    incoming.abort()
    reading.close()


@given(pieces=st.lists(st.binary(max_size=3000), max_size=6), data=st.data())
def test_what_was_put_is_got_in_whatever_pieces(pieces, data):
    shop, body = open_shop(), b"".join(pieces)
    incoming = shop.objects.receive(())
    for piece in pieces:
        incoming.push(piece)
        if data.draw(st.booleans()):
            incoming.flush()
            assert incoming.pending == 0
    assert incoming.size == len(body)
    version = shop.objects.put(BUCKET, b"key", incoming, Put(now=NOW, length=len(body)))
    assert (version.etag, version.size, version.modified) == (md5(body), len(body), NOW)
    assert shop.get(b"key") == body
    assert shop.orphans() == set()


def test_everything_that_is_said_about_an_object_is_kept(shop):
    said = {
        "headers": {"content-type": "image/jpeg"},
        "metadata": {"colour": "tabby"},
        "tags": {"pet": "yes"},
        "owner": "me",
        "extra": {"acl": ["private"]},
    }
    version = shop.put(b"cat", CAT, **said)
    assert shop.objects.look(BUCKET, b"cat") == version
    assert {name: getattr(version, name) for name in said} == said


def test_an_object_without_a_checksum_gets_the_one_of_the_store(shop):
    digests = Digests([DEFAULT_CHECKSUM])
    digests.update(CAT)
    assert shop.put(b"cat", CAT).checksum == Checksum(DEFAULT_CHECKSUM, digests.value(DEFAULT_CHECKSUM))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_right_claim_passes_and_a_wrong_one_keeps_the_old_object(shop, algorithm):
    digests = Digests([algorithm])
    digests.update(CAT)
    claim = Claim(algorithm, digests.raw(algorithm))
    version = shop.put(b"cat", CAT, algorithms=[algorithm], claims=(claim,), checksum=algorithm)
    assert version.checksum == Checksum(algorithm, base64.b64encode(claim.digest).decode())
    with pytest.raises(BadDigest):
        shop.put(b"cat", CAT + b"!", algorithms=[algorithm], claims=(claim,))
    assert shop.objects.look(BUCKET, b"cat") == version
    assert shop.get(b"cat") == CAT
    assert shop.orphans() == set()


def test_a_wrong_payload_hash_is_refused_by_its_own_name(shop):
    claim = Claim("SHA256", hashlib.sha256(b"dog").digest(), XAmzContentSHA256Mismatch)
    with pytest.raises(XAmzContentSHA256Mismatch):
        shop.put(b"cat", CAT, algorithms=["SHA256"], claims=(claim,))
    assert shop.listed() == []


@pytest.mark.parametrize("length", [0, len(CAT) - 1, len(CAT) + 1])
def test_a_body_of_another_length_than_announced_is_refused(shop, length):
    shop.put(b"cat", b"old")
    with pytest.raises(IncompleteBody):
        shop.put(b"cat", CAT, length=length)
    assert shop.get(b"cat") == b"old"
    assert shop.orphans() == set()


@pytest.mark.parametrize(
    ("key", "refusal"), [(b"x" * 1025, KeyTooLongError), (b"", InvalidRequest), (b"x" * 1024, None)]
)
def test_keys_have_1_to_1024_bytes(shop, key, refusal):
    if refusal is None:
        shop.put(key, CAT)
        assert shop.listed() == [key]
    else:
        with pytest.raises(refusal):
            shop.put(key, CAT)
        with pytest.raises(refusal):
            shop.remove(key)
        assert shop.orphans() == set()


def test_nothing_can_be_put_into_a_bucket_that_is_not_there(shop):
    incoming = shop.objects.receive(())
    incoming.push(CAT)
    with pytest.raises(NoSuchBucket):
        shop.objects.put("nowhere", b"cat", incoming, Put(now=NOW))
    assert shop.blobs() == set()


def test_a_bucket_that_goes_while_the_body_comes_refuses_it(shop):
    incoming = shop.objects.receive(())
    incoming.push(CAT)
    incoming.flush()
    shop.buckets.remove(BUCKET)
    with pytest.raises(NoSuchBucket):
        shop.objects.put(BUCKET, b"cat", incoming, Put(now=NOW))
    assert shop.blobs() == set()


def test_a_full_disk_keeps_the_old_object(shop):
    shop.put(b"cat", b"old")
    incoming = shop.objects.receive(())
    incoming.push(CAT)

    def full(note):
        incoming.flush()
        raise InsufficientStorage

    incoming.commit = full
    with pytest.raises(InsufficientStorage):
        shop.objects.put(BUCKET, b"cat", incoming, Put(now=NOW))
    assert shop.get(b"cat") == b"old"
    assert shop.orphans() == set()


def test_an_overwrite_replaces_everything_and_drops_the_old_bytes(shop):
    shop.put(b"cat", CAT, metadata={"a": "b"}, tags={"c": "d"}, headers={"content-type": "image/png"})
    version = shop.put(b"cat", b"another", now=NOW + 1)
    assert (version.metadata, version.tags, version.headers) == ({}, {}, {})
    assert shop.get(b"cat") == b"another"
    assert shop.orphans() == set()


def test_a_missing_object_is_told_from_a_missing_version(shop):
    shop.put(b"cat", CAT)
    with pytest.raises(NoSuchKey):
        shop.objects.look(BUCKET, b"dog")
    with pytest.raises(NoSuchVersion):
        shop.objects.look(BUCKET, b"cat", "v1")
    with pytest.raises(NoSuchBucket):
        shop.objects.look("nowhere", b"cat")
    assert shop.objects.look(BUCKET, b"cat", "null") == shop.objects.look(BUCKET, b"cat")


def test_removing_an_object_removes_its_bytes_and_is_repeatable(shop):
    shop.put(b"cat", CAT)
    for _ in range(2):
        removed = shop.remove(b"cat")
        assert (removed.version_id, removed.marker) == (None, False)
    assert shop.listed() == []
    assert shop.blobs() == set()
    with pytest.raises(NoSuchKey):
        shop.objects.open(BUCKET, b"cat")


def test_removing_the_null_version_removes_the_object(shop):
    shop.put(b"cat", CAT)
    assert shop.remove(b"cat", version_id="null").version_id == "null"
    assert shop.listed() == []


def test_an_object_being_read_is_read_to_its_end_though_removed(shop):
    shop.put(b"cat", CAT * 100)
    reading = shop.objects.open(BUCKET, b"cat")
    shop.remove(b"cat")
    assert read_all(reading) == CAT * 100
    reading.close()
    reading.close()


@given(size=st.integers(0, 3000), data=st.data())
def test_any_range_of_an_object_can_be_read(size, data):
    shop, body = open_shop(), bytes(range(256)) * 12
    shop.put(b"key", body[:size])
    reading = shop.objects.open(BUCKET, b"key")
    for _ in range(5):
        offset, length = data.draw(st.integers(0, size + 10)), data.draw(st.integers(0, size + 10))
        assert reading.read(offset, length) == body[:size][offset : offset + length]
    assert reading.run(0) is None
    reading.close()


# ---- conditions --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "refusal"),
    [
        (WriteConditions(if_match=md5(CAT)), None),
        (WriteConditions(if_match="*"), None),
        (WriteConditions(if_match="other"), PreconditionFailed),
        (WriteConditions(if_none_match="*"), PreconditionFailed),
        (WriteConditions(if_none_match=md5(CAT)), PreconditionFailed),
        (WriteConditions(if_none_match="other"), None),
        (WriteConditions(if_size=len(CAT)), None),
        (WriteConditions(if_size=0), PreconditionFailed),
        (WriteConditions(if_modified=NOW // 10**9), None),
        (WriteConditions(if_modified=NOW // 10**9 + 1), PreconditionFailed),
        (WriteConditions(if_match=md5(CAT), if_size=0), PreconditionFailed),
    ],
)
@pytest.mark.parametrize("verb", ["put", "remove", "copy"])
def test_a_condition_that_fails_keeps_the_object(shop, conditions, refusal, verb):
    shop.put(b"cat", CAT)
    shop.put(b"dog", b"the bytes of a dog")
    act = {
        "put": lambda: shop.put(b"cat", b"new", conditions=conditions),
        "remove": lambda: shop.remove(b"cat", conditions=conditions),
        "copy": lambda: copied(shop, b"dog", b"cat", conditions=conditions),
    }[verb]
    if refusal is None:
        act()
        assert b"cat" not in shop.listed() or shop.get(b"cat") != CAT
    else:
        with pytest.raises(refusal):
            act()
        assert shop.get(b"cat") == CAT
    assert shop.orphans() == set()


@pytest.mark.parametrize(
    ("conditions", "refusal"),
    [
        (WriteConditions(if_none_match="*"), None),
        (WriteConditions(if_match="*"), NoSuchKey),
        (WriteConditions(if_match="other"), NoSuchKey),
    ],
)
def test_conditions_on_a_missing_object(shop, conditions, refusal):
    if refusal is None:
        assert shop.put(b"cat", CAT, conditions=conditions).size == len(CAT)
    else:
        with pytest.raises(refusal):
            shop.put(b"cat", CAT, conditions=conditions)
        with pytest.raises(refusal):
            shop.remove(b"cat", conditions=conditions)
        assert shop.blobs() == set()


def test_a_condition_is_decided_at_commit_and_not_when_the_body_begins(shop):
    incoming = shop.objects.receive(())
    incoming.push(CAT)
    incoming.flush()
    original = shop.objects.allow(BUCKET, b"cat", ONLY_NEW)
    assert original is None
    real = incoming.commit

    def overtaken(note):
        blob = real(note)
        shop.put(b"cat", b"first")
        return blob

    incoming.commit = overtaken
    with pytest.raises(PreconditionFailed):
        shop.objects.put(BUCKET, b"cat", incoming, Put(now=NOW, conditions=ONLY_NEW))
    assert shop.get(b"cat") == b"first"
    assert shop.orphans() == set()


# ---- copies ------------------------------------------------------------------------------------------------------------------


def test_a_copy_has_the_bytes_and_all_that_is_said_about_them(shop):
    original = shop.put(
        b"cat", CAT, headers={"content-type": "image/png"}, metadata={"a": "b"}, tags={"c": "d"}, extra={"acl": []}
    )
    copy = copied(shop, b"cat", b"copy", owner="you")
    assert shop.get(b"copy") == CAT
    assert (copy.etag, copy.headers, copy.metadata, copy.tags) == (
        original.etag,
        original.headers,
        original.metadata,
        original.tags,
    )
    assert (copy.modified, copy.owner, copy.extra, copy.checksum) == (NOW + 1, "you", {}, original.checksum)
    shop.remove(b"cat")
    assert shop.get(b"copy") == CAT
    assert shop.orphans() == set()


def rot(shop: Shop) -> None:
    """Changes a byte of everything that is stored, and nothing else."""
    if isinstance(shop.driver, MemoryDriver):
        held = shop.driver.blobs._bytes
        held.update({blob: b"?" + data[1:] for blob, data in held.items()})
        return
    for path in Path(shop.driver.data_dir).rglob("*"):
        found = path.lstat()
        if path.is_file() and path.parent.name != ".geckos3":
            with open(path, "r+b") as file:
                file.write(b"?")
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def test_bytes_that_rotted_are_not_copied_under_an_etag_of_their_own(shop):
    shop.put(b"cat", CAT)
    shop.multipart(b"parts", [b"first part", b"second part"])
    shop.put(b"good", CAT)
    copied(shop, b"good", b"copy")
    rot(shop)
    for key in (b"cat", b"parts"):
        with pytest.raises(ObjectDamaged):
            copied(shop, key, b"copy of damage")
        with pytest.raises(NoSuchKey):
            shop.objects.look(BUCKET, b"copy of damage")
    assert shop.orphans() == set()


def test_objects_of_parts_that_nobody_hashed_are_copied():
    shop = open_shop(hashing=False)
    for bodies in ([b"only part"], [b"first part", b"second part"]):
        shop.multipart(b"parts", bodies)
        copied(shop, b"parts", b"copy")
        assert shop.get(b"copy") == b"".join(bodies)


def test_a_copy_may_replace_what_is_said_about_the_bytes(shop):
    shop.put(b"cat", CAT, headers={"content-type": "image/png"}, metadata={"a": "b"}, tags={"c": "d"})
    copy = copied(shop, b"cat", b"cat", headers={}, metadata={"new": "1"}, tags={})
    assert (copy.headers, copy.metadata, copy.tags) == ({}, {"new": "1"}, {})
    assert shop.get(b"cat") == CAT
    assert shop.orphans() == set()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_copy_with_another_checksum_computes_it(shop, algorithm):
    shop.put(b"cat", CAT)
    digests = Digests([algorithm])
    digests.update(CAT)
    copy = copied(shop, b"cat", b"copy", checksum=algorithm)
    assert copy.checksum == Checksum(algorithm, digests.value(algorithm))
    assert shop.get(b"copy") == CAT


def test_a_copy_of_a_multipart_object_is_one_object_with_its_own_etag(shop):
    shop.multipart(b"cat", [b"part one", b"part two"])
    copy = copied(shop, b"cat", b"copy")
    assert copy.etag == md5(b"part onepart two")
    assert (copy.parts, copy.upload) == ((), None)
    assert shop.get(b"copy") == b"part onepart two"


def test_a_copy_whose_source_is_refused_copies_nothing(shop):
    shop.put(b"cat", CAT)
    shop.put(b"copy", b"old")

    def refuse(version):
        assert version.etag == md5(CAT)
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        shop.objects.copy(Source(bucket=BUCKET, key=b"cat", check=refuse), BUCKET, b"copy", Copy(now=NOW))
    with pytest.raises(NoSuchKey):
        copied(shop, b"dog", b"copy")
    assert shop.get(b"copy") == b"old"
    assert shop.orphans() == set()


# ---- without hashing ---------------------------------------------------------------------------------------------------------


def test_without_hashing_the_etag_is_made_of_size_and_time():
    shop = open_shop(hashing=False)
    version = shop.put(b"cat", CAT)
    assert version.etag == md5(b"%d-%d" % (len(CAT), NOW)) + "-1"
    assert version.checksum is None
    assert shop.get(b"cat") == CAT
    assert copied(shop, b"cat", b"copy").etag == md5(b"%d-%d" % (len(CAT), NOW + 1)) + "-1"
    assert shop.get(b"copy") == CAT


def test_without_hashing_claims_are_still_verified():
    shop = open_shop(hashing=False)
    claim = Claim("MD5", hashlib.md5(CAT, usedforsecurity=False).digest())
    shop.put(b"cat", CAT, algorithms=["MD5"], claims=(claim,))
    with pytest.raises(BadDigest):
        shop.put(b"cat", b"dog", algorithms=["MD5"], claims=(claim,))
    assert shop.get(b"cat") == CAT


# ---- what is not settled, and what moves -------------------------------------------------------------------------------------


def test_what_is_not_settled_is_settled_before_a_write(shop):
    shop.put(b"cat", CAT)
    catalog, reconciled = shop.objects.catalog, []
    real = catalog.history

    def stale(*arguments):
        if not reconciled:
            raise Stale(lambda: reconciled.append(True))
        return real(*arguments)

    catalog.history = stale
    with pytest.raises(Stale):
        shop.objects.look(BUCKET, b"cat")
    shop.put(b"cat", b"new", conditions=WriteConditions(if_match=md5(CAT)))
    assert reconciled == [True]


def test_an_object_that_is_replaced_between_record_and_bytes_is_read_anew(shop):
    old = shop.put(b"cat", CAT)
    catalog, real = shop.objects.catalog, shop.objects.catalog.history

    def stale(*arguments):
        catalog.history = real
        history = real(*arguments)
        shop.put(b"cat", b"new")
        return history

    catalog.history = stale
    reading = shop.objects.open(BUCKET, b"cat")
    assert (reading.version.etag, read_all(reading)) == (md5(b"new"), b"new")
    assert old.etag != reading.version.etag
    reading.close()


def test_a_reading_goes_on_though_its_spans_are_joined_meanwhile(shop):
    bodies = [b"first part", b"second part", b"third part"]
    shop.multipart(b"key", bodies)
    reading = shop.objects.open(BUCKET, b"key")
    assert reading.read(0, 5) == b"first"
    assert shop.upkeep.join() == 1
    assert reading.read(5, 100) == b" part"
    assert reading.read(10, 100).startswith(b"second part")
    assert read_all(reading) == b"".join(bodies)
    reading.close()


def test_a_reading_never_goes_on_with_the_bytes_of_another_version(shop):
    shop.multipart(b"key", [b"first part", b"second part"])
    reading = shop.objects.open(BUCKET, b"key")
    assert reading.read(0, 5) == b"first"
    shop.put(b"key", b"another object, which is longer than the first", now=NOW + 1)
    shop.driver.flush()
    with pytest.raises(BlobGone):
        read_all(reading)
    reading.close()


def test_a_reading_whose_object_was_removed_tells_that_its_bytes_are_gone(shop):
    shop.multipart(b"key", [b"first part", b"second part"])
    reading = shop.objects.open(BUCKET, b"key")
    shop.objects.remove(BUCKET, b"key", Remove(now=NOW + 1))
    shop.driver.flush()
    assert reading.run(12) is None
    assert reading.ready(12, 5) is None
    with pytest.raises(BlobGone):
        reading.read(12, 5)
    reading.close()


@given(
    bodies=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5),
    reads=st.lists(st.tuples(st.integers(0, 260), st.integers(1, 80)), max_size=8),
)
def test_a_read_never_ends_before_the_end(bodies, reads):
    shop, body = open_shop(min_part_size=0), b"".join(bodies)
    shop.multipart(b"key", bodies)
    reading = shop.objects.open(BUCKET, b"key")
    for offset, length in reads:
        data = reading.read(offset, length)
        assert body[offset : offset + length].startswith(data)
        assert bool(data) == (offset < len(body))
    reading.close()


def test_a_page_of_an_unknown_bucket_is_refused_even_when_nothing_is_wanted(shop):
    for limit in (0, 10):
        with pytest.raises(NoSuchBucket):
            shop.objects.page("nowhere", ListRequest(limit=limit))


def test_removing_needs_the_bucket(shop):
    with pytest.raises(NoSuchBucket):
        shop.objects.remove("nowhere", b"cat", Remove(now=NOW))


def test_changing_tags_keeps_the_bytes(shop):
    shop.put(b"cat", CAT)
    newest = shop.objects.look(BUCKET, b"cat")

    def tag(bucket, history):
        return Change(evolve(history, versions=(evolve(newest, tags={"a": "b"}),)))

    shop.objects.place(BUCKET, b"cat", tag)
    assert shop.objects.look(BUCKET, b"cat").tags == {"a": "b"}
    assert shop.get(b"cat") == CAT


def test_a_copy_of_what_is_replaced_while_it_is_read_copies_what_is_there_then(shop):
    """The source is made of parts, so it has to be read; after its first part it is another object."""
    shop.multipart(b"cat", [b"first part", b"second part"])
    real = shop.objects.blobs.open
    opened = []

    def replaced(blob):
        opened.append(blob)
        if len(opened) == 2:
            shop.put(b"cat", b"another cat", now=NOW + 1)
            shop.driver.flush()
        return real(blob)

    shop.objects.blobs.open = replaced
    copy = copied(shop, b"cat", b"copy")
    assert copy.etag == md5(b"another cat")
    assert shop.get(b"copy") == b"another cat"
    assert shop.orphans() == set()
