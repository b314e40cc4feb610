"""What a process remembers of the catalog is what the catalog says, whoever has changed it."""

import errno
import os
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.counters import COMMON, slot_of
from gecko_tw.store.drivers.sqlite.journal import Journal
from gecko_tw.store.drivers.sqlite.stamped_cache import StampedCache
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import NoSuchBucket, NoSuchKey
from gecko_tw.store.requests import Put, Remove
from gecko_tw.store.rules import versions

BUCKET = "photos"


class Process:
    """One of several that use a data directory."""

    def __init__(self, folder):
        self.driver = FilesDriver(str(folder))
        self.driver.open()
        self.objects = Objects(self.driver.catalog, self.driver.blobs)
        self.buckets = Buckets(self.driver.catalog)

    def put(self, key, body, now):
        incoming = self.objects.receive()
        incoming.push(body)
        self.objects.put(BUCKET, key, incoming, Put(now=now))

    def seen(self, key):
        """What it answers about a key: by opening and by looking."""
        try:
            reading = self.objects.open(BUCKET, key)
        except (NoSuchKey, NoSuchBucket) as refusal:
            with pytest.raises(type(refusal)):
                self.objects.look(BUCKET, key)
            return refusal.code
        with_bytes = reading.read(0, 100)
        reading.close()
        assert self.objects.look(BUCKET, key).etag == reading.version.etag
        return with_bytes


@pytest.fixture
def processes(tmp_path):
    found = [Process(tmp_path) for _ in range(2)]
    yield found
    for each in found:
        each.driver.close()


KEYS = [b"a", b"a/b", b"c//d"]
WHO = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), WHO, st.sampled_from(KEYS), st.binary(min_size=1, max_size=3)),
        st.tuples(st.just("remove"), WHO, st.sampled_from(KEYS), st.just(b"")),
        st.tuples(st.just("by hand"), WHO, st.just(b"a"), st.binary(min_size=4, max_size=9)),
        st.tuples(st.just("versioning"), WHO, st.sampled_from(KEYS), st.just(b"")),
    ),
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_process_answers_from_before_another_ones_change(processes, tmp_path, steps):
    now = 1_700_000_000_000_000_000
    for process in processes:
        for key in KEYS:
            process.seen(key)  # so that there is something to remember
    try:
        processes[0].buckets.create(BucketRecord(name=BUCKET, created=now))
        model = {}
        for deed, who, key, body in steps:
            now += 1_000_000_000
            doer = processes[who]
            if deed == "put":
                doer.put(key, body, now)
                model[key] = body
            elif deed == "remove":
                doer.objects.remove(BUCKET, key, Remove(now=now))
                model.pop(key, None)
            elif deed == "versioning":
                doer.buckets.change(BUCKET, lambda record: record.with_setting(versions.SETTING, versions.ENABLED))
            elif os.path.isfile(tmp_path / BUCKET / "a"):
                (tmp_path / BUCKET / "a").write_bytes(body)
                model[key] = body
                doer.driver.adopt()
            for process in processes:
                assert process.buckets.get(BUCKET) == doer.buckets.get(BUCKET)
                for each in KEYS:
                    assert process.seen(each) == model.get(each, "NoSuchKey"), (deed, each)
    finally:
        _empty(processes[1])
    for process in processes:
        with pytest.raises(NoSuchBucket):
            process.buckets.get(BUCKET)


def _empty(process):
    record = process.buckets.get(BUCKET)
    for key in KEYS:
        for version in process.driver.catalog.page(BUCKET, key, key, 100, "versions"):
            if version.key == key:
                process.objects.remove(BUCKET, key, Remove(now=1, version_id=version.id))
    process.buckets.remove(record.name)


def test_documents_have_another_revision_in_every_process_at_once(processes):
    seen = set()
    for number in range(4):
        processes[number % 2].driver.documents.change("kind", "name", lambda value, number=number: number)
        first, second = (process.driver.documents.revision() for process in processes)
        assert first == second
        seen.add(first)
    assert len(seen) == 4


@pytest.fixture
def journal(tmp_path):
    descriptors = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2)]
    journal = Journal(*descriptors)
    yield journal
    journal.close()
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("slot", [COMMON, slot_of(BUCKET, b"a")])
def test_nothing_is_remembered_that_was_read_around_a_change(journal, slot):
    remembered = StampedCache(journal.counters, 10)
    before = remembered.stamp(slot)
    journal.acquire()
    journal.counters.outdate(slot)
    remembered.keep(before, "read before", 1, slot)
    remembered.keep(remembered.stamp(slot), "read meanwhile", 2, slot)
    journal.release()
    remembered.keep(before, "read before", 1, slot)
    remembered.keep(remembered.stamp(slot), "read after", 3, slot)
    assert [remembered.get(f"read {when}", slot) for when in ("before", "meanwhile", "after")] == [None, None, 3]


def test_a_change_whose_maker_died_leaves_its_slot_unremembered_until_the_next_change(journal, tmp_path):
    slot = slot_of(BUCKET, b"a")
    dead = Journal(*(os.open(tmp_path / "lock", os.O_RDWR) for _ in range(2)))
    dead.counters.outdate(slot)
    remembered = StampedCache(journal.counters, 10)
    remembered.keep(remembered.stamp(slot), "a", 1, slot)
    assert remembered.get("a", slot) is None
    journal.acquire()
    journal.counters.outdate(slot)
    journal.release()
    remembered.keep(remembered.stamp(slot), "a", 2, slot)
    assert remembered.get("a", slot) == 2
    dead.close()


def test_a_disk_that_fails_while_counting_lets_the_next_one_write(journal, monkeypatch):
    slots = sorted({slot_of(BUCKET, key) for key in (b"a", b"b", b"c")})
    remembered = StampedCache(journal.counters, 10)
    journal.acquire()
    for slot in slots:
        journal.counters.outdate(slot)
    with monkeypatch.context() as failing:
        failing.setattr(os, "pwrite", Mock(side_effect=OSError(errno.EIO, "")))
        with pytest.raises(OSError):
            journal.release()
    assert journal.is_free()
    for slot in slots:
        remembered.keep(remembered.stamp(slot), slot, 1, slot)
    assert [remembered.get(slot, slot) for slot in slots] == [None, None, None]

    journal.acquire()
    for slot in slots:
        journal.counters.outdate(slot)
    journal.release()
    for slot in slots:
        remembered.keep(remembered.stamp(slot), slot, 2, slot)
    assert [remembered.get(slot, slot) for slot in slots] == [2, 2, 2]


def test_as_many_values_are_remembered_as_were_asked_for(journal):
    remembered = StampedCache(journal.counters, 3)
    for number in range(4):
        remembered.keep(remembered.stamp(), number, number)
    assert [remembered.get(number) for number in range(4)] == [None, None, None, 3]


def test_a_lock_file_of_before_the_counters_keeps_its_notes(tmp_path):
    path = tmp_path / "lock"
    path.write_bytes(b"\x01\x01\x00\x01\x00\x00\x00bk" + bytes(160 * 1024 - 9))
    journal = Journal(*(os.open(path, os.O_RDWR) for _ in range(2)))
    assert [(note.bucket, note.key) for note in journal.noted()] == [("b", b"k")]
    assert journal.counters.stamp() == 0
    journal.close()


def test_of_two_changes_in_one_transaction_only_the_last_is_remembered(journal):
    slot, remembered = slot_of(BUCKET, b"a"), StampedCache(journal.counters, 10)
    journal.acquire()
    journal.counters.outdate(slot)
    first = remembered.stamp_to_come(slot)
    journal.counters.outdate(slot)
    second = remembered.stamp_to_come(slot)
    journal.release()
    remembered.keep(second, "a", "second", slot)
    remembered.keep(first, "a", "first", slot)
    assert remembered.get("a", slot) == "second"


def test_what_was_written_is_not_remembered_when_somebody_else_wrote_since(journal):
    slot, remembered = slot_of(BUCKET, b"a"), StampedCache(journal.counters, 10)
    stamps = []
    for _ in range(2):
        journal.acquire()
        journal.counters.outdate(slot)
        stamps.append(remembered.stamp_to_come(slot))
        journal.release()
    remembered.keep(stamps[0], "a", "first", slot)
    assert remembered.get("a", slot) is None
    journal.acquire()
    journal.counters.outdate(slot)
    journal.counters.outdate(COMMON)
    assert remembered.stamp_to_come(slot) == -1
    journal.release()
