"""Folding the log into the catalog's file while others go on: it waits for the disk, and inside a commit everybody would wait with it."""

import logging
import sqlite3
from contextlib import closing
from threading import Event, Lock, Thread

from gecko_tw.store.drivers.sqlite.commits import Commits
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.refusals import InsufficientStorage

log = logging.getLogger(__name__)

TURNS = 1000
"""Transactions of this process from one folding to the next."""

LONG_LOG = 8000
"""Pages that the log may have before it is started anew."""

_FOLD = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """The thread that folds. It is started by the first transaction that makes it worth while.

    Most pages are folded beside the writers. They only wait while the rest of a long log is, so that it starts anew.
    """

    def __init__(self, connections: Connections, commits: Commits) -> None:
        self._connections, self._commits = connections, commits
        self._turns = 0
        self._due, self._closing, self._lock = Event(), False, Lock()
        self._thread: Thread | None = None

    def turned(self) -> None:
        """A transaction has ended."""
        self._turns += 1
        if self._turns >= TURNS:
            self._turns = 0
            self._due.set()
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing:
                self._thread = Thread(target=self._work, name="checkpoints", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        with closing(self._connections.apart()) as connection:
            while self._due.wait() and not self._closing:
                self._due.clear()
                try:
                    self._fold(connection)
                except (sqlite3.Error, InsufficientStorage) as error:
                    # The log grows meanwhile, and whoever commits meets the same trouble.
                    log.warning("the log could not be folded into the catalog: %s", error)

    def _fold(self, connection: sqlite3.Connection) -> None:
        _, pages, _ = connection.execute(_FOLD).fetchone()
        if pages > LONG_LOG:  # nobody adds to it while a step holds the lock
            self._commits.run(lambda transaction: connection.execute(_FOLD).fetchone())

    def close(self) -> None:
        """Waits until the thread is done. Harmless when repeated."""
        with self._lock:
            self._closing = True
            thread, self._thread = self._thread, None
        self._due.set()
        if thread is not None:
            thread.join()
