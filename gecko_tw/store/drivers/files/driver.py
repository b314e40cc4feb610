"""The default driver put together: objects as ordinary files, records in an SQLite catalog beside them."""

import logging
import os
from collections.abc import Callable

from gecko_tw.store.drivers.files.adoption import Adoption, Progress
from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.carriers import carrier_of
from gecko_tw.store.drivers.files.directories import FilesBucketDirectories, FilesUploadNotes
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.documents import FilesDocuments
from gecko_tw.store.drivers.files.examining import Examiner
from gecko_tw.store.drivers.files.placing import FilesPlaces
from gecko_tw.store.drivers.files.pooling import Pool
from gecko_tw.store.drivers.files.rebuild import Rebuild
from gecko_tw.store.drivers.files.recovery import Recovery
from gecko_tw.store.drivers.files.watch import FilesWatch, Settler
from gecko_tw.store.drivers.layouts import FILES, check_layout
from gecko_tw.store.drivers.sqlite import connections
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.drivers.sqlite.commits import Commits
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.documents import SqliteDocuments, SqliteNotices
from gecko_tw.store.drivers.sqlite.ground import Ground
from gecko_tw.store.drivers.sqlite.journal import Journal

log = logging.getLogger(__name__)

CARRIERS = ("xattr", "sidecar")


class FilesDriver:
    """One data directory. Between :meth:`open` and :meth:`close` it has a ``catalog`` (ICatalog), ``blobs`` (IBlobs,
    IBlobCloning), ``documents`` (IDocuments) and ``notices`` (INotices).

    :param data_dir: the directory whose subdirectories are buckets; made when missing.
    :param metadata: False writes no attributes beside visible files, and does not hash files it finds.
    :param fsync: whether what is committed is on the disk before a step returns.
    :param attributes: ``"xattr"`` or ``"sidecar"``: where a visible file's description is kept.
    """

    catalog: SqliteCatalog
    blobs: FilesBlobs
    documents: SqliteDocuments
    notices: SqliteNotices

    def __init__(self, data_dir: str, *, metadata: bool = True, fsync: bool = False, attributes: str = "xattr") -> None:
        if attributes not in CARRIERS:
            raise ValueError(f"attributes={attributes!r}: must be one of {', '.join(CARRIERS)}")
        self.data_dir = data_dir
        self._metadata = metadata
        self._attributes = attributes
        self._journal: Journal | None = None
        self._disk = Disk(data_dir, fsync)
        self._connections = Connections(self._disk.inner_path("catalog.sqlite"), fsync)

    def open(self) -> None:
        """Prepares the directory and opens the catalog, which is rebuilt from the files if it is missing.

        Raises OSError with the path at fault, InUse while a rebuild runs, CatalogTooNew.
        """
        try:
            with self._disk.opening():
                self._prepare_catalog()
            self._commits.heal()
        except BaseException:
            self.close()
            raise
        if self._attributes == "xattr" and self._metadata and not self._disk.xattrs:
            log.warning("%s cannot hold extended attributes: descriptions go to sidecars", self.data_dir)

    def _prepare_catalog(self) -> None:
        check_layout(self.data_dir, FILES)
        self._assemble()
        leftovers = (name for name in os.listdir(self._disk.inner_path()) if name.startswith("catalog.sqlite."))
        self._disk.drop(leftovers)  # of a start or a rebuild that was cut short
        path = self._disk.inner_path("catalog.sqlite")
        if os.path.exists(path):
            connections.upgrade(path)
        elif self._has_history():
            self.rebuild()
        else:
            connections.make(path)

    def _has_history(self) -> bool:
        """Whether a catalog was here: ours wrote down buckets, and only rebuilding knows what is in the pool."""
        with os.scandir(self._disk.inner_path("buckets")) as found:
            return any(True for _ in found)

    def _assemble(self) -> None:
        disk = self._disk
        watch = FilesWatch(disk)
        self.blobs = FilesBlobs(disk, carrier_of(disk, self._metadata, self._attributes), watch)
        pool = Pool(self.blobs)
        places = FilesPlaces(self.blobs, pool, watch)
        self._ground = Ground(watch, places, FilesBucketDirectories(disk), FilesUploadNotes(disk, pool))
        self._examiner = Examiner(disk, self._metadata)
        recovery = Recovery(disk, self._ground, self._examiner)
        self._journal = Journal(disk.lock, disk.probe)
        self._commits = Commits(self._connections, self._journal, disk.sync, disk.trash.drop, recovery)
        self._settler = Settler(disk, self._commits, self._ground, self._examiner)
        watch.settle = self._settler.settle
        self.catalog = SqliteCatalog(self._connections, self._commits, self._ground)
        self.documents = SqliteDocuments(self._connections, self._commits, FilesDocuments(disk).note)
        self.notices = SqliteNotices(self._connections, self._commits)

    def close(self) -> None:
        """Closes every connection and descriptor. Harmless when repeated."""
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
        adoption = Adoption(self._disk, self._connections, self.catalog, self.blobs, self._settler)
        return adoption.run(report or (lambda progress: None), stop or (lambda: False))

    def rebuild(self) -> None:
        """Makes the catalog anew from the files alone and puts it in the old one's place.

        Raises InUse when another process, or another driver, uses the data directory.
        """
        self._disk.claim(True)
        try:
            Rebuild(self._disk, self._examiner, self._ground.watch).run(self._connections)
            if self._journal is not None:
                self._journal.counters.outdate()
                self._journal.counters.changed()
        finally:
            self._disk.claim(False)
