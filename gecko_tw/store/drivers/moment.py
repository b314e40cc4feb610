"""The records of a data directory as they were at one moment, and the bytes that they had then, while others change both."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

from zope.interface import implementer

from gecko_tw.store.drivers.blob_cache import MemoryReader
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.staging import staging_file
from gecko_tw.store.drivers.garbage import GarbageHold
from gecko_tw.store.drivers.interfaces import (
    IBlobReader,
    IBlobRereading,
    IBlobs,
    ICatalog,
    IMoment,
    Stale,
)
from gecko_tw.store.drivers.sqlite import snapshots, undo
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.buckets import record_of
from gecko_tw.store.drivers.sqlite.connections import Connections, connect_to_read
from gecko_tw.store.drivers.sqlite.notation import decode
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, Row, version_of
from gecko_tw.store.records import BucketRecord, DeleteMarker, Json, Span, Version
from gecko_tw.store.refusals import Refusal

_COPY = "backup.sqlite"
_BUCKETS = "SELECT name, record FROM bucket ORDER BY name"
_DOCUMENTS = "SELECT kind, name, value FROM document ORDER BY kind, name"
_VERSIONS = f"SELECT key, {COLUMNS} FROM version WHERE bucket_id = (SELECT id FROM bucket WHERE name = ?) ORDER BY key, seq DESC"
_DATA = "SELECT data FROM blob WHERE id = ? AND stamp = ?"


@implementer(IMoment)
class Moment:
    """See IMoment. It is the moment at which it is made; :meth:`close` ends it."""

    def __init__(
        self, disk: Disk, connections: Connections, catalog: ICatalog, blobs: IBlobs, unchanging: bool = False
    ) -> None:
        self.unchanging = unchanging
        self._disk, self._connections, self._catalog, self._blobs = disk, connections, catalog, blobs
        self._lock = threading.Lock()
        self._path = disk.inner_path(_COPY)
        self._hold = GarbageHold(disk)
        self._copy: sqlite3.Connection | None = None
        self._aside: dict[tuple[int, int], list[str]] = {}
        self._hold.take()
        try:
            with suppress(FileNotFoundError):
                os.unlink(self._path)  # of one that was killed
            self.time = time.time_ns()
            snapshots.take(connections, self._path)
            self._copy = connect_to_read(self._path)
            self._seen = undo.newest(self._copy.execute)
        except BaseException:
            self.close()
            raise

    @property
    def _execute(self) -> sqlite3.Connection:
        assert self._copy is not None, "it is not closed"
        return self._copy

    def buckets(self) -> list[BucketRecord]:
        return [record_of(name, text) for name, text in self._execute.execute(_BUCKETS).fetchall()]

    def documents(self) -> list[tuple[str, str, Json]]:
        found = self._execute.execute(_DOCUMENTS).fetchall()
        return [(kind, name, decode(value)) for kind, name, value in found]

    def versions(self, bucket: str) -> Iterator[tuple[bytes, Version | DeleteMarker]]:
        with closing(connect_to_read(self._path)) as connection:
            for key, *values in connection.execute(_VERSIONS, (bucket,)):
                yield key, version_of(Row._make(values), bucket, key)

    def places(self, bucket: str, key: bytes, version: Version) -> Iterator[tuple[Span, ...]]:
        yield version.spans
        try:
            history = self._catalog.history(bucket, key, version.version_id)
        except (Refusal, Stale):
            history = None
        for other in () if history is None else history.versions:
            if isinstance(other, Version) and _is_same(other, version):
                yield other.spans
        for name in self._set_aside(version):
            yield (Span(name, 0, version.size),)

    def _set_aside(self, version: Version) -> list[str]:
        """Names in staging of files of this size and time which steps have taken from their paths since."""
        if len(version.spans) != 1 or not version.spans[0].blob.startswith("/"):
            return []
        mtime = int(version.spans[0].blob.split("/", 2)[1])
        with self._lock:
            self._seen, names = undo.replaced(self._connections.mine().execute, self._seen)
            for name in names:
                with suppress(FileNotFoundError):
                    found = os.stat(staging_file(name), dir_fd=self._disk.inner)
                    self._aside.setdefault((found.st_size, found.st_mtime_ns), []).append(name)
            return list(self._aside.get((version.size, mtime), ()))

    def reread(self, blob: str) -> IBlobReader:
        if is_inline(blob):
            with self._lock:
                found = self._execute.execute(_DATA, inline_parts(blob)).fetchone()
            if found is not None:
                return MemoryReader(found[0])
        reader: IBlobReader = IBlobRereading(self._blobs).reread(blob)
        return reader

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None
        with suppress(FileNotFoundError):
            os.unlink(self._path)
        self._hold.release()


def _is_same(one: Version, other: Version) -> bool:
    """Whether two records of a key stand for the same bytes."""
    return (one.version_id, one.etag, one.size, one.modified, one.checksum) == (
        other.version_id,
        other.etag,
        other.size,
        other.modified,
        other.checksum,
    )
