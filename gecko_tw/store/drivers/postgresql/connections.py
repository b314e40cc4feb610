"""Connections to the database: a few for each process, made when they are needed, and nothing that lasts in any of them.

Every statement is a transaction of its own unless several are sent together, none is prepared, and no session has a setting: a pooler that
hands connections from transaction to transaction (pgbouncer) may stand between.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from gecko_tw.store.refusals import InsufficientStorage, ServiceUnavailable, SlowDown

log = logging.getLogger(__name__)

MOST = 16
"""Connections of a process, at most."""

TIMEOUT = 10.0
"""Seconds that a statement waits for a free connection."""

PAUSE = 0.25
"""Seconds after a failure to connect in which nobody tries again: whoever asks then is refused at once."""

_DEFAULTS = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 10, "application_name": "geckos3"}

# What the user, the database or the pooler says when it is not there, or not able to write, just now.
_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.ReadOnlySqlTransaction,
    errors.QueryCanceled,
)
RACED = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
"""Somebody else was faster: nothing was written, and the step is to be begun again."""

_FULL = (errors.DiskFull,)

# Any: the values of a row's columns.
Row = tuple[Any, ...]
Parameters = Sequence[Any] | dict[str, Any]
T = TypeVar("T")


def new_revision() -> int:
    """A random number that nobody has used."""
    return random.getrandbits(63)


class Connections:
    """The connections of one process.

    :param address: a connection string (libpq, "Connection Strings").
    :param most: how many at most.
    :ivar pids: the server's numbers of all connections so far.
    :ivar trips: round trips to the database so far, those that only connect apart.
    """

    def __init__(self, address: str, most: int = MOST) -> None:
        self._arguments: dict[str, Any] = {**_DEFAULTS, **conninfo_to_dict(address)}
        self._lock = Lock()
        self._idle: list[psycopg.Connection] = []
        self._free = BoundedSemaphore(most)
        self._not_before = 0.0
        self._away = ""
        self._closed = False
        self.pids: set[int] = set()
        self.trips = 0

    def connect(self) -> psycopg.Connection:
        """A new connection that is the caller's own. Raises psycopg.OperationalError."""
        made = psycopg.connect(**self._arguments, autocommit=True, prepare_threshold=None)
        self.pids.add(made.info.backend_pid)
        return made

    def run(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """The rows of a statement. Raises ServiceUnavailable, InsufficientStorage, and what of :data:`RACED` has come between."""
        return self._with(lambda connection: _rows(connection, statement, parameters))

    def read(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """As :meth:`run`, of a statement that changes nothing: it is asked again where the connection turns out to be lost."""
        try:
            return self.run(statement, parameters)
        except ServiceUnavailable:
            self._drop_idle()
            return self.run(statement, parameters)

    def run_all(self, statements: Sequence[tuple[str, Parameters]]) -> list[Row]:
        """The rows of the last of several statements that are one transaction and are sent together."""

        def work(connection: psycopg.Connection) -> list[Row]:
            with connection.pipeline(), connection.transaction():
                cursors = [connection.execute(text.encode(), values, binary=True) for text, values in statements]
            return list(cursors[-1].fetchall())

        return self._with(work)

    def _with(self, work: Callable[[psycopg.Connection], T]) -> T:
        if not self._free.acquire(timeout=TIMEOUT):
            raise SlowDown("All connections to the database are in use.")
        try:
            connection = self._take()
            self.trips += 1
            try:
                found = work(connection)
            except RACED:
                self._put(connection)
                raise
            except _FULL as problem:
                self._put(connection)
                raise InsufficientStorage from problem
            except _AWAY as problem:
                _close(connection)
                self._drop_idle()
                raise self._told(problem) from problem
            except BaseException:
                _close(connection)
                raise
            self._put(connection)
            return found
        finally:
            self._free.release()

    def _take(self) -> psycopg.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        if time.monotonic() < self._not_before:
            raise ServiceUnavailable
        try:
            connection = self.connect()
        except psycopg.OperationalError as problem:
            self._not_before = time.monotonic() + PAUSE
            raise self._told(problem) from problem
        if self._away:
            log.info("the database answers again")
            self._away = ""
        return connection

    def _put(self, connection: psycopg.Connection) -> None:
        with self._lock:
            if not self._closed and not connection.closed:
                self._idle.append(connection)
                return
        _close(connection)

    def _told(self, problem: Exception) -> ServiceUnavailable:
        """The refusal. That the database is away is logged once."""
        why = " ".join(str(problem).split())
        if not self._away:
            log.error("the database does not answer: %s", why)
        self._away = why or type(problem).__name__
        return ServiceUnavailable()

    @property
    def away(self) -> str:
        """Why the database could not be used last; empty while it can."""
        return self._away

    def _drop_idle(self) -> None:
        """Where one connection was lost the others are, too, or soon will be."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            _close(one)

    def close(self) -> None:
        """Closes those that nobody uses, and the others when they are given back."""
        self._closed = True
        self._drop_idle()


def _rows(connection: psycopg.Connection, statement: str, parameters: Parameters) -> list[Row]:
    cursor = connection.execute(statement.encode(), parameters, binary=True)
    return cursor.fetchall() if cursor.description is not None else []


def _close(connection: psycopg.Connection) -> None:
    with suppress(psycopg.Error):
        connection.close()
