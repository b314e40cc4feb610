"""Comparing all rows of a bucket with all of its files, by walking both in one order."""

import sqlite3
from collections.abc import Iterator

from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.walking import walk_files
from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.listing import fingerprints


def differing(disk: Disk, connection: sqlite3.Connection, bucket: str) -> Iterator[bytes | None]:
    """Keys whose file is not as the newest row says; None for each that agrees."""
    found = find(connection.execute, bucket)
    rows = iter(()) if found is None else fingerprints(connection, found[0])
    row = next(rows, None)
    for key, there in walk_files(disk.root, bucket, disk.folding):
        while row is not None and row[0] < key:
            yield row[0] if row[1] else None
            row = next(rows, None)
        same = row is not None and row[0] == key and row[2:] == (there.st_size, there.st_mtime_ns)
        yield None if same else key
        if row is not None and row[0] == key:
            row = next(rows, None)
    while row is not None:
        yield row[0] if row[1] else None
        row = next(rows, None)
