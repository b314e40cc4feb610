"""What the figures were measured on."""

import os
import platform
import sqlite3
import subprocess
from pathlib import Path


def describe(folder: Path) -> dict[str, str]:
    """Processor, cores, memory, kernel, file system of ``folder``, interpreter, and load generator."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / (1 << 20):.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "file system": _file_system(folder),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "wrk": _wrk(),
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _file_system(folder: Path) -> str:
    """The type of the mount that a folder is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    place = str(folder.resolve()) + "/"
    fitting = [(len(point), kind) for point, kind in mounts if place.startswith(point.rstrip("/") + "/")]
    return max(fitting)[1] if fitting else "unknown"


def _wrk() -> str:
    """The first words of what wrk says of itself; it has no option that says only this."""
    told = subprocess.run(["wrk", "--version"], capture_output=True, text=True)
    words = (told.stdout + told.stderr).split()
    return " ".join(words[1:3]) if len(words) > 2 else ""
