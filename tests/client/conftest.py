"""A stub server, and a client for it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.web.server import Site

from gecko_tw.client import S3, Options, connect
from tests.client.stub import Stub

Connect = Callable[..., Awaitable[S3]]


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nobody's keys are found but those that a test sets."""
    home = tmp_path_factory.mktemp("home")
    for name in (
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "PROFILE",
        "REGION",
        "DEFAULT_REGION",
        "ENDPOINT_URL",
    ):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest_twisted.async_yield_fixture
async def stub() -> AsyncIterator[Stub]:
    """A server on a free port; ``stub.url`` is where."""
    made = Stub()
    port = reactor.listenTCP(0, Site(made, timeout=None), interface="127.0.0.1")  # type: ignore[attr-defined]
    made.url = f"http://127.0.0.1:{port.getHost().port}"
    yield made
    await maybeDeferred(port.stopListening)  # None when it listens no more


@pytest_twisted.async_yield_fixture
async def connected(stub: Stub) -> AsyncIterator[Connect]:
    """Connects to the stub; options are those of ``Options``. Clients are closed after the test."""
    clients: list[S3] = []

    async def new(**options: object) -> S3:
        client = await connect(stub.url, "key", "secret", options=evolve(Options(max_attempts=1), **options))
        clients.append(client)
        return client

    yield new
    for client in clients:
        await client.close()
