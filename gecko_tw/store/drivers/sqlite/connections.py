"""Connections to the catalog's file: one for each thread, made when first used, all closed together."""

import os
import sqlite3
import threading
from collections.abc import Callable
from importlib.resources import files
from typing import Protocol
from weakref import WeakSet

SCHEMA_VERSION = 4
LOG_PAGES = 4000
"""Pages of 4 KiB in the log before they are folded into the file, which waits for the disk while everybody waits for it."""

BUSY_SECONDS = 30
SMALL_CATALOG = 64 * 1024 * 1024
"""Bytes of a catalog that is read through at every start: it takes 60 ms."""

# The triggers of the schema keep the table "revision": no change can forget to tell.
_TELLING = "CREATE TEMP TRIGGER telling AFTER UPDATE ON main.revision BEGIN SELECT told(); END"

UPGRADES: dict[int, str] = {1: "documents.sql", 2: "undo.sql", 3: "lookups.sql"}
"""From a schema version to the name of the SQL file that makes the next one of it."""


class CatalogTooNew(RuntimeError):
    """The catalog was written by a newer gecko_tw."""


class CatalogDamaged(RuntimeError):
    """The catalog cannot be used as it is."""


class _Kept:
    """What a thread holds: it closes its connection when the thread is gone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Connected(Protocol):
    """Whoever has a connection for the calling thread."""

    def mine(self) -> sqlite3.Connection:
        """That connection."""


Execute = Callable[..., sqlite3.Cursor]
"""The method of a connection, or of a transaction on it."""


class Connections:
    """Hands each thread its own connection.

    :param path: the catalog's file; it must exist (:func:`make`).
    :param fsync: whether a commit waits for the disk.
    :param log_pages: how long the log may grow before a commit folds it into the file.
    :ivar told: called when a statement changes a bucket or a document, before that is committed.
    """

    def __init__(self, path: str, fsync: bool, log_pages: int = LOG_PAGES) -> None:
        self._path = path
        self._log_pages = log_pages
        self._synchronous = "FULL" if fsync else "NORMAL"
        self._lock = threading.Lock()
        self.told: Callable[[], None] | None = None
        self._reset()

    def _reset(self) -> None:
        self._local = threading.local()
        self._all: WeakSet[_Kept] = WeakSet()

    def mine(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        try:
            kept: _Kept = self._local.kept
        except AttributeError:
            kept = self._local.kept = _Kept(self._connect())
            with self._lock:
                self._all.add(kept)
        return kept.connection

    def apart(self) -> sqlite3.Connection:
        """A connection that is the caller's to close, whichever thread uses it."""
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {self._log_pages}")
        connection.create_function("told", 0, self._tell)
        connection.execute(_TELLING)
        return connection

    def _tell(self) -> None:
        if self.told is not None:
            self.told()

    def close(self) -> None:
        """Closes every thread's connection; the last one to leave folds the log into the file."""
        with self._lock:
            for kept in self._all:
                kept.connection.close()
            self._reset()


def connect(path: str) -> sqlite3.Connection:
    """A connection to an existing catalog. Raises sqlite3.OperationalError when there is none."""
    connection = sqlite3.connect(
        f"file:{quoted(path)}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # the closing thread is another one
        cached_statements=64,
    )
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def connect_to_read(path: str) -> sqlite3.Connection:
    """A connection that changes nothing, for any thread. Raises sqlite3.OperationalError when there is no catalog."""
    return sqlite3.connect(
        f"file:{quoted(path)}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def make(path: str, more: str = "") -> None:
    """Makes an empty catalog under a temporary name and renames it, so that nobody ever sees half a schema.

    :param more: SQL of further tables.
    """
    fresh = f"{path}.{os.getpid()}.new"
    write_empty(fresh, more)
    try:
        os.link(fresh, path)
    except FileExistsError:  # another process was quicker, and may be using it already
        return
    finally:
        os.unlink(fresh)


def write_empty(path: str, more: str = "") -> None:
    """Writes a catalog with empty tables to a new file."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN;{_sql('schema.sql')}{''.join(map(_sql, UPGRADES.values()))}{more}COMMIT;")
    finally:
        connection.close()


def damage(path: str, thorough: bool) -> str | None:
    """What is wrong with a catalog's file, or None.

    :param thorough: whether all of it is read (``PRAGMA quick_check``): about a second for each gigabyte.
    """
    try:
        connection = connect(path)
        try:
            if thorough or os.path.getsize(path) <= SMALL_CATALOG:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    return str(found)
            connection.execute("SELECT 1 FROM bucket, version LIMIT 1").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as problem:
        return str(problem)
    return None


def upgrade(path: str) -> None:
    """Brings an older catalog up to date, step by step, each one a transaction. Raises CatalogTooNew, sqlite3.DatabaseError."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("COMMIT")
        while version < SCHEMA_VERSION:
            if version not in UPGRADES:
                raise sqlite3.DatabaseError(f"there is no schema version {version}")
            connection.executescript(f"BEGIN IMMEDIATE;{_sql(UPGRADES[version])}COMMIT;")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise CatalogTooNew(f"{path} has schema version {version}; this gecko_tw knows up to {SCHEMA_VERSION}")
    finally:
        connection.close()


def _sql(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
