"""Servers under test: started, paused while others are measured, and stopped."""

import http.client
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from attrs import define, evolve, field

from benchmarks.certificates import make_certificate
from benchmarks.client import Client
from benchmarks.load import CIRCLE, Load, Sent, head_of, heads_of, wrk
from benchmarks.peers import TLS, Peer
from benchmarks.signing import path_of

BUCKET = "bench"
_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LOG_LIMIT = 64 << 20


class LeftOut(Exception):  # noqa: N818 - named for what it tells
    """A server cannot take part in a row; the text says why."""


@define(eq=False)
class Server:
    """A server that runs.

    :ivar folder: what it and its load may write to; its data are in ``data`` below.
    :ivar done: names of preparations that were made, so that rows share them; ``failed``: why others were not.
    """

    peer: Peer
    mode: str
    url: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    done: set[str] = field(factory=set)
    failed: dict[str, str] = field(factory=dict)
    _client: Client | None = None

    @property
    def client(self) -> Client:
        """A client that all preparations share."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    def connect(self) -> Client:
        """A client of its own, for another thread."""
        return Client(self.url, self.peer.access, self.peer.secret)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def signed_load(
        self, method: str, bucket: str, keys: Sequence[str], size: int = 0, mode: str = CIRCLE, **query: str
    ) -> Load:
        """Presigned requests."""
        paths = [path_of(bucket, key) for key in keys]
        targets = self.client.signer.presigned(
            method, paths, {name.replace("_", "-"): text for name, text in query.items()}
        )
        return Load(self.url, heads_of(method, targets, self.host, size), size, mode)

    def head_signed_load(self, method: str, bucket: str, keys: Sequence[str]) -> Load:
        """Requests signed in their heads, good for 15 minutes."""
        signer = self.client.signer
        paths = [path_of(bucket, key) for key in keys]
        heads = [head_of(method, path, self.host, headers=signer.headers(method, path)) for path in paths]
        return Load(self.url, heads)

    def send(self, load: Load, seconds: float, connections: int = 16) -> Sent:
        """Has wrk send this load, and takes the processor time of it."""
        before, busy, mine = self.cpu(), _busy(), _children()
        begin = time.monotonic()
        sent = wrk(load, self.folder, seconds, connections)
        available = (time.monotonic() - begin) * len(os.sched_getaffinity(0))
        cpu = self.cpu() - before
        others = _busy() - busy - cpu - (_children() - mine)
        return evolve(sent, cpu=cpu, others=min(max(others / available, 0.0), 1.0))

    def cpu(self) -> float:
        """Seconds of processor time that its processes have taken so far."""
        stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.processes())
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / _TICKS

    def processes(self) -> list[int]:
        """All of its processes."""
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                queue += [int(child) for child in children.read_text().split()]
        return found

    def bucket_folder(self, bucket: str) -> Path | None:
        """Where a bucket's objects lie as files."""
        text = self.peer.bucket
        return Path(text.format(data=self.folder / "data", bucket=bucket)) if text else None

    def pause(self) -> None:
        """Takes the processor away from it, so that its background work costs nobody else; nothing when it has ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Gives it back, and waits until it answers.

        :raises LeftOut: it ended or does not answer.
        """
        log = self.folder / "log"
        if log.stat().st_size > _LOG_LIMIT:
            os.truncate(log, 0)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGCONT)
        self.wait(_PATIENCE)

    def wait(self, patience: float, interval: float = 0.05) -> None:
        """Until a signed request is answered with success.

        :raises LeftOut: it ended, or did not answer for so many seconds.
        """
        end, client = time.monotonic() + patience, self.connect()
        while self.process.poll() is None and time.monotonic() < end:
            try:
                if client.ask("GET").status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            client.close()
            time.sleep(interval)
        code = self.process.poll()
        raise LeftOut("does not answer" if code is None else f"ended with code {code}: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        lines = (self.folder / "log").read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    def stop(self) -> None:
        """Ends it, by force when it does not want to."""
        group = self.process.pid
        if self.process.poll() is None:
            os.killpg(group, signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.process.wait()


def launch(peer: Peer, mode: str, folder: Path) -> Server:
    """Starts a server with an empty data directory below ``folder``; does not wait until it answers."""
    data = folder / "data"
    data.mkdir(parents=True)
    ports = free_ports(9)
    names = {"port": ports[0], **{f"port{number}": port for number, port in enumerate(ports[1:], 2)}}
    certs = folder / "certs"
    cert, key = make_certificate(certs) if mode == TLS else (certs, certs)
    named = {**names, "data": data, "folder": folder, "access": peer.access, "secret": peer.secret}
    named |= {"certs": certs, "cert": cert, "key": key}
    for name, text in peer.files.items():
        (folder / name).write_text(text.format(**named))
    command = [peer.program, *(word.format(**named) for word in peer.arguments(mode))]
    environment = {name: text.format(**named) for name, text in peer.environment.items()}
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**_clean_environment(), **environment},
            start_new_session=True,
        )
    scheme = "https" if mode == TLS else "http"
    return Server(peer, mode, f"{scheme}://127.0.0.1:{ports[0]}", process, folder)


@contextmanager
def running(peers: Sequence[Peer], mode: str, folder: Path) -> Iterator[tuple[list[Server], dict[str, str]]]:
    """Servers, paused, each with a bucket; and for those that would not start, why."""
    with ExitStack() as stack:
        servers, failed = [], {}
        for peer in peers:
            server = launch(peer, mode, folder / f"{peer.key}-{mode}")
            stack.callback(server.stop)
            try:
                server.wait(_PATIENCE)
                _make_bucket(server)
            except LeftOut as reason:
                failed[peer.key] = str(reason)
                continue
            server.pause()
            servers.append(server)
        yield servers, failed


def _make_bucket(server: Server) -> None:
    """Some answer before they can store anything, so it may take a few tries."""
    for _ in range(100):
        server.client.ask("PUT", BUCKET)
        if server.client.ask("PUT", BUCKET, "first", body=b"x").status == 200:
            return
        time.sleep(0.1)
    raise LeftOut("stores nothing: " + server.last_words())


def _busy() -> float:
    """Seconds that all processors together have been busy (proc(5), stat): all states but idle and iowait."""
    states = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(states) - states[3] - states[4]) / _TICKS


def _children() -> float:
    """Seconds of processor time that children which have ended took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _clean_environment() -> dict[str, str]:
    """Ours without what would change a server's defaults."""
    strange = ("GECKOS3_", "MINIO_", "RCLONE_", "VGW_", "ROOT_", "AWS_", "BENCH_")
    return {name: value for name, value in os.environ.items() if not name.startswith(strange)}
