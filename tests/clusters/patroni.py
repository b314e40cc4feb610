"""Three PostgreSQL nodes that Patroni keeps over etcd, synchronous, with HAProxy before them: what a deployment outlives a machine with.

Debian's packages `postgresql patroni python3-etcd etcd-server haproxy` are what it needs. It is started by ``make cluster-test`` and
``make cluster`` alone.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.clusters.postgresql import NoPostgresql, free_port, programs
from tests.patience import PATIENCE, eventually

NODES = 3

_NODE = """
scope: geckos3
name: n{number}
restapi: {{listen: "127.0.0.1:{rest}", connect_address: "127.0.0.1:{rest}"}}
etcd3: {{host: "127.0.0.1:{etcd}"}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 6
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    postgresql: {{use_pg_rewind: true, parameters: {{max_connections: 120, shared_buffers: 64MB, max_locks_per_transaction: 512}}}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {folder}/pg{number}
  bin_dir: {programs}
  parameters: {{unix_socket_directories: {folder}}}
  pg_hba: ["host replication all 127.0.0.1/32 trust", "host all all 127.0.0.1/32 trust", "local all all trust"]
  authentication:
    replication: {{username: replicator, password: r}}
    superuser: {{username: postgres, password: p}}
    rewind: {{username: rewinder, password: w}}
"""

_BALANCER = """
defaults
  mode tcp
  timeout connect 2s
  timeout client 30m
  timeout server 30m
  option redispatch
  retries 3
listen service
  bind 127.0.0.1:{port}
  option httpchk GET {path}
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
"""


class Processes:
    """Daemons of a folder, which end with whoever started them."""

    def __init__(self, folder: Path, owner: str = "") -> None:
        self.folder = folder
        self._as_owner: list[str] = []
        if owner and os.geteuid() == 0:
            user = pwd.getpwnam(owner)
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as_owner = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> None:
        """Starts one, with a log of its name."""
        with (self.folder / f"{name}.log").open("ab") as log:
            whole = ["setpriv", *self._as_owner, "--pdeathsig", "TERM", *command]
            home = {**os.environ, "HOME": str(self.folder)}
            self._running[name] = subprocess.Popen(whole, cwd=self.folder, stdout=log, stderr=log, env=home)

    def kill(self, name: str) -> None:
        """Ends one at once."""
        self._running[name].kill()
        self._running.pop(name).wait(PATIENCE)

    def stop(self) -> None:
        """Ends all of them, the last one first."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self._running.values()):
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait(PATIENCE)
        self._running.clear()


class Balancer:
    """A HAProxy before servers; those that answer 200 to a question are used.

    :param servers: the port of each, and the one to ask.
    """

    def __init__(
        self, processes: Processes, name: str, path: str, servers: list[tuple[int, int]], port: int = 0
    ) -> None:
        self.port = port or free_port()
        lines = [
            f"  server n{number} 127.0.0.1:{serves} check port {asked}"
            for number, (serves, asked) in enumerate(servers)
        ]
        settings = processes.folder / f"{name}.cfg"
        settings.write_text(_BALANCER.format(port=self.port, path=path) + "\n".join(lines) + "\n")
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        processes.start(name, program, "-db", "-f", str(settings))


class Patroni:
    """A running cluster."""

    def __init__(self, folder: Path | None = None, port: int = 0) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="geckos3-patroni-"))
        self._processes = Processes(self.folder, "postgres")
        self._rest = [free_port() for _ in range(NODES)]
        ports = [free_port() for _ in range(NODES)]
        etcd = self._start_etcd()
        for number in range(NODES):
            settings = self.folder / f"p{number}.yml"
            values = {"number": number, "rest": self._rest[number], "etcd": etcd, "port": ports[number]}
            settings.write_text(_NODE.format(folder=self.folder, programs=programs(), **values))
            self.start(number)
            if not number:
                eventually(lambda: self._says(0, "/primary"))
        self._balancer = Balancer(
            self._processes, "database", "/primary", list(zip(ports, self._rest, strict=True)), port
        )
        eventually(lambda: len(self._members("running", "streaming")) == NODES)
        eventually(lambda: self._answers())

    def _start_etcd(self) -> int:
        client, peer = free_port(), free_port()
        urls = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        self._processes.start(
            "etcd",
            *("etcd", "--data-dir", str(self.folder / "etcd")),
            *("--listen-client-urls", urls[0], "--advertise-client-urls", urls[0]),
            *("--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1]),
            *("--initial-cluster", f"default={urls[1]}"),
        )
        return client

    def start(self, number: int) -> None:
        """Starts a node, or starts it again."""
        self._processes.start(f"node{number}", "patroni", str(self.folder / f"p{number}.yml"))

    def _says(self, number: int, path: str) -> Any:
        """What a node says; None when it does not answer, or not with 200."""
        try:
            with urlopen(f"http://127.0.0.1:{self._rest[number]}{path}", timeout=5) as answer:
                return json.load(answer)
        except (URLError, OSError, ValueError):
            return None

    def _members(self, *states: str) -> list[Any]:
        told = next(filter(None, (self._says(number, "/cluster") for number in range(NODES))), {"members": []})
        return [one for one in told["members"] if one["state"] in states]

    def _answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.address(), connect_timeout=3) as connection:
                return bool(connection.execute("SELECT 1").fetchone())
        except psycopg.Error:
            return False

    @property
    def primary(self) -> int:
        """The number of the node that takes writes."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for number in range(NODES):
                if self._says(number, "/primary"):
                    return number
            time.sleep(0.2)
        raise AssertionError("there is no primary")

    def kill_primary(self) -> int:
        """Kills the primary with its Patroni, as a machine that loses its power; returns its number."""
        number = self.primary
        postmaster = int((self.folder / f"pg{number}" / "postmaster.pid").read_text().split()[0])
        self._processes.kill(f"node{number}")
        with suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGKILL)
        return number

    def address(self, database: str = "postgres") -> str:
        """The connection string of a database of whichever node is the primary."""
        return f"postgresql://postgres@127.0.0.1:{self._balancer.port}/{database}"

    def execute(self, statement: str) -> None:
        """Runs one on the primary."""
        import psycopg

        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def stop(self) -> None:
        """Ends it and removes everything."""
        self._processes.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def missing() -> str:
    """What this machine lacks to run one; empty when it has everything."""
    try:
        programs()
    except NoPostgresql as why:
        return str(why)
    lacking = [
        one for one in ("patroni", "etcd", "haproxy") if not shutil.which(one) and not Path("/usr/sbin", one).exists()
    ]
    return (
        f"{', '.join(lacking)}: Debian's packages patroni, python3-etcd, etcd-server and haproxy have them"
        if lacking
        else ""
    )
