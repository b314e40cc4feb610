"""Recording all that a process changes below a data directory, so that a power cut can be simulated at any point of it.

Calls that change files are replaced by some that tell, too. SQLite writes by itself: of it the files are kept after each transaction.
Nothing waits for the real disk meanwhile.
"""

import builtins
import fcntl
import io
import mmap
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any

from gecko_tw.store.drivers import flushing
from gecko_tw.store.drivers.files import beneath, disk, pooling
from gecko_tw.store.drivers.files.staging import Staging
from tests.crash.disks import (
    CATALOGS,
    INNER,
    Change,
    Committed,
    Described,
    Disk,
    Flushed,
    Named,
    Names,
    Node,
    Place,
    Recording,
    Sized,
    Stamped,
    Wrote,
    of_catalog,
    read,
    read_catalog,
)

UNKNOWN = ("symlink", "mknod", "sendfile", "writev", "pwritev")
"""Names in ``os`` of calls that the drivers do not make, and that cannot be recorded."""
_EXCHANGE = 2


def recorder() -> "Recorder":
    """From now on this process's changes can be recorded; what it has opened before is seen, too, but no earlier connection."""
    made = Recorder()
    disk.sync_file_system = flushing.sync_file_system = made.flushed
    # What was bound to a call of the system before is bound anew.
    Staging.take.__defaults__ = (made.calls.rename, *(Staging.take.__defaults__ or ())[1:])
    pooling._LINK = partial(made.calls.link, *pooling._LINK.args, **pooling._LINK.keywords)
    for name in dir(Calls):
        if hasattr(os, name) and not name.startswith("_"):
            setattr(os, name, getattr(made.calls, name))
    for name in UNKNOWN:
        setattr(os, name, made.refusing(getattr(os, name)))
    os.replace, os.remove = os.rename, os.unlink
    fcntl.ioctl = made.calls.ioctl
    beneath._renameat2 = made.calls.renameat2
    builtins.open = io.open = made.opening(io.open)
    mmap.mmap = made.mapping(mmap.mmap)
    sqlite3.connect = made.connecting(sqlite3.connect)
    return made


class Recorder:
    """Tells a simulated disk what becomes of a data directory.

    :ivar changes: since :meth:`begin`.
    """

    def __init__(self) -> None:
        self._folder = Path()
        self._numbers: dict[tuple[int, int], int] = {}
        self._base = self._disk = Disk()
        self._catalogs: dict[str, object] = {}
        self._fresh = count()
        self.lock = RLock()
        self.changes: list[Change] = []
        self.calls = Calls(self)

    def begin(self, folder: Path) -> None:
        """Takes a data directory for durable as it is."""
        with self.lock:
            self._folder = folder
            self._base, self._numbers = read(self._folder)
            self._disk = self._base.copy()
            self._fresh = count(len(self._numbers))
            self._catalogs = {catalog: self._stamps(catalog) for catalog in CATALOGS}
            self.changes = []

    def end(self) -> Recording:
        """All that was recorded; nothing is from now on."""
        with self.lock:
            self._numbers, model = {}, self._disk
            found = read(self._folder)[0].told()
        told = model.told()
        assert set(told) == set(found), f"not recorded: {set(told) ^ set(found)}"
        for path, (data, attributes, modified) in told.items():
            assert (data, attributes) == found[path][:2], f"not recorded: a change of {path!r}"
            assert modified in (None, found[path][2]), f"not recorded: the time of {path!r}"
        return Recording(self._base, tuple(self.changes))

    def tell(self, change: Change) -> None:
        change.apply(self._disk)
        self.changes.append(change)

    def number(self, target: Any) -> int | None:
        """The node's number of a descriptor or a path; None when it is none of the directory's."""
        if not self._numbers:
            return None
        with suppress(OSError):
            found = os.stat(target)
            return self._numbers.get((found.st_dev, found.st_ino))
        return None

    def place(self, path: Any, directory: int | None = None) -> Place | None:
        """Where a path leads to; None when that is outside, or a file of the catalog."""
        if not self._numbers:
            return None
        parent, name = os.path.split(os.fsencode(path))
        try:
            found = os.stat(parent or b".", dir_fd=directory)
        except OSError:
            return None
        number = self._numbers.get((found.st_dev, found.st_ino))
        return None if number is None or of_catalog(name) else (number, name)

    def at(self, place: Place) -> int | None:
        return self._disk.at(place)

    def make(self, place: Place, found: os.stat_result) -> None:
        """A new node."""
        number = self._numbers[found.st_dev, found.st_ino] = next(self._fresh)
        names: Names | None = {} if stat.S_ISDIR(found.st_mode) else None
        node = Node(stat.S_IMODE(found.st_mode), names)
        self.tell(Named((place[0], number), ((place, number),), {number: node}))

    def name(self, *names: tuple[Place, int | None]) -> None:
        """Names that point to others now."""
        numbers = [number for place, new in names for number in (place[0], new, self.at(place)) if number is not None]
        self.tell(Named(tuple(numbers), names))

    def flushed(self, descriptor: int = -1) -> None:
        """Everything is on the disk."""
        with self.lock:
            if self._numbers:
                self.tell(Flushed(()))

    def commit(self, waited: bool) -> None:
        """Perhaps there was a transaction."""
        for catalog in CATALOGS if self._numbers else ():
            stamps = self._stamps(catalog)
            if stamps == self._catalogs.get(catalog) or stamps[0] is None:
                continue
            self._catalogs[catalog] = stamps
            was = self._disk.catalogs.get(catalog, (b"", b""))
            file, log = read_catalog(self._folder / INNER / catalog)
            folded, kept = file != was[0], len(was[1]) if log.startswith(was[1]) else 0
            self.tell(Committed((), catalog, file if folded else None, kept, log[kept:], waited or folded))

    def _stamps(self, catalog: str) -> tuple[object, object]:
        stamps: list[object] = []
        for name in (catalog, f"{catalog}-wal"):
            try:
                found = os.stat(self._folder / INNER / name)
            except FileNotFoundError:
                stamps.append(None)
            else:
                stamps.append((found.st_ino, found.st_size, found.st_mtime_ns))
        return stamps[0], stamps[1]

    def refusing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.refuse(bool(self._numbers))
            return real(*arguments, **named)

        return call

    def refuse(self, changes: bool) -> None:
        if changes:
            raise AssertionError("a file is changed by a call that is not recorded")

    def opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if set(mode) & set("wax+") and not isinstance(file, int):
                self.refuse(self.place(file) is not None)
            return real(file, mode, *arguments, **named)

        return call

    def mapping(self, real: type[mmap.mmap]) -> type[mmap.mmap]:
        recorder = self

        class Map(real):
            def __setitem__(self, place: Any, value: Any) -> None:
                recorder.refuse(bool(recorder._numbers))
                super().__setitem__(place, value)

        return Map

    def connecting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        recorder = self

        class Connection(sqlite3.Connection):
            waits = True

            def execute(self, statement: str, *arguments: Any) -> Any:
                if statement.startswith("PRAGMA synchronous = "):
                    self.waits = not statement.endswith(("NORMAL", "OFF"))
                    return super().execute("PRAGMA synchronous = OFF")
                if self.in_transaction and not statement.startswith(("COMMIT", "END")):
                    return super().execute(statement, *arguments)
                if statement.startswith(("BEGIN", "SELECT")):  # the former may wait for another thread
                    return super().execute(statement, *arguments)
                with recorder.lock:
                    result = super().execute(statement, *arguments)
                    recorder.commit(self.waits)
                return result

            def executescript(self, script: str) -> Any:
                with recorder.lock:
                    result = super().executescript(script)
                    recorder.commit(self.waits)
                return result

            def commit(self) -> None:
                with recorder.lock:
                    super().commit()
                    recorder.commit(self.waits)

            def close(self) -> None:
                with recorder.lock:
                    super().close()
                    recorder.commit(True)

        def connect(*arguments: Any, **named: Any) -> Any:
            connection = real(*arguments, **{**named, "factory": Connection})
            sqlite3.Connection.execute(connection, "PRAGMA synchronous = OFF")
            return connection

        return connect


def _recorded(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call that nothing else comes between, nor between it and what it tells."""

    def locked(self: "Calls", *arguments: Any, **named: Any) -> Any:
        with self._recorder.lock:
            return call(self, *arguments, **named)

    return locked


class Calls:
    """Calls of the system, under their names in ``os``, that tell what they have changed."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._real = {name: getattr(os, name) for name in dir(Calls) if hasattr(os, name) and not name.startswith("_")}
        self._ioctl = fcntl.ioctl
        self._renameat2 = beneath._renameat2

    @_recorded
    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        place = self._recorder.place(path, dir_fd) if flags & (os.O_CREAT | os.O_TRUNC) else None
        descriptor: int = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        if place is not None:
            number = self._recorder.at(place)
            if number is None:
                self._recorder.make(place, os.fstat(descriptor))
            elif flags & os.O_TRUNC:
                self._recorder.tell(Sized((number,), 0))
        return descriptor

    @_recorded
    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        place = self._recorder.place(path, dir_fd)
        self._real["mkdir"](path, mode, dir_fd=dir_fd)
        if place is not None:
            self._recorder.make(place, os.stat(path, dir_fd=dir_fd))

    @_recorded
    def rename(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        source, target = self._recorder.place(src, src_dir_fd), self._recorder.place(dst, dst_dir_fd)
        self._real["rename"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        number = None if source is None else self._recorder.at(source)
        names = [(target, number), (source, None)]
        if target is not None and source is not None and number == self._recorder.at(target):
            return  # two names of one file stay as they are
        if told := [(place, node) for place, node in names if place is not None]:
            self._recorder.refuse(source is None)
            self._recorder.name(*told)
        self._recorder.commit(False)

    def renameat2(self, source: int, old: bytes, target: int, new: bytes, flags: int) -> int:
        with self._recorder.lock:
            places = self._recorder.place(old, source), self._recorder.place(new, target)
            result: int = self._renameat2(source, old, target, new, flags)
            if result == 0 and None not in places:
                here, there = places
                assert flags == _EXCHANGE and here is not None and there is not None
                self._recorder.name((here, self._recorder.at(there)), (there, self._recorder.at(here)))
            return result

    @_recorded
    def link(
        self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None, **how: Any
    ) -> None:
        number, place = None, self._recorder.place(dst, dst_dir_fd)
        source = self._recorder.place(src, src_dir_fd)
        self._real["link"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, **how)
        if source is not None and place is not None:
            number = self._recorder.at(source)
            assert number is not None
            self._recorder.name((place, number))
        self._recorder.commit(False)

    @_recorded
    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        place = self._recorder.place(path, dir_fd)
        self._real["unlink"](path, dir_fd=dir_fd)
        if place is not None:
            self._recorder.name((place, None))

    @_recorded
    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        place = self._recorder.place(path, dir_fd)
        self._real["rmdir"](path, dir_fd=dir_fd)
        if place is not None:
            self._recorder.name((place, None))

    @_recorded
    def setxattr(self, path: Any, attribute: str, value: bytes, *more: Any, **how: Any) -> None:
        self._real["setxattr"](path, attribute, value, *more, **how)
        self._told(path, lambda number: Described((number,), os.fsdecode(attribute), bytes(value)))

    @_recorded
    def removexattr(self, path: Any, attribute: str, **how: Any) -> None:
        self._real["removexattr"](path, attribute, **how)
        self._told(path, lambda number: Described((number,), os.fsdecode(attribute), None))

    @_recorded
    def utime(self, path: Any, times: Any = None, *, dir_fd: int | None = None, **how: Any) -> None:
        place = None if isinstance(path, int) else self._recorder.place(path, dir_fd)
        self._real["utime"](path, times, dir_fd=dir_fd, **how)
        number = self._recorder.number(path) if isinstance(path, int) else place and self._recorder.at(place)
        if number is not None:
            modified = os.stat(path, dir_fd=dir_fd).st_mtime_ns
            self._recorder.tell(Stamped((number,), modified))

    @_recorded
    def truncate(self, path: Any, length: int) -> None:
        self._real["truncate"](path, length)
        self._told(path, lambda number: Sized((number,), length))

    @_recorded
    def ftruncate(self, fd: int, length: int) -> None:
        self._real["ftruncate"](fd, length)
        self._told(fd, lambda number: Sized((number,), length))

    @_recorded
    def posix_fallocate(self, fd: int, offset: int, length: int) -> None:
        self._real["posix_fallocate"](fd, offset, length)
        self._told(fd, lambda number: Sized((number,), os.fstat(fd).st_size))

    @_recorded
    def write(self, fd: int, data: Any) -> int:
        known = self._recorder.number(fd) is not None
        offset = os.lseek(fd, 0, os.SEEK_CUR) if known else 0
        written: int = self._real["write"](fd, data)
        self._wrote(fd, offset, written)
        return written

    @_recorded
    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        written: int = self._real["pwrite"](fd, data, offset)
        self._wrote(fd, offset, written)
        return written

    @_recorded
    def copy_file_range(self, src: int, dst: int, count: int, offset_src: Any = None, offset_dst: Any = None) -> int:
        offset = os.lseek(dst, 0, os.SEEK_CUR) if offset_dst is None else offset_dst
        copied: int = self._real["copy_file_range"](src, dst, count, offset_src, offset_dst)
        self._wrote(dst, offset, copied)
        return copied

    @_recorded
    def fsync(self, fd: int) -> None:
        self._told(fd, lambda number: Flushed((number,)))

    fdatasync = fsync

    def ioctl(self, fd: Any, request: int, *arguments: Any) -> Any:
        """FICLONE is recorded: it copies a whole file."""
        with self._recorder.lock:
            result = self._ioctl(fd, request, *arguments)
            if isinstance(fd, int) and request & 0xFF00 == 0x9400:
                self._wrote(fd, 0, os.fstat(fd).st_size)
            return result

    def _told(self, target: Any, change: Callable[[int], Change]) -> None:
        number = self._recorder.number(target)
        if number is not None:
            self._recorder.tell(change(number))

    def _wrote(self, fd: int, offset: int, length: int) -> None:
        """Bytes are read back: some calls do not tell them, and not every descriptor can be read from."""
        if self._recorder.number(fd) is None or not length:
            return
        with open(f"/proc/self/fd/{fd}", "rb") as file:
            file.seek(offset)
            data = file.read(length)
        self._told(fd, lambda number: Wrote((number,), offset, data))
