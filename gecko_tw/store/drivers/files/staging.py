"""Where files are made before they have their place, in many directories: a file system that spreads directories spreads the files.

Processes would queue for a single one. And ext4 without a journal passes over inodes near a directory that were deleted within the last
minutes, one by one, whenever it makes a file there (docs/decisions/0021-staging.md).
"""

import fcntl
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TypeVar

T = TypeVar("T")

NAME_LENGTH = 32
STINT = 256
"""So many names in a row have the same beginning, and their files the same directory in staging: they lie together on the disk."""

DIRECTORIES = 256

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Names:
    """Numbers that are counted up, and random digits that only this process has."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begins anew: a child must not go on where its parent does."""
        self.own = os.urandom(8).hex()
        self.numbers = count(int.from_bytes(os.urandom(2), "big"))


_names = _Names()
os.register_at_fork(after_in_child=_names.renew)


def fresh_name() -> str:
    """A name that nothing else has: 32 hexadecimal digits, the first two of them the directory in staging, the next two ever others."""
    number = next(_names.numbers)
    return f"{number // STINT % DIRECTORIES:02x}{number % 256:02x}{_names.own}{number // 256:012x}"


def staging_file(name: str) -> str:
    """The path below ``.geckos3``."""
    return f"staging/{_path(name)}"


def _path(name: str) -> str:
    return f"{name[:2]}/{name}"


class Staging:
    """The directory ``.geckos3/staging``, its files known by their names."""

    def __init__(self) -> None:
        self._room = -1

    def open(self, inner: int) -> None:
        """Takes it in use.

        :param inner: a descriptor of ``.geckos3``.
        """
        self._room = os.open("staging", _DIRECTORY, dir_fd=inner)
        _spread(self._room)

    def tidy(self) -> None:
        """Gives what was left by a version whose staging had no directories its place. For who is alone with it."""
        for name in os.listdir(self._room):
            if len(name) == NAME_LENGTH:
                self._make(name)
                os.rename(name, _path(name), src_dir_fd=self._room, dst_dir_fd=self._room)

    def fill(self) -> list[bytes]:
        """The names of all its directories, made where they are missing."""
        present = set(os.listdir(self._room))
        for number in range(DIRECTORIES):
            if f"{number:02x}" not in present:
                self._make(f"{number:02x}")
        return [b"%02x" % number for number in range(DIRECTORIES)]

    def close(self) -> None:
        """Gives it back. Harmless when repeated."""
        if self._room >= 0:
            os.close(self._room)
            self._room = -1

    def create(self, name: str) -> int:
        """A descriptor of a new file. Raises OSError."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        return self._reach(name, lambda: os.open(_path(name), flags, 0o666, dir_fd=self._room))

    def take(
        self, leaf: bytes, directory: int, move: Callable[..., None] | None = None, name: str | None = None
    ) -> str:
        """Moves a file here; returns its name. Raises OSError.

        :param move: called as ``os.rename`` is, which is the default.
        :param name: the name that it gets; None for a fresh one.
        """
        here = name or fresh_name()
        do = move or os.rename
        self._reach(here, lambda: do(leaf, _path(here), src_dir_fd=directory, dst_dir_fd=self._room))
        return here

    def fingerprint(self, name: str) -> tuple[int, int] | None:
        """Size and modification time (nanoseconds) of a file, or None when it is not there."""
        try:
            found = os.stat(_path(name), dir_fd=self._room, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found.st_size, found.st_mtime_ns

    def give(self, name: str, path: str | bytes, directory: int) -> None:
        """Moves a file from here to a path below a directory. Raises OSError."""
        os.rename(_path(name), path, src_dir_fd=self._room, dst_dir_fd=directory)

    def remove(self, name: str) -> None:
        """Removes a file, if it is still there."""
        with suppress(FileNotFoundError):
            os.unlink(_path(name), dir_fd=self._room)

    def sync(self, directory: str) -> None:
        """Makes the entries of one of the directories durable, if it is there. Raises OSError."""
        with suppress(FileNotFoundError):
            descriptor = os.open(directory, _DIRECTORY, dir_fd=self._room)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _reach(self, name: str, do: Callable[[], T]) -> T:
        """What ``do`` returns, called again when a file's directory is missing: it is needed first, or somebody has tidied up."""
        try:
            return do()
        except FileNotFoundError:
            self._make(name)
        return do()

    def _make(self, name: str) -> None:
        """Makes the directory of a file with a name that begins so."""
        found = os.fstat(self._room)
        with suppress(FileExistsError, PermissionError):
            os.mkdir(name[:2], 0o700, dir_fd=self._room)
            if found.st_uid != os.geteuid():  # root helps somebody who shall be able to use it
                os.chown(name[:2], found.st_uid, found.st_gid, dir_fd=self._room)


_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_TOP_OF_HIERARCHIES = 0x00020000


def _spread(directory: int) -> None:
    """Asks for the directories that will be made in this one to be put far from each other: ext4's attribute ``T``, see chattr(1)."""
    if sys.platform == "linux":
        with suppress(OSError):  # it is a wish: other file systems know none like it
            flags = int.from_bytes(fcntl.ioctl(directory, _GET_FLAGS, bytes(8)), sys.byteorder)
            if not flags & _TOP_OF_HIERARCHIES:
                fcntl.ioctl(directory, _SET_FLAGS, (flags | _TOP_OF_HIERARCHIES).to_bytes(8, sys.byteorder))
