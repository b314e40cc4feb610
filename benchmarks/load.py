"""Load from wrk (Debian package `wrk`): presigned requests, so that the load generator signs nothing while it runs."""

import json
import shutil
import subprocess
from pathlib import Path

from attrs import frozen

_SCRIPT = """
local urls = {}
for line in io.lines(os.getenv("GECKOS3_BENCH_URLS")) do urls[#urls + 1] = line end
local method = os.getenv("GECKOS3_BENCH_METHOD")
local size = tonumber(os.getenv("GECKOS3_BENCH_SIZE"))
local body = nil
if method == "PUT" then body = string.rep("x", size) end
local at = 0
function init(args) at = math.random(#urls) end
function request()
  at = at % #urls + 1
  return wrk.format(method, urls[at], nil, body)
end
function done(summary, latency, requests)
  io.write(string.format('\\n{"requests": %d, "microseconds": %d, "status": %d, "socket": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@frozen
class Result:
    """One run.

    :ivar rate: answered requests a second.
    :ivar p50: latency in milliseconds; ``p99`` likewise.
    :ivar errors: answers that were no success, and broken connections.
    """

    rate: float
    p50: float
    p99: float
    errors: int


def wrk_path() -> str:
    """Where wrk is.

    :raises SystemExit: it is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise SystemExit("wrk is not installed (Debian: apt-get install wrk)")
    return path


def wrk(
    base: str, method: str, targets: list[str], folder: Path, size: int = 0, connections: int = 16, seconds: int = 5
) -> Result:
    """Runs wrk against presigned targets (path and query) in a circle.

    :param base: ``http://address:port``.
    :param size: body bytes of a PUT.
    """
    script, urls = folder / "load.lua", folder / "targets.txt"
    script.write_text(_SCRIPT)
    urls.write_text("\n".join(targets) + "\n")
    environment = {
        "GECKOS3_BENCH_URLS": str(urls),
        "GECKOS3_BENCH_METHOD": method,
        "GECKOS3_BENCH_SIZE": str(size),
    }
    command = [wrk_path(), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), base]
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    figures = json.loads(output.strip().splitlines()[-1])
    return Result(
        rate=figures["requests"] / (figures["microseconds"] / 1e6),
        p50=figures["p50"] / 1000,
        p99=figures["p99"] / 1000,
        errors=figures["status"] + figures["socket"],
    )
