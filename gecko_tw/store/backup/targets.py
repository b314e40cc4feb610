"""Where backups lie: what is asked of such a place, and directories."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from gecko_tw.store.drivers.files.disk import sync_file_system, write_all

_FICLONE = 0x40049409
_LOCK = ".lock"


class BackupError(Exception):
    """A backup cannot be made, read or restored. Its text says why, in one line."""


class Sink(Protocol):
    """A file of a target on its way in. Before :meth:`commit` nobody sees it."""

    def write(self, data: bytes | memoryview) -> None:
        """Appends. Raises BackupError."""

    def commit(self) -> None:
        """It is there, whole. Raises BackupError."""

    def abort(self) -> None:
        """Forgets it. Harmless when repeated or after commit."""


class Source(Protocol):
    """A file of a target, opened.

    :ivar size: its length in bytes.
    """

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Bytes, fewer only at the end. Raises BackupError."""

    def close(self) -> None:
        """Harmless when repeated."""


class Target(Protocol):
    """A place for backups. Names are relative paths; all methods may be called from any thread, and raise BackupError.

    :ivar name: what people call it.
    """

    name: str

    def begin(self) -> None:
        """Makes it ready to be written to, and keeps out others who would, where it can."""

    def listed(self, under: str) -> list[str]:
        """The names of files and directories directly below one, in order; none when it is not there."""

    def size(self, name: str) -> int | None:
        """A file's length in bytes, or None when it is not there."""

    def holds(self, name: str, size: int) -> bool:
        """Whether a file of that length was there when the backup began, or is now."""

    def create(self, name: str) -> Sink:
        """A new file, in the place of the one that is there."""

    def clone(self, name: str, descriptor: int, unchanging: bool) -> bool:
        """Makes it of an open file without copying, where it can; returns whether it did.

        :param unchanging: whether nobody ever changes that file in place: then another name of it will do.
        """

    def open(self, name: str) -> Source | None:
        """A file, or None when it is not there."""

    def remove(self, name: str) -> None:
        """Removes a file; one that is not there is passed over."""

    def sync(self) -> None:
        """Returns when all that was written will outlive a power failure."""

    def close(self) -> None:
        """Lets others in. Harmless when repeated."""


class _DirectorySink:
    def __init__(self, target: "DirectoryTarget", name: str) -> None:
        self._target, self._path = target, target.path / name
        self._fresh = self._path.with_name(f".{self._path.name}.new")
        with target.blaming():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes | memoryview) -> None:
        with self._target.blaming():
            write_all(self.descriptor, data)

    def commit(self) -> None:
        with self._target.blaming():
            self._close()
            os.replace(self._fresh, self._path)

    def abort(self) -> None:
        if self.descriptor >= 0:
            self._close()
            with suppress(OSError):  # the next backup writes over it
                os.unlink(self._fresh)

    def become(self, descriptor: int) -> bool:
        """Commits another name of an open file in place of what was written, where there can be one."""
        try:
            os.unlink(self._fresh)
            # With a descriptor it is linkat, which follows; for an absolute path any will do.
            os.link(f"/proc/self/fd/{descriptor}", self._fresh, src_dir_fd=descriptor, follow_symlinks=True)
        except OSError:
            return False
        self.commit()
        return True

    def _close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        os.close(descriptor)


class _DirectorySource:
    def __init__(self, target: "DirectoryTarget", descriptor: int) -> None:
        self._target, self._descriptor = target, descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        pieces = []
        with self._target.blaming():
            while length > 0 and (data := os.pread(self._descriptor, length, offset)):
                pieces.append(data)
                offset += len(data)
                length -= len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class _Blaming:
    """Turns errors of the system into a line that names the target."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, OSError):
            full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
            raise BackupError(f"{self._name}: {'it is full' if full else problem.strerror or problem}") from problem


class DirectoryTarget:
    """See Target.

    :param path: made by :meth:`begin` when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)
        self._lock = -1

    def blaming(self) -> _Blaming:
        """A context whose OSErrors become BackupErrors."""
        return _Blaming(self.name)

    def begin(self) -> None:
        with self.blaming():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"{self.name}: another backup to it is under way") from None

    def listed(self, under: str) -> list[str]:
        with self.blaming():
            try:
                return sorted(name for name in os.listdir(self.path / under) if not name.startswith("."))
            except FileNotFoundError:
                return []

    def size(self, name: str) -> int | None:
        with self.blaming():
            try:
                return os.stat(self.path / name).st_size
            except FileNotFoundError:
                return None

    def holds(self, name: str, size: int) -> bool:
        return self.size(name) == size

    def create(self, name: str) -> _DirectorySink:
        return _DirectorySink(self, name)

    def clone(self, name: str, descriptor: int, unchanging: bool) -> bool:
        sink = self.create(name)
        try:
            fcntl.ioctl(sink.descriptor, _FICLONE, descriptor)
        except OSError:  # most file systems cannot, and none can to another one
            return unchanging and sink.become(descriptor)
        else:
            sink.commit()
            return True
        finally:
            sink.abort()

    def open(self, name: str) -> _DirectorySource | None:
        with self.blaming():
            try:
                return _DirectorySource(self, os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC))
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        with self.blaming(), suppress(FileNotFoundError):
            os.unlink(self.path / name)
        with suppress(OSError):  # it has other files
            os.rmdir((self.path / name).parent)

    def sync(self) -> None:
        with self.blaming():
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                sync_file_system(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        descriptor, self._lock = self._lock, -1
        if descriptor >= 0:
            os.close(descriptor)


def pieces(source: Source, step: int = 1024 * 1024) -> Iterator[bytes]:
    """All bytes of a file, in order."""
    at = 0
    while data := source.read(at, step):
        yield data
        at += len(data)
