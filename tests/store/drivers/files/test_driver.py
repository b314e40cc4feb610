"""The life of a driver: opening, sharing, refusing, and what happens when the disk says no."""

import errno
import os
import sqlite3
import threading
from types import SimpleNamespace

import pytest
from attrs import evolve

from gecko_tw.store.drivers.files.disk import RESERVE, SHARE_OF_RESERVE, InUse
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.connections import CatalogTooNew
from gecko_tw.store.records import BlobNote, BucketRecord, Change
from gecko_tw.store.refusals import InsufficientStorage, InvalidBucketName
from tests.store.shop import BUCKET, NOW, open_shop, shop_over


def second(folder, **options) -> FilesDriver:
    driver = FilesDriver(str(folder), **options)
    driver.open()
    return driver


def test_attributes_go_to_one_of_two_places(folder):
    with pytest.raises(ValueError, match="xattr, sidecar"):
        FilesDriver(str(folder), attributes="elsewhere")


def test_a_lost_catalog_is_made_again_when_the_directory_is_opened(folder):
    driver = second(folder)
    shop = open_shop(driver)
    shop.put(b"a//b", b"data", metadata={"a": "b"})
    driver.close()
    driver.close()
    os.unlink(folder / ".geckos3" / "catalog.sqlite")
    again = second(folder)
    assert shop_over(again).objects.look(BUCKET, b"a//b").metadata == {"a": "b"}
    assert again.catalog.bucket(BUCKET).owner == "me"
    again.close()


def test_nobody_rebuilds_what_another_uses(shop, folder):
    other = second(folder)
    with pytest.raises(InUse, match="in use"):
        shop.driver.rebuild()
    other.close()
    shop.driver.rebuild()


def test_a_catalog_of_the_future_is_left_alone(folder):
    second(folder).close()
    connection = sqlite3.connect(folder / ".geckos3" / "catalog.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CatalogTooNew, match="99"):
        second(folder)


def test_a_data_directory_that_is_a_file_is_named_in_the_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError, match="file"):
        second(tmp_path / "file")


@pytest.mark.parametrize("name", [".geckos3", "..", "a/b", "", "-x", "a\0b"])
def test_no_bucket_can_be_made_outside_or_over_our_own_files(shop, name):
    with pytest.raises(InvalidBucketName):
        shop.driver.catalog.add_bucket(BucketRecord(name=name, created=NOW))


def test_settings_of_a_bucket_outlive_its_catalog(shop):
    shop.driver.catalog.change_bucket(BUCKET, lambda record: record.with_setting("cors", ["é", 1]))
    shop.driver.rebuild()
    assert shop.driver.catalog.bucket(BUCKET).settings == {"cors": ["é", 1]}


def test_two_drivers_see_what_each_other_does(shop, folder):
    other = shop_over(second(folder))
    shop.put(b"key", b"one")
    assert other.get(b"key") == b"one"
    other.put(b"key", b"two", now=NOW + 1)
    assert shop.get(b"key") == b"two"
    other.remove(b"key")
    assert shop.listed() == []
    other.driver.close()


def test_a_step_that_died_after_its_rename_is_finished_by_whoever_lists(shop, folder):
    other = shop_over(second(folder))
    shop.put(b"key", b"old")
    journal = shop.driver._journal
    journal.acquire()
    journal.note(BUCKET, b"key")
    (folder / BUCKET / "key").write_bytes(b"renamed")
    sizes = [entry.version.size for entry in other.driver.catalog.page(BUCKET, b"", b"", 10, "objects")]
    assert sizes == [3], "the step is still under way"
    journal.release()
    sizes = [entry.version.size for entry in other.driver.catalog.page(BUCKET, b"", b"", 10, "objects")]
    assert sizes == [7]
    assert journal.count == 0
    other.driver.close()


def test_a_full_disk_refuses_the_body_and_keeps_nothing_of_it(shop, monkeypatch):
    shop.put(b"key", b"old")

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(InsufficientStorage):
        shop.put(b"key", b"new")
    monkeypatch.undo()
    assert shop.get(b"key") == b"old"
    assert shop.blobs() == set()


def test_new_bodies_leave_room_for_removing_old_ones(shop, monkeypatch):
    shop.put(b"key", b"old")
    nearly_full = SimpleNamespace(f_frsize=4096, f_blocks=1 << 30, f_bavail=RESERVE // 4096 - 1)
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: nearly_full)
    with pytest.raises(InsufficientStorage):
        shop.put(b"key", b"new")
    assert shop.get(b"key") == b"old"
    shop.remove(b"key")
    assert (shop.listed(), shop.blobs()) == ([], set())
    nearly_full.f_blocks = nearly_full.f_bavail * SHARE_OF_RESERVE  # a small disk, most of which is free
    shop.put(b"key", b"new")
    assert shop.get(b"key") == b"new"


def test_a_full_disk_under_the_catalog_refuses_the_step_and_the_key_stays_readable(shop, monkeypatch):
    shop.put(b"key", b"old")
    pages = shop.driver._connections.mine().execute("PRAGMA page_count").fetchone()[0]
    shop.driver._connections.mine().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(InsufficientStorage):
        for number in range(1000):
            shop.put(b"key%d" % number, b"new", metadata={"filler": "x" * 1000})
    shop.driver._connections.mine().execute("PRAGMA max_page_count = 1000000")
    shop.put(b"other", b"data")
    assert shop.get(b"key") == b"old"
    listed = shop.listed()
    assert all(shop.get(key) for key in listed)
    shop.driver.rebuild()
    assert shop.listed() == listed


def test_threads_that_count_together_lose_nothing(shop):
    shop.put(b"counter", b"data", metadata={"value": "0"})

    def work():
        for _ in range(25):
            shop.driver.catalog.change_bucket(
                BUCKET, lambda record: record.with_setting("count", record.settings.get("count", 0) + 1)
            )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.driver.catalog.bucket(BUCKET).settings["count"] == 100


def test_what_a_rule_raises_leaves_everything_as_it_was(described):
    described.put(b"key", b"data")
    before = described.driver.catalog.history(BUCKET, b"key")

    def refusing(record, history):
        raise InvalidBucketName

    with pytest.raises(InvalidBucketName):
        described.driver.catalog.change_history(BUCKET, b"key", refusing)
    assert described.driver.catalog.history(BUCKET, b"key") == before


def test_two_versions_cannot_share_their_bytes(shop):
    shop.put(b"key", b"data")

    def sharing(record, history):
        return Change(evolve(history, versions=(evolve(history.versions[0], version_id="v2"), *history.versions)))

    with pytest.raises(ValueError, match="share"):
        shop.driver.catalog.change_history(BUCKET, b"key", sharing)
    assert shop.get(b"key") == b"data"


def test_durable_means_that_every_touched_directory_is_synced_before_the_commit(folder, monkeypatch):
    driver = second(folder, fsync=True)
    shop = open_shop(driver)
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (synced.append(os.readlink(f"/proc/self/fd/{descriptor}")), real(descriptor))
    )
    shop.put(b"new/folder/key", b"data")
    folders = {path for path in synced if os.path.isdir(path)}
    assert folders == {str(folder / BUCKET / below) for below in ("", "new", "new/folder")}
    assert any(not os.path.isdir(path) for path in synced)
    driver.close()


def test_bytes_are_cloned_from_several_spans(shop):
    version = shop.multipart(b"key", [b"first part", b"second part"])
    blob = shop.driver.blobs.clone(version.spans, BlobNote(bucket=BUCKET, key=b"key", record=version))
    reader = shop.driver.blobs.open(blob)
    assert reader.read(0, 100) == b"first partsecond part"
    assert reader.read(6, 4) == b"part"
    assert os.fstat(reader.fileno()).st_size == reader.size == 21
    reader.close()
    shop.driver.blobs.remove([blob])


def test_a_clone_works_without_the_kernels_help(shop, monkeypatch):
    version = shop.multipart(b"key", [b"first part", b"second part"])

    def cannot(*arguments, **named):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", cannot)
    blob = shop.driver.blobs.clone(version.spans, BlobNote(bucket=BUCKET, key=b"key", record=version))
    reader = shop.driver.blobs.open(blob)
    assert reader.read(0, 100) == b"first partsecond part"
    reader.close()


def test_a_disk_that_fails_while_it_is_closed_is_told_and_not_called_closed(tmp_path, monkeypatch, caplog):
    driver = FilesDriver(str(tmp_path))
    driver.open()
    open_shop(driver).put(b"key", b"data")

    def failing(descriptor):
        raise OSError(errno.EIO, "the disk is on fire")

    with monkeypatch.context() as patched:
        patched.setattr("gecko_tw.store.drivers.flushing.sync_file_system", failing)
        driver.close()
    assert "the disk is on fire" in caplog.text
    again = FilesDriver(str(tmp_path))
    again.open()
    try:
        assert not again._disk.state.was_clean
        assert shop_over(again).get(b"key") == b"data"
    finally:
        again.close()
