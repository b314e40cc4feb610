"""What is kept beside the bytes of a version can be changed; the bytes cannot."""

import os
from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store.objects import Objects
from gecko_tw.store.records import STORAGE_CLASS, BucketRecord, Version
from gecko_tw.store.refusals import NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed
from gecko_tw.store.requests import ListRequest, Put


@pytest.fixture
def objects(driver: Any) -> Objects:
    driver.catalog.add_bucket(BucketRecord(name="photos", created=1))
    return Objects(driver.catalog, driver.blobs)


def put(objects: Objects, key: bytes, data: bytes, **more: Any) -> Version:
    incoming = objects.receive()
    incoming.push(data)
    incoming.flush()
    return objects.put("photos", key, incoming, Put(now=1_700_000_000_000_000_000, **more))


def read(objects: Objects, key: bytes, version_id: str | None = None) -> bytes:
    reading = objects.open("photos", key, version_id)
    try:
        return reading.read(0, 1000)
    finally:
        reading.close()


def tag(version: Version, bucket: BucketRecord) -> Version:
    return evolve(version, tags={"of": bucket.name}, extra={**version.extra, "acl": [1]})


@pytest.mark.parametrize("key", [b"cat.jpg", b"dir/", b"pooled//key"])
def test_tags_come_beside_the_same_bytes(objects: Objects, key: bytes):
    before = put(objects, key, b"meow", metadata={"a": "b"})
    amended = objects.amend("photos", key, None, tag)
    assert amended.tags == {"of": "photos"}
    now = objects.look("photos", key)
    assert evolve(now, tags={}, extra={}) == before
    assert now == amended
    assert read(objects, key) == b"meow"


@pytest.mark.parametrize("key", [b"cat.jpg", b"dir/", b"pooled//key"])
def test_another_storage_class_comes_beside_the_same_bytes_and_is_listed(objects: Objects, key: bytes):
    before = put(objects, key, b"meow", headers={"content-type": "text/plain"})

    def move(version: Version, bucket: BucketRecord) -> Version:
        return evolve(version, headers={**version.headers, STORAGE_CLASS: "GLACIER_IR"})

    amended = objects.amend("photos", key, None, move)
    assert amended == evolve(before, headers={"content-type": "text/plain", STORAGE_CLASS: "GLACIER_IR"})
    assert objects.look("photos", key) == amended
    for what in ("objects", "versions"):
        [line] = objects.page("photos", ListRequest(), what).entries
        assert (line.key, line.storage_class, line.modified) == (key, "GLACIER_IR", before.modified)
    assert read(objects, key) == b"meow"


def test_nothing_but_what_is_beside_the_bytes_changes(objects: Objects):
    before = put(objects, b"k", b"meow")
    objects.amend("photos", b"k", None, lambda version, _: evolve(version, etag="0", size=9, modified=3, spans=()))
    assert objects.look("photos", b"k") == before


def test_a_change_that_refuses_changes_nothing(objects: Objects):
    before = put(objects, b"k", b"meow")

    def refuse(version: Version, bucket: BucketRecord) -> Version:
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        objects.amend("photos", b"k", None, refuse)
    assert objects.look("photos", b"k") == before


def test_what_is_not_there_is_not_amended(objects: Objects):
    with pytest.raises(NoSuchKey):
        objects.amend("photos", b"k", None, tag)
    put(objects, b"k", b"meow")
    with pytest.raises(NoSuchVersion):
        objects.amend("photos", b"k", "another", tag)
    with pytest.raises(NoSuchBucket):
        objects.amend("another", b"k", None, tag)


def test_an_amended_object_can_be_amended_read_and_replaced(objects: Objects):
    put(objects, b"k", os.urandom(10))
    for number in range(3):
        objects.amend("photos", b"k", None, lambda version, _, number=number: evolve(version, tags={"n": str(number)}))
    put(objects, b"k", b"new")
    assert read(objects, b"k") == b"new"
    assert objects.look("photos", b"k").tags == {}
