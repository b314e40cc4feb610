"""Flame graphs of our worker while a row runs, from py-spy."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.rows.row import Plan, Row
from benchmarks.running import Server


def py_spy() -> Path:
    """Where py-spy is.

    :raises SystemExit: it is not installed.
    """
    beside = Path(sys.executable).with_name("py-spy")
    found = beside if beside.exists() else shutil.which("py-spy")
    if found is None:
        raise SystemExit("py-spy is not installed: pip install py-spy")
    return Path(found)


def draw(row: Row, server: Server, plan: Plan, folder: Path) -> str:
    """Runs a row once more, which counts for nothing, and writes a graph of one worker into ``folder``. Says what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub('[^a-z0-9]+', '-', row.name.lower()).strip('-')}-{server.peer.key}.svg"
    command = [str(py_spy()), "record", f"--pid={_worker(server)}", f"--output={path}", "--rate=250", "--nonblocking"]
    watcher = subprocess.Popen(
        [*command, f"--duration={max(round(plan.seconds), 1)}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    row.measure(server, plan)
    told, _ = watcher.communicate(timeout=plan.seconds + 60)
    return f"flame graph: {path}" if watcher.returncode == 0 else f"no flame graph: {told.strip()[-200:]}"


def _worker(server: Server) -> int:
    """One that answers requests: a child if there are any."""
    return max(server.processes(), key=lambda pid: pid != server.process.pid)
