"""What can still be read of the catalog that is being made again. The files count first: this is for what they do not tell."""

import json
import logging
import sqlite3
from typing import Any

from gecko_tw.store.drivers.files.attributes import Description
from gecko_tw.store.drivers.sqlite import connections
from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, Row, version_of
from gecko_tw.store.records import BucketRecord, Version

log = logging.getLogger(__name__)

_NEWEST = (
    f"SELECT {COLUMNS} FROM version WHERE bucket_id = (SELECT id FROM bucket WHERE name = ?) AND key = ?"
    " ORDER BY seq DESC LIMIT 1"
)
_MALFORMED = (sqlite3.DatabaseError, ValueError, TypeError, KeyError, AttributeError)


class FormerCatalog:
    """The old catalog. It is believed only while SQLite finds nothing wrong with it.

    :param path: of its file; there need not be one.
    :param sound: whether nothing wrong was found in its rows before.
    """

    def __init__(self, path: str, sound: bool) -> None:
        self._connection: sqlite3.Connection | None = None
        self.documents: list[tuple[Any, ...]] | None = None
        self.notices: list[tuple[Any, ...]] = []
        self.revision = 0
        try:
            self._connection = connection = connections.connect_to_read(path)
            self._read(connection.execute)
            if not sound or connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                self.close()
        except _MALFORMED as problem:
            log.warning("the old catalog cannot be read, or not all of it: %s", problem)
            self.close()

    def _read(self, execute: connections.Execute) -> None:
        documents = execute("SELECT kind, name, value FROM document").fetchall()
        for _, _, value in documents:
            json.loads(value)
        self.revision = execute("SELECT value FROM revision").fetchone()[0]
        self.documents = documents
        notices = execute("SELECT number, target, event FROM notice ORDER BY number").fetchall()
        for _, _, event in notices:
            json.loads(event)
        self.notices = notices

    @property
    def is_lost(self) -> bool:
        """Whether it says nothing of files."""
        return self._connection is None

    def bucket(self, name: str) -> BucketRecord | None:
        """What it says of a bucket."""
        try:
            found = None if self._connection is None else find(self._connection.execute, name)
            return None if found is None else found[1]
        except _MALFORMED:
            return None

    def at_path(self, bucket: str, key: bytes) -> Description | None:
        """What it says of the file at a key's path: true if the file still has that size and time."""
        try:
            values = None if self._connection is None else self._connection.execute(_NEWEST, (bucket, key)).fetchone()
            row = None if values is None else Row._make(values)
            version = version_of(row, bucket, key) if row is not None and row.visible else None
        except _MALFORMED:
            return None
        if row is None or not isinstance(version, Version):
            return None
        return Description(bucket=bucket, key=key, record=version.lying(()), mtime=row.file_mtime)

    def close(self) -> None:
        """Harmless when repeated."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
