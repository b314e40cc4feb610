"""For folders whose tests do not wait for the disk: no real power is cut, and all else is the same when nothing is flushed."""

import os
import sqlite3
from typing import Any

import pytest

from gecko_tw.store.drivers import flushing
from gecko_tw.store.drivers.files import disk


@pytest.fixture(autouse=True)
def nothing_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that flush do nothing, here and in forked children; what replaces them later notices them all the same."""
    for module in (disk, flushing):
        monkeypatch.setattr(module, "sync_file_system", lambda descriptor: None)
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda descriptor: None)
    real = sqlite3.connect

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *arguments: Any) -> Any:
            waiting = statement.startswith("PRAGMA synchronous = ")
            return super().execute("PRAGMA synchronous = OFF" if waiting else statement, *arguments)

    def connect(*arguments: Any, **named: Any) -> Any:
        connection = real(*arguments, **{"factory": Connection, **named})
        Connection.execute(
            connection, "PRAGMA synchronous = OFF"
        )  # not by a factory's own, which may take it for the driver's
        return connection

    monkeypatch.setattr(sqlite3, "Connection", Connection)
    monkeypatch.setattr(sqlite3, "connect", connect)
