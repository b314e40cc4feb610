"""Every test of the contract runs over every driver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters.postgresql import servers_end  # noqa: F401 - a fixture
from tests.contract.drivers import CANDIDATES, Candidate
from tests.unsynced import nothing_waits_for_the_disk  # noqa: F401 - a fixture


@pytest.fixture(scope="session", params=CANDIDATES)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    return CANDIDATES[request.param]


@pytest.fixture
def driver(candidate: Candidate, tmp_path: Path) -> Iterator[Any]:
    with candidate.opened(tmp_path) as driver:
        yield driver
