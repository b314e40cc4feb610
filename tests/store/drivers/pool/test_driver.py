"""The life of the fast driver: its layout is settled when the directory is made, and nothing is ever hidden."""

import os
import sqlite3

import pytest

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.layouts import WrongLayout
from gecko_tw.store.drivers.pool.driver import PoolDriver
from gecko_tw.store.drivers.sqlite.connections import CatalogTooNew
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import BucketAlreadyExists, InvalidBucketName
from tests.store.drivers.pool.conftest import opened
from tests.store.shop import BUCKET, NOW, open_shop, shop_over


def test_what_was_put_is_there_when_it_is_opened_again(shop, folder):
    shop.put(b"small", b"data", metadata={"a": "b"})
    shop.put(b"large", b"data" * 1000)
    shop.driver.close()
    shop.driver.close()
    again = shop_over(opened(folder))
    assert again.get(b"small") == b"data"
    assert again.get(b"large") == b"data" * 1000
    assert again.objects.look(BUCKET, b"small").metadata == {"a": "b"}
    again.driver.close()


def test_a_directory_of_files_is_not_opened_as_a_pool(folder):
    files = FilesDriver(str(folder))
    files.open()
    open_shop(files).put(b"k", b"data")
    files.close()
    with pytest.raises(WrongLayout, match="--layout=files"):
        opened(folder)
    os.unlink(folder / ".geckos3" / "catalog.sqlite")  # a rebuild would make it again
    with pytest.raises(WrongLayout, match="--layout=files"):
        opened(folder)
    files.open()
    assert shop_over(files).get(b"k") == b"data"
    files.close()


def test_a_pool_is_not_opened_as_a_directory_of_files(shop, folder):
    shop.put(b"k", b"data")
    shop.driver.close()
    for lost in ((), ("layout",), ("objects.sqlite",)):
        for name in lost:
            os.rename(folder / ".geckos3" / name, folder / name)
        with pytest.raises(WrongLayout, match="--layout=pool"):
            FilesDriver(str(folder)).open()
        for name in lost:
            os.rename(folder / name, folder / ".geckos3" / name)
    again = shop_over(opened(folder))
    assert again.get(b"k") == b"data"
    again.driver.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_buckets_of_others_are_not_hidden_by_a_pool(folder, when):
    if when == "after":
        opened(folder).close()
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "cat.jpg").write_bytes(b"meow")
    (folder / "music").mkdir()
    with pytest.raises(WrongLayout, match="'music'"):
        opened(folder)


def test_what_can_be_no_bucket_does_not_matter(folder):
    (folder / "lost+found").mkdir(parents=True)
    (folder / "README").write_bytes(b"")
    opened(folder).close()


def test_a_pool_without_its_catalog_is_not_taken_for_an_empty_one(shop, folder):
    shop.put(b"k", b"data")
    shop.driver.close()
    os.unlink(folder / ".geckos3" / "objects.sqlite")
    with pytest.raises(WrongLayout, match="restore a backup"):
        opened(folder)


def test_a_catalog_of_the_future_is_left_alone(folder):
    opened(folder).close()
    connection = sqlite3.connect(folder / ".geckos3" / "objects.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CatalogTooNew, match="99"):
        opened(folder)


def test_a_driver_that_was_never_opened_can_be_closed(folder):
    PoolDriver(str(folder)).close()
    assert not folder.exists()


def test_buckets_are_rows_with_names_that_are_safe_elsewhere_too(shop):
    with pytest.raises(InvalidBucketName):
        shop.buckets.create(BucketRecord(name="../out", created=NOW))
    with pytest.raises(BucketAlreadyExists):
        shop.driver.catalog.add_bucket(BucketRecord(name=BUCKET, created=NOW))
    shop.buckets.remove(BUCKET)
    assert shop.buckets.page("", "", 10) == []
