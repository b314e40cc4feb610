"""Waiting for what happens by itself, or for somebody's answer: as long as a machine may take that is busy with something else."""

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds. Nothing that works takes so long anywhere; who gives up earlier fails on a slow machine only."""


def eventually(what: Callable[[], object], passing: type[Exception] | tuple[type[Exception], ...] = ()) -> None:
    """Waits until ``what()`` is true; fails after PATIENCE.

    :param passing: errors that it may raise meanwhile.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := _now(what, passing)) or isinstance(found, Exception):
        assert time.monotonic() < deadline, f"{what} still answers {found!r}"
        time.sleep(0.02)


def _now(what: Callable[[], object], passing: type[Exception] | tuple[type[Exception], ...]) -> object:
    try:
        return what()
    except passing as error:
        return error
