"""The data directory itself: where things are, what its file system can do, and writing small files whole."""

import ctypes
import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from gecko_tw.store.drivers.files.beneath import ABSENT, exchange, open_beneath
from gecko_tw.store.drivers.files.holding import HeldInodes
from gecko_tw.store.drivers.files.paths import INNER, pool_path
from gecko_tw.store.drivers.files.reserve import FULL, Reserve
from gecko_tw.store.drivers.files.staging import Staging, fresh_name, staging_file
from gecko_tw.store.drivers.files.state import State
from gecko_tw.store.refusals import InsufficientStorage

ATTRIBUTE = "user.geckos3"
RESERVE = 32 * 1024 * 1024
SHARE_OF_RESERVE = 16
"""Bytes that new bodies leave free, and what part of a small disk: the catalog's log may grow by so much."""

_PATIENCE, _PAUSE = 100, 0.02
"""So often, and so many seconds apart, somebody who is alone with the directory is asked for it: closing takes a flush."""

_ROOMS = ("staging", "pool", "buckets", "uploads", "attributes", "documents")


class InUse(RuntimeError):
    """Another process uses this data directory: stop it first."""


class Disk:
    """A data directory.

    :param rooms: the directories of ours that it has.

    :ivar root: a descriptor of the data directory.
    :ivar inner: a descriptor of its ``.geckos3``; the other paths are relative to it.
    :ivar xattrs: whether files can carry attributes.
    :ivar folding: whether names that differ only in case are the same.
    :ivar allocates: whether room for bytes can be had before they are written.
    :ivar exchanges: whether two files can change places.
    :ivar staging: where files are made; ``reserve`` is room for a full disk.
    :ivar held: inodes of what was removed since the last flush.
    :ivar state: what is known of the last use, while it is open.
    """

    def __init__(self, data_dir: str, fsync: bool, rooms: tuple[str, ...] = _ROOMS) -> None:
        self.data_dir = os.path.abspath(data_dir)
        self.fsync = fsync
        self._rooms = rooms
        self.root = self.inner = self.lock = self.probe = self._used = -1
        self.xattrs = self.folding = self.allocates = self.exchanges = False
        self.staging = Staging()
        self.reserve = Reserve()
        self.held = HeldInodes(lambda: self.state.flushed_at)
        self.state: State = None  # type: ignore[assignment]

    def _open(self) -> None:
        """Makes what is missing."""
        inner = self.inner_path()
        os.makedirs(self.data_dir, exist_ok=True)
        for room in ("", *self._rooms):
            os.makedirs(os.path.join(inner, room), mode=0o700, exist_ok=True)
        self.root = os.open(self.data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.inner = os.open(inner, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self.staging.open(self.inner)
        self.state = State(self.inner)
        self.lock = self._lock_file("lock")
        self.probe = self._lock_file("lock")
        self._used = self._lock_file("used")

    @contextmanager
    def opening(self) -> Iterator[bool]:
        """Opens it, and makes what is missing; while the block lasts no other process prepares it.

        The block is given whether this process is alone with the directory, which it stays until the end of the block. Who uses the
        directory closes it, also when the block fails. Raises OSError with the path at fault, InUse.
        """
        self._open()
        alone = self._enter()
        if alone:
            self.staging.tidy()
        self._probe()
        self.reserve.open(self.inner, self.allocates)
        yield alone
        if alone:
            self.state.write(False)
            self.claim(False)
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def _enter(self) -> bool:
        """Waits for the directory's lock, and a little for somebody who is just leaving; whether nobody else is there. Raises InUse."""
        for patience in range(_PATIENCE, -1, -1):
            fcntl.flock(self.lock, fcntl.LOCK_EX)
            try:
                if self._is_free():
                    return True
                self.claim(False)
                return False
            except InUse:
                fcntl.flock(self.lock, fcntl.LOCK_UN)
                if not patience:
                    raise
                time.sleep(_PAUSE)
        raise AssertionError("unreachable")

    def _is_free(self) -> bool:
        """Whether nobody else has the directory open: then it is this process's alone."""
        try:
            self.claim(True)
        except InUse:
            return False
        return True

    def leave(self, last: Callable[[], None]) -> None:
        """Says that the directory is closed when this process is the last one that has it open.

        :param last: called first then.
        """
        if self._used >= 0 and self._is_free():
            last()
            self.state.write(True)

    def _lock_file(self, name: str) -> int:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666, dir_fd=self.inner)

    def _take(self, how: int) -> None:
        try:
            fcntl.flock(self._used, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"{self.data_dir} is in use by another process: stop it first") from None

    def claim(self, alone: bool) -> None:
        """Takes the directory for this process alone, or gives that up. Raises InUse."""
        self._take(fcntl.LOCK_EX if alone else fcntl.LOCK_SH)

    def close(self) -> None:
        """Closes every descriptor. Harmless when repeated."""
        self.staging.close()
        self.held.close()
        if self.state is not None:
            self.state.close()
        for name in ("root", "inner", "lock", "probe", "_used"):
            descriptor = getattr(self, name)
            if descriptor >= 0:
                os.close(descriptor)
                setattr(self, name, -1)

    def _probe(self) -> None:
        name = f"staging/{fresh_name()[:-1]}a"
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666, dir_fd=self.inner)
        try:
            self.xattrs = _takes_attributes(descriptor)
            self.folding = _exists(f"{name[:-1]}A", self.inner)
            self.allocates = _takes_allocation(descriptor)
            self.exchanges = self._takes_exchange(name, f"{name[:-1]}b")
        finally:
            os.close(descriptor)
            os.unlink(name, dir_fd=self.inner)

    def _takes_exchange(self, name: str, other: str) -> bool:
        """Not where there is no room for another file, or where it is forbidden: whoever only serves must be able to start."""
        try:
            os.close(os.open(other, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666, dir_fd=self.inner))
        except OSError:
            return False
        try:
            return exchange((self.inner, name.encode()), (self.inner, other.encode()))
        except OSError:
            return False
        finally:
            os.unlink(other, dir_fd=self.inner)

    def inner_path(self, *names: str) -> str:
        """A path of ours, for those who need one in full."""
        return os.path.join(self.data_dir, os.fsdecode(INNER), *names)

    def write_whole(self, path: str, data: bytes) -> bytes:
        """Writes a file of ours (path relative to ``.geckos3``) so that nobody sees half of it; returns its directory.

        The directory's entry is durable only after :meth:`sync`. Raises InsufficientStorage.
        """
        return self.rename_inner(self.stage(data), path)

    def stage(self, data: bytes) -> str:
        """A new file in staging with these bytes; returns its name. Raises InsufficientStorage."""
        name = fresh_name()
        descriptor = self.staging.create(name)
        try:
            write_all(descriptor, data)
            if self.fsync:
                os.fsync(descriptor)
        except OSError as error:
            self.staging.remove(name)
            raise full_or(error) from error
        finally:
            os.close(descriptor)
        return name

    def rename_inner(self, name: str, path: str) -> bytes:
        """Moves a staged file to a path of ours, making its directories; returns the directory below the data directory."""
        with self.held.removing(path, self.inner):
            try:
                self.staging.give(name, path, self.inner)
            except FileNotFoundError:
                self.make_rooms(path)
                self.staging.give(name, path, self.inner)
        return directory_of(path)

    def make_rooms(self, path: str) -> None:
        """Makes the directories of a path of ours."""
        parent = os.path.dirname(path)
        os.makedirs(self.inner_path(parent), mode=0o700, exist_ok=True)
        above = directory_of(parent)
        self.sync([above, os.path.dirname(above)])

    def read_whole(self, path: str) -> bytes | None:
        """A file of ours, or None when it is not there."""
        try:
            descriptor = open_beneath(self.inner, os.fsencode(path), os.O_RDONLY)
        except FileNotFoundError:
            return None
        with open(descriptor, "rb") as file:
            return file.read()

    def drop(self, paths: Iterable[str]) -> None:
        """Removes files of ours; those already gone are passed over."""
        for path in paths:
            self.held.unlink(path, self.inner)

    def sync(self, directories: Iterable[bytes]) -> None:
        """Makes the entries of directories (below the data directory) durable when the driver was asked to."""
        if not self.fsync:
            return
        for directory in directories:
            try:
                descriptor = open_beneath(self.root, directory or b".", os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                if error.errno in ABSENT:  # emptied and removed since: then its parent was touched too
                    continue
                raise
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def sync_file_system(descriptor: int) -> None:
    """Returns when everything that was written to a file system is on its disk, whoever wrote it (syncfs, POSIX sync where there is none).

    :param descriptor: of any file in it. Raises OSError.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        os.sync()
    elif call(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def refuse_without_reserve(disk: Disk) -> None:
    """Keeps some room for removing what is there, and for the catalog: a step that it has no room for has changed files already.

    :raises InsufficientStorage: hardly any room is left.
    """
    found = os.fstatvfs(disk.inner)
    if found.f_bavail < min(RESERVE // found.f_frsize, found.f_blocks // SHARE_OF_RESERVE):
        raise InsufficientStorage


def directory_of(path: str) -> bytes:
    """The directory, below the data directory, of a path of ours."""
    return INNER + b"/" + os.fsencode(os.path.dirname(path))


def pool_file(blob: str) -> str:
    """A pool blob's path below ``.geckos3``."""
    return f"pool/{pool_path(blob)}"


def description_file(blob: str) -> str:
    """The path of the file that describes a pool blob where it cannot do so itself, or that lists an object's spans."""
    return f"pool/{pool_path(blob)}.json"


def spill_file(name: str) -> str:
    """The path of attributes that are too long for an extended attribute."""
    return f"attributes/{pool_path(name)}.json"


def remove_files(disk: Disk, name: str) -> None:
    """Removes every file of ours that has this name."""
    disk.drop(paths_of(name))


def paths_of(name: str) -> tuple[str, ...]:
    """Where files of ours that have this name may be."""
    return pool_file(name), description_file(name), spill_file(name), staging_file(name)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Writes everything. Raises OSError."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def full_or(error: OSError) -> Exception:
    """The refusal that an error of a full disk is, else the error itself."""
    return InsufficientStorage() if error.errno in FULL else error


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _takes_attributes(descriptor: int) -> bool:
    try:
        os.setxattr(descriptor, ATTRIBUTE, b"{}")
    except (OSError, AttributeError):
        return False
    return True


def _takes_allocation(descriptor: int) -> bool:
    """Asks the system itself: the C library's ``posix_fallocate`` would write zeros where the file system cannot."""
    call = getattr(ctypes.CDLL(None), "fallocate", None)
    if call is None:
        return False
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return bool(call(descriptor, 0, 0, 4096) == 0)
