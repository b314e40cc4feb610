"""Room that is kept for the moment in which others have filled the disk to the last byte: removing something needs some, too."""

import errno
import os
from contextlib import suppress

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LARGEST = 16 * 1024 * 1024
SHARE = 64
AFTER = 3
"""At most so many bytes, or that part of a smaller disk, and taken only where so many times as much is free."""

_NAME = "reserve"


class Reserve:
    """The file ``.geckos3/reserve``: blocks without a use."""

    def __init__(self) -> None:
        self._inner = -1

    def open(self, inner: int, allocates: bool) -> None:
        """Takes it in use.

        :param inner: a descriptor of ``.geckos3``.
        :param allocates: whether room can be had without writing.
        """
        self._inner = inner if allocates else -1

    def keep(self) -> None:
        """Takes the room, where there is plenty and it is not taken. Raises OSError."""
        if self._inner < 0:
            return
        found = os.fstatvfs(self._inner)
        size = min(LARGEST, found.f_blocks * found.f_frsize // SHARE)
        if size == 0 or found.f_bavail * found.f_frsize < AFTER * size:
            return
        with suppress(FileExistsError):
            file = os.open(_NAME, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=self._inner)
            try:
                os.posix_fallocate(file, 0, size)
            except OSError as error:
                self.release()
                if error.errno not in FULL:
                    raise
            finally:
                os.close(file)

    def release(self) -> bool:
        """Gives the room back; whether there was any."""
        if self._inner < 0:
            return False
        try:
            os.unlink(_NAME, dir_fd=self._inner)
        except FileNotFoundError:
            return False
        return True
