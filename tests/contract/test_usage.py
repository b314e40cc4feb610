"""The contract of IUsage over every driver: what a bucket holds is counted exactly, and a quota is never exceeded."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gecko_tw.store.drivers.interfaces import IUsage
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import NULL, BucketRecord, Upload, Usage
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload, QuotaExceeded, Refusal
from gecko_tw.store.requests import Complete, ListRequest, Put, PutPart, Remove, WantedPart
from gecko_tw.store.uploads import Uploads

NOW = 1_795_230_000_000_000_000
KEYS = st.sampled_from([b"a", b"b/c", b"d" * 300])
SIZES = st.integers(0, 40)


@pytest.fixture
def objects(driver):
    objects = Objects(driver.catalog, driver.blobs)
    driver.catalog.add_bucket(BucketRecord(name="photos", created=NOW))
    return objects


def limit(objects, /, **quota):
    objects.catalog.change_bucket("photos", lambda record: record.with_setting("quota", quota or None))


def put(objects, key, size):
    incoming = objects.receive()
    incoming.push(b"x" * size)
    return objects.put("photos", key, incoming, Put(now=NOW))


def send(objects, key, upload_id, number, size):
    uploads = Uploads(objects, min_part_size=0)
    incoming = objects.receive()
    incoming.push(b"x" * size)
    return uploads.put_part("photos", key, upload_id, incoming, PutPart(now=NOW, number=number))


def everything(objects):
    """What the bucket holds, counted by looking at all of it."""
    uploads = Uploads(objects)
    versions = [
        entry.version
        for entry in objects.page("photos", ListRequest(), "versions").entries
        if entry.version is not None
    ]
    parts = [
        part.size
        for entry in uploads.page("photos", ListRequest()).entries
        for part in uploads.parts("photos", entry.key, entry.id)
    ]
    return Usage(sum(version.size for version in versions) + sum(parts), len(versions))


def test_the_catalog_keeps_the_interface(driver):
    assert verifyObject(IUsage, IUsage(driver.catalog))
    with pytest.raises(NoSuchBucket):
        IUsage(driver.catalog).usage("nowhere")


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, SIZES),
        st.tuples(st.just("remove"), KEYS, st.sampled_from([None, NULL])),
        st.tuples(st.just("begin"), KEYS, st.just(0)),
        st.tuples(st.just("part"), st.integers(1, 3), SIZES),
        st.tuples(st.just("complete"), KEYS, st.just(0)),
        st.tuples(st.just("abort"), KEYS, st.just(0)),
        st.tuples(st.just("versioning"), KEYS, st.sampled_from(["Enabled", "Suspended"])),
    ),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(ACTS, st.integers(0, 150), st.integers(0, 6))
def test_whatever_is_done_the_count_is_exact_and_within_the_quota(driver, acts, most_bytes, most_objects):
    objects = Objects(driver.catalog, driver.blobs)
    driver.catalog.add_bucket(
        BucketRecord(name="photos", created=NOW, settings={"quota": {"bytes": most_bytes, "objects": most_objects}})
    )
    uploads = Uploads(objects, min_part_size=0)
    begun = []
    try:
        for number, (act, what, value) in enumerate(acts):
            with suppress(Refusal):
                _do(objects, uploads, begun, f"u{number}", act, what, value)
            held = IUsage(driver.catalog).usage("photos")
            assert held == everything(objects)
            assert held.bytes <= most_bytes
            assert held.objects <= most_objects
    finally:
        _clear(objects, uploads)


def _do(objects, uploads, begun, name, act, what, value):
    if act == "put":
        put(objects, what, value)
    elif act == "remove":
        objects.remove("photos", what, Remove(now=NOW, version_id=value))
    elif act == "versioning":
        objects.catalog.change_bucket("photos", lambda record: record.with_setting("versioning", value))
    elif act == "begin":
        uploads.create("photos", what, Upload(id=name, initiated=NOW))
        begun.append((what, name))
    elif begun:
        key, upload_id = begun[-1]
        if act == "part":
            send(objects, key, upload_id, what, value)
        elif act == "abort":
            uploads.abort("photos", key, upload_id)
        else:
            parts = [WantedPart(part.number, part.etag) for part in uploads.parts("photos", key, upload_id)][:2]
            if parts:
                uploads.complete("photos", key, upload_id, Complete(now=NOW, parts=tuple(parts)))


def _clear(objects, uploads):
    for entry in objects.page("photos", ListRequest(), "versions").entries:
        objects.remove("photos", entry.key, Remove(now=NOW, version_id=entry.id))
    for entry in uploads.page("photos", ListRequest()).entries:
        uploads.abort("photos", entry.key, entry.id)
    objects.catalog.remove_bucket("photos")


def test_a_quota_set_later_counts_what_was_there_before(objects):
    put(objects, b"old", 30)
    limit(objects, bytes=40)
    with pytest.raises(QuotaExceeded):
        put(objects, b"new", 11)
    assert IUsage(objects.catalog).usage("photos") == Usage(30, 1)
    put(objects, b"new", 10)
    put(objects, b"old", 30)
    limit(objects)
    put(objects, b"much", 1000)
    assert IUsage(objects.catalog).usage("photos") == everything(objects) == Usage(1040, 3)


def test_what_a_quota_refuses_leaves_no_bytes_behind(objects, driver):
    limit(objects, bytes=5)
    put(objects, b"kept", 5)
    with pytest.raises(QuotaExceeded):
        put(objects, b"kept", 6)
    with pytest.raises(QuotaExceeded):
        put(objects, b"other", 1)
    assert objects.look("photos", b"kept").size == 5
    driver.flush()
    assert not [blob for blob in driver.blobs.older_than(-60) if not objects.catalog.references([blob])]


def test_a_full_bucket_lets_room_be_made(objects):
    put(objects, b"big", 50)
    limit(objects, bytes=10)
    put(objects, b"big", 20)
    objects.amend("photos", b"big", None, lambda version, bucket: version)
    objects.remove("photos", b"big", Remove(now=NOW))
    put(objects, b"small", 10)


def test_parts_take_room_until_they_are_joined_or_forgotten(objects):
    limit(objects, bytes=20)
    uploads = Uploads(objects, min_part_size=0)
    uploads.create("photos", b"film", Upload(id="u", initiated=NOW))
    first, second = send(objects, b"film", "u", 1, 10), send(objects, b"film", "u", 2, 10)
    with pytest.raises(QuotaExceeded):
        send(objects, b"film", "u", 3, 1)
    with pytest.raises(QuotaExceeded):
        put(objects, b"other", 1)
    parts = (WantedPart(1, first.etag), WantedPart(2, second.etag))
    assert uploads.complete("photos", b"film", "u", Complete(now=NOW, parts=parts)).size == 20
    assert IUsage(objects.catalog).usage("photos") == Usage(20, 1)
    with pytest.raises(NoSuchUpload):
        send(objects, b"film", "u", 3, 1)


def test_many_at_once_cannot_exceed_a_quota(objects, candidate):
    """Where nodes count for themselves they may by what is under way at once: by so much and no more."""
    limit(objects, bytes=100, objects=1000)

    def try_to(number):
        with suppress(QuotaExceeded):
            put(objects, b"%d" % number, 7)
            return 1
        return 0

    with ThreadPoolExecutor(8) as threads:
        done = sum(threads.map(try_to, range(40)))
    assert 14 <= done <= (14 if candidate.exact else 14 + 7)
    assert IUsage(objects.catalog).usage("photos") == everything(objects) == Usage(7 * done, done)


def test_a_bucket_made_again_is_empty(objects):
    limit(objects, objects=1)
    put(objects, b"a", 5)
    objects.remove("photos", b"a", Remove(now=NOW))
    objects.catalog.remove_bucket("photos")
    objects.catalog.add_bucket(BucketRecord(name="photos", created=NOW, settings={"quota": {"objects": 1}}))
    put(objects, b"a", 5)
    assert IUsage(objects.catalog).usage("photos") == Usage(5, 1)
