"""Whether this process answers, and whether it can do its work: to anybody, however busy it is."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gecko_tw.pools import IPool
from gecko_tw.resources.pipeline import serve_health
from gecko_tw.resources.service import Service
from gecko_tw.wire.head import Head

FRESH = 1.0
"""Seconds that a look at the disk is good for."""

PATIENCE = 3.0
"""Seconds that the disk may take to show that it is there."""

LIVE = {b"/health": b"OK", b"/minio/health/live": b""}
"""Places that tell whether the process answers at all, and with what body."""

READY = {
    b"/health/ready": b"OK",
    b"/minio/health/ready": b"",
    b"/minio/health/cluster": b"",
    b"/minio/health/cluster/read": b"",
}
"""Places that tell whether it can read and write, too."""

_PLACES = LIVE | READY

_log = Logger()


def asks_health(head: Head) -> bool:
    """Whether a request is one for health: whatever is signed, or has a query, means a bucket or an object."""
    return (
        head.path in _PLACES
        and head.method in ("GET", "HEAD")
        and not head.query
        and b"authorization" not in head.headers
    )


class Readiness:
    """What the disk showed last. One thread looks at a time, so that a disk that hangs takes no more than one.

    :param look: looks at the disk; blocks, and raises OSError when it cannot be used.
    :param clock: an IReactorTime.
    """

    def __init__(self, look: Callable[[], None], pool: IPool, clock: Any) -> None:
        self._look, self._pool, self._clock = look, pool, clock
        self._ready, self._until = True, 0.0
        self._looking = False
        self._waiting: list[Deferred[bool]] = []
        self._patience: Any = None

    def ask(self) -> "Deferred[bool]":
        """Fires with whether the disk can be used, within PATIENCE."""
        if self._clock.seconds() < self._until:
            return succeed(self._ready)
        answer: Deferred[bool] = Deferred()
        self._waiting.append(answer)
        if self._patience is None:
            self._patience = self._clock.callLater(PATIENCE, self._late)
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
        self._tell(False, f"it does not answer within {PATIENCE:.0f} s")

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


class HealthResource(Resource):
    """One of those places."""

    isLeaf = True
    renders_at_head = True

    def __init__(self, service: Service, path: bytes) -> None:
        super().__init__()
        self._service, self._path = service, path

    def render(self, request: Any) -> int:
        readiness = self._service.readiness if self._path in READY else None
        body = _PLACES[self._path]
        if readiness is None:
            serve_health(self._service, request, True, body)
        else:
            readiness.ask().addCallback(lambda ready: serve_health(self._service, request, ready, body))
        return NOT_DONE_YET
