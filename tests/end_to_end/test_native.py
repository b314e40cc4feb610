"""The binary protocol of a real daemon, by our own client."""

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor, ssl
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.web.client import FileBodyProducer

from gecko_tw import native
from gecko_tw.native import Client, connect
from tests.end_to_end.daemon import ROOT, Daemon
from tests.end_to_end.matrix.framed import native_port
from tests.patience import PATIENCE

PAIR = Daemon.access_key, Daemon.secret_key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    options = (f"--native-listen=127.0.0.1:{free_port()}", "--workers=2", "--min-part-size=0")
    with Daemon(tmp_path_factory.mktemp("native"), *options) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon of one process, which is gone when it is killed."""
    with Daemon(tmp_path_factory.mktemp("alone"), f"--native-listen=127.0.0.1:{free_port()}") as daemon:
        yield daemon


async def client_of(daemon: Daemon, **more: Any) -> Client:
    return await connect(reactor, f"tcp://127.0.0.1:{native_port(daemon)}", *PAIR, **more)  # type: ignore[arg-type]


@pytest_twisted.ensureDeferred
async def test_large_objects_go_from_files_into_files_and_over_http(daemon: Daemon, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 24
    (tmp_path / "sent").write_bytes(content)
    client = await client_of(daemon)
    try:
        await client.create_bucket("large")
        with (tmp_path / "sent").open("rb") as file:
            written = await client.put("large", "k", FileBodyProducer(file), "text/plain", {"a": "ü"})
        assert written.sha256 == hashlib.sha256(content).hexdigest()
        with (tmp_path / "got").open("wb") as into:
            info = await client.get_into("large", "k", into)
        assert (tmp_path / "got").read_bytes() == content
        assert (info.sha256, info.metadata) == (written.sha256, {"a": "ü"})
    finally:
        await client.close()
    found = daemon.client().get_object(Bucket="large", Key="k")
    assert (found["Body"].read() == content, found["ContentType"]) == (True, "text/plain")


@pytest_twisted.ensureDeferred
async def test_many_requests_share_a_few_connections(daemon: Daemon) -> None:
    client = await client_of(daemon, size=3)
    try:
        await client.create_bucket("many")
        keys = [f"key-{number:03}" for number in range(300)]
        await gatherResults([Deferred.fromCoroutine(client.put("many", key, key.encode())) for key in keys])
        got = await gatherResults([Deferred.fromCoroutine(client.get("many", key)) for key in keys])
        assert [body.decode() for _info, body in got] == keys
        assert [entry.key for entry in (await client.list("many")).objects] == keys
    finally:
        await client.close()


@pytest_twisted.ensureDeferred
async def test_a_killed_daemon_keeps_what_it_acknowledged_and_the_client_goes_on(alone: Daemon) -> None:
    client = await client_of(alone, size=2)
    try:
        await client.create_bucket("killed")
        await client.put("killed", "k", b"old")
        long = Deferred.fromCoroutine(client.put("killed", "k", FileBodyProducer(_Endless())))
        long.addErrback(lambda failure: failure.value)
        await client.put("killed", "other", b"kept")
        alone.kill()
        assert isinstance(await long, native.NativeError)
        with pytest.raises(native.NativeError):
            await client.head("killed", "k")
        alone.start()
        assert (await client.get("killed", "k"))[1] == b"old"
        assert (await client.get("killed", "other"))[1] == b"kept"
    finally:
        await client.close()


class _Endless:
    """A file that is as long as anybody likes, and never all read."""

    def read(self, size: int = 0) -> bytes:
        return bytes(size)

    def seek(self, offset: int, whence: int = 0) -> None:
        """It is the same everywhere."""

    def tell(self) -> int:
        return 1 << 30

    def close(self) -> None:
        """There is nothing to close."""


@pytest_twisted.ensureDeferred
async def test_a_restarted_daemon_is_found_again_without_an_error(alone: Daemon) -> None:
    client = await client_of(alone)
    try:
        await client.create_bucket("again")
        await client.put("again", "k", b"hello")
        alone.stop()
        alone.start()
        assert (await client.get("again", "k"))[1] == b"hello"
    finally:
        await client.close()


@pytest_twisted.ensureDeferred
async def test_whoever_is_wrong_is_told_what_is_wrong(daemon: Daemon) -> None:
    port = native_port(daemon)
    for where, secret, wrong in (
        (f"tcp:127.0.0.1:{free_port()}", "geckoadmin", native.CannotConnect),
        (f"tls://127.0.0.1:{port}", "geckoadmin", native.NotNative),
        (f"tcp://127.0.0.1:{port}", "another", native.NotProven),
    ):
        with pytest.raises(wrong):
            await connect(reactor, where, Daemon.access_key, secret)  # type: ignore[arg-type]


@pytest_twisted.ensureDeferred
async def test_it_is_served_with_the_certificate_of_the_other_listeners(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--native-listen=127.0.0.1:0", tls=True) as daemon:
        assert daemon.certificates is not None
        authority = ssl.Certificate.loadPEM(daemon.certificates.authority.read_bytes())
        port = native_port(daemon)
        trusting = ssl.optionsForClientTLS("localhost", ssl.trustRootFromCertificates([authority]))
        endpoint = wrapClientTLS(trusting, HostnameEndpoint(reactor, "127.0.0.1", port))
        client = await connect(reactor, endpoint, *PAIR)  # type: ignore[arg-type]
        try:
            await client.create_bucket("sealed")
            await client.put("sealed", "k", b"x" * 3_000_000)
            assert (await client.get("sealed", "k"))[1] == b"x" * 3_000_000
        finally:
            await client.close()
        for where in (f"tls://localhost:{port}", f"tcp://127.0.0.1:{port}"):
            with pytest.raises((native.NotNative, native.Cut)):
                await connect(reactor, where, *PAIR)  # type: ignore[arg-type]


def test_the_page_shows_a_program_that_runs(daemon: Daemon, tmp_path: Path) -> None:
    page = (ROOT / "docs/native.md").read_text()
    program = page.partition("```python\n")[2].partition("```")[0].replace("4444", str(native_port(daemon)))
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "True {'mood': 'fine'} b'meow'\nNoSuchKey\n"
    assert (tmp_path / "cat.txt").read_bytes() == b"meow"
