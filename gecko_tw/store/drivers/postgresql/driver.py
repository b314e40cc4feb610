"""The driver put together: records in PostgreSQL, and bytes there or in a directory that all nodes share."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from zope.interface import implementer

from gecko_tw.store.drivers.claiming import IClaiming
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.interfaces import IDriver, ILeases
from gecko_tw.store.drivers.layouts import SHARED_MARK
from gecko_tw.store.drivers.postgresql.addresses import place_of
from gecko_tw.store.drivers.postgresql.blobs import PostgresqlBlobs
from gecko_tw.store.drivers.postgresql.buckets import BucketRows
from gecko_tw.store.drivers.postgresql.catalog import PostgresqlCatalog, SideBySide
from gecko_tw.store.drivers.postgresql.connections import MOST, Connections
from gecko_tw.store.drivers.postgresql.documents import PostgresqlDocuments, PostgresqlNotices
from gecko_tw.store.drivers.postgresql.leases import Lease
from gecko_tw.store.drivers.postgresql.migrations import WrongSchema, prepare
from gecko_tw.store.drivers.postgresql.places import Target, bytes_of
from gecko_tw.store.drivers.postgresql.watch import Watch
from gecko_tw.store.refusals import ServiceUnavailable

LOCAL = "postgresql:"
"""``--catalog`` without an address: that of DATABASE_URL, or of libpq's own variables; ``--blobs`` in the catalog's database."""

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'geckos3' AND pid <> ALL(%s::int[])"
)

_LEAVING = 3.0
"""Seconds in which the database notices that a process has ended."""

_OLDEST = 130_000
"""PostgreSQL 13 and later, as the server tells its version."""


class Away:
    """As the damage of other drivers: that the database, or what keeps the bytes, does not answer. Nothing here can be mended by a start.

    :param bytes_away: why what keeps the bytes cannot be used, or nothing.
    """

    def __init__(self, connections: Connections, bytes_away: Callable[[], str]) -> None:
        self._connections, self._bytes_away = connections, bytes_away

    def noticed(self, problem: BaseException) -> bool:
        """Whether an error means that the database is away, which has been told already."""
        return isinstance(problem, ServiceUnavailable)

    @property
    def text(self) -> str | None:
        """Why it cannot be used, or None."""
        try:
            self._connections.read("SELECT 1")
        except ServiceUnavailable:
            return self._connections.away or "it does not answer"
        return self._bytes_away() or None


@implementer(IDriver, ILeases, IClaiming)
class PostgresqlDriver:
    """One deployment, as one process uses it. Between :meth:`open` and :meth:`close` it has a ``catalog`` (ICatalog), ``blobs`` (IBlobs,
    IPurging), ``documents`` (IDocuments) and ``notices`` (INotices).

    :param data_dir: a directory of this node's own, in which nothing is that must last.
    :param catalog: the database's address (libpq, "Connection Strings"), or ``postgresql:``.
    :param blobs: as of ``--blobs``.
    :param s3_target: as of ``--s3-target``.
    :param connections: of this process, at most.
    """

    catalog: PostgresqlCatalog
    blobs: PostgresqlBlobs
    documents: PostgresqlDocuments
    notices: PostgresqlNotices

    def __init__(
        self,
        data_dir: str,
        *,
        catalog: str,
        blobs: str = LOCAL,
        s3_target: Sequence[Target | None] = (),
        connections: int = MOST,
    ) -> None:
        self.data_dir = data_dir
        address = os.environ.get("DATABASE_URL", "") if catalog == LOCAL else catalog
        self._place = place_of(address)
        try:
            self._connections = Connections(address, connections)
        except psycopg.ProgrammingError as problem:
            raise ValueError(f"{self._place}: {_line(problem)}") from None
        self._make_bytes = bytes_of(blobs, s3_target)
        self._bytes: Any = None
        self.damage = Away(self._connections, lambda: self._bytes.away if self._bytes is not None else "")
        self._watch = Watch(self._connections)
        self._together = SideBySide()
        self._lease = Lease(self._connections, "jobs")

    def open(self) -> None:
        """Makes the tables where there are none. Raises OSError, ValueError and RuntimeError with a line for the user."""
        try:
            self._prepare()
            self._mark()
            self._watch.start()
            self._assemble()
        except psycopg.Error as problem:
            raise RuntimeError(f"{self._place} cannot be used: {_line(problem)}") from problem
        except WrongSchema as problem:
            raise WrongSchema(f"{self._place}: {problem}") from problem
        except ServiceUnavailable as problem:
            raise RuntimeError(f"{self._place} cannot be used: {self._connections.away}") from problem

    def _mark(self) -> None:
        """Says in the data directory that its records are elsewhere. Where there is none, as for commands, none is needed."""
        if os.path.isdir(self.data_dir):
            inner = os.path.join(self.data_dir, os.fsdecode(INNER))
            os.makedirs(inner, exist_ok=True)
            with open(os.path.join(inner, SHARED_MARK), "w", encoding="utf-8"):
                pass

    def _prepare(self) -> None:
        with self._connections.connect() as connection:
            if connection.info.server_version < _OLDEST:
                raise WrongSchema("PostgreSQL 13 or newer is needed")
            prepare(connection)

    def _assemble(self) -> None:
        self._bytes = self._make_bytes(self._connections)
        try:
            self._bytes.check()
        except ServiceUnavailable as problem:
            if not self._bytes.away:
                raise
            raise RuntimeError(f"--blobs: cannot be used: {self._bytes.away}") from problem
        self.blobs = PostgresqlBlobs(self._connections, self._bytes)
        self.catalog = PostgresqlCatalog(
            self._connections, BucketRows(self._connections, self._watch), self.blobs, self._together
        )
        self.documents = PostgresqlDocuments(self._connections, self._watch)
        self.notices = PostgresqlNotices(self._connections)

    def leads(self) -> bool:
        return self._lease.holds()

    def leave(self) -> None:
        with suppress(ServiceUnavailable):  # then it ends by itself
            self._lease.leave()

    def claim(self) -> None:
        """See IClaiming. Whoever is connected through a pooler may be taken for another; who is just leaving is waited for."""
        until = time.monotonic() + _LEAVING
        while others := self._connections.read(_OTHERS, (sorted(self._connections.pids),))[0][0]:
            if time.monotonic() < until:
                time.sleep(0.1)
                continue
            raise RuntimeError(
                f"{self._place} is in use by {others} connections of other processes: stop every node first"
            )

    def flush(self) -> bool:
        """The database has made everything durable before a step returned."""
        return False

    def close(self) -> None:
        """Harmless when repeated."""
        self.leave()
        self._watch.close()
        self._together.close()
        if self._bytes is not None:
            self._bytes.close()
        self._connections.close()


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split())
