"""Inodes of what is removed, held until the removal is on the disk.

A file system without a journal writes names and inodes in any order. When a new file or directory gets the inode of one whose removal is
not on the disk yet, a power failure may leave the new one under the old one's name, or the old one's content under the new name.
"""

import os
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_LOOK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST = 10_000


class HeldInodes:
    """What one process has removed. Of too many the oldest are given up, which costs no more than the protection.

    :param flushed_at: asked until when (nanoseconds) everything is on the disk.
    """

    def __init__(self, flushed_at: Callable[[], int]) -> None:
        self._flushed_at = flushed_at
        self._held: deque[tuple[int, int]] = deque()
        self._most = 0

    @contextmanager
    def removing(self, path: str | bytes, directory: int) -> Iterator[None]:
        """Around a call that removes what is at a path, or puts something else there; there need not be anything."""
        try:
            descriptor = os.open(path, _LOOK, dir_fd=directory)
        except OSError:
            descriptor = -1
        try:
            yield
        except BaseException:
            if descriptor >= 0:
                os.close(descriptor)
            raise
        if descriptor >= 0:
            self._hold(descriptor)

    def unlink(self, path: str | bytes, directory: int) -> bool:
        """Removes a file; whether it was there."""
        with self.removing(path, directory):
            try:
                os.unlink(path, dir_fd=directory)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return False
            return True

    def _hold(self, descriptor: int) -> None:
        self.release()
        self._held.append((time.time_ns(), descriptor))
        if len(self._held) > self._most:
            self._most = _most()
            self._give_up(len(self._held) - self._most)

    def rmdir(self, name: bytes, directory: int) -> None:
        """Removes an empty directory. Raises OSError."""
        with self.removing(name, directory):
            os.rmdir(name, dir_fd=directory)

    def release(self) -> None:
        """Gives back what is on the disk."""
        if self._held:
            flushed_at = self._flushed_at()
            with suppress(IndexError):
                while self._held[0][0] < flushed_at:
                    self._give_up(1)

    def close(self) -> None:
        """Gives back everything."""
        self._give_up(len(self._held))

    def _give_up(self, count: int) -> None:
        for _ in range(count):
            with suppress(IndexError):  # another thread was faster
                os.close(self._held.popleft()[1])


def _most() -> int:
    """How many are held. Asked each time: a process that begins to serve lets itself have more descriptors than it began with."""
    return min(_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
