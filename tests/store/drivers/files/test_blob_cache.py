"""Small files that were read are held in memory, and never served when the file is another one by now."""

import os

import pytest

from gecko_tw.store.drivers.blob_cache import BlobCache, CachedBlob, MemoryReader
from gecko_tw.store.drivers.files.blobs import CACHE_ROOM, LARGEST_CACHED
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.requests import Put, Remove

NOW = 1_700_000_000_000_000_000


@pytest.fixture
def objects(tmp_path):
    driver = FilesDriver(str(tmp_path))
    driver.open()
    driver.catalog.add_bucket(BucketRecord(name="photos", created=NOW))
    yield Objects(driver.catalog, driver.blobs)
    driver.close()


def put(objects, body, now=NOW):
    incoming = objects.receive()
    incoming.push(body)
    objects.put("photos", b"cat", incoming, Put(now=now))


def get(objects):
    reading = reconciled(objects.open, "photos", b"cat")
    data = reading.read(0, 1 << 20)
    reading.close()
    return data


def test_an_object_that_comes_back_with_the_same_time_and_size_is_another_one(objects):
    put(objects, b"meow")
    assert get(objects) == get(objects) == b"meow"
    objects.remove("photos", b"cat", Remove(now=NOW))
    put(objects, b"purr")
    assert get(objects) == b"purr"


def test_a_file_changed_in_place_with_its_time_set_back_is_noticed(objects, tmp_path):
    put(objects, b"meow")
    assert get(objects) == b"meow"
    path = tmp_path / "photos" / "cat"
    before = path.stat()
    path.write_bytes(b"purr")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert get(objects) == b"purr"


def test_a_file_that_another_one_was_put_over_with_the_same_time_is_noticed(objects, tmp_path):
    put(objects, b"meow")
    assert get(objects) == b"meow"
    path, other = tmp_path / "photos" / "cat", tmp_path / "other"
    other.write_bytes(b"purr")
    os.utime(other, ns=(NOW, path.stat().st_mtime_ns))
    os.rename(other, path)
    assert get(objects) == b"purr"


def test_a_longer_object_is_read_from_its_file(objects):
    put(objects, bytes(LARGEST_CACHED + 1))
    reading = objects.open("photos", b"cat")
    assert reading.run(0) is not None
    reading.close()


def held(size):
    return CachedBlob(b"path", (), MemoryReader(bytes(size)))


def test_no_more_is_held_than_there_is_room_for():
    blobs = BlobCache(10)
    for number in range(5):
        blobs.put(str(number), held(4))
    assert [blobs.get(str(number)) is not None for number in range(5)] == [False, False, False, True, True]
    blobs.put("4", held(6))
    assert blobs.get("3") is not None
    blobs.put("large", held(11))
    assert all(blobs.get(name) is None for name in ("3", "4", "large"))
    blobs.put("after", held(10))
    assert blobs.get("after") is not None


def test_the_room_for_held_bytes_is_a_small_part_of_a_process():
    assert LARGEST_CACHED * 100 < CACHE_ROOM <= 32 * 1024 * 1024
