"""pgbouncer in transaction mode before a server of the tests: a pooler that hands connections from transaction to transaction."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.clusters.postgresql import NoPostgresql, Server, absent, free_port
from tests.patience import PATIENCE

_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server} user=geckos3
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
logfile = {folder}/log
"""


class Pooler:
    """One running pgbouncer, as a context manager. Skips the test where it is not installed."""

    def __init__(self, server: Server) -> None:
        found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if found is None:
            absent(NoPostgresql("pgbouncer is not installed: Debian's package `pgbouncer` has it"))
        self._program, self._server, self.port = found, server, free_port()

    def __enter__(self) -> "Pooler":
        self._folder = Path(tempfile.mkdtemp(prefix="geckos3-pgbouncer-"))
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(server=self._server.port, port=self.port, folder=self._folder))
        as_owner = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            for path in (self._folder, settings):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            as_owner = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        command = ["setpriv", *as_owner, "--pdeathsig", "TERM", self._program, "-q", str(settings)]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < until, "pgbouncer does not start"
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def address(self, database: str) -> str:
        """The connection string of a database through the pooler."""
        return f"postgresql://geckos3@127.0.0.1:{self.port}/{database}"
