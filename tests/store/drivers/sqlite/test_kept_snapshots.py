"""Snapshots of the catalog: which are kept, and what they are good for."""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.drivers.files.disk import InUse
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.kept_snapshots import KeptSnapshots, NoRoom, kept
from gecko_tw.store.refusals import ObjectDamaged
from tests.contract.drivers import files, pool
from tests.store.shop import BUCKET, NOW, open_shop, shop_over

HOUR = 3600 * 10**9
LARGE = os.urandom(100_000)


def rest() -> None:
    """Nobody else works."""


def test_one_of_each_of_24_hours_and_one_of_each_of_7_days_and_never_fewer_than_3_are_kept():
    start = NOW - NOW % (24 * HOUR)
    half_hours = [start + number * HOUR // 2 for number in range(2 * 24 * 10)]
    newest = half_hours[-1]
    assert kept(half_hours) == {
        *(newest - number * HOUR for number in range(24)),
        *(newest - number * 24 * HOUR for number in range(7)),
        *half_hours[-3:],
    }
    assert kept([NOW, NOW - 1, NOW - 2, NOW - 3]) == {NOW, NOW - 1, NOW - 2}
    assert kept([]) == set()


@pytest.fixture(params=["files", "pool"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    driver = {"files": files, "pool": pool}[request.param](tmp_path)
    yield driver
    driver.close()


def test_a_snapshot_is_one_sound_file_and_older_ones_go(driver, tmp_path):
    shop = open_shop(driver)
    for number in range(5):
        shop.put(b"%d" % number, b"data")
        driver.snapshot(NOW + number * 1000, rest)
    found = driver.snapshots()
    assert [one.time for one in found] == [NOW + number * 1000 for number in (4, 3, 2)]
    assert sorted(os.listdir(tmp_path / ".geckos3" / "snapshots")) == sorted(one.path.name for one in found)
    with sqlite3.connect(found[-1].path) as connection:
        assert connection.execute("SELECT count(*) FROM version").fetchone() == (3,)
    connection.close()


def test_one_that_is_cut_short_is_none_and_goes_with_the_next(driver, tmp_path):
    def stop() -> None:
        raise RuntimeError("the process ends")

    with pytest.raises(RuntimeError, match="ends"):
        driver.snapshot(NOW, stop)
    (tmp_path / ".geckos3" / "snapshots" / "killed.new").touch()
    assert driver.snapshots() == []
    driver.snapshot(NOW, rest)
    assert len(os.listdir(tmp_path / ".geckos3" / "snapshots")) == len(driver.snapshots()) == 1


def test_a_disk_without_room_loses_all_but_three_and_gets_no_more(driver, tmp_path, monkeypatch):
    for number in range(5):
        driver.snapshot(NOW + number * HOUR, rest)
    monkeypatch.setattr("gecko_tw.store.drivers.sqlite.kept_snapshots._FREE", 1.0)
    with pytest.raises(NoRoom):
        driver.snapshot(NOW + 5 * HOUR, rest)
    assert [one.time for one in driver.snapshots()] == [NOW + number * HOUR for number in (4, 3, 2)]


def test_a_pool_that_lost_its_catalog_goes_back_to_a_snapshot_and_serves_nothing_false(tmp_path):
    driver = pool(tmp_path)
    shop = open_shop(driver)
    shop.put(b"small", b"small")
    shop.put(b"large", LARGE)
    shop.put(b"removed", LARGE[1:])
    driver.snapshot(NOW, rest)
    driver.snapshot(NOW + 1000, rest)
    damaged = driver.snapshots()[0].path
    damaged.write_bytes(damaged.read_bytes()[:100])
    shop.remove(b"removed")
    shop.put(b"later", LARGE[2:])
    with pytest.raises(InUse):
        type(driver)(str(tmp_path)).roll_back(None)
    driver.close()
    catalog = tmp_path / ".geckos3" / "objects.sqlite"
    catalog.write_bytes(b"nonsense" * 1000)
    with pytest.raises(ValueError, match="no sound snapshot of that time"):
        type(driver)(str(tmp_path)).roll_back(NOW - 1)
    assert type(driver)(str(tmp_path)).roll_back(None).time == NOW
    assert (tmp_path / ".geckos3" / "former-objects.sqlite").read_bytes().startswith(b"nonsense")
    again = pool(tmp_path)
    found = shop_over(again)
    assert (found.get(b"small"), found.get(b"large"), found.listed()) == (
        b"small",
        LARGE,
        [b"large", b"removed", b"small"],
    )
    with pytest.raises(ObjectDamaged):
        found.get(b"removed")
    again.close()


def test_what_only_a_lost_catalog_knew_of_files_comes_from_a_snapshot_and_identities_do_not(tmp_path):
    driver = FilesDriver(str(tmp_path), metadata=False)
    driver.open()
    shop = open_shop(driver, hashing=False)
    shop.put(b"page", b"<html>", headers={"content-type": "text/html"})
    driver.documents.change("key", "stolen", lambda _: {"valid": True})
    driver.snapshot(NOW, rest)
    driver.documents.change("key", "stolen", lambda _: None)
    driver.close()
    for name in ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"):
        (tmp_path / ".geckos3" / name).unlink(missing_ok=True)
    driver = FilesDriver(str(tmp_path), metadata=False)
    driver.open()
    assert shop_over(driver).objects.look(BUCKET, b"page").headers == {"content-type": "text/html"}
    assert driver.documents.get("key", "stolen") is None
    driver.close()


def test_a_directory_without_snapshots_has_none(tmp_path):
    assert KeptSnapshots(tmp_path, "catalog.sqlite").all() == []
    shutil.rmtree(tmp_path)
    assert KeptSnapshots(tmp_path, "catalog.sqlite").newest_sound() is None
