"""Comparing rows of a bucket with its files, by walking both in one order."""

import os
import sqlite3
from collections.abc import Callable, Iterator

from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.walking import nowhere, told, walk_files
from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.listing import fingerprints


def differing(
    disk: Disk,
    connection: sqlite3.Connection,
    bucket: str,
    below: bytes = b"",
    entering: Callable[[bytes], None] = nowhere,
    doubted: Callable[[os.stat_result], bool] | None = None,
    *,
    failing: Callable[[bytes, OSError], None] = told,
) -> Iterator[bytes | None]:
    """Keys whose file is not as the newest row says; None for each that agrees.

    :param below: as for walk_files, like ``entering`` and ``failing``.
    :param doubted: whether a file that agrees is to be told, too.
    """
    found = find(connection.execute, bucket)
    rows = iter(()) if found is None else fingerprints(connection, found[0], below)
    row = next(rows, None)
    for key, there in walk_files(disk.root, bucket, disk.folding, below, entering, failing=failing):
        while row is not None and row[0] < key:
            yield row[0] if row[1] else None
            row = next(rows, None)
        same = row is not None and row[0] == key and row[2:] == (there.st_size, there.st_mtime_ns)
        yield None if same and (doubted is None or not doubted(there)) else key
        if row is not None and row[0] == key:
            row = next(rows, None)
    while row is not None:
        yield row[0] if row[1] else None
        row = next(rows, None)
