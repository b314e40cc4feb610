"""What others change is noticed where it happens, and what we change ourselves is not."""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gecko_tw.store.drivers.files import adoption, inotify, noticing
from gecko_tw.store.drivers.files.adoption import Progress
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.records import BucketRecord, Version
from tests.store.drivers.files.geckos3 import an_object
from tests.store.shop import BUCKET, NOW, Shop, open_shop


def noticed(shop: Shop) -> Progress:
    """Looks at what happened since the last time, as the daemon does a few times a second."""
    changes = shop.driver.tree_watch.drain()
    assert not changes.lost
    return shop.driver.take(changes, lambda: False)


def names_of(shop: Shop) -> list[str]:
    return [record.name for record in shop.driver.catalog.buckets("", "", 100)]


def newest(shop: Shop, key: bytes) -> Version:
    """As a listing has it: nobody looks at the file."""
    (entry,) = [entry for entry in shop.driver.catalog.page(BUCKET, key, b"", 1, "objects") if entry.key == key]
    return entry


@pytest.fixture(params=["xattr", "sidecar"])
def watched(request: pytest.FixtureRequest, folder: Path) -> Iterator[Shop]:
    """A store whose directories are watched."""
    driver = FilesDriver(str(folder), attributes=request.param)
    driver.open()
    assert driver.tree_watch.begin()
    shop = open_shop(driver)
    noticed(shop)
    yield shop
    driver.close()


def test_files_that_come_change_and_go_are_noticed(watched, folder):
    (folder / BUCKET / "key").write_bytes(b"one")
    assert noticed(watched).changed == 1
    assert watched.listed() == [b"key"]
    (folder / BUCKET / "key").write_bytes(b"longer")
    assert noticed(watched).changed == 1
    assert newest(watched, b"key").size == 6
    (folder / BUCKET / "key").rename(folder / BUCKET / "other")
    assert noticed(watched).changed == 2
    assert watched.listed() == [b"other"]
    (folder / BUCKET / "other").unlink()
    assert noticed(watched).changed == 1
    assert watched.listed() == []
    assert noticed(watched).looked == 0


def test_a_file_is_taken_when_whoever_writes_it_is_done(watched, folder):
    with (folder / BUCKET / "slow").open("wb", buffering=0) as file:
        file.write(b"first")
        noticed(watched)
        assert watched.listed() == []
        file.write(b"second")
    noticed(watched)
    assert newest(watched, b"slow").size == 11


def test_a_further_name_of_a_file_is_noticed(watched, folder, tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"data")
    os.link(tmp_path / "elsewhere", folder / BUCKET / "linked")
    noticed(watched)
    assert watched.listed() == [b"linked"]


def test_another_time_is_noticed(watched, folder):
    watched.put(b"key", b"data")
    os.utime(folder / BUCKET / "key", (1, 1))
    assert noticed(watched).changed == 1
    assert newest(watched, b"key").modified == 1_000_000_000


def test_a_file_that_may_be_read_now_is_noticed(watched, folder, monkeypatch, caplog):
    (folder / BUCKET / "key").write_bytes(b"data")

    def refuse(bucket: str, key: bytes) -> None:
        raise PermissionError(13, "Permission denied", "key")

    with monkeypatch.context() as patched:
        patched.setattr(watched.driver._inspector, "inspect", refuse)
        assert noticed(watched).changed == 0
    assert "key" in caplog.text
    (folder / BUCKET / "key").chmod(0o644)
    noticed(watched)
    assert watched.listed() == [b"key"]


def test_directories_made_one_in_the_other_are_watched_with_what_is_in_them(watched, folder):
    (folder / BUCKET / "a" / "b").mkdir(parents=True)
    (folder / BUCKET / "a" / "b" / "early").write_bytes(b"1")
    noticed(watched)
    (folder / BUCKET / "a" / "b" / "late").write_bytes(b"2")
    noticed(watched)
    assert watched.listed() == [b"a/b/early", b"a/b/late"]


def test_a_tree_is_followed_wherever_it_is_moved(watched, folder, tmp_path):
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_bytes(b"data")
    (folder / BUCKET / "keep").mkdir()
    (tmp_path / "tree").rename(folder / BUCKET / "in")
    noticed(watched)
    assert watched.listed() == [b"in/deep/file"]
    (folder / BUCKET / "in").rename(folder / BUCKET / "keep" / "moved")
    noticed(watched)
    (folder / BUCKET / "keep" / "moved" / "deep" / "more").write_bytes(b"data")
    noticed(watched)
    assert watched.listed() == [b"keep/moved/deep/file", b"keep/moved/deep/more"]
    (folder / BUCKET / "keep" / "moved").rename(tmp_path / "out")
    noticed(watched)
    (tmp_path / "out" / "deep" / "unseen").write_bytes(b"data")
    assert not watched.driver.tree_watch.drain()
    assert watched.listed() == []


def test_directories_that_change_places_are_told_apart(watched, folder):
    for name in ("a", "b"):
        (folder / BUCKET / name).mkdir()
        (folder / BUCKET / name / f"from-{name}").write_bytes(b"data")
    noticed(watched)
    (folder / BUCKET / "a").rename(folder / BUCKET / "c")
    (folder / BUCKET / "b").rename(folder / BUCKET / "a")
    (folder / BUCKET / "c").rename(folder / BUCKET / "b")
    noticed(watched)
    (folder / BUCKET / "a" / "new").write_bytes(b"data")
    noticed(watched)
    assert watched.listed() == [b"a/from-b", b"a/new", b"b/from-a"]


def test_a_file_and_a_directory_can_take_each_others_place(watched, folder):
    watched.put(b"file", b"data")
    watched.put(b"folder/file", b"data")
    (folder / BUCKET / "file").unlink()
    (folder / BUCKET / "file").mkdir()
    (folder / BUCKET / "file" / "x").write_bytes(b"data")
    shutil.rmtree(folder / BUCKET / "folder")
    (folder / BUCKET / "folder").write_bytes(b"data")
    noticed(watched)
    assert watched.listed() == [b"file/x", b"folder"]


def test_buckets_made_renamed_and_removed_by_hand_are_noticed(watched, folder):
    (folder / "by-hand").mkdir()
    (folder / "by-hand" / "file").write_bytes(b"data")
    noticed(watched)
    assert names_of(watched) == ["by-hand", BUCKET]
    (folder / "by-hand").rename(folder / "renamed")
    noticed(watched)
    assert names_of(watched) == [BUCKET, "renamed"]
    assert [entry.key for entry in watched.driver.catalog.page("renamed", b"", b"", 10, "objects")] == [b"file"]
    shutil.rmtree(folder / "renamed")
    noticed(watched)
    assert names_of(watched) == [BUCKET]


def test_a_directory_that_can_be_no_bucket_is_told(watched, folder, caplog):
    (folder / "No Bucket").mkdir()
    noticed(watched)
    assert "No Bucket is no bucket" in caplog.text
    os.mkdir(os.fsencode(folder) + b"/\xff\xff\xff")
    noticed(watched)
    watched.driver.adopt()
    assert names_of(watched) == [BUCKET]


def test_what_can_be_no_object_is_not_noticed(watched, folder, tmp_path):
    bucket = folder / BUCKET
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_bytes(b"outside")
    (bucket / "folder").symlink_to(tmp_path / "secret")
    (bucket / "file").symlink_to(tmp_path / "secret" / "file")
    os.mkfifo(bucket / "pipe")
    (bucket / "Thumbs.db").write_bytes(b"litter")
    (bucket / ".geckos3-tmp").mkdir()
    (bucket / ".geckos3-tmp" / ".put-1").write_bytes(b"half a body")
    (folder / "beside the buckets").write_bytes(b"nothing")
    assert noticed(watched).changed == 0
    (tmp_path / "secret" / "unseen").write_bytes(b"outside")
    (bucket / ".geckos3-tmp" / ".put-2").write_bytes(b"half a body")
    assert not watched.driver.tree_watch.drain()
    assert watched.listed() == []


def test_our_own_changes_of_files_are_told_from_those_of_others(watched, folder):
    for _ in range(2):
        for number in range(300):
            watched.put(b"key-%d" % number, b"data")
    for number in range(100):
        watched.remove(b"key-%d" % number)
    (folder / BUCKET / "key-200").write_bytes(b"by somebody else")
    changes = watched.driver.tree_watch.drain()
    assert changes.files == {b"%b/key-200" % BUCKET.encode()}
    assert not changes.trees
    assert not changes.lost


def test_our_own_changes_of_directories_change_nothing(watched):
    watched.put(b"a/b/c", b"data")
    watched.put(b"a/b", b"in the pool")
    watched.driver.catalog.add_bucket(BucketRecord(name="second", created=NOW))
    assert noticed(watched).changed == 0
    watched.remove(b"a/b/c")
    watched.buckets.remove("second")
    assert noticed(watched).changed == 0
    assert watched.listed() == [b"a/b"]
    assert names_of(watched) == [BUCKET]


def test_what_is_removed_or_renamed_is_watched_no_longer(watched, folder):
    before = len(watched.driver.tree_watch._paths)
    for key in (b"a/1", b"a/b/2", b"c/3"):
        watched.put(key, b"data")
    noticed(watched)
    assert len(watched.driver.tree_watch._paths) == before + 3
    (folder / BUCKET / "a").rename(folder / BUCKET / "d")
    noticed(watched)
    assert len(watched.driver.tree_watch._paths) == before + 3
    shutil.rmtree(folder / BUCKET / "d")
    watched.remove(b"c/3")
    watched.driver.flush()  # what we have removed ourselves is held until then
    noticed(watched)
    noticed(watched)
    assert len(watched.driver.tree_watch._paths) == len(watched.driver.tree_watch._numbers) == before


def test_a_description_that_comes_after_its_object_is_taken(watched, folder):
    an_object(folder.with_name("other"), "cat.jpg", b"meow", contentType="image/jpeg")
    shutil.copy2(folder.with_name("other") / "cat.jpg", folder / BUCKET)
    noticed(watched)
    assert watched.objects.look(BUCKET, b"cat.jpg").headers == {}
    shutil.copy2(folder.with_name("other") / "cat.jpg.metadata.json", folder / BUCKET)
    noticed(watched)
    assert watched.objects.look(BUCKET, b"cat.jpg").headers == {"content-type": "image/jpeg"}


def test_a_description_of_others_takes_nothing_away_from_our_own(watched, folder):
    watched.put(b"cat.jpg", b"meow", headers={"content-type": "image/png"})
    an_object(folder.with_name("other"), "cat.jpg", b"meow", contentType="image/jpeg")
    shutil.copy2(folder.with_name("other") / "cat.jpg.metadata.json", folder / BUCKET)
    noticed(watched)
    assert watched.objects.look(BUCKET, b"cat.jpg").headers == {"content-type": "image/png"}


def test_a_large_file_does_not_hold_up_small_ones(watched, folder, monkeypatch):
    monkeypatch.setattr(adoption, "LARGE", 1000)
    (folder / BUCKET / "large").write_bytes(b"x" * 1001)
    (folder / BUCKET / "small").write_bytes(b"x" * 1000)
    progress = noticed(watched)
    assert watched.listed() == [b"small"]
    assert progress.large == [b"%b/large" % BUCKET.encode()]
    watched.driver.take_large(progress.large, lambda: False)
    assert watched.listed() == [b"large", b"small"]


def test_a_scan_takes_large_files_as_well(watched, folder, monkeypatch):
    monkeypatch.setattr(adoption, "LARGE", 1000)
    (folder / BUCKET / "large").write_bytes(b"x" * 1001)
    assert watched.driver.adopt().changed == 1
    assert watched.listed() == [b"large"]


def test_a_scan_watches_what_it_looks_through(folder):
    (folder / BUCKET / "a").mkdir(parents=True)
    driver = FilesDriver(str(folder))
    driver.open()
    driver.tree_watch.begin()
    driver.adopt()
    (folder / BUCKET / "a" / "file").write_bytes(b"data")
    assert driver.take(driver.tree_watch.drain(), lambda: False).changed == 1
    driver.close()


def test_after_more_than_the_queue_can_hold_a_scan_finds_it_and_watches_anew(watched, folder, caplog):
    bucket = folder / BUCKET
    (bucket / "a").mkdir()
    (bucket / "old").write_bytes(b"")
    noticed(watched)
    for _ in range(2):
        for number in range(inotify.limit("max_queued_events") // 2 + 100):
            os.rename(bucket / "old", bucket / f"new-{number}")
            os.rename(bucket / f"new-{number}", bucket / "old")
        (bucket / "a").rename(bucket / "b")
        (bucket / "b").rename(bucket / "a")
        (bucket / "unseen").write_bytes(b"")
        assert watched.driver.tree_watch.drain().lost
        watched.driver.adopt()
    assert caplog.text.count("sysctl -w fs.inotify.max_queued_events=") == 1
    assert watched.listed() == [b"old", b"unseen"]
    (bucket / "a" / "seen").write_bytes(b"")
    noticed(watched)
    assert watched.listed() == [b"a/seen", b"old", b"unseen"]


def test_where_no_more_directories_can_be_watched_one_line_says_so(folder, monkeypatch, caplog):
    monkeypatch.setattr(noticing, "limit", lambda name: 4)
    driver = FilesDriver(str(folder))
    driver.open()
    assert driver.tree_watch.begin()
    shop = open_shop(driver)
    for number in range(5):
        (folder / BUCKET / f"folder-{number}").mkdir()
        noticed(shop)
    assert len(driver.tree_watch._paths) == 4
    assert caplog.text.count("sysctl -w fs.inotify.max_user_watches=1024") == 1
    (folder / BUCKET / "folder-0" / "seen").write_bytes(b"")
    (folder / BUCKET / "folder-4" / "later").write_bytes(b"")
    noticed(shop)
    assert shop.listed() == [b"folder-0/seen"]
    driver.adopt()
    assert shop.listed() == [b"folder-0/seen", b"folder-4/later"]
    assert caplog.text.count("max_user_watches") == 2  # in the one line
    driver.close()


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSYS, "Function not implemented"), (errno.EMFILE, "fs.inotify.max_user_instances=")],
)
def test_where_nothing_can_be_watched_one_line_says_so(number, told, folder, monkeypatch, caplog):
    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(noticing, "Inotify", refuse)
    caplog.set_level(logging.INFO)
    driver = FilesDriver(str(folder))
    driver.open()
    assert not driver.tree_watch.begin()
    assert not driver.tree_watch.begin()
    assert driver.tree_watch.fileno() == -1
    (line,) = [record.getMessage() for record in caplog.records]
    assert told in line
    assert "--scan-interval" in line
    shop = open_shop(driver)
    (folder / BUCKET / "file").write_bytes(b"")
    assert not driver.tree_watch.drain()
    driver.adopt()
    assert shop.listed() == [b"file"]
    driver.close()


def test_a_system_without_inotify_is_told(monkeypatch):
    monkeypatch.setattr(inotify, "_library", object())
    with pytest.raises(OSError, match="not implemented"):
        inotify.Inotify()
