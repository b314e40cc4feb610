"""Group commit: steps that arrive together share one transaction, and so the waiting for the disk.

There is no thread for it: whoever arrives first leads, runs everything queued in one transaction and wakes the others.
Between processes a lock file hands the turn on at once, where SQLite by itself would sleep and try again.
"""

import fcntl
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.refusals import InsufficientStorage

LARGEST_BATCH = 64


class Transaction:
    """What a step works with: SQL, and the directories whose entries it changed."""

    __slots__ = ("execute", "executemany", "touched")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.touched: set[bytes] = set()


class _Waiting:
    """A step in the queue. As a context manager it keeps what its block raises, for its owner to raise."""

    __slots__ = ("step", "result", "error", "wake", "leads")

    def __init__(self, step: Callable[[Transaction], Any]) -> None:
        self.step = step
        self.result: Any = None
        self.error: BaseException | None = None
        self.wake: threading.Lock | None = None
        self.leads = False

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None:
            self.error = error
        return True


class Commits:
    """Runs steps, one after the other, in transactions.

    :param lock: the descriptor of a file that all processes of this catalog lock around a transaction.
    :param sync: called with the touched directories before a commit; makes their entries durable when that was asked for.
    """

    def __init__(self, connections: Connections, lock: int, sync: Callable[[set[bytes]], None]) -> None:
        self._connections = connections
        self._lock = lock
        self._sync = sync
        self._mutex = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._led = False

    def run(self, step: Callable[[Transaction], Any]) -> Any:
        """The result of ``step(transaction)``, once it is committed.

        What the step raises rolls back the step alone and is raised here; so is what the commit raises. Raises InsufficientStorage
        when the disk is full. A step may be rolled back and never be told: it must leave the files in a state that can be read.
        """
        mine = _Waiting(step)
        with self._mutex:
            self._queue.append(mine)
            if self._led:
                mine.wake = threading.Lock()
                mine.wake.acquire()
            else:
                self._led = mine.leads = True
        if mine.wake is not None:
            mine.wake.acquire()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise self._told(mine.error)
        return mine.result

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return InsufficientStorage()
        return error

    def _lead(self) -> None:
        with self._mutex:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_BATCH))]
        whole = _Waiting(lambda transaction: None)
        with whole:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                self._commit(self._connections.mine(), batch)
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._hand_on(batch, whole.error)

    def _hand_on(self, batch: list[_Waiting], error: BaseException | None) -> None:
        with self._mutex:
            following = self._queue[0] if self._queue else None
            self._led = following is not None
        if following is not None:
            following.leads = True
            following.wake.release()  # type: ignore[union-attr]
        for waiting in batch:
            waiting.error = waiting.error or error
            if waiting.wake is not None and not waiting.leads:
                waiting.wake.release()

    def _commit(self, connection: sqlite3.Connection, batch: list[_Waiting]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            transaction = Transaction(connection)
            if len(batch) == 1:
                with batch[0]:
                    batch[0].result = batch[0].step(transaction)
                if batch[0].error is not None:
                    return
            else:
                for waiting in batch:
                    _run_alone(connection, transaction, waiting)
            if transaction.touched:
                self._sync(transaction.touched)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _run_alone(connection: sqlite3.Connection, transaction: Transaction, waiting: _Waiting) -> None:
    """Runs a step so that its failure undoes nothing of the others'."""
    connection.execute("SAVEPOINT step")
    with waiting:
        waiting.result = waiting.step(transaction)
    if waiting.error is not None:
        if not connection.in_transaction:  # SQLite has rolled back everything (disk full): the whole batch failed
            raise waiting.error
        connection.execute("ROLLBACK TO step")
    connection.execute("RELEASE step")
