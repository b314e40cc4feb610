"""What a file system without a journal leaves after a power failure: names and inodes of different moments."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.files.torn import TornFiles
from gecko_tw.store.refusals import NoSuchKey
from tests.store.drivers.files.test_rebuilding import lose_power, opened
from tests.store.shop import BUCKET, NOW, Shop, open_shop

HOUR = 3600 * 10**9
KEY = b"album/cat.jpg"


def of_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything was flushed, as far as the files say."""
    monkeypatch.setattr(TornFiles, "is_recent", lambda self, found: False)


def hidden(folder: Path, moment: int) -> Path:
    """A data directory after a power failure; a delete marker of that moment is the newest version, and the older one's file came back."""
    driver = FilesDriver(str(folder))
    driver.open()
    shop = open_shop(driver)
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))
    shop.put(KEY, b"meow")
    saved = folder.with_name("saved")
    shutil.copy2(folder / BUCKET / os.fsdecode(KEY), saved)
    shop.remove(KEY, now=moment)
    driver.close()
    (folder / BUCKET / "album").mkdir()
    shutil.copy2(saved, folder / BUCKET / "album")
    (folder / BUCKET / "album" / "saved").rename(folder / BUCKET / os.fsdecode(KEY))
    lose_power(folder)
    return folder


def markers(shop: Shop) -> list[bool]:
    """Of each version, the newest one first, whether it is a delete marker."""
    return [entry.version is None for entry in shop.driver.catalog.page(BUCKET, b"", b"", 10, "versions")]


def test_a_file_that_was_there_before_its_delete_marker_is_no_newer_version(folder, monkeypatch):
    of_long_ago(monkeypatch)
    shop = opened(hidden(folder, time.time_ns() + HOUR))
    assert markers(shop) == [True, False]
    with pytest.raises(NoSuchKey):
        shop.get(KEY)
    assert list((folder / BUCKET).iterdir()) == []
    shop.driver.close()


def test_a_file_that_somebody_put_after_the_delete_marker_is_a_newer_version(folder, monkeypatch):
    of_long_ago(monkeypatch)
    shop = opened(hidden(folder, NOW))
    assert markers(shop)[0] is False
    assert shop.get(KEY) == b"meow"
    shop.driver.close()


def test_what_stands_in_a_sidecars_place_does_not_keep_the_rest_from_being_served(folder, caplog):
    shop = open_shop(opened(folder, attributes="sidecar").driver)
    for key in (KEY, b"other"):
        shop.put(key, key)
    shop.driver.close()
    sidecar = folder / BUCKET / f"{os.fsdecode(KEY)}.metadata.json"
    sidecar.unlink()
    sidecar.mkdir()
    lose_power(folder)
    shop = opened(folder, attributes="sidecar")
    assert "could not be reconciled" in caplog.text
    assert [shop.get(key) for key in (KEY, b"other")] == [KEY, b"other"]
    shop.driver.close()


def test_with_fsync_a_catalog_that_has_lost_what_was_flushed_is_made_again(folder, caplog):
    shop = open_shop(opened(folder, fsync=True).driver)
    shop.put(b"a//first", b"in the pool")
    shop.driver.flush()
    before, image = folder.with_name("before"), folder.with_name("image")
    shutil.copytree(folder / ".geckos3", before)
    shop.put(b"a//second", b"in the pool, too", tags={"a": "b"})
    shop.driver.flush()
    shutil.copytree(folder, image)
    shop.driver.close()
    for path in before.glob("catalog.sqlite*"):
        shutil.copy2(path, image / ".geckos3")
    shop = opened(image, fsync=True)
    assert "older than the directory" in caplog.text
    assert shop.get(b"a//second") == b"in the pool, too"
    assert shop.objects.look(BUCKET, b"a//second").tags == {"a": "b"}
    shop.driver.close()


def test_of_kept_files_that_are_as_long_and_of_the_same_time_the_one_with_its_bytes_is_put_back(folder):
    shop = open_shop(opened(folder).driver)
    shop.put(KEY, b"meow")
    shop.driver.close()
    path = folder / BUCKET / os.fsdecode(KEY)
    found = path.stat()
    for number in range(20):
        kept = folder / ".geckos3" / "staging" / f"{number:02x}"
        kept.mkdir(exist_ok=True)
        (kept / f"{number:02x}{0:030x}").write_bytes(b"meow" if number == 10 else b"purr")
        os.utime(kept / f"{number:02x}{0:030x}", ns=(found.st_atime_ns, found.st_mtime_ns))
    path.unlink()
    lose_power(folder)
    shop = opened(folder)
    assert shop.get(KEY) == b"meow"
    shop.driver.close()


def overwrite(shop: Shop) -> None:
    shop.put(KEY, b"purr", now=NOW + 1)


REMOVALS: dict[str, tuple[str, str, Callable[[Shop], None]]] = {
    "a directory": ("xattr", f"{BUCKET}/album", lambda shop: shop.remove(KEY)),
    "a sidecar that is removed": (
        "sidecar",
        f"{BUCKET}/album/cat.jpg.metadata.json",
        lambda shop: shop.remove(KEY),
    ),
    "a sidecar that is replaced": ("sidecar", f"{BUCKET}/album/cat.jpg.metadata.json", overwrite),
    "a file that a flush removes": (
        "xattr",
        f"{BUCKET}/album/cat.jpg",
        lambda shop: (overwrite(shop), shop.driver.flush()),
    ),
    "a bucket": ("xattr", BUCKET, lambda shop: (shop.remove(KEY), shop.buckets.remove(BUCKET))),
}


def held(shop: Shop) -> set[int]:
    """The inodes that cannot be used again now."""
    return {os.fstat(descriptor).st_ino for _, descriptor in shop.driver._disk.held._held}


@pytest.mark.parametrize("fsync", [False, True])
@pytest.mark.parametrize("name", REMOVALS)
def test_no_new_file_gets_the_inode_of_a_removed_one_until_the_removal_is_on_the_disk(name, fsync, folder):
    attributes, path, remove = REMOVALS[name]
    shop = open_shop(opened(folder, attributes=attributes, fsync=fsync).driver)
    shop.put(KEY, b"meow")
    shop.driver.flush()
    inode = (folder / path).stat().st_ino
    remove(shop)
    assert inode in held(shop)
    shop.driver.flush()
    assert inode not in held(shop)
    shop.driver.close()
