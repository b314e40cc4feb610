"""MinIO's warp, where it is installed: its `mixed` benchmark."""

import re
import subprocess

from benchmarks.peers import tool
from benchmarks.results import Figure, Run
from benchmarks.rows.row import Plan, Row
from benchmarks.running import LeftOut, Server

_TOTAL = re.compile(r"^(?:Report: |Cluster )Total\b.*?([\d.]+) obj/s", re.MULTILINE | re.DOTALL)
_ERRORS = re.compile(r"Errors: ?(\d+)")


def measure(server: Server, plan: Plan) -> tuple[Run, ...]:
    """Its own shares of GET, HEAD, PUT and DELETE of 4 KiB objects."""
    command = [str(tool("warp", plan.peers_dir)), "mixed", f"--host={server.host}", "--obj.size=4KiB", "--objects=1000"]
    command += [f"--access-key={server.peer.access}", f"--secret-key={server.peer.secret}", "--bucket=warp"]
    command += [
        f"--duration={max(round(plan.seconds), 1)}s",
        f"--concurrent={plan.connections}",
        "--no-color",
        "--quiet",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=server.folder)
    if done.returncode:
        raise LeftOut(f"warp failed: {(done.stderr or done.stdout).strip()[-200:]}")
    return (rate_of(done.stdout),)


def rate_of(report: str) -> Run:
    """The total of warp's report.

    :raises LeftOut: it has none.
    """
    found = _TOTAL.search(report)
    if found is None:
        raise LeftOut("warp's report has no total")
    # The total's errors are those of all kinds of requests, which are told before it.
    return Run(float(found[1]), errors=max((int(number) for number in _ERRORS.findall(report)), default=0))


ROW = Row((Figure("warp mixed 4 KiB", "a second"),), measure, needs="warp")
