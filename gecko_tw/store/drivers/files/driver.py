"""The default driver put together: objects as ordinary files, records in an SQLite catalog beside them."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from zope.interface import implementer

from gecko_tw.store.drivers.checking.differences import Difference
from gecko_tw.store.drivers.claiming import IClaiming
from gecko_tw.store.drivers.files.adoption import Adoption, Progress
from gecko_tw.store.drivers.files.attribute_stores import carrier_of
from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.directories import FilesBucketDirectories, FilesUploadNotes
from gecko_tw.store.drivers.files.disk import Disk, InUse
from gecko_tw.store.drivers.files.documents import FilesDocuments
from gecko_tw.store.drivers.files.inspecting import Inspector
from gecko_tw.store.drivers.files.mending import Mending
from gecko_tw.store.drivers.files.noticing import Changes, TreeWatch
from gecko_tw.store.drivers.files.placing import FilesPlaces
from gecko_tw.store.drivers.files.pooling import Pool
from gecko_tw.store.drivers.files.rebuild import Rebuild
from gecko_tw.store.drivers.files.reconciling import Reconciliation
from gecko_tw.store.drivers.files.recovery import Recovery
from gecko_tw.store.drivers.files.torn import TornFiles
from gecko_tw.store.drivers.files.watch import FilesWatch, Reconciler
from gecko_tw.store.drivers.flushing import Flusher
from gecko_tw.store.drivers.interfaces import IDriver, IFileTree, IMoments, ISnapshots
from gecko_tw.store.drivers.layouts import FILES, check_layout
from gecko_tw.store.drivers.moment import Moment
from gecko_tw.store.drivers.sqlite import connections, undo
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.drivers.sqlite.commits import Commits
from gecko_tw.store.drivers.sqlite.connections import CatalogDamaged, CatalogTooNew, Connections
from gecko_tw.store.drivers.sqlite.damage import Damage
from gecko_tw.store.drivers.sqlite.documents import SqliteDocuments, SqliteNotices
from gecko_tw.store.drivers.sqlite.journal import Journal
from gecko_tw.store.drivers.sqlite.kept_snapshots import KeptSnapshots, Snapshot
from gecko_tw.store.drivers.sqlite.layout import Layout

log = logging.getLogger(__name__)

ATTRIBUTE_STORES = ("xattr", "sidecar")


@implementer(IDriver, IClaiming, IFileTree, IMoments, ISnapshots)
class FilesDriver:
    """One data directory. Between :meth:`open` and :meth:`close` it has a ``catalog`` (ICatalog), ``blobs`` (IBlobs,
    IBlobCloning), ``documents`` (IDocuments) and ``notices`` (INotices). Once its ``tree_watch`` has begun, :meth:`adopt`
    and :meth:`take` watch every directory that they look through.

    :param data_dir: the directory whose subdirectories are buckets; made when missing.
    :param metadata: False writes no attributes beside visible files, and does not hash files it finds.
    :param fsync: whether what is committed is on the disk before a step returns.
    :param attributes: ``"xattr"`` or ``"sidecar"``: where a visible file's description is kept.
    :param repair: ``"auto"`` makes a catalog that is lost, damaged or older than the directory again when it is opened, ``"refuse"`` does
        not open it.
    :ivar damage: what is noticed of the catalog while it is in use.
    :ivar unreadable: places that the last rebuild has passed over, with the reasons.
    """

    catalog: SqliteCatalog
    blobs: FilesBlobs
    documents: SqliteDocuments
    notices: SqliteNotices

    def __init__(
        self,
        data_dir: str,
        *,
        metadata: bool = True,
        fsync: bool = False,
        attributes: str = "xattr",
        repair: str = "auto",
    ) -> None:
        if attributes not in ATTRIBUTE_STORES:
            raise ValueError(f"attributes={attributes!r}: must be one of {', '.join(ATTRIBUTE_STORES)}")
        self.data_dir = data_dir
        self._metadata = metadata
        self._attributes = attributes
        self._journal: Journal | None = None
        self._flusher: Flusher | None = None
        self._repairs = repair == "auto"
        self._is_open = False
        self._disk = Disk(data_dir, fsync)
        self._path = self._disk.inner_path("catalog.sqlite")
        self._connections = Connections(self._path, fsync)
        cure = (
            "it is made again from the files at the next start"
            if self._repairs
            else "stop every process and run geckos3 rebuild"
        )
        self._kept = KeptSnapshots(Path(self._disk.inner_path()), os.path.basename(self._path))
        self.damage = Damage(self._path, self._disk.inner_path("damaged"), cure)
        self.unreadable: dict[str, str] = {}
        self.tree_watch = TreeWatch(self._disk)

    def open(self, anew: bool = False) -> None:
        """Prepares the directory and opens the catalog, which is made again from the files when it cannot be used.

        After a power failure files and catalog are reconciled first. Raises OSError with the path at fault, InUse while a rebuild runs,
        CatalogTooNew, CatalogDamaged.

        :param anew: whether the catalog is made again in any case, whatever is wrong with it. Raises InUse unless nobody else uses it.
        """
        try:
            with self._disk.opening() as alone:
                self._prepare_catalog(alone, anew)
            self.damage.watch()
            self._is_open = True
            self._commits.heal()
        except BaseException:
            self.close()
            raise
        if self._attributes == "xattr" and self._metadata and not self._disk.xattrs:
            log.warning("%s cannot hold extended attributes: descriptions go to sidecars", self.data_dir)

    def _prepare_catalog(self, alone: bool, anew: bool) -> None:
        if anew and not alone:
            raise InUse(f"{self.data_dir} is in use by another process: stop it first")
        check_layout(self.data_dir, FILES)
        self._assemble()
        leftovers = (name for name in os.listdir(self._disk.inner_path()) if name.startswith("catalog.sqlite."))
        self._disk.drop(leftovers)  # of a start or a rebuild that was cut short
        trouble = self._trouble(alone, anew)
        if trouble is not None:
            self._repair(trouble, alone, anew)
        elif alone and self._disk.state.power_failed:
            log.warning("%s was not closed: it is reconciled with what survived", self.data_dir)
            self._reconciliation().run()
            self._journal.keep([])  # type: ignore[union-attr]
        if anew and trouble is None:
            self._flusher.flush()  # type: ignore[union-attr]  # what nothing needs any more must not be taken for something
            self._remake()
        if alone:
            self._disk.state.follow(undo.newest(self._connections.mine().execute))

    def _trouble(self, alone: bool, anew: bool) -> str | None:
        """What is wrong with the catalog, or None; it is made when there was never one, and brought up to date."""
        path = self._path
        if not os.path.exists(path):
            if self._has_history():
                return "it is missing"
            connections.make(path)
        damage = self.damage.text if alone else None
        damage = damage or connections.damage(path, thorough=alone and not self._disk.state.was_clean)
        try:
            if damage is None:
                connections.upgrade(path)
        except sqlite3.DatabaseError as problem:
            damage = str(problem)
        except CatalogTooNew as problem:
            if not anew:
                raise
            damage = str(problem)
        if damage is not None:
            return f"it is damaged ({damage})"
        if alone and self._disk.state.is_older(undo.newest(self._connections.mine().execute)):
            return "it is older than the directory"
        return None

    def _repair(self, trouble: str, alone: bool, anew: bool) -> None:
        """Makes the catalog again. Raises CatalogDamaged when that is not allowed."""
        if not ((self._repairs or anew) and alone):
            raise CatalogDamaged(f"{self._path} cannot be used: {trouble}; stop every process and run geckos3 rebuild")
        log.error("%s cannot be used: %s; it is made again from the files", self._path, trouble)
        self._connections.close()
        self._remake()

    def _reconciliation(self) -> Reconciliation:
        disk, layout = self._disk, self._layout
        torn = TornFiles(disk, disk.state.flushed_at, self._metadata)
        return Reconciliation(
            disk,
            self._connections,
            layout,
            self._places,
            self._pool,
            self._inspector,
            self._recovery,
            torn,
            self.blobs.attribute_store.beside,
        )

    def _has_history(self) -> bool:
        """Whether a catalog was here: ours wrote down buckets, and only rebuilding knows what is in the pool."""
        with os.scandir(self._disk.inner_path("buckets")) as found:
            return any(True for _ in found)

    def _assemble(self) -> None:
        disk = self._disk
        watch = FilesWatch(disk)
        self.blobs = FilesBlobs(disk, carrier_of(disk, self._metadata, self._attributes), watch)
        pool = self._pool = Pool(self.blobs)
        self._places = FilesPlaces(self.blobs, pool, watch)
        self._layout = Layout(watch, self._places, FilesBucketDirectories(disk), FilesUploadNotes(disk, pool))
        self._inspector = Inspector(disk, self._metadata)
        self._recovery = Recovery(disk, self._layout, self._inspector)
        self._journal = Journal(disk.lock, disk.probe)
        self._commits = Commits(
            self._connections,
            self._journal,
            disk.sync,
            disk.state.committed,
            self._recovery,
            follows=disk.state.is_behind,
            durable=disk.fsync,
            make_room=disk.reserve.release,
        )
        self._flusher = Flusher(disk, self._connections, self._commits)
        self._settler = Reconciler(disk, self._commits, self._layout, self._inspector)
        watch.reconcile, watch.reconcile_bucket = self._settler.reconcile, self._settler.reconcile_bucket
        self.catalog = SqliteCatalog(self._connections, self._commits, self._layout)
        self.documents = SqliteDocuments(self._connections, self._commits, FilesDocuments(disk).note)
        self.notices = SqliteNotices(self._connections, self._commits)

    def claim(self) -> None:
        """See IClaiming. Raises InUse."""
        self._disk.claim(True)

    def flush(self) -> bool:
        """Makes everything durable that was committed, and removes what that made worthless; whether there was anything. Blocks."""
        return self._flusher is not None and self._flusher.flush()

    def moment(self) -> Moment:
        """See IMoments."""
        return Moment(self._disk, self._connections, self.catalog, self.blobs)

    def snapshot(self, now: int, rest: Callable[[], object]) -> Snapshot:
        """See ISnapshots."""
        return self._kept.take(self._connections, now, rest)

    def snapshots(self) -> list[Snapshot]:
        """See ISnapshots."""
        return self._kept.all()

    def close(self) -> None:
        """Closes every connection and descriptor, after a flush when nobody else has the directory open. Harmless when repeated."""
        self.tree_watch.close()
        if self._is_open and self._flusher is not None:
            self._is_open = False
            self._flusher.leave()
        self._connections.close()
        if self._journal is not None:
            self._journal.close()
        self._disk.close()

    def adopt(
        self, report: Callable[[Progress], None] | None = None, stop: Callable[[], bool] | None = None
    ) -> Progress:
        """Compares every bucket with its directory and takes over what changed: new and changed files, GeckoS3's uploads.

        :param report: called now and then with what was done so far.
        :param stop: asked now and then; True ends it early, with everything so far in force.
        """
        return self._adoption().run(report or (lambda progress: None), stop or (lambda: False))

    def mend(self, found: Iterable[Difference]) -> None:
        """Mends what a check has found, as far as that can be. Raises OSError."""
        self.flush()
        Mending(
            self._disk, self._commits, self._layout, self._recovery, self.adopt, self._settler.reconcile_bucket
        ).run(found)
        self.flush()

    def take(self, changes: Changes, stop: Callable[[], bool]) -> Progress:
        """The same for a few places. Large files are left, and told: they are for :meth:`take_large`."""
        return self._adoption().take(changes, stop)

    def take_large(self, files: list[bytes], stop: Callable[[], bool]) -> None:
        """The same for files, as paths below the data directory."""
        self._adoption().look_at(files, stop)

    def _adoption(self) -> Adoption:
        watch = self.tree_watch.watch
        return Adoption(self._disk, self._connections, self.catalog, self.blobs, self._settler, entering=watch)

    def rebuild(self) -> None:
        """Makes the catalog anew from the files alone and puts it in the old one's place.

        Raises InUse when another process, or another driver, uses the data directory.
        """
        try:
            self._flusher.finish()  # type: ignore[union-attr] # what nothing needs any more must not be taken for something
        except sqlite3.DatabaseError as problem:
            log.warning("the catalog is damaged: what was changed last may come back (%s)", problem)
        self._disk.claim(True)
        try:
            self._remake()
        finally:
            self._disk.claim(False)

    def _remake(self) -> None:
        state = self._disk.state
        torn = TornFiles(self._disk, state.flushed_at, self._metadata) if state.power_failed else None
        sound = self.damage.text is None
        kept = self._kept.newest_sound()
        snapshot = None if kept is None else str(kept.path)
        rebuild = Rebuild(
            self._disk, self._inspector, self._places, self._layout.watch, torn, sound=sound, snapshot=snapshot
        )
        rebuild.run(self._connections)
        self.unreadable = rebuild.unreadable.places
        self.damage.cured()
        self.damage.watch()
        if self._journal is not None:
            self._journal.keep([])
            self._journal.counters.outdate()
            self._journal.counters.changed()
        self._disk.state.follow(undo.newest(self._connections.mine().execute))
