"""IBlobs over the data directory: bodies come in through staging, and are read from wherever the catalog put them."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterable, Iterator

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.batching import flush
from gecko_tw.store.drivers.blob_cache import BlobCache, CachedBlob, MemoryReader
from gecko_tw.store.drivers.files.attribute_stores import AttributeStore
from gecko_tw.store.drivers.files.attributes import Description, described
from gecko_tw.store.drivers.files.beneath import ABSENT, open_beneath
from gecko_tw.store.drivers.files.disk import (
    Disk,
    full_or,
    pool_file,
    refuse_without_reserve,
    remove_files,
    write_all,
)
from gecko_tw.store.drivers.files.paths import file_of
from gecko_tw.store.drivers.files.staging import fresh_name, staging_file
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning, IBlobReader, IBlobRereading, IBlobs, IBlobWriter
from gecko_tw.store.drivers.sqlite.blobnames import is_pooled, is_visible, visible_parts
from gecko_tw.store.drivers.sqlite.layout import Watch
from gecko_tw.store.records import BlobNote, Part, Span, Version

_READ = os.O_RDONLY | os.O_NONBLOCK
_FICLONE = 0x40049409
SMALL = 1024 * 1024
"""Bodies up to this many bytes get their blocks before they are written where files cannot change places. ext4 writes back a file without
blocks when it is renamed over another one, which takes a millisecond, and more for each megabyte, while everybody waits."""
LARGEST_CACHED = 16 * 1024
CACHE_ROOM = 16 * 1024 * 1024
"""The bytes of files up to so many are held in memory, and so many in all: to find them unchanged takes a third of reading them."""
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)
_COPY_STEP = 64 * 1024 * 1024


@frozen
class Noted:
    """What this process knows of a blob it has written and that no step has placed yet.

    :ivar record: what its description says.
    :ivar spill: the spill its description needed.
    """

    record: Version | Part
    upload: str | None
    size: int
    mtime: int
    spill: str | None


@implementer(IBlobWriter)
class FilesWriter:
    """One body in staging."""

    __slots__ = ("_descriptor", "_blobs", "name", "size")

    def __init__(self, blobs: "FilesBlobs") -> None:
        self._blobs = blobs
        self.name = fresh_name()
        self.size = 0
        self._descriptor = blobs.disk.staging.create(self.name)

    def fileno(self) -> int:
        """The descriptor, for those who write to it by other means."""
        return self._descriptor

    def write(self, data: bytes | memoryview) -> None:
        try:
            if self.size == 0 and self._blobs.allocates and 0 < len(data) <= SMALL:
                os.posix_fallocate(self._descriptor, 0, len(data))
            write_all(self._descriptor, data)
        except OSError as error:
            self.abort()
            raise full_or(error) from error
        self.size += len(data)

    def commit(self, note: BlobNote) -> str:
        try:
            refuse_without_reserve(self._blobs.disk)
            self._blobs.noted[self.name] = self._finish(described(note), note)
        except OSError as error:
            self.abort()
            raise full_or(error) from error
        except BaseException:
            self.abort()
            raise
        self._close()
        return self.name

    def _finish(self, description: Description, note: BlobNote) -> Noted:
        descriptor = self._descriptor
        modified = note.record.modified
        spill = self._blobs.attribute_store.stage(descriptor, description)
        os.utime(descriptor, ns=(modified, modified))
        if self._blobs.disk.fsync:
            flush(descriptor)
        found = os.fstat(descriptor)
        return Noted(note.record, note.upload, found.st_size, found.st_mtime_ns, spill)

    def abort(self) -> None:
        if self._descriptor >= 0:
            self._close()
            self._blobs.disk.staging.remove(self.name)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


@implementer(IBlobReader)
class FilesReader:
    """One opened file."""

    __slots__ = ("_descriptor", "size")

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size

    def fileno(self) -> int:
        return self._descriptor

    def read(self, offset: int, length: int) -> bytes:
        data = os.pread(self._descriptor, length, offset)
        if len(data) == length or not data:
            return data
        pieces = [data]
        got = len(data)
        while got < length:
            data = os.pread(self._descriptor, length - got, offset + got)
            if not data:
                break
            pieces.append(data)
            got += len(data)
        return b"".join(pieces)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


@implementer(IBlobs, IBlobCloning, IBlobRereading)
class FilesBlobs:
    """The bytes of one data directory.

    :ivar noted: blobs committed by this process and not placed yet, by name.
    """

    def __init__(self, disk: Disk, attribute_store: AttributeStore, watch: Watch) -> None:
        self.disk = disk
        self.attribute_store = attribute_store
        self._watch = watch
        self._held = BlobCache(CACHE_ROOM)
        self.noted: dict[str, Noted] = {}
        self.allocates = disk.allocates and not disk.exchanges

    def create(self) -> FilesWriter:
        return FilesWriter(self)

    def open(self, blob: str) -> FilesReader | MemoryReader:
        if not is_visible(blob):
            return self._file(blob)
        held = self._held.get(blob)
        if held is not None and self._mark(held.path) == held.mark:
            return held.reader
        reader = self._open_visible(blob)
        if 0 < reader.size <= LARGEST_CACHED and _NOWAIT:
            mark = _mark_of(os.fstat(reader.fileno()))
            data = _at_hand(reader.fileno(), reader.size)
            if data is not None:
                reader.close()
                _, _, bucket, key = visible_parts(blob)
                return self._held.put(blob, CachedBlob(file_of(bucket, key), mark, MemoryReader(data)))
        return reader

    def reread(self, blob: str) -> FilesReader:
        return self._file(blob)

    def _mark(self, path: bytes) -> tuple[int, ...] | None:
        try:
            return _mark_of(os.stat(path, dir_fd=self.disk.root, follow_symlinks=False))
        except OSError:
            return None  # opening it will tell why

    def _file(self, blob: str) -> FilesReader:
        """The blob as an opened file. Raises BlobGone."""
        if is_visible(blob):
            return self._open_visible(blob)
        for path in (pool_file(blob), staging_file(blob)) if is_pooled(blob) else ():
            try:
                descriptor = os.open(path, _READ | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.disk.inner)
            except FileNotFoundError:
                continue
            return FilesReader(descriptor, os.fstat(descriptor).st_size)
        raise BlobGone(blob)

    def _open_visible(self, blob: str) -> FilesReader:
        mtime, size, bucket, key = visible_parts(blob)
        try:
            descriptor = open_beneath(self.disk.root, file_of(bucket, key), _READ)
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link was put on the way: the row does not know yet
                raise self._watch.stale(bucket, key) from error
            if error.errno in ABSENT:
                raise BlobGone(blob) from error
            raise
        found = os.fstat(descriptor)
        if found.st_mtime_ns != mtime or found.st_size != size or not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise BlobGone(blob)
        return FilesReader(descriptor, size)

    def remove(self, blobs: Iterable[str]) -> None:
        for blob in blobs:
            if is_pooled(blob):
                noted = self.noted.pop(blob, None)
                remove_files(self.disk, blob)
                if noted is not None and noted.spill is not None:
                    remove_files(self.disk, noted.spill)

    def release(self, blobs: Iterable[str]) -> None:
        """The step that let go of them has noted them in the undo log, whose flush removes them."""

    def older_than(self, seconds: float) -> Iterator[str]:
        limit = time.time() - seconds
        inner = self.disk.inner_path()
        for room in ("staging", "pool", "attributes"):
            for directory, _, names in os.walk(os.path.join(inner, room)):
                for name in names:
                    blob = name.removesuffix(".json")
                    if is_pooled(blob) and _changed_before(os.path.join(directory, name), limit):
                        yield blob

    def clone(self, spans: Iterable[Span], note: BlobNote) -> str:
        writer = self.create()
        try:
            for span in spans:
                self._append(writer, span)
        except OSError as error:
            writer.abort()
            raise full_or(error) from error
        except BaseException:
            writer.abort()
            raise
        return writer.commit(note)

    def _append(self, writer: FilesWriter, span: Span) -> None:
        reader = self._file(span.blob)
        try:
            whole = writer.size == 0 and span.offset == 0 and span.length == reader.size
            if not (whole and span.length and _reflink(reader.fileno(), writer.fileno())):
                _copy(reader, writer, span)
            writer.size += span.length
        finally:
            reader.close()


def _mark_of(found: os.stat_result) -> tuple[int, ...]:
    """What no other file, and no other content of this one, can have."""
    return found.st_ino, found.st_ctime_ns, found.st_mtime_ns, found.st_size


def _at_hand(descriptor: int, size: int) -> bytes | None:
    """The whole of a small file when no disk need be waited for, else None."""
    buffer = bytearray(size)
    try:
        got = os.preadv(descriptor, [buffer], 0, _NOWAIT)
    except OSError:  # not in memory, or the file system cannot tell: whoever reads it next will wait
        return None
    return bytes(buffer) if got == size else None


def _reflink(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:  # most file systems cannot
        return False
    os.lseek(target, 0, os.SEEK_END)
    return True


def _copy(reader: FilesReader, writer: FilesWriter, span: Span) -> None:
    """Copies inside the kernel where it can. Raises BlobGone when the blob is shorter than the span says."""
    offset, left = span.offset, span.length
    by_kernel = hasattr(os, "copy_file_range")
    while left:
        step = min(left, _COPY_STEP)
        if by_kernel:
            try:
                done = os.copy_file_range(reader.fileno(), writer.fileno(), step, offset_src=offset)
            except OSError as error:
                if error.errno not in _CANNOT_COPY:
                    raise
                by_kernel = False
                continue
        else:
            data = reader.read(offset, min(step, 1024 * 1024))
            write_all(writer.fileno(), data)
            done = len(data)
        if not done:
            raise BlobGone(span.blob)
        offset += done
        left -= done


_CANNOT_COPY = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF})


def _changed_before(path: str, limit: float) -> bool:
    try:
        return os.lstat(path).st_ctime < limit  # the modification time is the object's
    except FileNotFoundError:
        return False
