"""A real daemon on a free port of the loopback, for tests with real clients."""

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.end_to_end.certificates import Certificates, make_certificates
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "gecko_tw.commands", "serve")
TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "geckos3")
LISTENING = re.compile(r"listening on https?://\S+:(\d+)")
TROUBLE = re.compile(r"Traceback|Unhandled|Exception ignored|was never awaited|ResourceWarning")


_ONE_BY_ONE = threading.Lock()


@cache
def boto():  # type: ignore[no-untyped-def]
    """One session of boto3 for all clients: each one reads the descriptions of all services again."""
    import boto3

    return boto3.session.Session(region_name=Daemon.region)


class Daemon:
    """``geckos3 serve`` with a data directory of its own, as a context manager.

    Leaving the block sends SIGTERM and fails the test when the exit code is not 0 or a traceback is in the log.

    :param folder: where the data directory (``data``), the log (``daemon.log``) and the request log (``requests.log``) go.
    :param options: further flags, e.g. ``"--workers=2"``; one process serves unless they say otherwise.
    :param env: further environment; the caller's own ``GECKOS3_*`` and ``MINIO_*`` variables are not passed on.
    :param tls: serve https with a certificate whose authority is ``daemon.certificates.authority``.
    :param command: the command line before the flags: SERVE or TWISTD.

    :ivar url: e.g. ``"http://127.0.0.1:41233"``, without a trailing slash.
    """

    access_key = "geckoadmin"
    secret_key = "geckoadmin"
    region = "us-east-1"

    def __init__(
        self,
        folder: Path,
        *options: str,
        env: Mapping[str, str] | None = None,
        tls: bool = False,
        command: tuple[str, ...] = SERVE,
    ) -> None:
        self.folder = Path(folder)
        self.data_dir = self.folder / "data"
        self.log_path, self.requests_path = self.folder / "daemon.log", self.folder / "requests.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.certificates: Certificates | None = make_certificates(self.folder / "tls") if tls else None
        self._options, self._env, self._command = options, dict(env or {}), command

    def __enter__(self) -> "Daemon":
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.process is None:
            return
        if kind is None:
            self.stop()
        else:
            self.kill()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificates else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that was started: with several workers their parent."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Starts it and waits until it answers ``/health``. A second start listens on the same port as the first one."""
        arguments = [f"--data-dir={self.data_dir}", f"--listen=127.0.0.1:{self.port}"]
        if self.certificates:
            arguments += [f"--tls-cert={self.certificates.certificate}", f"--tls-key={self.certificates.key}"]
        if not any(option.startswith("--workers") for option in self._options):
            arguments.append("--workers=1")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log, self.requests_path.open("ab") as requests:
            begin = log.tell()
            self.process = subprocess.Popen(
                [*self._command, *arguments, *self._options],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=requests,
                stderr=log,
            )
        try:
            self._await_health(begin)
        except BaseException:
            self.kill()
            raise

    def stop(self, code: int = 0) -> None:
        """SIGTERM, and looks at how it ended."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            ended = self.process.wait(PATIENCE)
        finally:
            self.kill()
        assert ended == code or (self._command is TWISTD and ended == -signal.SIGTERM), self._tail(f"exit code {ended}")
        assert not TROUBLE.search(self.log), self._tail("trouble in the log")

    def kill(self) -> None:
        """SIGKILL: as if the power went."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def log(self) -> str:
        """What it wrote to stderr so far, all starts together."""
        return self.log_path.read_text(errors="replace")

    @property
    def request_lines(self) -> list[str]:
        """The lines of its request log so far."""
        return self.requests_path.read_text(errors="replace").splitlines()

    def trust(self) -> ssl.SSLContext | None:
        """A TLS context that trusts this daemon's authority only; None without TLS."""
        return ssl.create_default_context(cafile=str(self.certificates.authority)) if self.certificates else None

    def client(self, **more: object):  # type: ignore[no-untyped-def]
        """A boto3 S3 client for this daemon; ``more`` goes to ``boto3.client``."""
        given = {
            "endpoint_url": self.url,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": self.region,
            "verify": str(self.certificates.authority) if self.certificates else None,
        }
        with _ONE_BY_ONE:  # a session makes no two clients at once
            return boto().client("s3", **(given | more))

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GECKOS3_", "MINIO_"))}
        path = os.pathsep.join(filter(None, [str(ROOT), inherited.get("PYTHONPATH", "")]))
        return inherited | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | self._env

    def _await_health(self, begin: int) -> None:
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self._tail(f"ended at start with {self.process.returncode}")
            found = LISTENING.search(self.log_path.read_bytes()[begin:].decode(errors="replace"))
            if found:
                self.port = int(found[1])
                if self._healthy():
                    return
            time.sleep(0.02)
        raise AssertionError(self._tail("no answer from /health"))

    def _healthy(self) -> bool:
        try:
            with urlopen(f"{self.url}/health", timeout=5, context=self.trust()) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False

    def _tail(self, what: str) -> str:
        return f"{what}; the end of its log:\n{self.log[-4000:]}"
