"""What this process remembers of documents and buckets, and how it hears that it is true no longer.

A thread listens to what other nodes change (LISTEN), and asks for the number of the last change several times a second all the same: where
a pooler swallows what is told, or the connection is lost, that is how long something stale can be believed. When the number could not be
asked for longer than :data:`FRESH`, nothing that is remembered counts.
"""

import logging
import os
import select
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Any

import psycopg

from gecko_tw.store.drivers.postgresql.connections import Connections, Row
from gecko_tw.store.refusals import ServiceUnavailable

log = logging.getLogger(__name__)

CHANNEL = "geckos3"
TELL = f"pg_notify('{CHANNEL}', '')"

POLL = 0.25
"""Seconds between two questions for the number of the last change."""

FRESH = 1.0
"""Seconds that an answer is good for, counted from when it was asked for."""

_CHANGED = (
    "SELECT revision.value, document.kind, document.name, document.revision, document.value"
    " FROM revision LEFT JOIN document ON document.revision > %s"
)

Place = tuple[str, bytes]


class Watch:
    """The documents of a deployment in memory, and the number of the last change of documents and buckets.

    :param connections: where a change is asked for that this process made.
    :param clock: seconds, of any beginning.
    """

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.monotonic) -> None:
        self._connections, self._clock = connections, clock
        self._lock = Lock()
        self._revision = 0
        self._asked = float("-inf")
        self._waiting_since = float("inf")
        self._documents: dict[Place, tuple[int, str]] = {}
        self._buckets: dict[str, tuple[int, Any]] = {}
        self._ending = Event()
        self._thread: Thread | None = None
        self._wake = -1

    def start(self) -> None:
        """Reads everything, and goes on in a thread. Raises ServiceUnavailable."""
        self.pull()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = Thread(target=self._follow, name="geckos3-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Harmless when repeated."""
        self._ending.set()
        if self._thread is not None:
            os.eventfd_write(self._wake, 1)
            self._thread.join()
            self._thread = None
            os.close(self._wake)

    def pull(self) -> None:
        """Asks for what has changed. Blocks. Raises ServiceUnavailable."""
        asked, known = self._clock(), self._revision
        self._take(asked, self._connections.read(_CHANGED, (known,)))

    def _take(self, asked: float, lines: list[Row]) -> None:
        revision = lines[0][0]
        with self._lock:
            for _, kind, name, changed, value in lines:
                if kind is not None and self._documents.get((kind, name), (0, ""))[0] < changed:
                    self._documents[kind, name] = (changed, value or "")
            self._revision = max(self._revision, revision)
            self._asked = max(self._asked, asked)

    @property
    def revision(self) -> int:
        """The number of the last change. Takes a microsecond, and a question when the thread did not come to ask in time.

        Raises ServiceUnavailable when it is not known any more, at once where the thread has been waiting for an answer for long.
        """
        if self._clock() - self._asked > FRESH:
            if self._clock() - self._waiting_since > FRESH / 2:
                raise ServiceUnavailable
            self.pull()
        return self._revision

    @property
    def is_fresh(self) -> bool:
        """Whether what is remembered counts."""
        return self._clock() - self._asked <= FRESH

    def document(self, kind: str, name: bytes) -> str:
        """The text of a document; empty when there is none. Raises ServiceUnavailable."""
        self.revision  # noqa: B018 - raises
        return self._documents.get((kind, name), (0, ""))[1]

    def documents(self, kind: str) -> list[tuple[bytes, str]]:
        """Name and text of all documents of a kind, by name. Raises ServiceUnavailable."""
        self.revision  # noqa: B018 - raises
        with self._lock:
            found = [(name, text) for (each, name), (_, text) in self._documents.items() if each == kind and text]
        return sorted(found)

    # Any: buckets.Bucket, which is above this.
    def bucket(self, name: str) -> Any:
        """What was remembered of a bucket since the last change, or None."""
        known = self._buckets.get(name)
        return known[1] if known is not None and known[0] == self._revision and self.is_fresh else None

    # Any: as above.
    def remember(self, revision: int, name: str, bucket: Any) -> None:
        """Keeps what was read of a bucket after the last change had this number."""
        if revision == self._revision:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.clear()
            self._buckets[name] = (revision, bucket)

    @property
    def last(self) -> int:
        """The number of the last change that is known, however long ago."""
        return self._revision

    def forget(self, name: str) -> None:
        """A bucket is not what is remembered."""
        self._buckets.pop(name, None)

    def _follow(self) -> None:
        while not self._ending.is_set():
            try:
                self._waiting_since = self._clock()
                with self._connections.connect() as connection:
                    self._listen(connection)
            except psycopg.Error as problem:
                if not self._ending.is_set():
                    log.warning("what other nodes change is not heard, and asked for again: %s", _line(problem))
            finally:
                self._waiting_since = float("inf")
            self._ending.wait(POLL)

    def _listen(self, connection: psycopg.Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        while not self._ending.is_set():
            asked = self._waiting_since = self._clock()
            rows = connection.execute(_CHANGED, (self._revision,), binary=True).fetchall()
            self._waiting_since = float("inf")
            self._take(asked, rows)
            select.select([connection.fileno(), self._wake], [], [], POLL)
            list(connection.notifies(timeout=0))


MOST_BUCKETS = 4096
"""Buckets that a process remembers."""


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split())
