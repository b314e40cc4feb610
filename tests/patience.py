"""Waiting for what happens by itself, or for somebody's answer: as long as a machine may take that is busy with something else."""

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds. Nothing that works takes so long anywhere; who gives up earlier fails on a slow machine only."""


def eventually(what: Callable[[], object]) -> None:
    """Waits until ``what()`` is true; fails after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, f"{what} still answers {found!r}"
        time.sleep(0.02)
