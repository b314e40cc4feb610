"""Load from wrk (Debian package `wrk`): requests signed before it starts, so that the load generator signs nothing while it runs."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from benchmarks.results import Run

CIRCLE, ONCE, EACH = "circle", "once", "each"
_SCRIPT = Path(__file__).with_name("load.lua")
_PATIENCE = 60
_MEBIBYTE = 1 << 20


@frozen
class Load:
    """What wrk is to send.

    :ivar base: ``http://address:port`` or ``https://…``.
    :ivar requests: heads as `head_of` renders them.
    :ivar size: bytes of each body.
    :ivar mode: CIRCLE: again and again; ONCE: each once, then stop; EACH: each connection sends one of its own again and again.
    """

    base: str
    requests: list[str]
    size: int = 0
    mode: str = CIRCLE


@frozen
class Sent:
    """What wrk measured.

    :ivar used: how many requests of a ONCE load were begun.
    :ivar refused: answers of 400 and above; ``broken``: connections that failed or timed out.
    :ivar p50: milliseconds, like ``p99``.
    :ivar cpu: seconds of processor time that the server took.
    :ivar others: share of the machine that neither server nor wrk took, 0 to 1.
    """

    requests: int
    seconds: float
    bytes: int
    used: int
    refused: int
    broken: int
    p50: float
    p99: float
    cpu: float = 0.0
    others: float = 0.0

    @property
    def errors(self) -> int:
        return self.refused + self.broken

    @property
    def good(self) -> int:
        return max(self.requests - self.refused, 0)

    def rate(self) -> Run:
        """Good answers a second."""
        cpu = self.cpu / self.good * 1e6 if self.good else 0.0
        return Run(self.good / self.seconds, self.p50, self.p99, self.errors, cpu, self.others)

    def throughput(self, size: int = 0) -> Run:
        """MiB a second: of what came back, or of good uploads of ``size`` bytes.

        Without latencies: wrk takes the time of a body that a TLS connection sends in several steps from its last step only.
        """
        count = (self.good * size if size else self.bytes) / _MEBIBYTE
        cpu = self.cpu / count * 1e6 if count else 0.0
        return Run(count / self.seconds, errors=self.errors, cpu=cpu, others=self.others)


def head_of(method: str, target: str, host: str, size: int = 0, headers: Mapping[str, str] | None = None) -> str:
    """The head of a request, with tabs for ends of lines."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if method == "PUT":
        lines.append(f"Content-Length: {size}")
    return "\t".join([*lines, "", ""])


def heads_of(method: str, targets: Iterable[str], host: str, size: int = 0) -> list[str]:
    """Heads of presigned requests."""
    return [head_of(method, target, host, size) for target in targets]


def wrk_path() -> str:
    """Where wrk is.

    :raises SystemExit: it is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise SystemExit("wrk is not installed (Debian: apt-get install wrk)")
    return path


def wrk(load: Load, folder: Path, seconds: float, connections: int = 16) -> Sent:
    """Runs wrk for so many seconds; a ONCE load ends earlier when everything was sent."""
    requests = folder / "requests.txt"
    requests.write_text("\n".join(load.requests) + "\n")
    environment = {
        "GECKOS3_BENCH_REQUESTS": str(requests),
        "GECKOS3_BENCH_MODE": load.mode,
        "GECKOS3_BENCH_SIZE": str(load.size),
    }
    threads = connections if load.mode == EACH else 1
    command = [wrk_path(), f"-t{threads}", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--latency"]
    command += [f"--timeout={_PATIENCE}s", f"--script={_SCRIPT}", load.base]
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.strip().splitlines()[-1])
    return Sent(**{**found, "p50": found["p50"] / 1000, "p99": found["p99"] / 1000})
