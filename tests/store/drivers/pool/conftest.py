"""A data directory of the fast driver with one bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gecko_tw.store.drivers.pool.driver import PoolDriver
from tests.store.shop import Shop, open_shop

SMALL = 1000
"""Objects of up to so many bytes are rows in these tests."""


def opened(folder: Path, **options: object) -> PoolDriver:
    driver = PoolDriver(str(folder), **{"small": SMALL, **options})
    driver.open()
    return driver


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    shop = open_shop(opened(folder))
    yield shop
    shop.driver.close()
