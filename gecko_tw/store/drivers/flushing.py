"""Flushes: what was committed goes to the disk, and then what those commits have made worthless goes from there."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator

from attrs import field, frozen

from gecko_tw.store.drivers.files.disk import Disk, remove_files, sync_file_system
from gecko_tw.store.drivers.files.staging import staging_file
from gecko_tw.store.drivers.garbage import is_held
from gecko_tw.store.drivers.sqlite import undo
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections

log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Records, or rows, that are dropped in one transaction: others wait for it a few milliseconds."""
_MOST = 100_000
"""Records of those that a backup has held back that are read at once: there may be millions of them."""


@frozen
class Flusher:
    """Flushes one data directory. Several processes may do it at the same time.

    What a flush removes was worthless before it began, and the states that need it are older than what it has made durable. So it does not
    matter where it is cut short: names that are gone are passed over. The log forgets them with the next flush, once their removal is on
    the disk, too: otherwise a file that came back would be nobody's, and ``rebuild`` would take it for an object.
    """

    disk: Disk
    connections: Connections
    commits: Commits
    _mutex: threading.Lock = field(factory=threading.Lock, init=False)
    _last: list[int] = field(factory=lambda: [-1], init=False)
    _removed: list[int] = field(factory=lambda: [0], init=False)
    """The number of the last record whose files are removed, perhaps not yet on the disk; 0 when there is none."""
    _kept: list[int] = field(factory=lambda: [0], init=False)
    """The number of the last record that is flushed, while not all up to there are removed, for a backup held them back; or 0."""

    def flush(self) -> bool:
        """Makes everything durable that was committed before; returns whether there was anything. Blocks. Raises OSError."""
        with self._mutex:
            commits, removed = self.disk.state.commits, self._removed[0]
            if commits == self._last[0] and not (removed or self._kept[0]):
                return False
            moment = time.time_ns()
            last = undo.newest(self.connections.mine().execute)
            held = is_held(self.disk)  # asked after: whoever takes hold from here on has records that are not older
            if held and commits == self._last[0]:
                return False
            records = undo.garbage(self.connections.mine().execute, last, self._kept[0])
            self._sync(records)
            self.disk.state.flush(last, moment)
            self.disk.held.release()
            if held:
                self._last[0], self._kept[0] = commits, last
                return True
            upto = last
            if self._kept[0]:
                records = undo.garbage(self.connections.mine().execute, last, most=_MOST)
                if len(records) == _MOST:
                    upto = records[-1].id
            self._kept[0] = 0 if upto == last else last
            fresh = [record for record in records if record.id > removed]
            had_files = self._remove(fresh)
            self._removed[0] = upto if had_files else 0
            done = records[: -len(fresh) or None] if had_files else records
            steps: list[_DropRows | _Forget] = [*self._rows(fresh), *self._forget(done)]
            for step in steps:
                self.commits.run(step)
            self._last[0] = commits + len(steps)
            return True

    def finish(self) -> None:
        """Flushes until there is nothing left to be flushed or forgotten. For whoever is alone with the directory."""
        while self.flush():
            pass

    def leave(self) -> None:
        """Says that the directory is closed, flushed to the end, when nobody else has it open; where that cannot be, it is not said."""
        try:
            self.disk.leave(self.finish)
        except (OSError, sqlite3.DatabaseError) as problem:
            log.error(
                "%s could not be flushed, and is looked at when it is opened again: %s", self.disk.data_dir, problem
            )

    def _sync(self, records: Iterable[undo.Garbage]) -> None:
        """Names of what is kept go first: a file system without a journal may lose any name that it was changing in a power failure."""
        for directory in {name[:2] for record in records for name in record.replaced}:
            self.disk.staging.sync(directory)
        sync_file_system(self.disk.root)

    def _remove(self, records: list[undo.Garbage]) -> bool:
        """Removes the files that records call worthless; whether there were any whose removal is not on the disk yet."""
        replaced = [name for record in records for name in record.replaced]
        self.disk.drop(map(staging_file, replaced))
        useless = [name for record in records for name in record.useless if not is_inline(name)]
        for name in useless:
            remove_files(self.disk, name)
        return bool(replaced or useless)

    def _rows(self, records: list[undo.Garbage]) -> Iterator["_DropRows"]:
        names = [name for record in records for name in record.useless if is_inline(name)]
        for at in range(0, len(names), _AT_ONCE):
            yield _DropRows(names[at : at + _AT_ONCE])

    def _forget(self, records: list[undo.Garbage]) -> Iterator["_Forget"]:
        for at in range(0, len(records), _AT_ONCE):
            turn = records[at : at + _AT_ONCE]
            if len(turn) > 1 or turn[0].says:
                yield _Forget(turn[-1].id)


@frozen
class _DropRows:
    """The step that removes bytes in the catalog's own pages."""

    names: list[str]

    def __call__(self, transaction: Transaction) -> None:
        for name in self.names:
            transaction.execute("DELETE FROM blob WHERE id = ? AND stamp = ?", inline_parts(name))


@frozen
class _Forget:
    """The step that forgets records of the log up to a number."""

    last: int

    def __call__(self, transaction: Transaction) -> None:
        undo.drop(transaction.execute, self.last)
