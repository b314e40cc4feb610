"""What a data directory knows of its last use: whether it was closed, what was committed and what was flushed.

Kept in ``.geckos3/state``, written in place and read by every process, so that whoever opens the directory first can tell a clean end from
a killed process, a killed process from a power failure, and an older catalog from the one that belongs there.
"""

import ctypes
import mmap
import os
import struct
import time
import zlib

_SIZE = 4096
_HEAD = struct.Struct("<8sB16sQQQ")  # magic, clean, boot, mount, inode, version
_MAGIC = b"geckos3\0"
_VERSION = 1
_COMMITTED = 128
_FLUSHED = 256
_PAIR = struct.Struct("<QQ")
_EMPTY_PATH, _MNT_ID_UNIQUE, _STX_MNT_ID = 0x1000, 0x4000, 0x90


class State:
    """The file, opened.

    :ivar was_clean: whether everybody who had the directory open before has closed it.
    :ivar was_killed: whether it was not closed, and all that was written is there all the same: same boot, same mount, same file.
    :ivar commits: how many steps were committed, by all processes; ``sequence`` is the number of the last record in the undo log.
    :ivar flushed: the number of the last record that is certainly on the disk; what was written before ``flushed_at`` (nanoseconds) is,
        too.
    """

    def __init__(self, inner: int) -> None:
        self._file = os.open("state", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666, dir_fd=inner)
        size = os.fstat(self._file).st_size
        self.is_new = size == 0
        if size < _SIZE:
            os.pwrite(self._file, bytes(_SIZE - size), size)
        self._memory = mmap.mmap(self._file, _SIZE, prot=mmap.PROT_READ)
        head = self._memory[: _HEAD.size]
        good = zlib.crc32(head) == int.from_bytes(self._memory[_HEAD.size : _HEAD.size + 4], "little")
        self.is_damaged = not good and not self.is_new
        self.was_clean = good and bool(_HEAD.unpack(head)[1])
        self.was_killed = good and not self.was_clean and head == self._head(False)
        if self.is_damaged:
            os.pwrite(self._file, bytes(_SIZE), 0)

    @property
    def power_failed(self) -> bool:
        """Whether what was written last may be lost."""
        return self.is_damaged or not (self.is_new or self.was_clean or self.was_killed)

    def is_older(self, sequence: int) -> bool:
        """Whether a catalog whose last record has this number is older than it can have become by itself."""
        if self.is_new or self.is_damaged:
            return False
        return sequence < (self.flushed if self.power_failed else self.sequence)

    def _head(self, clean: bool) -> bytes:
        inode = os.fstat(self._file).st_ino
        return _HEAD.pack(_MAGIC, clean, _boot(), _mount(self._file), inode, _VERSION)

    def write(self, clean: bool) -> None:
        """Says whether the directory is closed, on the disk. For whoever is alone with it."""
        head = self._head(clean)
        os.pwrite(self._file, head + zlib.crc32(head).to_bytes(4, "little"), 0)
        os.fsync(self._file)

    def committed(self, sequence: int, steps: int) -> None:
        """Counts the steps of a commit. For the holder of the journal's lock.

        :param sequence: the number of its last record in the undo log; 0 when there is none.
        """
        commits, last = _PAIR.unpack_from(self._memory, _COMMITTED)
        os.pwrite(self._file, _PAIR.pack(commits + steps, sequence or last), _COMMITTED)

    def follow(self, sequence: int) -> None:
        """The catalog's last record has this number, whatever was thought before. For whoever is alone with the directory."""
        os.pwrite(self._file, _PAIR.pack(self.commits, sequence), _COMMITTED)
        os.pwrite(self._file, _PAIR.pack(min(self.flushed, sequence), self.flushed_at), _FLUSHED)

    def flush(self, sequence: int, moment: int) -> None:
        """All records up to this number are on the disk, and so is this.

        :param moment: nanoseconds: what was written before it is on the disk, too.
        """
        os.pwrite(self._file, _PAIR.pack(sequence, moment), _FLUSHED)
        os.fsync(self._file)

    def is_behind(self) -> bool:
        """Whether steps were committed that are in the undo log and not on the disk yet, as far as anybody knows."""
        behind: bool = _PAIR.unpack_from(self._memory, _COMMITTED)[1] > _PAIR.unpack_from(self._memory, _FLUSHED)[0]
        return behind

    def _number(self, place: int, which: int) -> int:
        number: int = _PAIR.unpack_from(self._memory, place)[which]
        return number

    @property
    def commits(self) -> int:
        return self._number(_COMMITTED, 0)

    @property
    def sequence(self) -> int:
        return self._number(_COMMITTED, 1)

    @property
    def flushed(self) -> int:
        return self._number(_FLUSHED, 0)

    @property
    def flushed_at(self) -> int:
        return self._number(_FLUSHED, 1)

    def close(self) -> None:
        """Gives it back. Harmless when repeated."""
        if self._file >= 0:
            self._memory.close()
            os.close(self._file)
            self._file = -1


def _boot() -> bytes:
    """Which start of the machine this is; nothing where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return bytes.fromhex(file.read().strip().replace("-", ""))
    except (OSError, ValueError):
        return os.urandom(
            16
        )  # never the same: a killed process is then taken for a power failure, which costs a look at all files


def _mount(descriptor: int) -> int:
    """Which mount of its file system a file is in: a number that no other mount since the start of the machine has had."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "statx", None)
    if call is None:
        return time.time_ns()
    found = ctypes.create_string_buffer(256)
    if call(descriptor, b"", _EMPTY_PATH, _MNT_ID_UNIQUE, found) != 0:
        return time.time_ns()
    (mask,) = struct.unpack_from("<I", found.raw)
    (mount,) = struct.unpack_from("<Q", found.raw, _STX_MNT_ID)
    return mount if mask & _MNT_ID_UNIQUE else time.time_ns()
