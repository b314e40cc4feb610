"""The command that shows and changes a bucket's quota."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.requests import Put


@pytest.fixture
def data(tmp_path: Path) -> Path:
    driver = FilesDriver(str(tmp_path))
    driver.open()
    driver.catalog.add_bucket(BucketRecord(name="photos", created=1))
    objects = Objects(driver.catalog, driver.blobs)
    incoming = objects.receive()
    incoming.push(b"meow")
    objects.put("photos", b"cat.jpg", incoming, Put(now=1))
    driver.close()
    return tmp_path


def quota(data: Path, *arguments: str) -> Any:
    return CliRunner().invoke(main, ["quota", "--data-dir", str(data), *arguments])


def test_a_quota_is_shown_changed_and_removed(data: Path) -> None:
    assert quota(data, "photos").output == "photos: 4 of unlimited bytes, 1 of unlimited objects\n"
    assert quota(data, "photos", "--bytes", "1 KiB").output == "photos: 4 of 1024 bytes, 1 of unlimited objects\n"
    assert quota(data, "photos", "--objects=5").output == "photos: 4 of 1024 bytes, 1 of 5 objects\n"
    assert quota(data, "photos").output == "photos: 4 of 1024 bytes, 1 of 5 objects\n"
    assert quota(data, "photos", "--bytes=none", "--objects=none").exit_code == 0
    driver = FilesDriver(str(data))
    driver.open()
    assert driver.catalog.bucket("photos").settings == {}
    driver.close()


@pytest.mark.parametrize(
    "arguments", [("nowhere",), ("photos", "--bytes", "much"), ("photos", "--objects", "-1"), ("Photos",)]
)
def test_what_is_wrong_is_told_in_one_line(data: Path, arguments: tuple[str, ...]) -> None:
    told = quota(data, *arguments)
    assert told.exit_code == 1
    assert told.output.startswith("Error: ")
    assert len(told.output.splitlines()) == 1
