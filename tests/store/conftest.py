"""A fresh store for each test, over the reference driver and over the default one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gecko_tw.store.drivers.files.driver import FilesDriver
from tests.store.shop import Shop, open_shop
from tests.unsynced import nothing_waits_for_the_disk  # noqa: F401 - a fixture


@pytest.fixture(params=["memory", "files"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "memory":
        yield open_shop()
        return
    driver = FilesDriver(str(tmp_path))
    driver.open()
    try:
        yield open_shop(driver)
    finally:
        driver.close()
