"""Lines of server access logs on their way: collected in memory for each bucket, and written as objects from time to time.

It is best effort, as on AWS: what a process has collected is lost when it is killed, and what finds no place is dropped, oldest first.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.pools import IPool
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import Refusal

SETTING = "logging"
"""The bucket's setting: ``{"bucket", "prefix", "grants", "format"}``; the last two may be absent."""

FULL = 1024 * 1024
"""Bytes of one bucket's lines that are written at once."""
PLENTY = 8 * FULL
"""Bytes of all buckets' lines together at which all are written."""
KEPT = 4 * FULL
"""Bytes that are kept of one bucket's lines while they cannot be written."""
MOST = 32 * FULL
"""Bytes that are kept at all."""

Place = tuple[str, int]


@define(eq=False)
class Batch:
    """Lines that become one object.

    :ivar record: the bucket that was asked, whose setting says where they go.
    :ivar day: days since 1970 on which all of the requests came.
    :ivar size: bytes of the lines.
    :ivar failed: whether they could not be written before.
    :ivar dropped: how many lines are missing, the oldest ones.
    """

    record: BucketRecord
    day: int
    lines: deque[bytes] = field(factory=deque)
    size: int = 0
    failed: bool = False
    dropped: int = 0

    @property
    def place(self) -> Place:
        """What lines have in common that become one object."""
        return self.record.name, self.day

    @property
    def target(self) -> str:
        """The bucket that they go to."""
        bucket: str = self.record.settings[SETTING]["bucket"]
        return bucket

    def fits(self, record: BucketRecord) -> bool:
        """Whether a line of the bucket, as it is now, goes where these go."""
        old = self.record
        return old is record or (old.owner == record.owner and old.settings[SETTING] == record.settings[SETTING])


class AccessLogs(Service):
    """Collects lines, and has them written one object after the other.

    :param clock: an IReactorTime.
    :param pool: where objects are written; that may block.
    :param write: called with each Batch; raises when it cannot be written.
    :param interval: seconds between two deliveries.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, pool: IPool, write: Callable[[Batch], object], interval: float) -> None:
        self.setName("access logs")
        self._pool, self._write, self._interval = pool, write, interval
        self._collected: dict[Place, Batch] = {}
        self._leaving: deque[Batch] = deque()
        self._fresh = self._held = 0
        self._writing: Batch | None = None
        self._idle: list[Deferred[None]] = []
        self._loop = LoopingCall(self._deliver)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._loop.start(self._interval, now=False)

    def stopService(self) -> "Deferred[None]":
        """Writes what was collected; fires when that is done, or was tried."""
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        self._deliver()
        return self._rest().addCallback(self._tell_lost)

    def add(self, record: BucketRecord, seconds: float, line: bytes) -> None:
        """Takes a line of a bucket that has the setting.

        :param seconds: when the request came, since 1970.
        """
        place = record.name, int(seconds // 86400)
        batch = self._collected.get(place)
        if batch is not None and not batch.fits(record):
            batch = self._redirected(batch, record)
        if batch is None:
            batch = self._collected[place] = Batch(record, place[1])
        size = len(line)
        batch.lines.append(line)
        batch.size += size
        self._held += size
        if batch.failed:
            self._trim(batch)
            return
        self._fresh += size
        if self._held > MOST:
            self._trim(batch)
        if batch.size >= FULL:
            self._hand_over([place])
        elif self._fresh >= PLENTY:
            self._hand_over([one.place for one in self._collected.values() if not one.failed])

    def _redirected(self, batch: Batch, record: BucketRecord) -> Batch | None:
        """What lines that go elsewhere from now on are added to: those that found no place, or None for a new batch."""
        if not batch.failed:
            self._hand_over([batch.place])
        waiting = self._collected.get(batch.place)
        if waiting is not None and waiting.record.owner != record.owner:
            del self._collected[batch.place]
            self._lose(waiting)
            return None
        if waiting is not None:
            waiting.record = record
        return waiting

    def _deliver(self) -> None:
        self._hand_over(list(self._collected))

    def _hand_over(self, places: Iterable[Place]) -> None:
        for place in places:
            batch = self._collected.pop(place)
            if not batch.failed:
                self._fresh -= batch.size
            if batch.lines:
                self._leaving.append(batch)
        self._go_on()

    def _go_on(self) -> None:
        if self._writing is None and self._leaving:
            batch = self._writing = self._leaving.popleft()
            written = self._pool.run(self._write, batch)
            written.addCallbacks(self._written, self._failed, callbackArgs=(batch,), errbackArgs=(batch,))
            written.addCallback(self._ended)
        elif self._writing is None:
            idle, self._idle = self._idle, []
            for waiting in idle:
                waiting.callback(None)

    def _ended(self, _: object) -> None:
        self._writing = None
        self._go_on()

    def _rest(self) -> "Deferred[None]":
        """Fires when nothing is being written."""
        if self._writing is None:
            return succeed(None)
        self._idle.append(Deferred())
        return self._idle[-1]

    def _written(self, _: object, batch: Batch) -> None:
        self._held -= batch.size
        if batch.failed:
            self.log.info(
                "{bucket}: its access log is delivered again, without {count} lines",
                bucket=batch.record.name,
                count=batch.dropped,
            )

    def _failed(self, failure: Failure, batch: Batch) -> None:
        """Keeps the lines until the next delivery. The first failure is told, and then the first line that is lost."""
        if not batch.failed:
            told: dict[str, Any] = {"bucket": batch.record.name, "target": batch.target}
            message = "{bucket}: its access log cannot be written to {target}, and it is tried again"
            if failure.check(Refusal):
                self.log.error(message + ": {why}", why=str(failure.value), **told)
            else:
                self.log.failure(message, failure, **told)
        newer = self._collected.get(batch.place)
        if newer is not None and newer.record.owner != batch.record.owner:
            self._lose(batch)  # a new bucket of that name must not learn of requests to the old one
            return
        if newer is not None:
            if not newer.failed:
                self._fresh -= newer.size
            batch.lines.extend(newer.lines)
            batch.size += newer.size
            batch.dropped += newer.dropped
            batch.record = newer.record
        batch.failed = True
        self._collected[batch.place] = batch
        self._trim(batch)

    def _trim(self, batch: Batch) -> None:
        """Drops the oldest lines where too much is kept."""
        first = batch.dropped == 0
        while batch.lines and ((batch.failed and batch.size > KEPT) or self._held > MOST):
            size = len(batch.lines.popleft())
            batch.size -= size
            self._held -= size
            if not batch.failed:
                self._fresh -= size
            batch.dropped += 1
        if first and batch.dropped:
            self.log.error("{bucket}: lines of its access log are lost, the oldest first", bucket=batch.record.name)

    def _tell_lost(self, _: object) -> None:
        for batch in self._collected.values():
            self._lose(batch)
        self._collected.clear()

    def _lose(self, batch: Batch) -> None:
        """Gives up lines that are collected no more."""
        self._held -= batch.size
        self.log.error(
            "{bucket}: {count} lines of its access log are lost",
            bucket=batch.record.name,
            count=batch.dropped + len(batch.lines),
        )
