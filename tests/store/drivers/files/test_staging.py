"""Staging: many directories, so that a file system that spreads directories spreads the files."""

import errno
import fcntl
import os
import sys

import pytest

from gecko_tw.store.drivers.files import disk
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.files.staging import STINT, fresh_name, staging_file
from tests.store.shop import BUCKET, open_shop

ROOMS = {f"{number:02x}" for number in range(256)}


def test_files_that_come_one_after_the_other_lie_together_and_in_the_long_run_everywhere():
    names = [fresh_name() for _ in range(STINT * 256 + STINT)]
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {32}
    rooms = [staging_file(name).split("/")[1] for name in names]
    assert set(rooms) == ROOMS
    changes = [place for place in range(1, len(rooms)) if rooms[place] != rooms[place - 1]]
    assert {later - sooner for sooner, later in zip(changes, changes[1:], strict=False)} == {STINT}


def test_ext4_is_asked_to_spread_them(folder):
    driver = FilesDriver(str(folder))
    driver.open()
    driver.close()
    with open("/proc/mounts", encoding="utf-8") as mounts:
        kinds = {line.split()[1]: line.split()[2] for line in mounts}
    if next(kinds[str(path)] for path in folder.resolve().parents if str(path) in kinds) != "ext4":
        pytest.skip("no ext4 here")
    room = os.open(folder / ".geckos3" / "staging", os.O_RDONLY)
    flags = int.from_bytes(fcntl.ioctl(room, 0x80086601, bytes(8)), sys.byteorder)
    os.close(room)
    assert flags & 0x00020000


def test_directories_that_somebody_tidied_up_are_made_again(folder):
    driver = FilesDriver(str(folder))
    driver.open()
    shop = open_shop(driver)
    shop.put(b"kept", b"1")
    staging = folder / ".geckos3" / "staging"
    driver.flush()
    for verb in (lambda: shop.put(b"new", b"2"), lambda: shop.remove(b"kept")):
        for room in staging.iterdir():
            room.rmdir()
        assert not list(staging.iterdir())
        verb()
    assert shop.get(b"new") == b"2"
    driver.close()
    assert not (folder / BUCKET / "kept").exists()


def test_what_an_older_version_left_is_found_by_the_sweeper_once_nobody_can_need_it(folder):
    name = fresh_name()
    left = folder / ".geckos3" / "staging" / name
    driver, other = FilesDriver(str(folder)), FilesDriver(str(folder))
    driver.open()
    left.write_bytes(b"cut short")
    other.open()
    assert left.exists(), "the other one may be of the older version and be writing it"
    other.close()
    driver.close()
    driver.open()
    assert (folder / ".geckos3" / staging_file(name)).read_bytes() == b"cut short"
    assert name in driver.blobs.older_than(-60)
    driver.blobs.remove([name])
    assert name not in driver.blobs.older_than(-60)
    driver.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for somebody else")
def test_what_root_makes_is_its_owner_s(folder):
    driver = FilesDriver(str(folder))
    driver.open()
    room = folder / ".geckos3" / "staging"
    assert not list(room.iterdir()), "to open a directory takes nothing in there"
    os.chown(room, 65534, 65534)
    os.close(driver.blobs.disk.staging.create(name := fresh_name()))
    found = (room / name[:2]).stat()
    assert (found.st_uid, found.st_gid) == (65534, 65534)
    driver.close()


def test_nobody_tidies_while_another_one_looks_what_the_disk_can_do(folder, monkeypatch):
    met = []
    real = disk._takes_attributes

    def takes_attributes(descriptor):
        if not met:
            met.append(other := FilesDriver(str(folder)))
            lock = os.open(folder / ".geckos3" / "lock", os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                met.append("has to wait")
            else:
                fcntl.flock(lock, fcntl.LOCK_UN)
                other.open()
                other.close()
            os.close(lock)
        return real(descriptor)

    monkeypatch.setattr(disk, "_takes_attributes", takes_attributes)
    driver = FilesDriver(str(folder))
    driver.open()
    driver.close()
    assert met[1:] == ["has to wait"]


def test_a_directory_is_opened_where_files_may_not_change_places(tmp_path, monkeypatch):
    def forbidden(source: tuple[int, bytes], target: tuple[int, bytes]) -> bool:
        raise PermissionError(errno.EPERM, "forbidden")

    monkeypatch.setattr(disk, "exchange", forbidden)
    driver = FilesDriver(str(tmp_path))
    driver.open()
    assert not driver.blobs.disk.exchanges
    assert driver.blobs.allocates == driver.blobs.disk.allocates
    driver.close()
