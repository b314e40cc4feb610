"""The keys that a step is changing just now, in a file that all processes share and that outlives each of them.

Files are changed before the rows are committed. Whoever finds a key noted here while nobody holds the lock knows that the step was
cut short, and brings rows and files together again before anybody can tell. It costs a step three microseconds.

Behind the notes are the counters by which every process knows whether what it remembers is still true.
"""

import errno
import fcntl
import mmap
import os
import struct
from typing import NamedTuple

from gecko_tw.store.drivers.sqlite.counters import COUNTERS_BYTES, Counters

_HEADER = struct.Struct("<HHH")
_LONGEST = (255, 1024, 8192)
_COUNTERS = 160 * 1024
"""Where the counters begin."""
_SIZE = _COUNTERS + COUNTERS_BYTES


class Note(NamedTuple):
    """A key that was being changed; see :meth:`Journal.note`."""

    bucket: str
    key: bytes
    text: bytes


def _is_name(name: bytes) -> bool:
    """Whether it can be a bucket's: damage must not lead anywhere else."""
    return name.isascii() and b"\0" not in name and b"/" not in name and name not in (b"", b".", b"..")


def _record(bucket: str, key: bytes, text: bytes) -> bytes:
    name = bucket.encode()
    return _HEADER.pack(len(name), len(key), len(text)) + name + key + text


class Journal:
    """The journal of one catalog, kept in its lock file.

    :param lock: a descriptor of the file that is locked around every transaction.
    :param probe: another descriptor of it, opened apart, for asking whether anybody holds the lock.
    :ivar counters: what is changing, or has changed.
    """

    def __init__(self, lock: int, probe: int) -> None:
        self._lock = lock
        self._probe = probe
        size = os.fstat(lock).st_size
        if size < _SIZE:
            os.pwrite(lock, bytes(_SIZE - size), size)
        self._memory = mmap.mmap(
            lock, _SIZE, prot=mmap.PROT_READ
        )  # written by calls, which can fail without killing us
        self.counters = Counters(lock, self._memory, _COUNTERS)
        self._end = 1

    def acquire(self) -> None:
        """Waits until no other process is in a step."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._end = 1 if self._memory[0] == 0 else self._read()[1]

    def release(self) -> None:
        """Lets the next process go on."""
        try:
            self.counters.changed()
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def note(self, bucket: str, key: bytes, text: bytes = b"") -> None:
        """Notes a key before anything of it is changed; an empty key is the bucket itself. For the holder of the lock.

        :param text: marks, see :mod:`gecko_tw.store.drivers.sqlite.marks`.
        :raises OSError: there is no room for it.
        """
        record = _record(bucket, key, text)
        count = self._memory[0] + 1
        if self._end + len(record) > _COUNTERS or count > 255:
            raise OSError(errno.ENOBUFS, "too much is changed in one step")
        if count == 1:
            os.pwrite(self._lock, b"\1" + record, 0)  # nobody reads it before the lock is free
        else:
            os.pwrite(self._lock, record, self._end)
            os.pwrite(self._lock, bytes((count,)), 0)
        self._end += len(record)

    def noted(self) -> list[Note]:
        """What a step that was cut short has left. For the holder of the lock."""
        return self._read()[0]

    def _read(self) -> tuple[list[Note], int]:
        """The notes and where they end; what is damaged, and all behind it, is passed over."""
        found: list[Note] = []
        at = 1
        for _ in range(self.count):
            lengths = _HEADER.unpack_from(self._memory, at)
            if any(length > most for length, most in zip(lengths, _LONGEST, strict=True)):
                break
            start, fields = at + _HEADER.size, []
            for length in lengths:
                fields.append(self._memory[start : start + length])
                start += length
            if start > _COUNTERS or not _is_name(fields[0]):
                break
            at = start
            found.append(Note(fields[0].decode("ascii"), fields[1], fields[2]))
        return found, at

    @property
    def count(self) -> int:
        """How many keys are noted; none when no step is under way and none was cut short."""
        return self._memory[0]

    def keep(self, notes: list[Note]) -> None:
        """Only these are still to be brought together. For the holder of the lock."""
        if notes or self._memory[0]:
            text = b"".join(_record(*note) for note in notes)
            os.pwrite(self._lock, bytes((len(notes),)) + text, 0)
            self._end = 1 + len(text)

    def clear(self) -> None:
        """Rows and files are together. For the holder of the lock."""
        if self.count:
            os.pwrite(self._lock, b"\0", 0)
        self._end = 1

    def abandoned(self) -> bool:
        """Whether a step was cut short and nobody has taken it up."""
        return self.count > 0 and self.is_free() and self.count > 0

    def is_free(self) -> bool:
        """Whether nobody holds the lock just now."""
        try:
            fcntl.flock(self._probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._probe, fcntl.LOCK_UN)
        return True

    def close(self) -> None:
        """Gives the memory back."""
        self.counters.close()
        self._memory.close()
