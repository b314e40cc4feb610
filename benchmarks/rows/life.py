"""What a server costs by being there: memory, idle and under many uploads, and the time until it answers."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event, Thread

from attrs import define, frozen

from benchmarks.peers import PLAIN
from benchmarks.results import Figure, Run
from benchmarks.rows.row import Plan, Row
from benchmarks.running import BUCKET, Server, launch
from benchmarks.signing import UNSIGNED, path_of

UPLOADS = 64
_SIZE = 16 << 20
_SLICE = bytes(1 << 16)
_PATIENCE = 60
_KIBIBYTE = 1 << 10

_numbers: Iterator[int] = count()


@frozen
class Memory:
    """Of all processes of a server, in MiB.

    :ivar pss: their own pages and their shares of shared ones, together.
    :ivar largest: resident memory of the largest process.
    """

    pss: float
    largest: float


def memory_of(pids: list[int]) -> Memory:
    """Measures now; a process that is gone counts nothing."""
    found = [_rollup(pid) for pid in pids]
    return Memory(sum(pss for pss, _ in found) / _KIBIBYTE, max(rss for _, rss in found) / _KIBIBYTE)


def _rollup(pid: int) -> tuple[int, int]:
    """Proportional and resident memory in KiB (proc(5), smaps_rollup)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    fields = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return fields.get("Pss", 0), fields.get("Rss", 0)


def idle(server: Server, plan: Plan) -> tuple[Run, ...]:
    """After its start and one object."""
    found = memory_of(server.processes())
    return Run(found.pss), Run(found.largest)


def crowded(server: Server, plan: Plan) -> tuple[Run, ...]:
    """The most while 64 uploads of 16 MiB are under way, all of them half done at one moment."""
    crowd = _Crowd(server)
    with _watching(server.processes()) as seen:
        errors = crowd.upload()
    return Run(max(one.pss for one in seen), errors=errors), Run(max(one.largest for one in seen), errors=errors)


@define
class _Crowd:
    """Uploads that wait for each other half-way."""

    server: Server
    _done: int = 0

    def upload(self) -> int:
        """How many of them failed."""
        barrier = Barrier(UPLOADS)
        threads = [Thread(target=self._one, args=(number, barrier)) for number in range(UPLOADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return UPLOADS - self._done

    def _one(self, number: int, barrier: Barrier) -> None:
        server = self.server
        path = path_of(BUCKET, f"crowd/{number}")
        headers = {"Host": server.host, "Content-Length": str(_SIZE), "Connection": "close"}
        headers |= server.connect().signer.headers("PUT", path, payload=UNSIGNED)
        head = "".join([f"PUT {path} HTTP/1.1\r\n", *(f"{name}: {text}\r\n" for name, text in headers.items()), "\r\n"])
        address, port = server.host.split(":")
        try:
            with socket.create_connection((address, int(port)), _PATIENCE) as connection:
                connection.sendall(head.encode())
                for piece in range(_SIZE // len(_SLICE)):
                    if piece == _SIZE // len(_SLICE) // 2:
                        barrier.wait(_PATIENCE)
                    connection.sendall(_SLICE)
                if b" 200 " in connection.recv(4096).split(b"\r\n")[0]:
                    self._done += 1
        except (OSError, BrokenBarrierError):
            barrier.abort()


@contextmanager
def _watching(pids: list[int]) -> Iterator[list[Memory]]:
    seen, ended = [memory_of(pids)], Event()

    def watch() -> None:
        while not ended.wait(0.1):
            seen.append(memory_of(pids))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def start(server: Server, plan: Plan) -> tuple[Run, ...]:
    """From its start with an empty directory to the first request that is answered with success."""
    folder = server.folder / f"start-{next(_numbers)}"
    begin = time.perf_counter()
    another = launch(server.peer, PLAIN, folder)
    try:
        another.wait(_PATIENCE, interval=0.005)
        elapsed = time.perf_counter() - begin
    finally:
        another.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return (Run(elapsed * 1000),)


def _memory(when: str) -> tuple[Figure, ...]:
    return tuple(Figure(f"Memory {when}, {what}", "MiB", less=True) for what in ("all processes", "largest process"))


START = Row((Figure("Start until the first answer", "ms", less=True),), start)
IDLE = Row(_memory("idle"), idle)
CROWDED = Row(_memory(f"under {UPLOADS} uploads"), crowded)
