"""What Unix signals mean to a daemon."""

import signal
import threading
from collections.abc import Callable
from typing import Any

ONE = 0.2
"""Seconds within which two signals are one: whoever signals a process and its group meant it once."""


def take_signals(reactor: Any, reload: Callable[[], object], hurry: Callable[[], object]) -> None:
    """From now on SIGHUP reloads; a first SIGTERM or SIGINT does what it did, a second one hurries.

    Called when the reactor runs, so that what its own signal handlers do is kept: it stops, services end in order, and twistd knows why.
    Outside the main thread, where Python takes no signals, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload))
    told: list[float] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        first = signal.getsignal(number)
        # A signal that is ignored, as SIGINT is in a shell's background, stays so.
        if callable(first):
            signal.signal(number, _ending(reactor, first, told, hurry))


def _ending(
    reactor: Any, first: Callable[..., Any], told: list[float], hurry: Callable[[], object]
) -> Callable[..., None]:
    def received(number: int, frame: Any) -> None:
        if not told:
            told.append(reactor.seconds())
            first(number, frame)
        elif reactor.seconds() - told[0] >= ONE:
            reactor.callFromThread(hurry)

    return received
