"""Daemons that the tests of this folder share, started when the first test asks for one, and the files they store."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gecko_tw.commands import health
from tests.end_to_end.daemon import TWISTD, Daemon
from tests.end_to_end.place import Place
from tests.end_to_end.trees import Large, make_large, make_tree
from tests.patience import PATIENCE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.end_to_end)


@pytest.fixture(autouse=True)
def measured_where_it_serves() -> Iterator[None]:
    """Coverage is measured in daemons and commands: in this process are clients, which take twice the time when they are traced."""
    here, new = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    yield
    sys.settrace(here)
    threading.settrace(new)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def patient_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for a daemon's health here waits longer than a user would."""
    monkeypatch.setattr(health, "TIMEOUT", PATIENCE)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """http, two workers, run by ``twistd``."""
    with Daemon(tmp_path_factory.mktemp("plain"), "--workers=2", command=TWISTD) as daemon:
        yield Place(daemon)


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """https: SDKs send their bodies in another framing than over http. And the data directory in its other layout."""
    with Daemon(tmp_path_factory.mktemp("secure"), "--layout=pool", tls=True) as daemon:
        yield Place(daemon)


@pytest.fixture(scope="session")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Attributes in a file beside each object."""
    with Daemon(tmp_path_factory.mktemp("sidecar"), "--attributes=sidecar") as daemon:
        yield Place(daemon)


@pytest.fixture(scope="session")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A success means that it is on the disk. Buckets may be named by the host, too."""
    with Daemon(tmp_path_factory.mktemp("durable"), "--fsync=true", "--domain=s3.example.test") as daemon:
        yield Place(daemon)


@pytest.fixture(scope="session")
def unhashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Neither digests nor attributes, and no authentication: for somebody else's tests."""
    with Daemon(tmp_path_factory.mktemp("unhashed"), "--metadata=false", "--auth=false") as daemon:
        yield Place(daemon)


@pytest.fixture(params=["plain", "secure"])
def place(request: pytest.FixtureRequest) -> Place:
    """A daemon with files, and one with a pool; tests that are ``everywhere`` get every one that keeps attributes."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["plain", "secure"])
def scheme(request: pytest.FixtureRequest) -> Place:
    """A daemon over http, and one over https."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of awkward names."""
    folder = tmp_path_factory.mktemp("tree")
    make_tree(folder)
    return folder


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    """A file of 100 MiB."""
    return make_large(tmp_path_factory.mktemp("large") / "large.bin", 100)
