"""Waiting for what happens by itself."""

import time
from collections.abc import Callable

LIMIT = 30.0


def eventually(what: Callable[[], object]) -> None:
    """Waits until ``what()`` is true; fails after LIMIT seconds."""
    deadline = time.monotonic() + LIMIT
    while not (found := what()):
        assert time.monotonic() < deadline, f"{what} still answers {found!r}"
        time.sleep(0.05)
