"""Delivery of events: in order for each destination, again and again until each is taken."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from attrs import define
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.jobs.interfaces import INotificationSink
from gecko_tw.pools import IPool
from gecko_tw.store.delivery_errors import forget_error, note_error
from gecko_tw.store.drivers.interfaces import IDocuments, INotices
from gecko_tw.store.records import Json
from gecko_tw.store.rules.listeners import TARGET

INTERVAL = 0.5
"""Seconds between looks for new events."""
LONGEST_WAIT = 60.0
"""Seconds between two tries, at most."""
GIVEN_UP = 7 * 24 * 3600.0
"""Seconds after which an event that nobody takes is forgotten."""
AT_ONCE = 100
UNHEARD = 300.0
"""Seconds after which events are forgotten that whoever listens has not been given."""


@define(eq=False)
class _Line:
    """One destination.

    :ivar running: whether its events are being delivered now.
    :ivar wait: seconds before the next try, after a failure.
    :ivar clean: whether no error is noted of it.
    """

    running: bool = False
    wait: float = 0.0
    not_before: float = 0.0
    clean: bool = False


class Delivery(Service):
    """Delivers what waits.

    :param clock: an IReactorTime.
    :param pool: where the queue is read; it may block.
    :param noticed: asked about what reading raised; whether that has been told already.
    :param documents: where the last error of a destination is noted for whoever looks, or None.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        pool: IPool,
        notices: INotices,
        sinks: Sequence[INotificationSink],
        noticed: Callable[[BaseException], bool] = lambda problem: False,
        documents: IDocuments | None = None,
    ) -> None:
        self.setName("notifications")
        self._documents = documents
        self._clock, self._pool, self._notices, self._sinks = clock, pool, notices, sinks
        self._noticed = noticed
        self._lines: dict[str, _Line] = {}
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock
        self._under_way: set[Deferred[None]] = set()
        self._swept: dict[str, float] = {}

    def startService(self) -> None:
        super().startService()
        self._loop.start(INTERVAL, now=False)

    def stopService(self) -> "Deferred[Any]":  # of whatever was sent
        """Fires when what is being sent was taken or given up; the rest waits for the next start."""
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        for each in list(self._under_way):
            each.cancel()
        return gatherResults(list(self._under_way), consumeErrors=True) if self._under_way else succeed(None)

    def _look(self) -> "Deferred[None]":
        return self._pool.run(self._notices.targets).addCallbacks(self._begin, self._unread)

    def _unread(self, failure: Failure) -> None:
        if failure.value is None or not self._noticed(failure.value):
            self.log.failure("the queue of events cannot be read", failure)

    def _begin(self, targets: Sequence[str]) -> None:
        for target in targets:
            if target.startswith(TARGET):
                self._forget_unheard(target)
                continue
            line = self._lines.setdefault(target, _Line())
            if not line.running and self._clock.seconds() >= line.not_before and self.running:
                line.running = True
                sending = Deferred.fromCoroutine(self._send_all(target, line))
                self._under_way.add(sending)
                sending.addErrback(self._broken, target).addBoth(self._ended, sending, line)

    def _forget_unheard(self, target: str) -> None:
        """What a listener has not taken goes when nobody serves that any more."""
        if self._clock.seconds() >= self._swept.get(target, 0.0):
            self._swept = {name: due for name, due in self._swept.items() if due > self._clock.seconds()}
            self._swept[target] = self._clock.seconds() + UNHEARD
            forgetting = self._pool.run(forget_before, self._notices, target, self._clock.seconds() - UNHEARD)
            forgetting.addErrback(self._unread)

    def _broken(self, failure: Failure, target: str) -> None:
        if not failure.check(CancelledError):
            self.log.failure("{target}: delivery failed and is tried again", failure, target=target)
            self._delay(target, self._lines[target])

    def _ended(self, result: object, sending: "Deferred[None]", line: _Line) -> None:
        self._under_way.discard(sending)
        line.running = False

    async def _send_all(self, target: str, line: _Line) -> None:
        """Delivers what waits for a destination, until one is not taken."""
        sink = next((sink for sink in self._sinks if sink.takes(target)), None)
        while self.running:
            waiting = await self._pool.run(self._notices.waiting, target, AT_ONCE)
            if not waiting:
                return
            for number, event in waiting:
                if not self.running:
                    return
                if not await self._sent(sink, target, number, event):
                    self._delay(target, line)
                    if not self._too_old(target, event):
                        return
                else:
                    line.wait = 0.0
                await self._pool.run(self._notices.drop, [number])

    async def _sent(self, sink: Json, target: str, number: int, event: dict[str, Json]) -> bool:
        if sink is None:
            self.log.error("{target}: nothing delivers there any more; its events wait", target=target)
            return False
        try:
            await sink.deliver(target, body_of(number, event))
        except OSError as problem:
            self.log.warn("{target}: an event was not taken: {problem}", target=target, problem=str(problem))
            if self._documents is not None:
                at = f"{datetime.fromtimestamp(self._clock.seconds(), UTC):%Y-%m-%dT%H:%M:%SZ}"
                await self._pool.run(note_error, self._documents, target, at, str(problem))
            return False
        line = self._lines[target]
        if self._documents is not None and (line.wait or not line.clean):
            await self._pool.run(forget_error, self._documents, target)
            line.clean = True
        return True

    def _too_old(self, target: str, event: dict[str, Json]) -> bool:
        """Whether an event has waited so long that it is given up: a receiver that is gone must not fill the disk."""
        moment = _moment(event)
        if self._clock.seconds() - moment < GIVEN_UP:
            return False
        at = datetime.fromtimestamp(moment, UTC)
        self.log.error("{target}: an event of {moment} was never taken and is given up", target=target, moment=at)
        return True

    def _delay(self, target: str, line: _Line) -> None:
        line.wait = min(LONGEST_WAIT, line.wait * 2 or 1.0)
        line.not_before = self._clock.seconds() + line.wait


def forget_before(notices: INotices, target: str, moment: float) -> None:
    """Forgets the events of a listener that happened before a moment, in seconds since 1970. Blocks."""
    while waiting := notices.waiting(target, AT_ONCE):
        old = [number for number, event in waiting if _moment(event) < moment]
        notices.drop(old)
        if len(old) < AT_ONCE:
            return


def _moment(event: Mapping[str, Json]) -> float:
    return datetime.fromisoformat(event.get("eventTime") or event["Time"]).timestamp()


def body_of(number: int, event: dict[str, Json]) -> bytes:
    """The document that a destination gets: one record with its sequencer, or a test event as it is."""
    if "s3" not in event:
        return json.dumps(event).encode()
    return json.dumps({**summary_of(event), "Records": [record_of(number, event)]}).encode()


def summary_of(event: Mapping[str, Json]) -> dict[str, Json]:
    """What MinIO's receivers look at, above the records: the event and the key behind its bucket."""
    s3 = event["s3"]
    return {
        "EventName": f"s3:{event['eventName']}",
        "Key": f"{s3['bucket']['name']}/{unquote_plus(s3['object']['key'])}",
    }


def record_of(number: int, event: Mapping[str, Json]) -> dict[str, Json]:
    """An event with its sequencer, which is its place among all."""
    s3 = event["s3"]
    return {**event, "s3": {**s3, "object": {**s3["object"], "sequencer": f"{number:016X}"}}}
