"""What there is besides S3, over a catalog in PostgreSQL: scrub, quarantine, compared reads, the admin API, the binary protocol."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from botocore.config import Config
from botocore.exceptions import ClientError, ResponseStreamingError

from tests.clusters.postgresql import Server, check_there
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.test_admin_api import ask
from tests.end_to_end.test_native import client_of, free_port

KEY = "k" * 32
LARGE = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    check_there()
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def daemon(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    options = (
        f"--catalog={server.address()}",
        f"--native-listen=127.0.0.1:{free_port()}",
        "--admin-listen=127.0.0.1:0",
        "--workers=2",
        "--verify-reads=1",
    )
    with Daemon(tmp_path_factory.mktemp("node"), *options, env={"GECKOS3_ENCRYPTION_KEY": KEY}) as daemon:
        yield daemon


def command(server: Server, folder: Path, *words: str) -> Any:
    given = [*words, f"--data-dir={folder}", f"--catalog={server.address()}", f"--encryption-key={KEY}", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "gecko_tw.commands", *given], capture_output=True, check=False, timeout=60
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_what_rots_in_the_database_is_found_told_and_given_back(server: Server, daemon: Daemon, tmp_path: Path):
    s3 = daemon.client(config=Config(retries={"max_attempts": 1}))
    s3.create_bucket(Bucket="rot")
    bodies = {"small": b"meow" * 100, "large": LARGE, "unread": LARGE[:100_000], "whole": b"purr"}
    for key, data in bodies.items():
        s3.put_object(Bucket="rot", Key=key, Body=data)
    server.execute(
        "UPDATE body SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE length(data) = 400",
        "UPDATE block SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE length(data) = 100000 OR number = 2",
    )
    with pytest.raises(ClientError, match="ObjectDamaged"):
        s3.get_object(Bucket="rot", Key="small")["Body"].read()
    with pytest.raises((ResponseStreamingError, ClientError)):
        s3.get_object(Bucket="rot", Key="large")["Body"].read()
    told = command(server, tmp_path, "scrub", "--full")
    assert [one["key"] for one in told["versions"]] == ["unread"]
    assert {one["key"] for one in command(server, tmp_path, "quarantine", "list")} == {"small", "large", "unread"}
    for key in ("small", "large", "unread"):
        with pytest.raises(ClientError, match="ObjectDamaged"):
            s3.get_object(Bucket="rot", Key=key)
    (tmp_path / "copy").write_bytes(LARGE)
    command(server, tmp_path, "quarantine", "restore", "rot", "large", f"--from={tmp_path / 'copy'}")
    assert s3.get_object(Bucket="rot", Key="large")["Body"].read() == LARGE


@pytest_twisted.ensureDeferred
async def test_the_binary_protocol_is_served(daemon: Daemon) -> None:
    client = await client_of(daemon)
    try:
        await client.create_bucket("framed")
        await client.put("framed", "small", b"data")
        await client.put("framed", "large", LARGE)
        for key, data in (("small", b"data"), ("large", LARGE)):
            assert (await client.get("framed", key))[1] == data
        assert [one.key for one in (await client.list("framed")).objects] == ["large", "small"]
    finally:
        await client.close()
    assert daemon.client().get_object(Bucket="framed", Key="large")["Body"].read() == LARGE


def test_the_admin_api_looks_and_changes(daemon: Daemon):
    ask(daemon, "POST", "/accounts", {"id": "media"})
    assert "media" in str(ask(daemon, "GET", "/accounts"))
    for path in ("/buckets", "/users", "/keys", "/limits", "/uploads", "/encryption-keys", "/events", "/requests"):
        assert ask(daemon, "GET", path) is not None, path
    for path in ("/server", "/server/disk", "/server/pools", "/server/jobs", "/server/settings"):
        assert ask(daemon, "GET", path) is not None, path
