"""Fixtures for pytest, which finds them by itself: ``geckos3``, ``s3``, ``s3_bucket``, ``s3_users``, ``s3_environment``.

A fixture of the same name in a project's own conftest wins. Nothing is started, and nothing but pytest imported, before one is asked for.
"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gecko_tw.testing.server import Server
    from gecko_tw.testing.users import May, User

MARKERS = (
    "s3_versioning: the bucket of s3_bucket keeps versions",
    "s3_lock(mode=None, days=None): objects in the bucket of s3_bucket can be locked, and are by default when a mode is given",
    "s3_users(*names, **may): who is in s3_users: names that may do nothing yet, or name=[actions] or name={policy document}",
)
OF_SESSIONS = ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL")
"""Variables of the developer's own account, which would be in the way of s3_environment."""


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def geckos3_options() -> tuple[str, ...]:
    """Further flags of ``geckos3 serve`` for the server of the session; a conftest returns its own."""
    return ()


@pytest.fixture(scope="session")
def geckos3(geckos3_options: tuple[str, ...]) -> "Iterator[Server]":
    """A server on a free port with a temporary directory, for the whole session; of pytest-xdist each worker has its own."""
    from gecko_tw.testing.server import Server

    with Server(*geckos3_options) as server:
        yield server


@pytest.fixture(scope="session")
def s3(geckos3: "Server") -> Any:  # boto3 has no types
    """A client of boto3 that may do everything."""
    return geckos3.client()


@pytest.fixture
def s3_bucket(request: pytest.FixtureRequest, s3: Any) -> Iterator[str]:  # as s3
    """The name of an empty bucket, which goes with the test. The markers ``s3_versioning`` and ``s3_lock`` say how it is."""
    from gecko_tw.testing.buckets import new_bucket

    versioning, lock = request.node.get_closest_marker("s3_versioning"), request.node.get_closest_marker("s3_lock")
    retention = lock.kwargs if lock else {}
    with new_bucket(s3, versioning=versioning is not None, lock=lock is not None, **retention) as name:
        yield name


@pytest.fixture
def s3_users(request: pytest.FixtureRequest, geckos3: "Server") -> "Iterator[dict[str, User]]":
    """The users that the marker ``s3_users`` names, each with a key and a client ``s3``; they go with the test."""
    from gecko_tw.testing.users import new_users

    may: dict[str, May] = {}
    for marker in request.node.iter_markers("s3_users"):
        may = dict.fromkeys(marker.args, ()) | marker.kwargs | may
    with new_users(geckos3, may) as users:
        yield users


@pytest.fixture
def s3_environment(geckos3: "Server", monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Code under test that makes clients of its own finds the server: the variables of AWS's SDKs are set for the test."""
    for name in OF_SESSIONS:
        monkeypatch.delenv(name, raising=False)
    for name, text in geckos3.environment.items():
        monkeypatch.setenv(name, text)
    if "boto3" in sys.modules:  # its default session has read the environment before
        monkeypatch.setattr(sys.modules["boto3"], "DEFAULT_SESSION", None)
    return geckos3.environment
