"""A chore of the store that is done again and again, in a thread, one at a time."""

from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.jobs.ledger import Ledger
from gecko_tw.pools import IPool


class Repeating(Service):
    """Does a chore every so many seconds; the first time after one interval. A chore that fails is logged and done again.

    :param clock: an IReactorTime.
    :param pool: where the chore runs; it may block.
    :param chore: called without arguments; what it returns says how much there was to do.
    :param told: a log format with ``{count}``, used when the chore returned something.
    :param noticed: asked about what a chore raised; whether that has been told already.
    :param ledger: told what is done, where it has a place for this job.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        pool: IPool,
        name: str,
        interval: float,
        chore: Callable[[], object],
        told: str = "",
        *,
        noticed: Callable[[BaseException], bool] = lambda problem: False,
        ledger: Ledger | None = None,
    ) -> None:
        self.setName(name)
        self._name, self._clock = name, clock
        self._ledger = ledger if ledger is not None and ledger.knows(name) else None
        self._noticed = noticed
        self._pool, self._chore, self._told, self._interval = pool, chore, told, interval
        self._loop = LoopingCall(self._once)
        self._loop.clock = clock
        self._running: Deferred[Any] = succeed(None)

    def startService(self) -> None:
        super().startService()
        if self._ledger is not None:
            self._ledger.scheduled(self._name, self._interval, self._clock.seconds())
        self._loop.start(self._interval, now=False)

    def now(self) -> bool:
        """Does the chore now; False when it is being done."""
        if self._loop.call is None:
            return False
        self._loop.call.reset(0)
        return True

    def stopService(self) -> "Deferred[None]":
        """Fires when a chore under way has ended."""
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        ended: Deferred[None] = Deferred()

        def over(_: object) -> None:
            ended.callback(None)

        self._running.addCallback(over)
        return ended

    def _once(self) -> "Deferred[Any]":
        if self._ledger is not None:
            self._ledger.begun(self._name, self._clock.seconds())
        self._running = self._pool.run(self._chore).addCallbacks(self._done, self._failed)
        return self._running

    def _done(self, count: object) -> None:
        self._tell_end(True)
        if count and self._told:
            self.log.info(self._told, count=count)

    def _tell_end(self, well: bool) -> None:
        if self._ledger is not None:
            self._ledger.ended(self._name, self._clock.seconds(), well)

    def _failed(self, failure: Failure) -> None:
        self._tell_end(False)
        if failure.value is not None and self._noticed(failure.value):
            return
        self.log.failure(
            "{job} failed and is tried again in {interval} s", failure, job=self.name, interval=self._interval
        )
