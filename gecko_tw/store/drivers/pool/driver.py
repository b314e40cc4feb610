"""The fast driver put together: records and small objects in one SQLite file, larger objects in a pool of files."""

import os
from importlib.resources import files

from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.carriers import BareCarrier
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.layouts import CATALOGS, MARK, POOL, check_layout
from gecko_tw.store.drivers.pool.blobs import SMALL, PoolBlobs
from gecko_tw.store.drivers.pool.ground import NoWatch, ground_over, no_note
from gecko_tw.store.drivers.pool.turns import Turns
from gecko_tw.store.drivers.sqlite import connections
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.drivers.sqlite.checkpoints import Checkpoints
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.documents import SqliteDocuments, SqliteNotices
from gecko_tw.store.drivers.sqlite.journal import Note

ROOMS = ("staging", "pool")
LOG_PAGES = 32_000
"""The log is folded by a thread, see Checkpoints. Commits do it only when that cannot keep up."""


class PoolDriver:
    """One data directory. Between :meth:`open` and :meth:`close` it has a ``catalog`` (ICatalog), ``blobs`` (IBlobs,
    IBlobCloning), ``documents`` (IDocuments) and ``notices`` (INotices).

    :param data_dir: the directory; made when missing. Everything is in its ``.geckos3``.
    :param fsync: whether what is committed is on the disk before a step returns.
    :param small: objects of up to so many bytes lie in the catalog's pages.
    """

    catalog: SqliteCatalog
    blobs: PoolBlobs
    documents: SqliteDocuments
    notices: SqliteNotices

    def __init__(self, data_dir: str, *, fsync: bool = False, small: int = SMALL) -> None:
        self.data_dir = data_dir
        self._small = small
        self._disk = Disk(data_dir, fsync, ROOMS)
        self._turns: Turns | None = None
        self._checkpoints: Checkpoints | None = None
        self._path = self._disk.inner_path(CATALOGS[POOL])
        self._connections = Connections(self._path, fsync, LOG_PAGES)

    def open(self) -> None:
        """Prepares the directory and opens the catalog.

        Raises OSError with the path at fault, WrongLayout, InUse, CatalogTooNew.
        """
        try:
            with self._disk.opening():
                self._prepare_catalog()
        except BaseException:
            self.close()
            raise
        self._assemble()

    def _prepare_catalog(self) -> None:
        check_layout(self.data_dir, POOL)
        name = CATALOGS[POOL]
        leftovers = (entry for entry in os.listdir(self._disk.inner_path()) if entry.startswith(f"{name}."))
        self._disk.drop(leftovers)  # of a start that was cut short
        if os.path.exists(self._path):
            connections.upgrade(self._path)
        else:
            connections.make(self._path, (files(__package__) / "bytes.sql").read_text("utf-8"))
        if not os.path.exists(self._disk.inner_path(MARK)):
            self._disk.sync([self._disk.write_whole(MARK, f"{POOL}\n".encode())])

    def _assemble(self) -> None:
        disk = self._disk
        files_of_pool = FilesBlobs(disk, BareCarrier(disk), NoWatch())
        self.blobs = PoolBlobs(files_of_pool, self._connections, self._small)
        self._turns = Turns(disk.lock, disk.probe)
        commits = Commits(self._connections, self._turns, disk.sync, disk.trash.drop, _nothing_to_recover)
        self._checkpoints = Checkpoints(self._connections, commits)
        self._turns.ended = self._checkpoints.turned
        self.catalog = SqliteCatalog(self._connections, commits, ground_over(self.blobs))
        self.documents = SqliteDocuments(self._connections, commits, no_note)
        self.notices = SqliteNotices(self._connections, commits)

    def close(self) -> None:
        """Closes every connection and descriptor. Harmless when repeated."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        self._connections.close()
        if self._turns is not None:
            self._turns.close()
        self._disk.close()


def _nothing_to_recover(transaction: Transaction, notes: list[Note]) -> None:
    """Turns note nothing."""
