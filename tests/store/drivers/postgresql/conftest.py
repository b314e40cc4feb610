"""A database for each test, and drivers over it: each of them stands for a process of some node."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters.databases import postgresql
from tests.clusters.postgresql import Server, needed, servers_end  # noqa: F401 - a fixture


@pytest.fixture
def server() -> Server:
    return needed()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes open drivers over one database."""
    made = []

    def another(**options: Any) -> Any:
        made.append(postgresql(tmp_path, **options))
        return made[-1]

    yield another
    for driver in made:
        driver.close()


@pytest.fixture
def driver(node: Callable[..., Any]) -> Any:
    return node()
