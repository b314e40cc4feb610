"""What flushes remove, and holding them back while somebody reads the bytes of an earlier moment."""

import fcntl
import os
import time

from gecko_tw.store.drivers.files.disk import Disk

_NAME = "backup.lock"
_TRIES, _APART = 10, 0.02
"""How often it is tried, and the seconds between: whoever asks whether it is held has it for a few microseconds."""


class AlreadyHeld(RuntimeError):
    """Another process holds them back: a backup is under way."""


class GarbageHold:
    """While it is held, flushes make everything durable and remove nothing: whoever takes it, and then looks at the records, finds
    all their bytes, at their paths, in the pool or in staging. A lock of the system, so that nobody who is killed has it.
    """

    def __init__(self, disk: Disk) -> None:
        self._path = disk.inner_path(_NAME)
        self._descriptor = -1

    def take(self) -> None:
        """Raises AlreadyHeld, OSError."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _ in range(_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_APART)
            else:
                self._descriptor = descriptor
                return
        os.close(descriptor)
        raise AlreadyHeld("another backup of it is under way")

    def release(self) -> None:
        """Harmless when repeated."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def is_held(disk: Disk) -> bool:
    """Whether anybody, this process included, holds back what flushes remove."""
    try:
        descriptor = os.open(disk.inner_path(_NAME), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
