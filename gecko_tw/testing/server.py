"""A server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import rmtree
from typing import IO, Self

from gecko_tw.testing.endpoint import CannotStart, Endpoint

_LISTENING = re.compile(rb"listening on (https?://\S+:(\d+))")
_LOOK = 0.005
"""Seconds between two looks into the log of a server that starts."""


class Server(Endpoint):
    """``geckos3 serve`` on a free port of 127.0.0.1, as a context manager.

    It ends with the process that started it, however that one ends. Variables ``GECKOS3_*`` and ``MINIO_*`` are not passed on to it.

    :param options: further flags, e.g. ``"--lifecycle-day=1s"``; one process serves unless they say otherwise.
    :param timeout: seconds that a start and a stop may take.
    """

    def __init__(
        self,
        *options: str,
        folder: Path | None = None,
        port: int = 0,
        access_key: str = "test",
        secret_key: str = "test",
        timeout: float = 60.0,
    ) -> None:
        super().__init__(options, folder=folder, port=port, access_key=access_key, secret_key=secret_key)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it has written so far: messages, and a line for each request. Empty once a temporary folder is gone."""
        path = self._log_path
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Starts it and returns when it answers; a second start listens on the same port as the first.

        :raises CannotStart: it ended, or did not answer within the timeout.
        """
        if self._process is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            begin = log.tell()
            self._process = self._spawn(log)
        try:
            self._await(begin)
        except BaseException:
            self._end(signal.SIGKILL)
            self._clean()
            raise

    def stop(self) -> None:
        """Ends it. What is in a temporary folder is gone; before a folder of yours is left, requests under way are answered."""
        self._end(signal.SIGKILL if self._temporary and self._alone else signal.SIGTERM)
        self._clean()

    def reset(self) -> None:
        """An empty server at the same URL: ends it, removes its data directory, starts it again."""
        self._end(signal.SIGKILL if self._alone else signal.SIGTERM)
        rmtree(self.data_dir)
        self.start()

    @property
    def _alone(self) -> bool:
        """Whether no worker would outlive it, and keep its port, for a moment."""
        return not any(option.lstrip("-").startswith("workers") for option in self._options)

    @property
    def _log_path(self) -> Path:
        return self.folder / "server.log"

    def _spawn(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        outside = {name: text for name, text in os.environ.items() if not name.startswith(("GECKOS3_", "MINIO_"))}
        keys = {"GECKOS3_ACCESS_KEY": self.access_key, "GECKOS3_SECRET_KEY": self.secret_key}
        return subprocess.Popen(
            [sys.executable, "-m", "gecko_tw.testing.child", *self._flags],
            cwd=self.folder,
            env=outside | keys,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )

    def _await(self, begin: int) -> None:
        """Until it says where it listens. Raises CannotStart."""
        assert self._process is not None
        deadline = time.monotonic() + self._timeout
        while (found := _LISTENING.search(self._log_path.read_bytes()[begin:])) is None:
            code = self._process.poll()
            if code is not None:
                raise CannotStart(f"it ended with exit code {code}: {self._told(begin)}")
            if time.monotonic() > deadline:
                raise CannotStart(f"it did not answer within {self._timeout:g} s: {self._told(begin)}")
            time.sleep(_LOOK)
        self.url, self.port = found[1].decode(), int(found[2])

    def _told(self, begin: int) -> str:
        return self._log_path.read_bytes()[begin:].decode(errors="replace").strip()[-4000:]

    def _end(self, how: signal.Signals) -> None:
        process, self._process, self.url = self._process, None, ""
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            assert process.stdin is not None
            process.stdin.close()
