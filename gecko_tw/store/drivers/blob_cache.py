"""Bytes of blobs in memory."""

from threading import Lock
from typing import NamedTuple

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IBlobReader


@implementer(IBlobReader)
class MemoryReader:
    """Bytes that were read already.

    :ivar data: all of them; who finds it needs no thread to read them.
    """

    __slots__ = ("data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def fileno(self) -> None:
        return None

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def close(self) -> None:
        """Nothing is held open."""


class CachedBlob(NamedTuple):
    """A blob that is held.

    :ivar path: of its file; ``mark`` is how the file looked when it was read: who finds another one there must not use this.
    """

    path: bytes
    mark: tuple[int, ...]
    reader: MemoryReader


class BlobCache:
    """The blobs that were read last, as far as there is room.

    :param room: bytes.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = Lock()
        self._blobs: dict[str, CachedBlob] = {}

    def get(self, name: str) -> CachedBlob | None:
        """A blob that is held."""
        return self._blobs.get(name)

    def put(self, name: str, held: CachedBlob) -> MemoryReader:
        """Holds a blob, and lets go of those that have been held longest when it is too much."""
        blobs = self._blobs
        with self._lock:
            replaced = blobs.pop(name, None)
            blobs[name] = held
            self._room -= held.reader.size - (0 if replaced is None else replaced.reader.size)
            while self._room < 0:
                self._room += blobs.pop(next(iter(blobs))).reader.size
        return held.reader
