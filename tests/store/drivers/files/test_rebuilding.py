"""Making the catalog again works whatever is damaged or cannot be read: the rest is there, and what is not is named."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from gecko_tw.store.drivers.files import attribute_stores, inspecting, walking
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.connections import CatalogDamaged
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import NoSuchKey
from tests.store.drivers.files.test_versions import add, read
from tests.store.shop import BUCKET, NOW, Shop, open_shop, shop_over


def opened(folder: Path, anew: bool = False, **options) -> Shop:
    driver = FilesDriver(str(folder), **options)
    driver.open(anew)
    return shop_over(driver)


@pytest.fixture
def filled(folder: Path) -> Path:
    driver = FilesDriver(str(folder))
    driver.open()
    shop = open_shop(driver)
    shop.driver.catalog.change_bucket(BUCKET, lambda record: record.with_setting("tags", {"a": "b"}))
    for name in (b"a/one", b"a/two", b"b"):
        shop.put(name, name, metadata={"said": name.decode()})
    add(shop, b"versions", "v1", b"first", NOW)
    add(shop, b"versions", "v2", b"second", NOW + 1)
    shop.begin(b"upload", "u2")
    shop.driver.documents.change("limit", "address", lambda _: {"rate": 1})
    shop.driver.documents.change("limit", "key", lambda _: {"rate": 2})
    driver.close()
    return folder


def inner(folder: Path) -> Path:
    return folder / ".geckos3"


def lose_catalog(folder: Path) -> None:
    for path in inner(folder).glob("catalog.sqlite*"):
        path.unlink()


def expect_rest(shop: Shop, *missing: bytes) -> None:
    assert set(shop.listed()) == {b"a/one", b"a/two", b"b", b"versions"} - set(missing)
    for key in {b"a/one", b"a/two", b"b"} - set(missing):
        assert (shop.get(key), shop.objects.look(BUCKET, key).metadata) == (key, {"said": key.decode()})


CATALOGS = {
    "header zeroed": lambda path: path.write_bytes(bytes(100) + path.read_bytes()[100:]),
    "garbage": lambda path: path.write_bytes(os.urandom(50_000)),
    "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 8192 * 4096),
    "cut in its header": lambda path: os.truncate(path, 50),
    "empty": lambda path: os.truncate(path, 0),
    "a version that never was": lambda path: path.write_bytes(
        path.read_bytes()[:60] + bytes(4) + path.read_bytes()[64:]
    ),
    "a version to come": lambda path: path.write_bytes(path.read_bytes()[:60] + b"\0\0\1\0" + path.read_bytes()[64:]),
}


@pytest.mark.parametrize("name", CATALOGS)
def test_whatever_a_catalog_is_it_is_made_anew(name, filled):
    CATALOGS[name](inner(filled) / "catalog.sqlite")
    shop = opened(filled, anew=True, repair="refuse")
    expect_rest(shop)
    assert shop.driver.documents.get("limit", "address") == {"rate": 1}
    assert read(shop, b"versions", "v1") == b"first"
    shop.driver.close()
    again = opened(filled)
    expect_rest(again)
    again.driver.close()


@pytest.mark.parametrize("offset", range(0, 100, 7))
def test_a_flipped_byte_of_the_header_stops_no_start(offset, filled):
    path = inner(filled) / "catalog.sqlite"
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)
    shop = opened(filled, anew=offset in range(60, 64))
    expect_rest(shop)
    shop.driver.close()


def as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def first(folder: Path, room: str) -> Path:
    return next(path for path in sorted((inner(folder) / room).rglob("*")) if path.is_file())


@pytest.mark.parametrize(
    "damage",
    [as_directory, lambda path: path.write_bytes(b"\xff\x00{"), lambda path: path.write_bytes(b'{"v":1}')],
    ids=["a directory", "garbage", "little"],
)
@pytest.mark.parametrize("room", ["buckets", "uploads", "documents"])
def test_a_damaged_file_of_ours_is_named_and_stops_nothing(room, damage, filled):
    path = first(filled, room)
    damage(path)
    lose_catalog(filled)
    shop = opened(filled)
    expect_rest(shop)
    assert list(shop.driver.unreadable) == [str(path.relative_to(filled))]
    shop.driver.close()


def test_a_damaged_bucket_record_is_taken_from_the_old_catalog(filled):
    first(filled, "buckets").write_bytes(b"")
    shop = opened(filled, anew=True)
    assert shop.driver.catalog.bucket(BUCKET).settings == {"tags": {"a": "b"}}
    shop.driver.close()


def test_a_damaged_description_in_the_pool_is_named_and_stops_nothing(filled):
    pooled = first(filled, "pool")
    os.setxattr(pooled, "user.geckos3", b'{"v":1,"bucket":7,"key":"k"}')
    other = inner(filled) / "pool" / "00" / "00" / ("0" * 32 + ".json")
    other.parent.mkdir(parents=True)
    other.write_bytes(b"\xff")
    shop = opened(filled, anew=True)
    expect_rest(shop)
    assert set(shop.driver.unreadable) == {str(path.relative_to(filled)) for path in (pooled, other)}
    shop.driver.close()


def refusing(monkeypatch, module, name: str, wrong: bytes, number: int) -> None:
    """Makes a function fail for a path that ends so."""
    real = getattr(module, name)

    def call(directory, path, *arguments):
        if path.endswith(wrong):
            raise OSError(number, os.strerror(number), path)
        return real(directory, path, *arguments)

    monkeypatch.setattr(module, name, call)


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_file_that_cannot_be_read_is_named_and_stops_nothing(number, filled, monkeypatch, caplog):
    lose_catalog(filled)
    with monkeypatch.context() as patch:
        refusing(patch, inspecting, "open_beneath", b"two", number)
        shop = opened(filled)
        expect_rest(shop, b"a/two")
        assert list(shop.driver.unreadable) == [f"{BUCKET}/a/two"]
        (filled / BUCKET / "c").write_bytes(b"c")
        progress = shop.driver.adopt()
        assert (list(progress.unreadable), progress.changed) == ([f"{BUCKET}/a/two"], 1)
    assert caplog.text.count("a/two cannot be read") == 2
    shop.driver.adopt()
    assert shop.get(b"a/two") == b"a/two"
    shop.driver.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_directory_that_cannot_be_read_is_named_and_stops_nothing(number, filled, monkeypatch):
    lose_catalog(filled)
    with monkeypatch.context() as patch:
        refusing(patch, walking, "entries", b"/a", number)
        shop = opened(filled)
        expect_rest(shop, b"a/one", b"a/two")
        assert list(shop.driver.unreadable) == [f"{BUCKET}/a"]
    shop.driver.adopt()
    expect_rest(shop)
    shop.driver.close()


def test_what_cannot_be_read_keeps_its_row_while_it_is_the_same_file(filled, monkeypatch):
    refusing(monkeypatch, inspecting, "open_beneath", b"two", errno.EIO)
    shop = opened(filled, anew=True)
    expect_rest(shop)
    assert list(shop.driver.unreadable) == [f"{BUCKET}/a/two"]
    shop.driver.close()


def test_a_directory_where_a_sidecar_could_be_stops_nothing(folder):
    for attributes in ("xattr", "sidecar"):
        driver = FilesDriver(str(folder), attributes=attributes)
        driver.open()
        shop = open_shop(driver) if attributes == "xattr" else shop_over(driver)
        shop.put(b"a", b"before")
        shop.put(b"a.metadata.json/x", b"beside")
        (folder / BUCKET / "own.metadata.json").mkdir(exist_ok=True)
        shop.put(b"own", b"own")
        shop.put(b"a", b"after")
        assert (shop.get(b"a"), shop.get(b"own"), shop.get(b"a.metadata.json/x")) == (b"after", b"own", b"beside")
        driver.adopt()
        driver.rebuild()
        assert driver.unreadable == {}
        assert (shop.get(b"a"), shop.get(b"own"), shop.get(b"a.metadata.json/x")) == (b"after", b"own", b"beside")
        shop.remove(b"a")
        assert shop.listed() == [b"a.metadata.json/x", b"own"]
        driver.close()


@pytest.mark.parametrize("garbage", [b"\xff" * 5000, b"\xff", os.urandom(5000)], ids=["ones", "a one", "random"])
@pytest.mark.parametrize("name", ["lock", "state"])
def test_garbage_in_a_file_of_our_own_stops_no_start(name, garbage, filled):
    with (inner(filled) / name).open("r+b") as file:
        file.write(garbage)
    shop = opened(filled)
    expect_rest(shop)
    shop.put(b"after", b"after")
    shop.driver.close()


def test_a_file_that_nothing_describes_is_not_hashed_again(filled, monkeypatch):
    (filled / BUCKET / "others").write_bytes(b"somebody else's")
    shop = opened(filled)
    shop.driver.adopt()
    etag = shop.objects.look(BUCKET, b"others").etag
    shop.driver.close()
    monkeypatch.setattr(inspecting, "_md5", None)
    shop = opened(filled, anew=True)
    assert shop.objects.look(BUCKET, b"others").etag == etag
    shop.driver.close()


def lose_power(folder: Path) -> None:
    """The next start cannot know what was written last."""
    with (inner(folder) / "state").open("r+b") as file:
        file.write(bytes(64))


def zeroed(path: Path) -> None:
    """As a file is whose blocks were allocated and not written."""
    found = path.stat()
    with path.open("r+b") as file:
        file.write(bytes(found.st_size))
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))


def test_what_a_power_failure_has_torn_is_not_believed(filled):
    zeroed(filled / BUCKET / "b")
    zeroed(first(filled, "pool"))
    lose_catalog(filled)
    lose_power(filled)
    shop = opened(filled)
    expect_rest(shop, b"b")
    with pytest.raises(NoSuchKey):
        shop.get(b"b")
    assert [version.version_id for version in shop.driver.catalog.history(BUCKET, b"versions").versions] == ["v2"]
    shop.driver.close()


def test_damage_that_is_noticed_while_the_catalog_is_in_use_is_mended_by_the_next_start(filled, caplog):
    shop = opened(filled)
    damage = shop.driver.damage
    problem = sqlite3.DatabaseError("database disk image is malformed")
    problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    assert damage.text is None
    assert damage.noticed(problem)
    assert damage.noticed(problem)
    assert not damage.noticed(OSError("another"))
    assert caplog.text.count("is damaged") == 1
    assert "made again from the files at the next start" in caplog.text
    shop.driver.close()
    with pytest.raises(CatalogDamaged, match="malformed"):
        opened(filled, repair="refuse")
    shop = opened(filled)
    assert shop.driver.damage.text is None
    expect_rest(shop)
    shop.driver.close()


@pytest.mark.parametrize("statement", ["UPDATE version SET record = '{'", "UPDATE bucket SET record = '[]'"])
def test_a_row_that_cannot_be_read_is_damage(statement, filled):
    with closing(sqlite3.connect(inner(filled) / "catalog.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)
    shop = opened(filled)
    with pytest.raises(sqlite3.DatabaseError) as problem:
        shop.get(b"b")
    assert shop.driver.damage.noticed(problem.value)
    shop.driver.close()
    shop = opened(filled)
    expect_rest(shop)
    shop.driver.close()


def test_a_catalog_that_is_removed_while_it_is_in_use_is_noticed(filled):
    shop = opened(filled)
    (inner(filled) / "catalog.sqlite").unlink()
    assert "removed" in shop.driver.damage.text
    shop.driver.close()
    shop = opened(filled)
    expect_rest(shop)
    assert shop.driver.catalog.bucket(BUCKET) == BucketRecord(
        name=BUCKET, created=NOW, owner="me", settings={"tags": {"a": "b"}}
    )
    shop.driver.close()


def test_a_file_that_may_not_be_read_can_be_replaced_and_removed_after_its_tags_were_refused(filled, monkeypatch):
    shop = opened(filled)
    with monkeypatch.context() as patch:
        for key in (b"a/two", b"b"):
            refusing(patch, attribute_stores, "open_beneath", key.rpartition(b"/")[2], errno.EACCES)
            with pytest.raises(PermissionError):
                shop.objects.amend(BUCKET, key, None, lambda version, _: evolve(version, tags={"a": "b"}))
        assert shop.get(b"b") == b"b"
        shop.put(b"a/two", b"new")
        shop.remove(b"b")
    assert shop.get(b"a/two") == b"new"
    assert b"b" not in shop.listed()
    shop.driver.close()
