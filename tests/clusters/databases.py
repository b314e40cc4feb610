"""Databases for drivers under test: each folder has one of its own, and what is used no more is emptied for the next."""

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

from tests.clusters.postgresql import Server, needed

_MOST = 3
"""Databases of a session. A folder whose driver is open keeps its own."""

_TABLES = "slot head version upload part body blob block document notice lease bucket".split()
_DELETIONS = "; ".join(f"DELETE FROM {name}" for name in _TABLES)
_EMPTY = f"""DO $$ BEGIN IF to_regclass('slot') IS NOT NULL THEN
    {_DELETIONS}; UPDATE revision SET value = value + 1;
END IF; END $$"""


class _Databases:
    """Those of one server. The least recently used is given away first."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._of: OrderedDict[Path, str] = OrderedDict()
        self._open: dict[Path, int] = {}
        self._made = 0

    def of(self, folder: Path) -> str:
        """The name of a folder's database."""
        if folder not in self._of:
            closed = [one for one in self._of if not self._open.get(one)]
            if len(self._of) >= _MOST and closed:
                self._of[folder] = self._of.pop(closed[0])
                self._server.execute(_EMPTY, database=self._of[folder])
            else:
                self._made += 1
                self._of[folder] = f"test_{os.getpid()}_{self._made}"
                self._server.execute(f"CREATE DATABASE {self._of[folder]}")
        self._of.move_to_end(folder)
        return self._of[folder]

    def opened(self, folder: Path, more: int) -> None:
        """Counts drivers that use a folder."""
        self._open[folder] = self._open.get(folder, 0) + more


_databases: dict[Server, _Databases] = {}


def database(folder: Path) -> str:
    """The address of the database of a folder."""
    server = needed()
    return server.address(_databases.setdefault(server, _Databases(server)).of(folder))


def postgresql(folder: Path, blobs: str = "postgresql:", **options: Any) -> Any:
    """An open driver over a folder and its database. Skips the test where there is no PostgreSQL."""
    server = needed()
    from gecko_tw.store.drivers.postgresql.driver import PostgresqlDriver

    driver = PostgresqlDriver(str(folder), catalog=database(folder), blobs=blobs, **options)
    kept = _databases[server]
    close, is_open = driver.close, [True]

    def closed() -> None:
        close()
        if is_open.pop() if is_open else False:
            kept.opened(folder, -1)

    driver.close = closed  # type: ignore[method-assign]
    kept.opened(folder, 1)
    try:
        driver.open()
    except BaseException:
        driver.close()
        raise
    return driver
