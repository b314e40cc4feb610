"""``geckos3 fsck``: whatever is not as it should be is found, told, and mended where it can be."""

import json
import os
import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from gecko_tw.commands.fsck import fsck
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import Settings
from gecko_tw.store.records import BucketRecord
from tests.store.drivers.files.test_versions import add
from tests.store.shop import BUCKET, NOW, Shop, shop_over


def within(settings: Settings, work) -> None:
    data = DataDir(settings)
    data.open(sealed=False)
    try:
        work(shop_over(data.driver))
    finally:
        data.close()


def fill(shop: Shop) -> None:
    """A bit of everything."""
    shop.driver.catalog.add_bucket(BucketRecord(name=BUCKET, created=NOW, owner="me"))
    shop.put(b"plain", b"plain")
    shop.put(b"a/told", b"told", metadata={"a": "b"}, tags={"t": "1"})
    shop.put(b"a//pooled", b"pooled" * 2000, metadata={"long": "b" * 5000})
    shop.put(b"empty", b"")
    add(shop, b"versions", "v1", b"first" * 2000, NOW)
    add(shop, b"versions", "v2", b"second", NOW + 1)
    shop.multipart(b"parts", [b"first part", b"second part"])
    shop.begin(b"upload", "u2", metadata={"a": "b"})
    shop.send(b"upload", 1, b"a part" * 2000, "u2")
    shop.driver.documents.change("limit", "address", lambda _: {"rate": 1})
    shop.put(b"plain", b"plainer", now=NOW + 5)
    shop.remove(b"empty")


@pytest.fixture(params=["xattr", "sidecar", "pool", "bytes only"])
def settings(request, tmp_path) -> Settings:
    if request.param == "pool":
        return Settings(data_dir=tmp_path / "data", layout="pool")
    attributes = "sidecar" if request.param == "sidecar" else "xattr"
    return Settings(data_dir=tmp_path / "data", attributes=attributes, metadata=request.param != "bytes only")


@pytest.fixture
def files(tmp_path) -> Settings:
    made = Settings(data_dir=tmp_path / "data")
    within(made, fill)
    return made


def kinds(settings: Settings, bucket: str = "", verifying: bool = False) -> list[str]:
    return sorted(one.kind for one in fsck(settings, bucket, verifying, False).found)


def mended(settings: Settings) -> list[str]:
    """The kinds that are left."""
    return sorted(one.kind for one in fsck(settings, "", False, True).left)


def inner(settings: Settings):
    return settings.data_dir / ".geckos3"


def pooled(settings: Settings) -> list:
    return sorted(path for path in (inner(settings) / "pool").rglob("*") if path.is_file())


def sql(settings: Settings, statement: str, *values) -> None:
    with closing(sqlite3.connect(inner(settings) / "catalog.sqlite", isolation_level=None)) as connection:
        connection.execute(statement, values)


def test_nothing_is_wrong_where_nothing_is_wrong(settings):
    within(settings, fill)
    assert fsck(settings, "", True, False).found == []

    def beside(shop: Shop) -> None:
        shop.put(b"new", b"new")
        assert fsck(settings, "", True, False).found == []

    within(settings, beside)


def test_looking_changes_nothing(files):
    (files.data_dir / BUCKET / "other").write_bytes(b"somebody else's")
    (inner(files) / "uploads" / "x.json").write_bytes(b"garbage")

    def everything():
        paths = (path for path in files.data_dir.rglob("*") if path.is_file() and "sqlite-" not in path.name)
        return {path: path.stat().st_mtime_ns for path in paths}

    before = everything()
    assert kinds(files) == ["file", "upload"]
    assert everything() == before


DAMAGES = {
    "a file of somebody else": (["file"], lambda s: (s.data_dir / BUCKET / "other").write_bytes(b"x")),
    "a file that is gone": (["file"], lambda s: (s.data_dir / BUCKET / "plain").unlink()),
    "a file that was changed": (["file"], lambda s: (s.data_dir / BUCKET / "plain").write_bytes(b"changed")),
    "a description that is gone": (
        ["description"],
        lambda s: os.removexattr(s.data_dir / BUCKET / "a" / "told", "user.geckos3"),
    ),
    "a row that a bit was lost of": (
        ["description"],
        lambda s: sql(s, 'UPDATE version SET record = replace(record, \'"a":"b"\', \'"a":"c"\')'),
    ),
    "a record that is no JSON": (
        ["row"],
        lambda s: sql(s, "UPDATE version SET record = '{' WHERE key = ?", b"a/told"),
    ),
    "a bucket's record that is garbage": (
        ["bucket"],
        lambda s: (inner(s) / "buckets" / f"{BUCKET}.json").write_bytes(b"{"),
    ),
    "a directory of somebody else": (["bucket"], lambda s: (s.data_dir / "others").mkdir()),
    "an upload that is garbage": (["upload"], lambda s: (inner(s) / "uploads" / "u2.json").write_bytes(b"\xff")),
    "a document that is gone": (["document"], lambda s: next((inner(s) / "documents").iterdir()).unlink()),
    "a pool file nobody needs": (["orphan"], lambda s: shutil.copy(pooled(s)[0], pooled(s)[0].with_name("0" * 32))),
    "a catalog that is garbage": (["catalog"], lambda s: (inner(s) / "catalog.sqlite").write_bytes(b"\x55" * 40960)),
    "a catalog that is gone": (["catalog"], lambda s: (inner(s) / "catalog.sqlite").unlink()),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_wrong_is_found_and_mended(name, files):
    expected, damage = DAMAGES[name]
    damage(files)
    assert sorted(set(kinds(files))) == expected
    assert mended(files) == []
    assert kinds(files) == []


def test_what_is_mended_is_what_the_catalog_says(files):
    os.removexattr(files.data_dir / BUCKET / "a" / "told", "user.geckos3")
    assert mended(files) == []

    def look(shop: Shop) -> None:
        shop.driver.rebuild()
        assert shop.objects.look(BUCKET, b"a/told").metadata == {"a": "b"}

    within(files, look)


def test_bytes_that_are_missing_are_told_and_not_mended(files):
    for path in pooled(files):
        if path.suffix != ".json":
            os.truncate(path, max(0, path.stat().st_size - 1))
    assert set(kinds(files)) == {"lost"}
    assert set(mended(files)) == {"lost"}


def test_bytes_that_rotted_are_found_when_all_are_read(files):
    path = files.data_dir / BUCKET / "plain"
    found = path.stat()
    path.write_bytes(b"plainez")
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    assert kinds(files) == []
    assert kinds(files, verifying=True) == ["rotten"]
    assert kinds(files, bucket="another", verifying=True) == []


def test_rotten_and_missing_bytes_of_a_pool_are_found(tmp_path):
    settings = Settings(data_dir=tmp_path / "data", layout="pool")
    within(settings, lambda shop: (fill(shop), shop.put(b"large", b"l" * 300_000), shop.put(b"larger", b"m" * 400_000)))
    small, large = sorted(pooled(settings), key=lambda path: path.stat().st_size)[-2:]
    with large.open("r+b") as file:
        file.write(b"x")
    small.unlink()
    large.with_name("f" * 32).write_bytes(b"nobody's")
    assert kinds(settings) == ["lost", "orphan"]
    assert kinds(settings, verifying=True) == ["lost", "orphan", "rotten"]
    assert mended(settings) == ["lost"]


def run(*arguments: str):
    return CliRunner().invoke(main, ["fsck", *arguments])


def test_the_exit_code_tells_the_outcome(files, tmp_path):
    place = f"--data-dir={files.data_dir}"
    assert (run(place).exit_code, run(place).output) == (0, "nothing is wrong\n")
    (files.data_dir / BUCKET / "other").write_bytes(b"x")
    told = run(place, "--json")
    assert told.exit_code == 1
    said = json.loads(told.output)
    assert (said["found"], said["left"], said["counts"]) == (1, 1, {"file": 1})
    assert said["differences"][0]["place"] == f"{BUCKET}/other"
    assert run(place, "--repair").exit_code == 1
    assert run(place).exit_code == 0
    assert run(f"--data-dir={tmp_path / 'nowhere'}").exit_code == 2
