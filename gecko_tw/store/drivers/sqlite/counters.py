"""Counters in memory that all processes share: they tell whether what was read of the catalog is still what it says.

Each key has a slot, which it shares with a few others; buckets and documents have one together. A slot is counted up before and after
every change, so it is odd during one. What was read at an even stamp, and has the same stamp now, is true now
(docs/decisions/0017-what-is-remembered.md).
"""

import mmap
import os
import sys
import zlib

_SLOTS = 16 * 1024
COUNTERS_BYTES = 4 * _SLOTS
COMMON = 0
"""The slot of buckets and documents."""


def slot_of(bucket: str, key: bytes) -> int:
    """The slot of a key. Some keys share one: then the change of one is taken for a change of the others, too."""
    return 1 + zlib.crc32(key, zlib.crc32(bucket.encode())) % (_SLOTS - 1)


class Counters:
    """The counters in a part of a mapped file.

    :param descriptor: of the file, which is written by calls: they can fail without killing us.
    :param start: where they begin in it.
    """

    def __init__(self, descriptor: int, memory: mmap.mmap, start: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._counters = memoryview(memory)[start : start + COUNTERS_BYTES].cast("I")
        self._changing: set[int] = set()

    def stamp(self, slot: int = COMMON) -> int:
        """A number that is another one after every change of what has this slot, or of buckets and documents; -1 during one."""
        common, own = self._counters[COMMON], self._counters[slot]
        return -1 if (common | own) & 1 else common << 32 | own

    def stamp_to_come(self, slot: int) -> int:
        """What :meth:`stamp` will be when the change under way is over; -1 when that changes buckets or documents, too."""
        common, own = self._counters[COMMON], self._counters[slot]
        return -1 if common & 1 else common << 32 | (own + (own & 1)) & 0xFFFFFFFF

    def outdate(self, slot: int = COMMON) -> None:
        """A change begins: what anybody remembers of this slot counts no longer. For the holder of the journal's lock."""
        # Odd already: the change of somebody who died, or of a step before in the same transaction, whose stamp is outdated, too.
        self._count(slot, 2 if self._counters[slot] & 1 else 1)
        self._changing.add(slot)

    def changed(self) -> None:
        """What was outdated is as it will stay: it may be remembered again. For the holder of the journal's lock."""
        changing, self._changing = self._changing, set()
        # Where this fails slots stay odd, and nobody remembers anything of them until they are changed again.
        for slot in changing:
            self._count(slot, 1)

    def _count(self, slot: int, more: int) -> None:
        number = (self._counters[slot] + more) & 0xFFFFFFFF
        os.pwrite(self._descriptor, number.to_bytes(4, sys.byteorder), self._start + 4 * slot)

    def close(self) -> None:
        """Lets go of the memory."""
        self._counters.release()
