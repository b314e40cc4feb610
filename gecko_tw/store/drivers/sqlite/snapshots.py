"""Copies of a catalog that is in use, each as it was at one moment, by SQLite's backup API."""

import os
import sqlite3
from collections.abc import Callable

from gecko_tw.store.drivers.sqlite.connections import Connections

_PAGES = 256
"""Pages that are copied between two rests: a megabyte."""


def take(connections: Connections, path: str, rest: Callable[[], object] = lambda: None) -> None:
    """Writes a copy to a new file, which has no log beside it and is on the disk when this returns.

    Others read and write meanwhile; what they write is not folded into the catalog until the copy is made.

    :param rest: called after each megabyte; what it raises ends the copy.
    :raises OSError: the file cannot be made.
    :raises sqlite3.Error: the catalog cannot be read, or the disk is full.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    source, target = connections.apart(), sqlite3.connect(path, isolation_level=None)
    try:
        target.execute("PRAGMA synchronous = OFF")
        # While this transaction reads, all pages are those of its beginning: else each commit would begin the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=_PAGES, progress=lambda status, left, pages: rest(), sleep=0)
        target.execute("PRAGMA journal_mode = DELETE")
    except BaseException:
        os.unlink(path)
        raise
    finally:
        target.close()
        source.close()
    _flush(path)


def _flush(path: str) -> None:
    for place, how in ((path, os.O_RDONLY), (os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)):
        descriptor = os.open(place, how)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
