"""`python -m benchmarks.native`: the binary protocol beside HTTP, asked for the same by the same kind of client, in short turns.

The client sends bytes made beforehand on some connections and counts the bytes that come back, so that it costs next to nothing and the
same for both. Requests over HTTP are signed in their headers, as SDKs do it, or presigned.
"""

import hashlib
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import geometric_mean, median

import click
from attrs import define

from benchmarks.signing import Signer, path_of
from gecko_tw.native import frames

PAIR = ("bench", "a-secret-of-the-benchmark")
BUCKET = "bench"
_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE = 20.0


@define
class Load:
    """One kind of request on its connections.

    :ivar requests: the bytes of a request for each connection.
    :ivar greeting: what is sent first; 8 bytes answer it.
    """

    name: str
    port: int
    requests: list[bytes]
    greeting: bytes = b""

    def connect(self) -> "list[tuple[socket.socket, bytes, int]]":
        """Connections, each with its request and how many bytes answer it."""
        found = []
        for request in self.requests:
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.greeting:
                connection.sendall(self.greeting)
                _exactly(connection, 8)
            found.append((connection, request, self._first(connection, request)))
        return found

    def _first(self, connection: socket.socket, request: bytes) -> int:
        """The size of the second answer: the first one may be the one that fills caches."""
        size = 0
        for _ in range(2):
            connection.sendall(request)
            size = self._answer(connection)
        return size

    def _answer(self, connection: socket.socket) -> int:
        if self.greeting:
            status, _stream, meta, length = frames.HEADER.unpack(_exactly(connection, frames.HEADER.size))
            assert status == frames.OK, _exactly(connection, meta)
            _exactly(connection, meta + length)
            return frames.HEADER.size + meta + length
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _exactly(connection, 1)
        assert head.startswith(b"HTTP/1.1 200"), head
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        _exactly(connection, length)
        return len(head) + length


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        assert piece, "the server closed the connection"
        data += piece
    return data


def turn(load: Load, seconds: float, process: int) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's processor time for each."""
    selector = selectors.DefaultSelector()
    connections = load.connect()
    for place, (connection, _request, _size) in enumerate(connections):
        selector.register(connection, selectors.EVENT_READ, place)
    left = [size for _connection, _request, size in connections]
    answered, used, begun = 0, processor(process), time.perf_counter()
    for connection, request, _size in connections:
        connection.sendall(request)
    end = begun + seconds
    while time.perf_counter() < end:
        for key, _events in selector.select(_PATIENCE):
            connection, request, size = connections[key.data]
            left[key.data] -= len(connection.recv(1 << 20))
            if not left[key.data]:
                left[key.data] = size
                answered += 1
                connection.sendall(request)
    passed, spent = time.perf_counter() - begun, processor(process) - used
    for connection, _request, _size in connections:
        connection.close()
    return answered / passed, spent / answered * 1e6


def processor(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def loads(ports: tuple[int, int], size: int, connections: int) -> dict[str, list[Load]]:
    """For each verb the native load first, then those over HTTP."""
    http, native = ports
    signer = Signer(*PAIR, f"127.0.0.1:{http}")
    body, greeting = bytes(size), frames.greeting(*PAIR)
    paths = [path_of(BUCKET, f"key-{number}") for number in range(connections)]
    where = [frames.string(BUCKET) + frames.string(f"key-{number}") for number in range(connections)]
    said = frames.string("application/octet-stream") + frames.mapping({})

    def over_http(method: str, content: bytes, presigned: bool) -> Load:
        digest = hashlib.sha256(content).hexdigest()
        targets = signer.presigned(method, paths) if presigned else paths
        heads = []
        for path, target in zip(paths, targets, strict=True):
            headers = {"host": signer.host} | ({} if presigned else signer.headers(method, path, payload=digest))
            headers |= (
                {"content-length": str(len(content)), "content-type": "application/octet-stream"} if content else {}
            )
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            heads.append(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + content)
        return Load("HTTP, presigned" if presigned else "HTTP, signed headers", http, heads)

    get = [frames.frame(frames.GET_OBJECT, one) for one in where]
    put = [frames.frame(frames.PUT_OBJECT, one + said, 0, size) + body for one in where]
    return {
        "PUT": [Load("native", native, put, greeting), over_http("PUT", body, False), over_http("PUT", body, True)],
        "GET": [Load("native", native, get, greeting), over_http("GET", b"", False), over_http("GET", b"", True)],
    }


@click.command()
@click.option("--turns", default=20, show_default=True, help="Of each load, one after the other.")
@click.option("--seconds", default=0.5, show_default=True, help="Length of a turn.")
@click.option("--size", default=4096, show_default=True, help="Bytes of an object.")
@click.option("--connections", default=16, show_default=True)
@click.option("--option", "options", multiple=True, help="A further option of the daemon, e.g. --layout=pool.")
def main(turns: int, seconds: float, size: int, connections: int, options: tuple[str, ...]) -> None:
    """Compares GET and PUT over the binary protocol with the same over HTTP, of one process of ours."""
    with serving(options) as (ports, process):
        for verb, several in loads(ports, size, connections).items():
            rounds = [[turn(load, seconds, process) for load in several] for _ in range(turns)]
            compare(verb, [load.name for load in several], rounds)


@contextmanager
def serving(options: Sequence[str]) -> Iterator[tuple[tuple[int, int], int]]:
    """A daemon of one process with an empty bucket: its ports for HTTP and for the binary protocol, and its process."""
    ports = _free_port(), _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gecko_tw.commands", "serve", f"--data-dir={folder}/data", "--workers=1"]
        command += [f"--listen=127.0.0.1:{ports[0]}", f"--native-listen=127.0.0.1:{ports[1]}", "--request-log=false"]
        environment = {**os.environ, "GECKOS3_ACCESS_KEY": PAIR[0], "GECKOS3_SECRET_KEY": PAIR[1]}
        daemon = subprocess.Popen([*command, *options], env=environment, stderr=subprocess.DEVNULL)
        try:
            _prepare(ports[1])
            yield ports, daemon.pid
        finally:
            daemon.terminate()
            daemon.wait()


def compare(verb: str, names: Sequence[str], rounds: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Prints medians, and how many times as fast the first one is; each round has one turn of each."""
    for place, name in enumerate(names):
        ratio = geometric_mean([one[0][0] / one[place][0] for one in rounds])
        rate, spent = (median(one[place][what] for one in rounds) for what in (0, 1))
        line = f"{verb} {name:22} {rate:7.0f} requests/s {spent:6.1f} µs of the server's each"
        click.echo(line + ("" if place == 0 else f"; native is {ratio:.2f} times as fast"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare(port: int) -> None:
    """Waits for the daemon and makes the bucket."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            assert time.monotonic() < end, "the daemon does not listen"
            time.sleep(0.1)
    with connection:
        connection.sendall(frames.greeting(*PAIR))
        _exactly(connection, 8)
        connection.sendall(frames.frame(frames.CREATE_BUCKET, frames.string(BUCKET)))
        status, _stream, meta, _length = frames.HEADER.unpack(_exactly(connection, frames.HEADER.size))
        assert status == frames.OK, _exactly(connection, meta)


if __name__ == "__main__":
    main()
