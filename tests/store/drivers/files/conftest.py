"""A store over the default driver on a fresh data directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gecko_tw.store.drivers.files.driver import FilesDriver
from tests.store.shop import Shop, open_shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    driver = FilesDriver(str(folder))
    driver.open()
    yield open_shop(driver)
    driver.close()


@pytest.fixture(params=["xattr", "sidecar"])
def described(request: pytest.FixtureRequest, folder: Path) -> Iterator[Shop]:
    """The same, with descriptions in either place."""
    driver = FilesDriver(str(folder), attributes=request.param)
    driver.open()
    yield open_shop(driver)
    driver.close()
