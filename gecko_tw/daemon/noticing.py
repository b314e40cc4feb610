"""What others change in the data directory is taken over soon: the watches' events are drained and looked at a few times a second.

Nobody wakes up for each event: the first one begins a pause, and what has come by its end is taken together.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.daemon.scanning import Scan
from gecko_tw.pools import IPool, Pool
from gecko_tw.store.drivers.files.noticing import Changes

PAUSE = 0.2
"""Seconds from an event until it is drained, and again until its place is looked at: by then a file has its last name and time."""
HURRY = 0.05
"""The same when the queue of events was crowded."""
LONGEST_REST = 60.0
MOST_FILES = 100_000
"""So many files wait to be looked at; when there are more, everything is looked through instead."""


@implementer(IReadDescriptor)
class Noticing(Service):
    """The noticing of one data directory. To the reactor it is what can be read when something happens.

    :param pool: where places are looked at.
    :param scan: looks through all of them, after events were lost.
    """

    log = Logger()

    def __init__(self, reactor: Any, data: DataDir, pool: IPool, scan: Scan) -> None:
        self._reactor, self._data, self._pool, self._scan = reactor, data, pool, scan
        self._driver: Any = data.driver
        self._drains = Pool(reactor, "noticing", 1)
        self._changes = Changes()
        self._large: list[bytes] = []
        self._waiting: set[Deferred[None]] = set()
        self._busy: dict[str, Deferred[None]] = {}

    async def begin(self) -> None:
        """Watches the top of the data directory. From now on scans watch whatever they look through."""
        if self._data.has_files:
            self.startService()
            if await self._drains.run(self._driver.tree_watch.begin):
                self._begin("events", self._follow)

    def stopService(self) -> "Deferred[Any]":
        """Fires when no thread looks at anything any more."""
        super().stopService()
        for waiting in set(self._waiting):
            waiting.cancel()
        return DeferredList(list(self._busy.values())).addCallback(lambda _: self._drains.stopService())

    def _begin(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Works, unless that is under way."""
        if self.running and name not in self._busy:
            self._busy[name] = ended = Deferred()
            working = Deferred.fromCoroutine(work())
            working.addErrback(self._failed)
            working.addCallback(lambda _: self._busy.pop(name) and ended.callback(None))

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.log.failure("what others changed is found by the next scan: it could not be looked at", failure)

    async def _wait(self, waiting: "Deferred[None]") -> None:
        """Raises CancelledError at the end of the service."""
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    async def _follow(self) -> None:
        watch = self._driver.tree_watch
        fresh = Changes()
        while self.running and self.fileno() >= 0:
            if not fresh:
                await self._wait(self._event())
            await self._wait(deferLater(self._reactor, HURRY if watch.crowded else PAUSE))
            self._changes.add(fresh)
            if len(self._changes.files) > MOST_FILES:
                self._changes = Changes(lost=True)
            fresh = await self._drains.run(watch.drain)
            if self._changes.lost:
                self._begin("all", self._look_through)
            elif self._changes:
                self._begin("places", self._look)

    def _event(self) -> "Deferred[None]":
        """Fires when there is one."""
        self._happened: Deferred[None] = Deferred(lambda _: self._reactor.removeReader(self))
        self._reactor.addReader(self)
        return self._happened

    def fileno(self) -> int:
        return self._driver.tree_watch.fileno()  # type: ignore[no-any-return]

    def doRead(self) -> None:
        self._reactor.removeReader(self)
        self._happened.callback(None)

    def logPrefix(self) -> str:
        return "noticing"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor ends."""

    async def _look(self) -> None:
        while self._changes and self.running:
            changes, self._changes = self._changes, Changes()
            progress = await self._pool.run(self._driver.take, changes, self._is_over)
            if progress.changed:
                self.log.debug("{count} files of others are noticed", count=progress.changed)
            self._large += progress.large
            if self._large:
                self._begin("large", self._look_at_large)

    async def _look_at_large(self) -> None:
        while self._large and self.running:
            files, self._large = self._large, []
            await self._and_rest(self._driver.take_large, files, self._is_over)

    async def _look_through(self) -> None:
        while self._changes.lost and self.running:
            self._changes = Changes()
            await self._and_rest(self._scan)

    async def _and_rest(self, look: Callable[..., object], *arguments: Any) -> None:
        """What takes long gives way to others for as long again: a large file may be changed as fast as it can be read."""
        begin = self._reactor.seconds()
        await self._pool.run(look, *arguments)
        await self._wait(deferLater(self._reactor, min(self._reactor.seconds() - begin, LONGEST_REST)))

    def _is_over(self) -> bool:
        """Asked in threads."""
        return not self.running
