"""A server under test, and requests signed for it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from attrs import frozen
from botocore.config import Config

KEY = SECRET = "geckoadmin"


@frozen
class Target:
    """A running server.

    :ivar url: ``http://address:port``.
    :ivar pid: its first process.
    """

    url: str
    pid: int

    def client(self):  # type: ignore[no-untyped-def]
        """A boto3 client for it."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"max_attempts": 1},
                max_pool_connections=16,
            ),
        )

    def presigned(self, verb: str, bucket: str, keys: list[str]) -> list[str]:
        """Path and query of presigned requests, e.g. for verb ``get_object``."""
        client = self.client()
        urls = (
            urlsplit(client.generate_presigned_url(verb, {"Bucket": bucket, "Key": key}, ExpiresIn=86400))
            for key in keys
        )
        return [f"{url.path}?{url.query}" for url in urls]

    def processes(self) -> list[int]:
        """The server's processes."""
        found, queue = [], [self.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            children = Path(f"/proc/{pid}/task/{pid}/children")
            if children.exists():
                queue += [int(child) for child in children.read_text().split()]
        return found

    def memory(self) -> dict[int, tuple[int, int]]:
        """Resident memory of each process in KiB: now and at its highest."""
        return {pid: (_status(pid, "VmRSS"), _status(pid, "VmHWM")) for pid in self.processes()}


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def geckos3(data_dir: Path, *options: str) -> Iterator[Target]:
    """Our own daemon on a free port, stopped at the end."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gecko_tw.commands",
        "serve",
        f"--data-dir={data_dir}",
        f"--listen=127.0.0.1:{port}",
    ]
    with open(data_dir.parent / "daemon.log", "wb") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log, env={**os.environ})
        try:
            target = Target(f"http://127.0.0.1:{port}", process.pid)
            _wait(target, process)
            yield target
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait(target: Target, process: "subprocess.Popen[bytes]") -> None:
    """Until the server answers its health check.

    :raises SystemExit: it ended, or did not answer for 30 seconds.
    """
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(target.url + "/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")
