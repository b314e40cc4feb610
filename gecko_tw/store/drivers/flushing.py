"""Flushes: what was committed goes to the disk, and then what those commits have made worthless goes from there."""

import threading
import time
from collections.abc import Iterable

from attrs import field, frozen

from gecko_tw.store.drivers.files.disk import Disk, remove_files, sync_file_system
from gecko_tw.store.drivers.sqlite import undo
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections

_AT_ONCE = 500
"""Records that are dropped in one transaction: others wait for it a few milliseconds."""


@frozen
class Flusher:
    """Flushes one data directory. Several processes may do it at the same time.

    What a flush removes was worthless before it began, and the states that need it are older than what it has made durable. So it does not
    matter where it is cut short: names that are gone are passed over.
    """

    disk: Disk
    connections: Connections
    commits: Commits
    _mutex: threading.Lock = field(factory=threading.Lock, init=False)
    _last: list[int] = field(factory=lambda: [-1], init=False)

    def flush(self) -> bool:
        """Makes everything durable that was committed before; returns whether there was anything. Blocks. Raises OSError."""
        with self._mutex:
            commits = self.disk.state.commits
            if commits == self._last[0]:
                return False
            moment = time.time_ns()
            last = undo.newest(self.connections.mine().execute)
            records = undo.records(self.connections.mine().execute, last)
            if not self.disk.fsync:
                self._sync(records)
                self.disk.state.flush(last, moment)
            self._last[0] = commits + self._remove(records)
            self.disk.reserve.keep()
            return True

    def _sync(self, records: Iterable[undo.Record]) -> None:
        """Names of what is kept go first: a file system without a journal may lose any name that it was changing in a power failure."""
        for directory in {name[:2] for record in records for name in record.replaced}:
            self.disk.staging.sync(directory)
        sync_file_system(self.disk.root)

    def _remove(self, records: list[undo.Record]) -> int:
        """Returns how many transactions it took."""
        for record in records:
            for name in record.replaced:
                self.disk.staging.remove(name)
            for name in record.useless:
                if not is_inline(name):
                    remove_files(self.disk, name)
        turns = [records[at : at + _AT_ONCE] for at in range(0, len(records), _AT_ONCE)]
        said = [turn for turn in turns if len(turn) > 1 or turn[0].useless or turn[0].replaced or turn[0].former]
        for turn in said:
            self.commits.run(_Drop(turn))
        return len(said)


@frozen
class _Drop:
    """The step that forgets records of the log, and bytes in the catalog's own pages that they call worthless."""

    records: list[undo.Record]

    def __call__(self, transaction: Transaction) -> None:
        for record in self.records:
            for name in filter(is_inline, record.useless):
                transaction.execute("DELETE FROM blob WHERE id = ? AND stamp = ?", inline_parts(name))
        undo.drop(transaction.execute, self.records[-1].id)
