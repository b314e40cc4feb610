"""Data directories that earlier versions wrote are opened, brought up to date, and served as they were.

The number in a fixture's name is its catalog's version. Each was written by the version of its time with the same contents.
"""

import base64
import json
import os
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.pool.driver import PoolDriver
from gecko_tw.store.drivers.sqlite.connections import SCHEMA_VERSION
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import NULL
from gecko_tw.store.requests import ListRequest, Remove
from tests.store.shop import BUCKET, Shop, read_all, shop_over

FIXTURES = sorted((Path(__file__).parent / "formats").glob("*.json"))
DRIVERS = {"files": FilesDriver, "pool": PoolDriver}


def unpacked(fixture: Path, folder: Path) -> Path:
    """The data directory that a fixture is of."""
    for entry in json.loads(fixture.read_text("utf-8")):
        path = folder / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if "data" not in entry:
            path.mkdir(exist_ok=True)
            continue
        path.write_bytes(zlib.decompress(base64.b64decode(entry["data"])))
        for name, value in entry["attributes"].items():
            os.setxattr(path, name, base64.b64decode(value))
        os.utime(path, ns=(entry["mtime"], entry["mtime"]))
    return folder


def contents(shop: Shop) -> dict[str, Any]:
    versions = shop.objects.page(BUCKET, ListRequest(), "versions").entries
    found: dict[str, Any] = {}
    for entry in versions:
        name = entry.key.decode(), entry.id == NULL, entry.newest
        if entry.version is None and not entry.etag:
            found[str(name)] = "a delete marker"
            continue
        reading = reconciled(shop.objects.open, BUCKET, entry.key, entry.id)
        with closing(reading):
            version = reading.version
            found[str(name)] = (
                read_all(reading, 1 << 20)[:9],
                version.size,
                version.headers,
                version.metadata,
                version.tags,
            )
    uploads = shop.objects.page(BUCKET, ListRequest(), "uploads").entries
    parts = [(part.number, part.etag) for part in shop.uploads.parts(BUCKET, uploads[0].key, "u1")]
    return {**found, "uploads": [(entry.key, entry.id) for entry in uploads], "parts": parts}


WANTED = {
    "('large', True, True)": (b"x" * 9, 70000, {}, {}, {}),
    "('no//path', True, True)": (b"pooled", 6, {}, {}, {}),
    "('plain', True, True)": (b"meow", 4, {"content-type": "text/cat"}, {}, {}),
    "('told/more', True, True)": (b"more", 4, {}, {"a": "b"}, {"c": "d"}),
    "('versions', False, True)": "a delete marker",
    "uploads": [(b"under/way", "u1")],
    "parts": [(1, "550cf6b6e60f65a0e3104a26e70fea42")],
}


@pytest.mark.parametrize("fixture", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_a_directory_that_an_earlier_version_wrote_is_served_as_it_was(fixture: Path, tmp_path: Path) -> None:
    layout = fixture.stem.partition("-")[0]
    folder = unpacked(fixture, tmp_path / "data")
    for _ in range(2):
        driver = DRIVERS[layout](str(folder))
        driver.open()
        with closing(driver):
            shop = shop_over(driver)
            found = contents(shop)
            assert {name: found[name] for name in WANTED} == WANTED
            older = [value for name, value in found.items() if name.startswith("('versions', False, False)")]
            assert older and all(value[0] in (b"one", b"two") for value in older)
            assert driver.documents.get("kind", "name") == {"value": 1}
            shop.put(b"later", b"new", now=2 * 10**18)
            assert shop.get(b"later") == b"new"
            shop.objects.remove(BUCKET, b"later", Remove(now=2 * 10**18 + 1))
            if layout == "files":
                driver.rebuild()
                assert {name: contents(shop)[name] for name in WANTED} == WANTED


def test_there_is_a_fixture_of_this_version() -> None:
    assert {path.stem for path in FIXTURES} >= {f"{layout}-{SCHEMA_VERSION}" for layout in DRIVERS}
