"""The fast driver put together: records and small objects in one SQLite file, larger objects in a pool of files."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from importlib.resources import files
from pathlib import Path

from zope.interface import implementer

from gecko_tw.store.drivers.checking.differences import Difference
from gecko_tw.store.drivers.claiming import IClaiming
from gecko_tw.store.drivers.files.attribute_stores import NoStore
from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.mending import drop_orphans
from gecko_tw.store.drivers.files.torn import TornFiles
from gecko_tw.store.drivers.flushing import Flusher
from gecko_tw.store.drivers.interfaces import IDriver, IMoments, IRollback, ISnapshots
from gecko_tw.store.drivers.layouts import CATALOGS, MARK, POOL, check_layout
from gecko_tw.store.drivers.moment import Moment
from gecko_tw.store.drivers.pool.blobs import SMALL, PoolBlobs
from gecko_tw.store.drivers.pool.layout import NoWatch, layout_over, no_note
from gecko_tw.store.drivers.pool.rolling_back import roll_back
from gecko_tw.store.drivers.pool.turns import Turns
from gecko_tw.store.drivers.pooled import PooledFiles
from gecko_tw.store.drivers.sqlite import connections, undo
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.drivers.sqlite.checkpoints import Checkpoints
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import CatalogDamaged, Connections
from gecko_tw.store.drivers.sqlite.damage import Damage
from gecko_tw.store.drivers.sqlite.documents import SqliteDocuments, SqliteNotices
from gecko_tw.store.drivers.sqlite.journal import Note
from gecko_tw.store.drivers.sqlite.kept_snapshots import KeptSnapshots, Snapshot
from gecko_tw.store.drivers.sqlite.rows import version_of
from gecko_tw.store.drivers.sqlite.taking_back import Recent, take_back
from gecko_tw.store.records import DeleteMarker

log = logging.getLogger(__name__)

ROOMS = ("staging", "pool")
LOG_PAGES = 32_000
"""The log is folded by a thread, see Checkpoints. Commits do it only when that cannot keep up."""


@implementer(IDriver, IClaiming, IMoments, IRollback, ISnapshots)
class PoolDriver:
    """One data directory. Between :meth:`open` and :meth:`close` it has a ``catalog`` (ICatalog), ``blobs`` (IBlobs,
    IBlobCloning), ``documents`` (IDocuments) and ``notices`` (INotices).

    :param data_dir: the directory; made when missing. Everything is in its ``.geckos3``.
    :param fsync: whether what is committed is on the disk before a step returns.
    :param small: objects of up to so many bytes lie in the catalog's pages.
    :ivar damage: what is noticed of the catalog while it is in use.
    """

    catalog: SqliteCatalog
    blobs: PoolBlobs
    documents: SqliteDocuments
    notices: SqliteNotices

    def __init__(self, data_dir: str, *, fsync: bool = False, small: int = SMALL) -> None:
        self.data_dir = data_dir
        self._small = small
        self._disk = Disk(data_dir, fsync, ROOMS)
        self._is_open = False
        self._turns: Turns | None = None
        self._flusher: Flusher | None = None
        self._checkpoints: Checkpoints | None = None
        self._path = self._disk.inner_path(CATALOGS[POOL])
        self._connections = Connections(self._path, fsync, LOG_PAGES)
        self._kept = KeptSnapshots(Path(self._disk.inner_path()), os.path.basename(self._path))
        self.damage = Damage(
            self._path, self._disk.inner_path("damaged"), "stop every process and restore a backup or a snapshot"
        )

    def open(self) -> None:
        """Prepares the directory and opens the catalog.

        Raises OSError with the path at fault, WrongLayout, InUse, CatalogTooNew.
        """
        try:
            with self._disk.opening() as alone:
                self._prepare_catalog(alone)
                self._assemble()
                if alone:
                    self._reconcile()
            self.damage.watch()
            self._is_open = True
        except BaseException:
            self.close()
            raise

    def _prepare_catalog(self, alone: bool) -> None:
        check_layout(self.data_dir, POOL)
        name = CATALOGS[POOL]
        leftovers = (entry for entry in os.listdir(self._disk.inner_path()) if entry.startswith(f"{name}."))
        self._disk.drop(leftovers)  # of a start that was cut short
        if os.path.exists(self._path):
            self._check_catalog(alone)
        else:
            connections.make(self._path, (files(__package__) / "bytes.sql").read_text("utf-8"))
        if not os.path.exists(self._disk.inner_path(MARK)):
            self._disk.sync([self._disk.write_whole(MARK, f"{POOL}\n".encode())])

    def _check_catalog(self, alone: bool) -> None:
        """Raises CatalogDamaged. What was noticed while it was in use is forgotten when all of it can be read."""
        noticed = self.damage.text if alone else None
        damage = connections.damage(self._path, thorough=noticed is not None or not self._disk.state.was_clean)
        try:
            if damage is None:
                connections.upgrade(self._path)
        except sqlite3.DatabaseError as problem:
            damage = str(problem)
        if damage is not None:
            raise CatalogDamaged(
                f"{self._path} is damaged ({damage}): restore a backup, or a snapshot with `geckos3 snapshots restore`"
            )
        if noticed is not None:
            self.damage.cured()

    def _assemble(self) -> None:
        disk = self._disk
        files_of_pool = FilesBlobs(disk, NoStore(disk), NoWatch())
        self.blobs = PoolBlobs(files_of_pool, self._connections, self._small)
        self._turns = Turns(disk.lock, disk.probe)
        self._commits = commits = Commits(
            self._connections,
            self._turns,
            disk.sync,
            disk.state.committed,
            _nothing_to_recover,
            follows=disk.state.is_behind,
            durable=disk.fsync,
            make_room=disk.reserve.release,
        )
        self._flusher = Flusher(disk, self._connections, commits)
        self._checkpoints = Checkpoints(self._connections, commits)
        self._turns.ended = self._checkpoints.turned
        self.catalog = SqliteCatalog(self._connections, commits, layout_over(self.blobs))
        self.documents = SqliteDocuments(self._connections, commits, no_note)
        self.notices = SqliteNotices(self._connections, commits)

    def _reconcile(self) -> None:
        """After a power failure: what the last steps wrote to files is verified, and taken back where it did not survive."""
        state, connection = self._disk.state, self._connections.mine()
        if state.is_older(undo.newest(connection.execute)):
            log.error("%s is older than the directory: large objects that were stored since are lost", self._path)
        if state.power_failed:
            log.warning("%s was not closed: it is reconciled with what survived", self.data_dir)
            pooled = PooledFiles(self._disk, self._connections)
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection, lambda *note: None, lambda slot: None)
            take_back(transaction, state.flushed, partial(_is_whole, pooled))
            transaction.done()
            connection.execute("COMMIT")
            pooled.drop_orphans(TornFiles(self._disk, state.flushed_at, False).is_recent)
        state.follow(undo.newest(connection.execute))

    def mend(self, found: Iterable[Difference]) -> None:
        """Removes what a check has found that nothing needs; nothing else can be mended here."""
        self.flush()
        drop_orphans(self._disk, self._commits, [one for one in found if one.kind == "orphan"])
        self.flush()

    def claim(self) -> None:
        """See IClaiming. Raises InUse."""
        self._disk.claim(True)

    def flush(self) -> bool:
        """Makes everything durable that was committed, and removes what that made worthless; whether there was anything. Blocks."""
        return self._flusher is not None and self._flusher.flush()

    def moment(self) -> Moment:
        """See IMoments."""
        return Moment(self._disk, self._connections, self.catalog, self.blobs, unchanging=True)

    def snapshot(self, now: int, rest: Callable[[], object]) -> Snapshot:
        """See ISnapshots."""
        return self._kept.take(self._connections, now, rest)

    def snapshots(self) -> list[Snapshot]:
        """See ISnapshots."""
        return self._kept.all()

    def roll_back(self, until: int | None) -> Snapshot:
        """See IRollback."""
        try:
            return roll_back(self._disk, self._path, self._kept, until)
        finally:
            self._disk.close()

    def close(self) -> None:
        """Closes every connection and descriptor, after a flush when nobody else has the directory open. Harmless when repeated."""
        if self._is_open and self._flusher is not None:
            self._is_open = False
            self._flusher.leave()
        if self._checkpoints is not None:
            self._checkpoints.close()
        self._connections.close()
        if self._turns is not None:
            self._turns.close()
        self._disk.close()


def _is_whole(pooled: PooledFiles, recent: Recent) -> bool:
    """Whether all bytes of a key that came since the last flush, and all that are older, are there."""
    address = recent.address
    versions = [(row in recent.fresh, version_of(row, address.bucket, address.key)) for row in recent.rows]
    for fresh, version in versions:
        if not isinstance(version, DeleteMarker) and not (
            pooled.is_whole(version) if fresh else pooled.are_there(version)
        ):
            return False
    return all(pooled.is_whole(part) for _, part in recent.parts)


def _nothing_to_recover(transaction: Transaction, notes: list[Note]) -> list[Note]:
    """Turns note nothing."""
    return []
