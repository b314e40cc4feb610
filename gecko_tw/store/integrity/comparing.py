"""Reading all stored bytes of a version or a part, at a pace, and comparing them with what its record says."""

import errno
import os

from gecko_tw.store.drivers.interfaces import BlobGone, IBlobReader, IBlobRereading, IBlobs
from gecko_tw.store.integrity.pace import LEAST, Pace
from gecko_tw.store.records import Part, Span, Version, stored_size
from gecko_tw.store.rules.quarantine import DAMAGED, LOST, UNREADABLE
from gecko_tw.store.verifying import is_whole

WHOLE, UNKNOWN = "whole", "unknown"
"""What is found beside the reasons for quarantine: all bytes are the record's own, or nothing in the record tells."""

STEP = 128 * 1024
"""Bytes that are read at once: others of this process wait for the interpreter's lock while they are hashed."""

_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)


class StoredBytes:
    """The bytes of spans, one behind the other, as they are stored: of an encrypted version, encrypted.

    What had to be fetched from the disk is not left in the page cache, where it would take the place of what others read.

    :ivar size: how many were read.
    """

    def __init__(self, blobs: IBlobs, spans: tuple[Span, ...], pace: Pace) -> None:
        self._blobs, self._spans, self._pace = blobs, spans, pace
        self._open: tuple[str, IBlobReader] | None = None
        self._scratch = bytearray(min(STEP, max((span.length for span in spans), default=0)))
        self.size = 0

    def read(self, offset: int, length: int) -> bytes | memoryview:
        """Bytes from ``offset``, perhaps fewer, none behind the last span; a memoryview's change with the next call.

        Raises BlobGone, Stale, OSError, Ended.
        """
        for span in self._spans:
            if offset < span.length:
                view = memoryview(self._scratch)[: min(length, span.length - offset, STEP)]
                data = _read(self._reader(span.blob), span.offset + offset, view)
                self.size += len(data)
                self._pace.took(len(data))
                return data
            offset -= span.length
        return b""

    def _reader(self, blob: str) -> IBlobReader:
        if self._open is None or self._open[0] != blob:
            stored = IBlobRereading(self._blobs, None)
            reader = self._blobs.open(blob) if stored is None else stored.reread(blob)
            self.close()
            self._open = blob, reader
        return self._open[1]

    def close(self) -> None:
        """Harmless when repeated."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _read(reader: IBlobReader, offset: int, view: memoryview) -> bytes | memoryview:
    descriptor = reader.fileno()
    if descriptor is None or not _NOWAIT or not hasattr(os, "posix_fadvise"):
        return reader.read(offset, len(view))
    try:
        if os.preadv(descriptor, [view], offset, _NOWAIT) == len(view):
            return view
    except OSError:
        pass  # not in memory: read as always
    size = os.preadv(descriptor, [view], offset)
    os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_DONTNEED)
    return view[:size]


def compare(blobs: IBlobs, record: Version | Part, pace: Pace) -> tuple[str, int]:
    """Whether the stored bytes of a record are its own: WHOLE, UNKNOWN, or a reason for quarantine; and how many were read.

    :raises Stale: the file at a key's path was changed by others.
    :raises Ended: as the pace does.
    :raises OSError: they cannot be read, for a reason that is not the disk's.
    """
    pace.took(LEAST)
    stored, size = StoredBytes(blobs, record.spans, pace), stored_size(record)
    try:
        whole = is_whole(record, stored.read)
        read = stored.size
        if whole:
            return WHOLE, read
        if size and not stored.read(size - 1, 1):
            return LOST, read
        return (UNKNOWN if whole is None else DAMAGED), read
    except BlobGone:
        return LOST, stored.size
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return UNREADABLE, stored.size
    finally:
        stored.close()
