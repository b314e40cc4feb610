"""Whether a process can do its work, as far as its disk tells."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.pools import IPool

FRESH = 1.0
"""Seconds that a look at the disk is good for."""

TIMEOUT = 3.0
"""Seconds that the disk may take to show that it is there."""

_log = Logger()


class Readiness:
    """What the disk showed last. One thread looks at a time, so that a disk that hangs takes no more than one.

    :param look: looks at the disk; blocks, and raises OSError when it cannot be used.
    """

    def __init__(self, look: Callable[[], None], pool: IPool, clock: IReactorTime) -> None:
        self._look, self._pool, self._clock = look, pool, clock
        self._ready, self._until = True, 0.0
        self._looking = False
        self._waiting: list[Deferred[bool]] = []
        self._patience: IDelayedCall | None = None

    def ask(self) -> "Deferred[bool]":
        """Fires with whether the disk can be used, within TIMEOUT."""
        if self._clock.seconds() < self._until:
            return succeed(self._ready)
        answer: Deferred[bool] = Deferred()
        self._waiting.append(answer)
        if self._patience is None:
            self._patience = self._clock.callLater(TIMEOUT, self._late)
        if not self._looking:
            self._looking = True
            self._pool.run(self._look).addCallbacks(self._good, self._bad)
        return answer

    def _good(self, _: None) -> None:
        self._looking = False
        self._tell(True)

    def _bad(self, failure: Failure) -> None:
        self._looking = False
        self._tell(False, failure.getErrorMessage())

    def _late(self) -> None:
        self._tell(False, f"it does not answer within {TIMEOUT:.0f} s")

    def _tell(self, ready: bool, why: str = "") -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._patience = None
        if self._ready and not ready:
            _log.error("not ready: the data directory cannot be used: {why}", why=why)
        elif ready and not self._ready:
            _log.info("ready again: the data directory can be used")
        self._ready, self._until = ready, self._clock.seconds() + FRESH
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            answer.callback(ready)
