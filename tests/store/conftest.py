"""A fresh store for each test."""

import pytest

from tests.store.shop import Shop, open_shop


@pytest.fixture
def shop() -> Shop:
    return open_shop()
