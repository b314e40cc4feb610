"""A PostgreSQL of the tests' own: started in a temporary directory, without fsync, and gone with the process that started it.

Debian's package `postgresql` is all it needs; `.ci/run` installs it. Without it the tests that want a database say so and are skipped,
but fail where ``WITH_POSTGRESQL`` is set, as it is there.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.patience import PATIENCE

_PROGRAMS = Path("/usr/lib/postgresql")
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "max_locks_per_transaction": "512",
}


class NoPostgresql(Exception):  # noqa: N818 - named for what it tells
    """There is no PostgreSQL on this machine."""


def programs() -> Path:
    """The directory of the newest server's programs. Raises NoPostgresql."""
    found = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoPostgresql("PostgreSQL is not installed: Debian's package `postgresql` has it")
    return found[-1].parent


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """One running server. :meth:`stop` ends it; it is ended, too, when the process that started it dies.

    :param parent: the directory that its own is made in; None for one in memory.
    :param settings: of PostgreSQL, beside or instead of those that make tests quick.
    """

    def __init__(self, parent: str | None = None, **settings: str) -> None:
        self.port = free_port()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="geckos3-postgresql-", dir=parent or memory))
        self._settings = {**_SETTINGS, **settings}
        self._as_owner: list[str] = []
        if os.geteuid() == 0:  # it refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as_owner = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        self._process: subprocess.Popen[bytes] | None = None
        initdb = [programs() / "initdb", "-D", self.folder / "data", "-U", "geckos3", "-A", "trust", "-E", "UTF8"]
        self._run([*initdb, "--no-sync", "--no-instructions", "--locale=C.UTF-8"])
        self.start()

    def _command(self, command: list[Any]) -> list[Any]:
        return ["setpriv", *self._as_owner, "--pdeathsig", "INT", *command]

    def _run(self, command: list[Any]) -> None:
        subprocess.run(self._command(command), check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        place = ["-D", self.folder / "data", "-k", self.folder, "-h", "127.0.0.1", "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command([programs() / "postgres", *place, *options]), cwd=self.folder, stdout=log, stderr=log
            )
        ready = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until = time.monotonic() + PATIENCE
        while subprocess.run(ready, check=False).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.02)

    def halt(self) -> None:
        """Stops it at once, as a crash would; :meth:`start` starts it again with what it had."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(PATIENCE)
            self._process = None

    def stop(self) -> None:
        """Stops it for good and removes everything."""
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str = "postgres") -> str:
        """The connection string of a database."""
        return f"postgresql://geckos3@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Runs statements, each by itself."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]


_servers: list[Server] = []


@cache
def shared() -> Server:
    """The one server of this session. Raises NoPostgresql."""
    _servers.append(Server())
    atexit.register(_servers[0].stop)
    return _servers[0]


def absent(why: NoPostgresql) -> NoReturn:
    """Skips a test, or fails it where nothing may be absent."""
    if os.environ.get("WITH_POSTGRESQL"):
        raise why
    pytest.skip(str(why))


def check_there() -> None:
    """Skips a test where PostgreSQL is not installed, unless it must be."""
    try:
        programs()
    except NoPostgresql as why:
        absent(why)


def needed() -> Server:
    """The one server of this session, for a test, which is skipped where there is none."""
    check_there()
    return shared()


@pytest.fixture(scope="session", autouse=True)
def servers_end() -> Iterator[None]:
    """Stops the session's server. Modules that use it import this fixture, or their conftest does."""
    yield
    shared.cache_clear()
    while _servers:
        _servers.pop().stop()
