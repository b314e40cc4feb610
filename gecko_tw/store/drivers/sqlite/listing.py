"""Pages of keys, versions and uploads: as many steps through a table's order as the page has lines."""

import sqlite3
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from attrs import frozen

from gecko_tw.store.drivers.sqlite.notation import checksum_of, shared_headers, upload_of
from gecko_tw.store.drivers.sqlite.rows import UPLOAD_COLUMNS
from gecko_tw.store.records import Version
from gecko_tw.store.requests import Listed

LONGEST_KEY = 1024

_OLDER_IN_A_ROW = 64
"""So many older versions of one key are read past before the next key is looked up instead."""

_COLUMNS = "key, version_id, marker, etag, size, modified, owner, checksum, record"
_OBJECTS = f"SELECT {_COLUMNS} FROM version WHERE bucket_id = ? AND key >= ? AND key < ? ORDER BY key, seq DESC"
_VERSIONS = f"{_OBJECTS} LIMIT ?"
_REST_OF_KEY = (
    f"SELECT {_COLUMNS} FROM version WHERE bucket_id = ?1 AND key = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4"
)
_SEQ_OF_VERSION = "SELECT seq FROM version WHERE bucket_id = ? AND key = ? AND version_id = ?"
_UPLOADS = (
    f"SELECT key, {UPLOAD_COLUMNS} FROM upload WHERE bucket_id = ? AND key >= ? AND key < ? ORDER BY key, seq LIMIT ?"
)
_REST_OF_UPLOADS = (
    f"SELECT key, {UPLOAD_COLUMNS} FROM upload WHERE bucket_id = ?1 AND key = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4"
)
_SEQ_OF_UPLOAD = "SELECT seq FROM upload WHERE bucket_id = ? AND key = ? AND id = ?"
_NOTHING: Mapping[str, Any] = MappingProxyType({})
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
        return None if found is None else found[0]  # type: ignore[no-any-return]


def wanted_of(bucket_id: int, prefix: bytes, start: bytes, limit: int, after_id: str | None = None) -> Wanted:
    """The range of keys that start with ``prefix`` and are not below ``start``."""
    stem = prefix.rstrip(b"\xff")
    end = stem[:-1] + bytes((stem[-1] + 1,)) if stem else _BEHIND_EVERY_KEY
    return Wanted(bucket_id, max(prefix, start), end, limit, after_id if start.startswith(prefix) else None)


def objects(connection: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    """Newest versions that are no delete markers."""
    listed: list[Listed] = []
    start: bytes | None = wanted.start
    while start is not None and len(listed) < wanted.limit:
        start = _gather(connection.execute(_OBJECTS, (wanted.bucket_id, start, wanted.end)), listed, wanted.limit)
    return listed


def _gather(rows: Iterator[tuple[Any, ...]], listed: list[Listed], limit: int) -> bytes | None:
    """Appends the newest versions among ordered rows. Returns where to start again after a key with very many older ones."""
    last: bytes | None = None
    older = 0
    for key, version_id, marker, etag, size, modified, owner, checksum, record in rows:
        if key == last:
            older += 1
            if older == _OLDER_IN_A_ROW:
                return key + b"\x00"  # type: ignore[no-any-return]
            continue
        last = key
        older = 0
        if not marker:
            version = _version(version_id, etag, size, modified, owner, checksum, record)
            listed.append(Listed(key=key, id=version_id, modified=modified, version=version, owner=owner))
            if len(listed) == limit:
                return None
    return None


def versions(connection: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    """All versions and delete markers, the newest of a key first."""
    listed: list[Listed] = []
    start = wanted.start
    seq = wanted.seq_after(connection, _SEQ_OF_VERSION)
    if seq is not None:
        rest = connection.execute(_REST_OF_KEY, (wanted.bucket_id, start, seq, wanted.limit)).fetchall()
        listed += (_listed_version(values, False) for values in rest)
        start += b"\x00"
    last = None
    room = wanted.limit - len(listed)
    for values in connection.execute(_VERSIONS, (wanted.bucket_id, start, wanted.end, room)).fetchall():
        listed.append(_listed_version(values, values[0] != last))
        last = values[0]
    return listed


def _listed_version(values: tuple[Any, ...], newest: bool) -> Listed:
    key, version_id, marker, *fields = values
    version = None if marker else _version(version_id, *fields)
    return Listed(key=key, id=version_id, modified=fields[2], newest=newest, version=version, owner=fields[3])


def _version(*values: Any) -> Version:
    """What a listing tells of a version. Its mappings are shared with others: nobody changes a listed version."""
    version_id, etag, size, modified, owner, checksum, record = values
    return Version(
        version_id=version_id,
        etag=etag,
        size=size,
        modified=modified,
        headers=shared_headers(record) if record else _NOTHING,
        metadata=_NOTHING,
        tags=_NOTHING,
        checksum=None if checksum is None else checksum_of(checksum),
        owner=owner,
        extra=_NOTHING,
    )


def uploads(connection: sqlite3.Connection, wanted: Wanted) -> list[Listed]:
    """Uploads under way, the oldest of a key first."""
    rows: list[tuple[Any, ...]] = []
    start = wanted.start
    seq = wanted.seq_after(connection, _SEQ_OF_UPLOAD)
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


def fingerprints(connection: sqlite3.Connection, bucket_id: int) -> Iterator[tuple[bytes, int, int | None, int | None]]:
    """Of each key in order: the key, whether its newest version is visible, and what its file must be (size, time)."""
    start = b""
    while True:
        rows = connection.execute(_FINGERPRINTS, (bucket_id, start, _FINGERPRINTS_AT_ONCE)).fetchall()
        yield from rows
        if len(rows) < _FINGERPRINTS_AT_ONCE:
            return
        start = rows[-1][0] + b"\x00"


_FINGERPRINTS_AT_ONCE = 500
_FINGERPRINTS = (
    "SELECT key, visible, file_size, file_mtime FROM version AS newest WHERE bucket_id = ?1 AND key >= ?2 AND seq ="
    " (SELECT max(seq) FROM version WHERE bucket_id = ?1 AND key = newest.key) ORDER BY key LIMIT ?3"
)
