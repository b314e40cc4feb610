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
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any

from gecko_tw.store.drivers import flushing
from gecko_tw.store.drivers.files import beneath, disk
from tests.crash.calls import Calls
from tests.crash.disks import (
    CATALOGS,
    INNER,
    Ages,
    Change,
    Committed,
    Disk,
    Flushed,
    Named,
    Names,
    Node,
    Place,
    Recording,
    of_catalog,
    read,
    read_catalog,
)

UNKNOWN = ("symlink", "mknod", "sendfile", "writev", "pwritev")
"""Names in ``os`` of calls that the drivers do not make, and that cannot be recorded."""


def recorder() -> "Recorder":
    """From now on this process's changes can be recorded; what it has opened before is seen, too, but no earlier connection."""
    made = Recorder()
    disk.sync_file_system = flushing.sync_file_system = made.flushed
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
    :ivar ages: of files that were written after a power cut.
    """

    def __init__(self) -> None:
        self._folder = Path()
        self._numbers: dict[tuple[int, int], int] = {}
        self._base = self._disk = Disk()
        self._catalogs: dict[str, object] = {}
        self._fresh = count()
        self.lock = RLock()
        self.changes: list[Change] = []
        self.ages: Ages = {}
        self.calls = Calls(self)

    def begin(self, folder: Path) -> None:
        """Takes a data directory for durable as it is."""
        with self.lock:
            self._folder = folder
            self._base, self._numbers = read(self._folder, self.ages)
            self._disk = self._base.copy()
            self._fresh = count(len(self._numbers))
            self._catalogs = {catalog: self._stamps(catalog) for catalog in CATALOGS}
            self.changes = []

    def end(self) -> Recording:
        """All that was recorded; nothing is from now on."""
        with self.lock:
            self._numbers, model = {}, self._disk
            found = read(self._folder, self.ages)[0].told()
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
