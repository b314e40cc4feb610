"""Linux's inotify(7): its three calls, and its limits."""

import ctypes
import errno
import os
import struct
from contextlib import suppress

CLOSED, ATTRIBUTES, MOVED_FROM, MOVED_TO, CREATED, DELETED = 0x8, 0x4, 0x40, 0x80, 0x100, 0x200
"""A file that was open for writing was closed, permissions or times were changed, and what happened to names in a directory."""
UNMOUNTED, OVERFLOW, IGNORED, IS_DIRECTORY = 0x2000, 0x4000, 0x8000, 0x40000000
_ONLY_DIRECTORIES, _NO_LINKS = 0x01000000, 0x02000000

HEAD = struct.Struct("iIII")
"""An event's watch, mask, cookie (the same for both halves of a rename, else 0) and the length of the name that follows."""

_READ_STEP = 16 * 1024
"""Some 300 events: others get the interpreter's lock between two steps."""

_library = ctypes.CDLL(None, use_errno=True)


class Inotify:
    """One instance. Raises OSError: ENOSYS where the system has none, EMFILE when the user has too many of them."""

    def __init__(self) -> None:
        if not hasattr(_library, "inotify_init1"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._descriptor = _checked(_library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def fileno(self) -> int:
        """Its descriptor; -1 once it is closed."""
        return self._descriptor

    def add(self, path: bytes, mask: int) -> int:
        """The number of a directory's watch: the same one for every path of the same directory. Raises OSError."""
        return _checked(
            _library.inotify_add_watch(self._descriptor, path, mask | _ONLY_DIRECTORIES | _NO_LINKS), os.fsdecode(path)
        )

    def remove(self, number: int) -> None:
        """Ends a watch; one that has ended is passed over. The event IGNORED follows."""
        with suppress(OSError):
            _checked(_library.inotify_rm_watch(self._descriptor, number))

    def read(self) -> bytes:
        """The next events, each a HEAD and a name filled up with zeros; empty when there are none."""
        try:
            return os.read(self._descriptor, _READ_STEP)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Ends all watches. Harmless when repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def limit(name: str) -> int:
    """One of the limits in ``fs.inotify`` of sysctl; 0 when it is not told."""
    try:
        with open(f"/proc/sys/fs/inotify/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def _checked(result: int, path: str | None = None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result
