"""The processes of a daemon, as Linux tells them."""

import os
import signal
from contextlib import suppress
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all that descend from it, it first."""
    try:
        children = [
            int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(child))]


def memory(pid: int) -> int:
    """Bytes of memory that a process and its descendants hold."""
    pages = (int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(pid))
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def kill_family(pid: int) -> None:
    """SIGKILL to all of them at once, as if the power went."""
    members = family(pid)
    for one in members:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGSTOP)
    for one in members:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
