"""The files of the pool after a power failure: which of them are whole, and which nothing needs."""

import os
from collections.abc import Callable
from functools import partial

from attrs import frozen

from gecko_tw.store.drivers.files.disk import Disk, pool_file, remove_files
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline, is_pooled
from gecko_tw.store.drivers.sqlite.connections import Connected
from gecko_tw.store.records import DeleteMarker, Part, Span, Version
from gecko_tw.store.verifying import is_whole


@frozen
class PooledFiles:
    """The pool of one data directory."""

    disk: Disk
    connections: Connected

    def are_there(self, record: Version | Part | DeleteMarker) -> bool:
        """Whether the pool has all bytes of a record, by their length."""
        spans = () if isinstance(record, DeleteMarker) else record.spans
        return all(self._has(span) for span in spans)

    def _has(self, span: Span) -> bool:
        if is_inline(span.blob):
            where = inline_parts(span.blob)
            found = self.connections.mine().execute("SELECT 1 FROM blob WHERE id = ? AND stamp = ?", where)
            return found.fetchone() is not None
        try:
            size = os.stat(pool_file(span.blob), dir_fd=self.disk.inner, follow_symlinks=False).st_size
        except OSError:
            return False
        return size >= span.offset + span.length

    def is_whole(self, record: Version | Part) -> bool:
        """Whether the pool has all bytes of a record, and they are its own. What lies in the catalog's own pages always is."""
        if not self.are_there(record):
            return False
        if all(is_inline(span.blob) for span in record.spans):
            return True
        try:
            return is_whole(record, partial(self._read, record.spans)) is True
        except OSError:
            return False

    def verified(self, record: Version | Part) -> bool | None:
        """Whether all bytes are a record's own; None when nothing in it tells, or they cannot be read."""
        try:
            return is_whole(record, partial(self._read, record.spans))
        except OSError:
            return None

    def _read(self, spans: tuple[Span, ...], offset: int, length: int) -> bytes:
        for span in spans:
            if offset < span.length:
                if not is_inline(span.blob):
                    return self._bytes(span, offset, min(length, span.length - offset))
                found = self.connections.mine().execute(
                    "SELECT data FROM blob WHERE id = ? AND stamp = ?", inline_parts(span.blob)
                )
                begin = span.offset + offset
                data: bytes = (found.fetchone() or (b"",))[0]
                return data[begin : begin + min(length, span.length - offset)]
            offset -= span.length
        return b""

    def _bytes(self, span: Span, offset: int, length: int) -> bytes:
        descriptor = os.open(pool_file(span.blob), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.disk.inner)
        try:
            return os.pread(descriptor, length, span.offset + offset)
        finally:
            os.close(descriptor)

    def drop_orphans(self, is_recent: Callable[[os.stat_result], bool]) -> set[str]:
        """Removes files that came with steps that did not survive: recent ones that no row needs. Returns the other recent ones."""
        paths = (
            os.path.join(directory, name)
            for directory, _, names in os.walk(self.disk.inner_path("pool"))
            for name in names
            if is_pooled(name.removesuffix(".json"))
        )
        needed = set()
        for path in paths:
            blob = os.path.basename(path).removesuffix(".json")
            if os.path.lexists(path) and is_recent(os.lstat(path)):
                if self._is_needed(blob):
                    needed.add(blob)
                else:
                    remove_files(self.disk, blob)
        return needed

    def _is_needed(self, blob: str) -> bool:
        found = self.connections.mine().execute("SELECT 1 FROM span WHERE blob = ?", (blob,))
        return found.fetchone() is not None
