"""Snapshots of the catalog that are kept for a while: in ``.geckos3/snapshots``, named by their time."""

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from gecko_tw.store.drivers.sqlite import snapshots
from gecko_tw.store.drivers.sqlite.connections import Connections, connect_to_read

HOURS, DAYS, LEAST = 24, 7, 3
"""The newest of each of so many hours are kept, the newest of each of so many days, and the newest of all."""

_HOUR = 3600 * 10**9
_NAME = "%Y%m%dT%H%M%S.%fZ"
_END = ".sqlite"
_FREE = 0.1
"""The share of the disk that snapshots leave free."""


class NoRoom(RuntimeError):
    """The disk has no room for another snapshot."""


@frozen
class Snapshot:
    """One snapshot.

    :ivar time: its moment, in nanoseconds.
    """

    path: Path
    time: int
    size: int


def kept(times: Iterable[int]) -> set[int]:
    """Those of some moments (nanoseconds) whose snapshots are kept."""
    ordered = sorted(times, reverse=True)
    wanted = set(ordered[:LEAST])
    for length, most in ((_HOUR, HOURS), (24 * _HOUR, DAYS)):
        newest: dict[int, int] = {}
        for time in ordered:
            newest.setdefault(time // length, time)
        wanted.update(list(newest.values())[:most])
    return wanted


@frozen
class KeptSnapshots:
    """The snapshots of one data directory.

    :param inner: its ``.geckos3``; ``catalog`` is the catalog's name there.
    """

    inner: Path
    catalog: str

    @property
    def _directory(self) -> Path:
        return self.inner / "snapshots"

    def all(self) -> list[Snapshot]:
        """The newest first."""
        found = []
        with suppress(FileNotFoundError):
            for path in self._directory.iterdir():
                with suppress(ValueError, FileNotFoundError):  # none of ours, or removed meanwhile
                    time = datetime.strptime(path.name, _NAME + _END).replace(tzinfo=UTC)
                    found.append(Snapshot(path, int(time.timestamp() * 10**6) * 1000, path.stat().st_size))
        return sorted(found, key=lambda one: one.time, reverse=True)

    def take(self, connections: Connections, now: int, rest: Callable[[], object] = lambda: None) -> Snapshot:
        """Takes one, and removes those that are kept no longer. What was cut short is none.

        :param now: nanoseconds; ``rest`` is as of gecko_tw.store.drivers.sqlite.snapshots.take.
        :raises NoRoom: there is none, although older ones but three were removed for it.
        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        for leftover in self._directory.glob("*.new"):
            leftover.unlink()
        self._make_room()
        name = datetime.fromtimestamp(now / 10**9, UTC).strftime(_NAME) + _END
        path, fresh = self._directory / name, self._directory / f"{name}.new"
        snapshots.take(connections, str(fresh), rest)
        os.rename(fresh, path)
        there = self.all()
        wanted = kept(one.time for one in there)
        for old in there:
            if old.time not in wanted:
                old.path.unlink(missing_ok=True)
        return next(one for one in there if one.path == path)

    def _make_room(self) -> None:
        """Raises NoRoom."""
        needed = (self.inner / self.catalog).stat().st_size
        older = self.all()[LEAST:]
        while True:
            disk = os.statvfs(self._directory)
            if disk.f_bavail * disk.f_frsize - needed >= disk.f_blocks * disk.f_frsize * _FREE:
                return
            if not older:
                raise NoRoom(
                    f"{self._directory}: no snapshot of the catalog was taken: the disk has no room for {needed} bytes more"
                )
            older.pop().path.unlink(missing_ok=True)

    def newest_sound(self, until: int | None = None) -> Snapshot | None:
        """The newest one in which SQLite finds nothing wrong, of those up to a moment; None when there is none."""
        for one in self.all():
            if until is None or one.time <= until:
                with suppress(sqlite3.Error), closing(connect_to_read(str(one.path))) as connection:
                    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                        return one
        return None
