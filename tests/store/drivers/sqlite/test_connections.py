"""The catalog's file: made whole or not at all, by many at once, and brought up to date."""

import sqlite3
import threading

import pytest

from gecko_tw.store.drivers.sqlite import connections


def test_a_catalog_is_made_once_by_many_at_once(tmp_path):
    path = str(tmp_path / "catalog.sqlite")
    threads = [threading.Thread(target=connections.make, args=(path,)) for _ in range(1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connections.make(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["catalog.sqlite"]
    connection = connections.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA user_version").fetchone() == (connections.SCHEMA_VERSION,)
    connection.close()


def test_a_missing_catalog_is_never_made_by_connecting(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        connections.connect(str(tmp_path / "missing.sqlite"))


def test_names_that_mean_something_in_an_address_are_names(tmp_path):
    folder = tmp_path / "a?b#c%20d"
    folder.mkdir()
    connections.make(str(folder / "catalog.sqlite"))
    connections.connect(str(folder / "catalog.sqlite")).close()


def schema_of(path):
    connection = connections.connect(path)
    try:
        return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    finally:
        connection.close()


def test_an_older_catalog_is_brought_up_to_date(tmp_path):
    fresh, old = str(tmp_path / "fresh.sqlite"), str(tmp_path / "old.sqlite")
    connections.make(fresh)
    first = sqlite3.connect(old)
    first.executescript(connections._sql("schema.sql"))
    first.close()
    connections.upgrade(old)
    connections.upgrade(old)
    assert schema_of(old) == schema_of(fresh)


def test_a_damaged_record_hinders_no_upgrade(tmp_path):
    old = str(tmp_path / "old.sqlite")
    first = sqlite3.connect(old)
    first.executescript(connections._sql("schema.sql"))
    first.execute(
        "INSERT INTO version VALUES (1, X'6b', 1, 'null', 0, 'e', 0, 0, '', NULL, '{\"upl', 0, NULL, NULL, '', '[]', '')"
    )
    first.commit()
    first.close()
    connections.upgrade(old)
    connection = connections.connect(old)
    assert connection.execute("SELECT record FROM version").fetchall() == [('{"upl',)]
    connection.close()


def test_a_catalog_of_the_future_is_refused(tmp_path, monkeypatch):
    path = str(tmp_path / "catalog.sqlite")
    connections.make(path)
    monkeypatch.setattr(connections, "SCHEMA_VERSION", 0)
    with pytest.raises(connections.CatalogTooNew):
        connections.upgrade(path)
