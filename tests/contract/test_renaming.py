"""Renaming over every driver: the bytes go with the object, whatever it was made of."""

import pytest

from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, Upload
from gecko_tw.store.renaming import Rename, rename
from gecko_tw.store.requests import Complete, Put, PutPart, WantedPart
from gecko_tw.store.uploads import Uploads

NOW = 1_795_230_000_000_000_000


@pytest.fixture
def objects(driver):
    driver.catalog.add_bucket(BucketRecord(name="photos", created=NOW))
    return Objects(driver.catalog, driver.blobs)


def incoming(objects, data):
    body = objects.receive()
    body.push(data)
    return body


def content(objects, key):
    reading = objects.open("photos", key)
    try:
        found, at = b"", 0
        while data := reading.read(at, 1000):
            found, at = found + data, at + len(data)
        return found
    finally:
        reading.close()


def keys(driver):
    return [entry.key for entry in driver.catalog.page("photos", b"", b"", 10, "objects")]


@pytest.mark.parametrize("source", [b"plain", b"a/b", b"s" * 300, b"/odd//"])
@pytest.mark.parametrize("key", [b"other", b"a/c", b"k" * 300])
def test_any_key_may_become_any_other(objects, driver, source, key):
    put = Put(now=NOW, metadata={"name": "Tom"}, tags={"a": "1"}, headers={"content-type": "image/jpeg"})
    before = objects.put("photos", source, incoming(objects, b"meow"), put)
    made = rename(objects, "photos", key, Rename(now=NOW + 5, source=source, check=lambda version: None))
    assert keys(driver) == [key]
    assert content(objects, key) == b"meow"
    for name in ("etag", "size", "modified", "metadata", "tags", "headers", "checksum", "extra"):
        assert getattr(made, name) == getattr(before, name) == getattr(objects.look("photos", key), name)
    driver.flush()
    assert not [blob for blob in driver.blobs.older_than(-60) if not driver.catalog.references([blob])]


def test_an_object_of_many_parts_keeps_them(objects, driver):
    uploads = Uploads(objects, min_part_size=0)
    uploads.create("photos", b"film", Upload(id="u", initiated=NOW))
    parts = [
        uploads.put_part("photos", b"film", "u", incoming(objects, data), PutPart(now=NOW, number=number))
        for number, data in enumerate((b"one", b"two"), 1)
    ]
    wanted = tuple(WantedPart(part.number, part.etag) for part in parts)
    before = uploads.complete("photos", b"film", "u", Complete(now=NOW, parts=wanted))
    made = rename(objects, "photos", b"cut/film", Rename(now=NOW, source=b"film", check=lambda version: None))
    assert (made.etag, made.parts, made.checksum) == (before.etag, before.parts, before.checksum)
    assert content(objects, b"cut/film") == b"onetwo"
    assert keys(driver) == [b"cut/film"]


def test_a_file_may_become_a_folder_of_itself(objects, driver):
    objects.put("photos", b"a", incoming(objects, b"meow"), Put(now=NOW))
    rename(objects, "photos", b"a/b", Rename(now=NOW, source=b"a", check=lambda version: None))
    assert (keys(driver), content(objects, b"a/b")) == ([b"a/b"], b"meow")
    rename(objects, "photos", b"a", Rename(now=NOW, source=b"a/b", check=lambda version: None))
    assert (keys(driver), content(objects, b"a")) == ([b"a"], b"meow")
