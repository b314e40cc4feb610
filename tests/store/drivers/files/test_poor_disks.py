"""Disks that can do less: no attributes, folded names, coarse times, no second names, no swapping."""

import errno
import os

import pytest

from gecko_tw.store.drivers.files import beneath, disk
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.blobnames import is_visible
from tests.store.drivers.files.test_versions import add, read
from tests.store.shop import BUCKET, NOW, Shop, open_shop


def opened(folder, **options) -> Shop:
    driver = FilesDriver(str(folder), **options)
    driver.open()
    return open_shop(driver)


def refusing(number):
    def call(*arguments, **named):
        raise OSError(number, os.strerror(number))

    return call


def work(shop: Shop) -> None:
    """A bit of everything, and the same again after a rebuild."""
    for key in (b"a/b", b"pool//key"):
        shop.put(key, b"old", metadata={"a": "b" * 3000})
        shop.put(key, b"data", now=NOW + 1, metadata={"a": "b" * 3000})
    shop.multipart(b"parts", [b"first part", b"second part"])
    shop.begin(b"upload", "u2")
    shop.send(b"upload", 1, b"a part", "u2")
    add(shop, b"versions", "v1", b"first", NOW)
    add(shop, b"versions", "v2", b"second", NOW + 1)
    for _ in range(2):
        for key in (b"a/b", b"pool//key"):
            assert shop.get(key) == b"data"
            assert shop.objects.look(BUCKET, key).metadata == {"a": "b" * 3000}
        assert shop.get(b"parts") == b"first partsecond part"
        assert len(shop.uploads.parts(BUCKET, b"upload", "u2", 0, 10)) == 1
        assert read(shop, b"versions", "v1") == b"first"
        shop.driver.rebuild()
    assert shop.upkeep.join() == 1
    for key in shop.listed():
        shop.remove(key)
    shop.uploads.abort(BUCKET, b"upload", "u2")
    assert shop.listed() == []


@pytest.mark.parametrize("attributes", ["xattr", "sidecar"])
def test_without_attributes_descriptions_are_files(attributes, folder, monkeypatch, caplog):
    for name in ("setxattr", "getxattr", "removexattr"):
        monkeypatch.setattr(os, name, refusing(errno.ENOTSUP))
    shop = opened(folder, attributes=attributes)
    assert ("cannot hold extended attributes" in caplog.text) == (attributes == "xattr")
    work(shop)
    shop.driver.close()


def test_without_the_calls_of_linux_everything_works_a_little_slower(folder, monkeypatch):
    for name in ("setxattr", "getxattr", "removexattr"):
        monkeypatch.delattr(os, name)
    monkeypatch.delattr(os, "copy_file_range")
    monkeypatch.setattr(beneath, "_renameat2", None)
    monkeypatch.setattr(disk, "_takes_allocation", lambda descriptor: False)
    shop = opened(folder)
    work(shop)
    shop.put(b"large", b"x" * 2_000_000)
    shop.put(b"large", b"small", now=NOW + 1)
    assert shop.get(b"large") == b"small"
    shop.driver.close()


def test_without_second_names_older_versions_are_copied(folder, monkeypatch):
    shop = opened(folder)
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    work(shop)
    shop.driver.close()


def test_where_case_is_folded_only_one_of_the_names_is_a_file(folder):
    shop = opened(folder)
    shop.driver._disk.folding = True
    keys = [b"photo.jpg", b"Photo.jpg", b"PHOTO.JPG", "é".encode(), "e\u0301".encode()]
    for key in keys:
        shop.put(key, key)
    assert [key for key in keys if is_visible(shop.objects.look(BUCKET, key).spans[0].blob)] == [keys[0], keys[3]]
    assert {key: shop.get(key) for key in keys} == {key: key for key in keys}
    shop.driver.close()


@pytest.mark.parametrize("attributes", ["xattr", "sidecar"])
def test_where_times_are_coarse_a_name_still_opens_one_file_only(attributes, folder, monkeypatch):
    utime = os.utime

    def coarse(path, *, ns, **more):
        utime(path, ns=tuple(moment // 2_000_000_000 * 2_000_000_000 for moment in ns), **more)

    monkeypatch.setattr(os, "utime", coarse)
    shop = opened(folder, attributes=attributes)
    names = set()
    for number in range(4):
        shop.put(b"key", b"data", now=NOW + 1 + number, metadata={"number": str(number)})
        version = shop.objects.look(BUCKET, b"key")
        assert (version.modified, version.metadata) == (NOW + 1 + number, {"number": str(number)})
        if number:
            assert version.spans[0].blob not in names
        names = {version.spans[0].blob}
    shop.driver.rebuild()
    assert shop.objects.look(BUCKET, b"key") == version
    shop.driver.close()


@pytest.mark.parametrize("number", [errno.ENOTDIR, errno.EXDEV, errno.EILSEQ, errno.ENAMETOOLONG])
def test_a_name_that_the_disk_does_not_take_goes_to_the_pool(number, shop, monkeypatch):
    rename = os.rename

    def picky(source, target, **more):
        if target == b"key":
            raise OSError(number, os.strerror(number))
        return rename(source, target, **more)

    monkeypatch.setattr(os, "rename", picky)
    shop.put(b"key", b"data")
    assert not is_visible(shop.objects.look(BUCKET, b"key").spans[0].blob)
    assert shop.get(b"key") == b"data"
    shop.driver.rebuild()
    assert shop.get(b"key") == b"data"
