"""Several processes on the same sockets: spawned, watched, replaced one by one, drained.

The parent holds the listening sockets and accepts nothing. A worker that dies is replaced, later and later when it dies at once.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, DeferredLock, fail, succeed
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.daemon.worker_protocol import FIRST_SOCKET, READS, WRITES, CannotServe, WorkerProcess

COMMAND = (sys.executable, "-c", "import gc; gc.disable(); from gecko_tw.tap import work; work()")
"""Nothing that is imported is garbage: to look through it again and again takes a tenth of a start."""
STABLE = 20.0
"""Seconds after which a worker that dies is replaced at once."""
LONGEST_WAIT = 10.0
GRACE = 5.0
"""Seconds beyond the drain's own limit before a worker that does not leave is killed."""


@frozen(kw_only=True)
class Recipe:
    """How to make a worker.

    :ivar settings: JSON to send to it; may hold secrets, so it goes through the pipe and not through arguments.
    :ivar sockets: file descriptors to inherit: the listening sockets in the order of the settings' listeners, then what else is shared.
    :ivar drain_limit: seconds that a drain may take.
    :ivar lines: given what workers write when standard output and error are not ours to hand on (a daemon in the background).
    """

    settings: str
    sockets: tuple[int, ...]
    drain_limit: float
    command: tuple[str, ...] = COMMAND
    environment: Mapping[str, str] = field(factory=lambda: dict(os.environ))
    lines: Callable[[bytes], None] | None = None

    def spawn(self, reactor: Any) -> WorkerProcess:
        """Starts a process."""
        worker = WorkerProcess(self.lines)
        standard: dict[int, Any] = {1: 1, 2: 2} if self.lines is None else {1: "r", 2: "r"}
        descriptors = {READS: "w", WRITES: "r", **standard}
        descriptors |= {FIRST_SOCKET + index: fileno for index, fileno in enumerate(self.sockets)}
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [package, self.environment.get("PYTHONPATH", "")]))
        environment = {**self.environment, "PYTHONPATH": path}
        reactor.spawnProcess(worker, self.command[0], self.command, environment, childFDs=descriptors)
        return worker


class _Place:
    """One of the N places: the worker that serves in it, and how long to wait before it is filled again."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.worker: WorkerProcess | None = None
        self.wait = 0.0
        self.since = 0.0
        self.refilling: Any = None


class Workers(Service):
    """Keeps N workers serving.

    :param reactor: spawns, waits, tells the time.

    :ivar cut: whether a worker that was asked to leave had to cut off requests.
    """

    log = Logger()

    def __init__(self, reactor: Any, count: int, recipe: Recipe) -> None:
        self._reactor, self._recipe = reactor, recipe
        self._places = [_Place(number) for number in range(1, count + 1)]
        self._processes: set[WorkerProcess] = set()
        self._one_at_a_time = DeferredLock()
        self._stopping = False
        self.cut = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers in place."""
        return [place.worker.pid for place in self._places if place.worker is not None]

    def open(self) -> "Deferred[None]":
        """Starts all workers; fires when they accept. Fails with CannotServe when one of them cannot."""
        started = DeferredList([self._fill(place) for place in self._places], fireOnOneErrback=True, consumeErrors=True)
        return started.addCallbacks(lambda _: None, lambda failure: failure.value.subFailure)

    def reload(self) -> "Deferred[None]":
        """Replaces the workers one by one: the new one accepts before the old one stops to."""
        return self._one_at_a_time.run(lambda: Deferred.fromCoroutine(self._reload()))

    async def _reload(self) -> None:
        for place in self._places:
            if self._stopping:
                return
            old = place.worker
            try:
                await self._fill(place)
            except CannotServe as problem:
                self.log.error(
                    "worker {number} could not be replaced, the old ones go on: {problem}",
                    number=place.number,
                    problem=problem,
                )
                return
            if old is not None:
                self.log.info("worker {number} (pid {pid}) drains", number=place.number, pid=old.pid)
                self._retire(old)

    def renew(self) -> "Deferred[Any]":
        """Tells all workers of other certificates; fires when each has answered."""
        told = [
            worker.renew().addErrback(self._not_renewed, worker) for worker in self._processes if not worker.leaving
        ]
        return DeferredList(told)

    def _not_renewed(self, failure: Failure, worker: WorkerProcess) -> None:
        """It goes on with the certificates it has; one that has ended meanwhile needs none."""
        if failure.check(ProcessDone, ProcessTerminated) is None:
            self.log.error(
                "worker (pid {pid}) serves the old certificates: {why}", pid=worker.pid, why=failure.getErrorMessage()
            )

    def _fill(self, place: _Place) -> "Deferred[None]":
        """A new worker for a place; fires when it has taken it. Fails with CannotServe, the place being as it was."""
        try:
            worker = self._recipe.spawn(self._reactor)
        except OSError as problem:
            return fail(CannotServe(str(problem)))
        self._processes.add(worker)
        worker.ended.addCallback(self._ended, place, worker)
        self.log.debug("worker {number} (pid {pid}) starts", number=place.number, pid=worker.pid)
        serving = worker.serve(place.number, self._recipe.settings)
        return serving.addCallbacks(lambda _: self._taken(place, worker), lambda failure: self._failed(worker, failure))

    def _taken(self, place: _Place, worker: WorkerProcess) -> None:
        place.worker, place.since = worker, self._reactor.seconds()
        self.log.info("worker {number} (pid {pid}) serves", number=place.number, pid=worker.pid)
        if self._stopping:
            self._retire(worker)

    def _failed(self, worker: WorkerProcess, failure: Failure) -> Failure:
        """Any reason becomes CannotServe: it is told, the process is gone or goes."""
        worker.kill()
        return failure if failure.check(CannotServe) else Failure(CannotServe(failure.getErrorMessage()))

    def _ended(self, how: str, place: _Place, worker: WorkerProcess) -> None:
        """A process is gone. If nobody asked it to go, its place is filled again."""
        self._processes.discard(worker)
        if worker.leaving:
            self.cut = self.cut or (self._stopping and not worker.clean)
            self.log.debug("worker {number} (pid {pid}) left", number=place.number, pid=worker.pid)
        if place.worker is not worker:
            return
        place.worker = None
        if worker.leaving or self._stopping:
            return
        lived = self._reactor.seconds() - place.since
        place.wait = 0.0 if lived >= STABLE else min(LONGEST_WAIT, place.wait * 2 or 0.1)
        self.log.error(
            "worker {number} died ({how}) and is replaced in {wait:.1f} s",
            number=place.number,
            how=how,
            wait=place.wait,
        )
        place.refilling = self._reactor.callLater(place.wait, self._refill, place)

    def _refill(self, place: _Place) -> None:
        place.refilling = None
        if place.worker is None and not self._stopping:
            self._fill(place).addErrback(self._not_refilled, place)

    def _not_refilled(self, failure: Failure, place: _Place) -> None:
        failure.trap(CannotServe)
        if self._stopping:
            return
        place.wait = min(LONGEST_WAIT, place.wait * 2 or 0.1)
        self.log.error(
            "worker {number} cannot serve ({how}) and is tried again in {wait:.1f} s",
            number=place.number,
            how=failure.getErrorMessage(),
            wait=place.wait,
        )
        place.refilling = self._reactor.callLater(place.wait, self._refill, place)

    def _retire(self, worker: WorkerProcess) -> "Deferred[Any]":
        """Drains a worker; fires when it is gone. One that does not leave in time is killed."""
        worker.drain()
        patience = self._reactor.callLater(self._recipe.drain_limit + GRACE, worker.kill)
        gone: Deferred[None] = Deferred()

        def ended(_: object) -> None:
            if patience.active():
                patience.cancel()
            gone.callback(None)

        worker.ended.addCallback(ended)
        return gone

    def stopService(self) -> "Deferred[Any]":
        """Drains all; fires when no process is left."""
        super().stopService()
        self._stopping = True
        for place in self._places:
            if place.refilling is not None:
                place.refilling.cancel()
                place.refilling = None
        if not self._processes:
            return succeed(None)
        return DeferredList([self._retire(worker) for worker in self._processes])

    def kill(self) -> None:
        """Ends all of them now."""
        self._stopping = True
        for worker in set(self._processes):
            worker.kill()
