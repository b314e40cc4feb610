"""IBlobs of the fast driver: small bodies wait in memory for the step that places them, large ones are files of the pool."""

import time
from collections.abc import Iterable, Iterator
from itertools import count

from zope.interface import implementer

from gecko_tw.store.drivers.blob_cache import BlobCache, CachedBlob, MemoryReader
from gecko_tw.store.drivers.files.blobs import CACHE_ROOM, LARGEST_CACHED, FilesBlobs, FilesReader, FilesWriter
from gecko_tw.store.drivers.files.disk import full_or, pool_file, refuse_without_reserve
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning, IBlobRereading, IBlobs, IBlobWriter
from gecko_tw.store.drivers.sqlite.blobnames import inline_name, inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.records import BlobNote, Part, Span

SMALL = 64 * 1024
"""Objects of up to this many bytes lie in the catalog's pages (docs/decisions/0015-layout-pool.md)."""

_PIECE = 1024 * 1024
_READ = "SELECT data FROM blob WHERE id = ? AND stamp = ?"
_ADD = "INSERT INTO blob (stamp, data) VALUES (?, ?)"
_CHANGE = "UPDATE blob SET stamp = ?, data = ? WHERE id = ? AND stamp = ?"


@implementer(IBlobWriter)
class PoolWriter:
    """One body: in memory while it is small, in staging from then on."""

    __slots__ = ("_blobs", "_pieces", "_size", "_file")

    def __init__(self, blobs: "PoolBlobs") -> None:
        self._blobs = blobs
        self._pieces: list[bytes] = []
        self._size = 0
        self._file: FilesWriter | None = None

    def write(self, data: bytes | memoryview) -> None:
        file = self._file
        if file is None:
            self._size += len(data)
            if self._size <= self._blobs.small:
                self._pieces.append(bytes(data))
                return
            file = self._spill()
        file.write(data)

    def _spill(self) -> FilesWriter:
        """From here on the body is a file in staging, which is returned."""
        self._file = file = self._blobs.files.create()
        data = b"".join(self._pieces)
        self._pieces = []
        if data:
            file.write(data)
        return file

    def commit(self, note: BlobNote) -> str:
        file = self._file
        if file is None:
            if not isinstance(note.record, Part):
                refuse_without_reserve(self._blobs.files.disk)
                pieces, self._pieces = self._pieces, []
                return self._blobs.keep(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            file = self._spill()  # objects in several pieces are made of files alone
        return self._blobs.pooled(file.commit(note))

    def abort(self) -> None:
        self._pieces = []
        if self._file is not None:
            self._file.abort()


@implementer(IBlobs, IBlobCloning, IBlobRereading)
class PoolBlobs:
    """The bytes of one data directory.

    :param files: those that are files.
    :param connections: to the catalog, which has the others.
    :param small: of how many bytes the longest of those is.
    """

    def __init__(self, files: FilesBlobs, connections: Connections, small: int = SMALL) -> None:
        self.files = files
        self.small = small
        self._connections = connections
        self._held = BlobCache(CACHE_ROOM)
        self._waiting: dict[str, tuple[float, bytes]] = {}
        self._numbers = count(1)

    def create(self) -> PoolWriter:
        return PoolWriter(self)

    def keep(self, data: bytes) -> str:
        """Keeps a small body until a step places it, or it is removed; returns its name, which means something in this process only."""
        name = f"~{next(self._numbers)}"
        self._waiting[name] = time.time(), data
        return name

    def place(self, transaction: Transaction, span: Span, former: tuple[Span, ...] = ()) -> Span:
        """Writes a body that waits into the catalog; what has its place already stays there.

        :param former: of the version whose bytes are needed no longer: a row of theirs is written over, which is half the work.
        """
        waiting = self._waiting.pop(span.blob, None)
        if waiting is None:
            return span
        stamp, data = time.time_ns(), waiting[1]
        if len(former) == 1 and is_inline(former[0].blob):
            row, last = inline_parts(former[0].blob)
            stamp = max(stamp, last + 1)
            if transaction.execute(_CHANGE, (stamp, data, row, last)).rowcount == 1:
                return Span(inline_name(row, stamp), span.offset, span.length)
        added = transaction.execute(_ADD, (stamp, data)).lastrowid
        assert added is not None, "an INSERT has a row"
        return Span(inline_name(added, stamp), span.offset, span.length)

    def pooled(self, name: str) -> str:
        """Moves a committed file from staging to its place, where it is an orphan until a step refers to it; returns its name.

        Raises InsufficientStorage.
        """
        disk = self.files.disk
        self.files.noted.pop(name, None)
        try:
            disk.sync([disk.rename_inner(name, pool_file(name))])
        except OSError as error:
            self.files.remove([name])
            raise full_or(error) from error
        return name

    def open(self, blob: str) -> MemoryReader | FilesReader:
        if is_inline(blob):
            held = self._held.get(blob)  # a name never means other bytes
            return self._row(blob) if held is None else held.reader
        waiting = self._waiting.get(blob)
        return self.files.open(blob) if waiting is None else MemoryReader(waiting[1])

    def reread(self, blob: str) -> MemoryReader | FilesReader:
        if is_inline(blob):
            return self._stored(blob)
        return self.files.reread(blob) if blob not in self._waiting else self.open(blob)

    def _stored(self, blob: str) -> MemoryReader:
        found = self._connections.mine().execute(_READ, inline_parts(blob)).fetchone()
        if found is None:
            raise BlobGone(blob)
        return MemoryReader(found[0])

    def _row(self, blob: str) -> MemoryReader:
        reader = self._stored(blob)
        return self._held.put(blob, CachedBlob(b"", (), reader)) if reader.size <= LARGEST_CACHED else reader

    def remove(self, blobs: Iterable[str]) -> None:
        """Bytes in the catalog are passed over: they go in the step that makes them worthless."""
        files = [blob for blob in blobs if self._waiting.pop(blob, None) is None and not is_inline(blob)]
        if files:
            self.files.remove(files)

    def release(self, blobs: Iterable[str]) -> None:
        """The step that let go of them has noted them in the undo log, whose flush removes them."""

    def older_than(self, seconds: float) -> Iterator[str]:
        limit = time.time() - seconds
        yield from [name for name, (since, _) in list(self._waiting.items()) if since < limit]
        yield from self.files.older_than(seconds)

    def clone(self, spans: Iterable[Span], note: BlobNote) -> str:
        wanted = tuple(spans)
        if sum(span.length for span in wanted) > self.small and all(self._is_file(span) for span in wanted):
            return self.pooled(self.files.clone(wanted, note))
        writer = self.create()
        try:
            for span in wanted:
                self._append(writer, span)
            return writer.commit(note)
        except BaseException:
            writer.abort()
            raise

    def _is_file(self, span: Span) -> bool:
        return not is_inline(span.blob) and span.blob not in self._waiting

    def _append(self, writer: PoolWriter, span: Span) -> None:
        """Raises BlobGone when the blob is not there, or shorter than the span says."""
        reader = self.open(span.blob)
        try:
            at, end = span.offset, span.offset + span.length
            while at < end:
                data = reader.read(at, min(_PIECE, end - at))
                if not data:
                    raise BlobGone(span.blob)
                writer.write(data)
                at += len(data)
        finally:
            reader.close()
