"""Every test of the contract runs over every driver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters.postgresql import servers_end  # noqa: F401 - a fixture
from tests.contract.drivers import CANDIDATES, Candidate
from tests.unsynced import nothing_waits_for_the_disk  # noqa: F401 - a fixture

HERE = Path(__file__).parent


@pytest.fixture(scope="session", params=CANDIDATES)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    return CANDIDATES[request.param]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes out what is another candidate's."""
    kept, out = [], []
    for item in items:
        call = getattr(item, "callspec", None) if item.path.is_relative_to(HERE) else None
        only = CANDIDATES[call.params["candidate"]].only if call and "candidate" in call.params else ()
        (out if only and item.path.stem not in only else kept).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = kept


@pytest.fixture
def driver(candidate: Candidate, tmp_path: Path) -> Iterator[Any]:
    with candidate.opened(tmp_path) as driver:
        yield driver
