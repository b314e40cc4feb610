"""A data directory and its catalog, opened to be read only."""

import os
import sqlite3

from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.sqlite.connections import connect_to_read


class LookingDisk(Disk):
    """A data directory of which nothing is made, locked or changed."""

    def __init__(self, data_dir: str) -> None:
        super().__init__(data_dir, False)

    def look(self) -> None:
        """Opens it. Raises OSError."""
        self.root = os.open(self.data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.inner = os.open(self.inner_path(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self.folding = os.path.exists(self.inner_path().replace(os.fsdecode(INNER), os.fsdecode(INNER).upper()))


class Reading:
    """The connection to a catalog, as whoever only reads has it.

    :param path: of its file. Raises sqlite3.Error when there is none.
    """

    def __init__(self, path: str) -> None:
        self._connection = connect_to_read(path)
        self._connection.execute("SELECT 1 FROM bucket LIMIT 1").fetchone()

    def mine(self) -> sqlite3.Connection:
        """As Connections.mine, for one thread."""
        return self._connection

    def close(self) -> None:
        """Harmless when repeated."""
        self._connection.close()
