"""Pages of keys, versions and uploads: as many steps through a table's order as the page has lines."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import ICommonPrefixes
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.lookups import SEQ_OF_UPLOAD, SEQ_OF_VERSION
from gecko_tw.store.drivers.sqlite.notation import upload_of
from gecko_tw.store.drivers.sqlite.rows import UPLOAD_COLUMNS
from gecko_tw.store.records import STORAGE_CLASS, BucketRecord
from gecko_tw.store.requests import Listed, ListRequest, successor

_Row = tuple[Any, ...]
_KEY, _ETAG = Listed._fields.index("key"), Listed._fields.index("etag")

_listed: Callable[[_Row], Listed] = partial(tuple.__new__, Listed)
"""A row of as many columns as a line; calling Listed itself would take a tenth of a page's time."""

LONGEST_KEY = 1024

_OLDER_IN_A_ROW = 64
"""So many older versions of one key are read past before the next key is looked up instead."""

# In the order of Listed. Few objects have a storage class, so that their JSON is not parsed.
_COLUMNS = (
    "key, version_id, modified, owner, CASE marker WHEN 0 THEN etag END, size, checksum,"
    f" CASE WHEN instr(record, '{STORAGE_CLASS}') THEN"
    f""" coalesce(json_extract(record, '$.headers."{STORAGE_CLASS}"'), '') ELSE '' END"""
)
_RANGE = "FROM version WHERE bucket_id = ? AND key >= ? AND key < ? ORDER BY key, seq DESC"
_OBJECTS = f"SELECT {_COLUMNS}, TRUE, NULL {_RANGE}"
_VERSIONS = f"SELECT {_COLUMNS} {_RANGE} LIMIT ?"
_REST_OF_KEY = (
    f"SELECT {_COLUMNS} FROM version WHERE bucket_id = ?1 AND key = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4"
)
_UPLOADS = (
    f"SELECT key, {UPLOAD_COLUMNS} FROM upload WHERE bucket_id = ? AND key >= ? AND key < ? ORDER BY key, seq LIMIT ?"
)
_REST_OF_UPLOADS = (
    f"SELECT key, {UPLOAD_COLUMNS} FROM upload WHERE bucket_id = ?1 AND key = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4"
)
_BEHIND_EVERY_KEY = b"\xff" * (LONGEST_KEY + 1)


@frozen
class Wanted:
    """What a page asks for.

    :ivar end: the first key behind those with the prefix.
    :ivar after_id: of the key ``start``, only what follows this version or upload.
    """

    bucket_id: int
    start: bytes
    end: bytes
    limit: int
    after_id: str | None = None

    def seq_after(self, connection: sqlite3.Connection, query: str) -> int | None:
        """The sequence number of ``after_id``; None when it is not asked for, or is gone: then nothing is left out."""
        if self.after_id is None:
            return None
        found = connection.execute(query, (self.bucket_id, self.start, self.after_id)).fetchone()
        return None if found is None else found[0]


def wanted_of(bucket_id: int, prefix: bytes, start: bytes, limit: int, after_id: str | None = None) -> Wanted:
    """The range of keys that start with ``prefix`` and are not below ``start``."""
    end = successor(prefix) or _BEHIND_EVERY_KEY
    return Wanted(bucket_id, max(prefix, start), end, limit, after_id if start.startswith(prefix) else None)


def objects(connection: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    """Newest versions that are no delete markers."""
    listed: list[Listed] = []
    start: bytes | None = wanted.start
    while start is not None and len(listed) < wanted.limit:
        start = _gather(connection.execute(_OBJECTS, (wanted.bucket_id, start, wanted.end)), listed, wanted.limit)
    return listed


def _gather(rows: Iterator[_Row], listed: list[Listed], limit: int) -> bytes | None:
    """Appends the newest versions among ordered rows. Returns where to start again after a key with very many older ones."""
    last: bytes | None = None
    older = 0
    for row in rows:
        if last is not None and row[_KEY] == last:
            older += 1
            if older == _OLDER_IN_A_ROW:
                return last + b"\x00"
            continue
        last = row[_KEY]
        older = 0
        if row[_ETAG] is not None:
            listed.append(_listed(row))
            if len(listed) == limit:
                return None
    return None


def versions(connection: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    """All versions and delete markers, the newest of a key first."""
    listed: list[Listed] = []
    start = wanted.start
    seq = wanted.seq_after(connection, SEQ_OF_VERSION)
    if seq is not None:
        rest = connection.execute(_REST_OF_KEY, (wanted.bucket_id, start, seq, wanted.limit)).fetchall()
        listed += (_listed((*row, False, None)) for row in rest)
        start += b"\x00"
    last: bytes | None = None
    room = wanted.limit - len(listed)
    for row in connection.execute(_VERSIONS, (wanted.bucket_id, start, wanted.end, room)).fetchall():
        listed.append(_listed((*row, row[_KEY] != last, None)))
        last = row[_KEY]
    return listed


def folders(
    connection: sqlite3.Connection, wanted: Wanted, request: ListRequest, following: bytes, what: str
) -> list[bytes]:
    """The common prefixes of a request's lines, one step down the tree for each; up to the first key that has none.

    :param following: the smallest byte string behind everything that starts with the delimiter.
    """
    values = (
        wanted.bucket_id,
        wanted.start,
        wanted.end,
        len(request.prefix),
        request.delimiter,
        following,
        wanted.limit,
    )
    return [name for (name,) in connection.execute(_FOLDERS[what], values)]


def _folders(table: str, shown: str) -> str:
    def first(start: str) -> str:
        name = "substr(key, 1, ?4 + nullif(instr(substr(key, ?4 + 1), ?5), 0) + length(?5) - 1)"  # NULL: it has none
        where = f"bucket_id = ?1 AND key >= {start} AND key < ?3 {shown}"
        return f"SELECT {name} AS name FROM {table} WHERE {where} ORDER BY key LIMIT 1"

    behind = first("CAST(substr(folder.name, 1, length(folder.name) - length(?5)) || ?6 AS BLOB)")
    return (
        f"WITH RECURSIVE folder (name) AS (SELECT name FROM ({first('?2')})"
        f" UNION ALL SELECT ({behind}) FROM folder WHERE name IS NOT NULL LIMIT ?7)"
        " SELECT name FROM folder WHERE name IS NOT NULL"
    )


_IS_SHOWN = (
    "AND marker = 0 AND NOT EXISTS (SELECT 1 FROM version AS newer WHERE newer.bucket_id = ?1"
    " AND newer.key = version.key AND newer.seq > version.seq)"
)
_FOLDERS = {
    "objects": _folders("version", _IS_SHOWN),
    "versions": _folders("version", ""),
    "uploads": _folders("upload", ""),
}


@implementer(ICommonPrefixes)
class Folders:
    """Common prefixes in the catalog.

    :param find: a bucket's id and record by its name.
    """

    def __init__(self, connections: Connections, find: Callable[[str], tuple[int, BucketRecord]]) -> None:
        self._connections, self._find = connections, find

    def common_prefixes(self, bucket: str, request: ListRequest, start: bytes, limit: int, what: str) -> list[bytes]:
        wanted = wanted_of(self._find(bucket)[0], request.prefix, start, limit)
        following = successor(request.delimiter)
        return [] if following is None else folders(self._connections.mine(), wanted, request, following, what)


def uploads(connection: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    """Uploads under way, the oldest of a key first."""
    rows: list[tuple[Any, ...]] = []
    start = wanted.start
    seq = wanted.seq_after(connection, SEQ_OF_UPLOAD)
    if seq is not None:
        rows = connection.execute(_REST_OF_UPLOADS, (wanted.bucket_id, start, seq, wanted.limit)).fetchall()
        start += b"\x00"
    room = wanted.limit - len(rows)
    rows += connection.execute(_UPLOADS, (wanted.bucket_id, start, wanted.end, room)).fetchall()
    listed = []
    for key, *values in rows:
        upload = upload_of(*values)
        listed.append(Listed(key=key, id=upload.id, modified=upload.initiated, upload=upload, owner=upload.owner))
    return listed


_BEHIND_ALL = b"\xff" * 1025
"""Longer than any key."""
_FINGERPRINTS_AT_ONCE = 500
_FINGERPRINTS = (
    "SELECT key, visible, file_size, file_mtime FROM version AS newest WHERE bucket_id = ?1 AND key >= ?2 AND key < ?4 AND seq ="
    " (SELECT max(seq) FROM version WHERE bucket_id = ?1 AND key = newest.key) ORDER BY key LIMIT ?3"
)


def fingerprints(
    connection: sqlite3.Connection, bucket_id: int, below: bytes = b""
) -> Iterator[tuple[bytes, int, int | None, int | None]]:
    """Of each key in order: the key, whether its newest version is visible, and what its file must be (size, time).

    :param below: what the keys begin with: empty, or ending in a slash.
    """
    start, end = below, below[:-1] + b"0" if below else _BEHIND_ALL  # "0" is what follows "/"
    while True:
        rows = connection.execute(_FINGERPRINTS, (bucket_id, start, _FINGERPRINTS_AT_ONCE, end)).fetchall()
        yield from rows
        if len(rows) < _FINGERPRINTS_AT_ONCE:
            return
        start = rows[-1][0] + b"\x00"
