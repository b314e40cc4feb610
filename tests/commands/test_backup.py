"""The commands that back up and restore, and those of the catalog's snapshots."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from gecko_tw.store.backup.restoring import Restoring
from tests.contract.drivers import files, pool
from tests.store.integrity.damage import flip
from tests.store.shop import BUCKET, NOW, open_shop, shop_over

DATABASE = ("--catalog=postgresql://nobody@localhost/nothing", f"--encryption-key={'k' * 32}")
LARGE = os.urandom(100_000)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """The flag for a directory with two objects."""
    driver = files(tmp_path / "data")
    shop = open_shop(driver)
    shop.put(b"cat", b"meow")
    shop.put(b"dog", LARGE)
    driver.close()
    return f"--data-dir={tmp_path / 'data'}"


def run(*arguments: object, **environment: str) -> Any:
    return CliRunner().invoke(main, list(map(str, arguments)), env=environment)


def values(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_backups_are_told_listed_and_restored_by_time(data, tmp_path):
    target = tmp_path / "target"
    first = values("backup", target, data)
    assert (first["versions"], first["bytes"], first["copied"], first["left_out"]) == (2, 100_004, 2, [])
    (tmp_path / "data" / BUCKET / "bird").write_bytes(b"put there by hand")
    second = values("backup", target, data)
    assert (second["versions"], second["copied"]) == (3, 1)
    assert [one["time"] for one in values("backup", target, "--list")] == [second["time"], first["time"]]
    assert "none of 3 versions are damaged" in run("backup", target, "--verify").stdout
    told = values("restore", target, f"--data-dir={tmp_path / 'new'}", f"--at={first['time']}")
    assert (told["versions"], told["time"], told["failed"]) == (2, first["time"], [])
    assert sorted(os.listdir(tmp_path / "new" / BUCKET)) == ["cat", "dog"]
    assert values("backup", target, data, "--keep=1")["removed"] == 2
    assert len(values("backup", target, "--list")) == 1


def test_what_is_damaged_is_named_and_the_exit_code_says_so(data, tmp_path):
    driver = files(tmp_path / "data")
    flip(tmp_path / "data", shop_over(driver).objects.look(BUCKET, b"dog"))
    driver.close()
    told = run("backup", tmp_path / "target", data)
    assert told.exit_code == 1
    assert told.stdout.startswith(f"not in the backup: {BUCKET}/dog (version null): its bytes are not those")
    (blob,) = filter(Path.is_file, (tmp_path / "target" / "blobs").rglob("*"))
    blob.write_bytes(b"moew")
    assert run("backup", tmp_path / "target", "--verify").exit_code == 1
    told = run("restore", tmp_path / "target", f"--data-dir={tmp_path / 'new'}")
    assert told.exit_code == 1
    assert [line.split(":")[0] for line in told.stdout.splitlines()][:2] == ["not restored", "not restored"]


def test_a_restore_that_was_cut_short_is_served_by_nobody_and_ended_by_the_next(data, tmp_path, monkeypatch):
    target, new = tmp_path / "target", f"--data-dir={tmp_path / 'new'}"
    run("backup", target, data)
    whole = Restoring._key
    monkeypatch.setattr(Restoring, "_key", lambda self, lines: 1 / 0 if lines[0].key == b"dog" else whole(self, lines))
    assert isinstance(run("restore", target, new).exception, ZeroDivisionError)
    monkeypatch.undo()
    told = run("quota", BUCKET, new)
    assert (told.exit_code, "was cut short: run it again" in told.stderr) == (1, True)
    again = values("restore", target, new)
    assert (again["versions"], again["there"]) == (2, 1)
    assert run("quota", BUCKET, new).exit_code == 0
    assert run("restore", target, new).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("restore", "TARGET", "--prefix=a"), "--prefix and --as need --bucket"),
        (("restore", "TARGET", "--at=yesterday"), "--at: 'yesterday' is no time"),
        (("restore", "TARGET", "--at=2001-01-01"), "there is no backup of that time or before"),
        (("restore", "TARGET", f"--bucket={BUCKET}", "--as=NO"), "'NO': no bucket can have that name"),
        (("restore", "TARGET", "--bucket="), "'' is not allowed"),
        (("backup", "TARGET", "--with-key"), "encryption.key"),
        (("backup", "TARGET", "--passphrase-file=EMPTY"), "has no passphrase in its first line"),
        (("backup", "TARGET", "--passphrase-file=FULL"), "is not encrypted"),
        (("backup", "DATA/photos/new"), "is in the data directory"),
        (("backup", "TARGET", *DATABASE), "see docs/backup.md"),
        (("snapshots", "restore"), "is made again from the files"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(data, tmp_path, arguments, why):
    run("backup", tmp_path / "TARGET", data)
    (tmp_path / "EMPTY").write_text("\n")
    (tmp_path / "FULL").write_text("passphrase\n")
    before = sorted((tmp_path / "TARGET").rglob("*"))
    places = {"TARGET": str(tmp_path / "TARGET"), "EMPTY": str(tmp_path / "EMPTY"), "FULL": str(tmp_path / "FULL")}
    given = []
    for argument in arguments:
        for name, place in {**places, "DATA": str(tmp_path / "data")}.items():
            argument = argument.replace(name, place)
        given.append(argument)
    told = run(*given, data)
    assert told.exit_code in (1, 2)
    assert why in told.stderr
    assert told.stderr.count("\n") == 1
    assert sorted((tmp_path / "TARGET").rglob("*")) == before


def test_snapshots_are_listed_and_one_takes_the_place_of_a_pool_catalog(tmp_path):
    driver = pool(tmp_path / "data")
    shop = open_shop(driver)
    shop.put(b"cat", b"meow")
    shop.put(b"dog", LARGE)
    driver.snapshot(NOW, lambda: None)
    shop.remove(b"dog")
    driver.close()
    flags = (f"--data-dir={tmp_path / 'data'}", "--layout=pool")
    (tmp_path / "data" / ".geckos3" / "objects.sqlite").unlink()
    assert "`geckos3 snapshots restore`" in run("quota", BUCKET, *flags).stderr
    (listed,) = values("snapshots", "list", *flags)
    assert listed["time"].startswith("2023-11-14T")
    told = run("snapshots", "restore", *flags, f"--at={listed['time']}")
    assert (told.exit_code, told.stdout.count("dog")) == (1, 1)
    driver = pool(tmp_path / "data")
    assert shop_over(driver).get(b"cat") == b"meow"
    driver.close()
