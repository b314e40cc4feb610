"""The log of the catalog is folded into its file by a thread, and starts anew however busy the writers are."""

import threading

import pytest

from gecko_tw.store.drivers.sqlite import checkpoints
from tests.patience import eventually
from tests.store.drivers.pool.conftest import opened
from tests.store.shop import open_shop

SALTS = slice(16, 24)
"""Where in the head of the log the numbers are that are others whenever it starts anew (SQLite, "WAL File Format")."""


@pytest.fixture
def shop(tmp_path):
    shop = open_shop(opened(tmp_path))
    yield shop
    shop.driver.close()


def test_a_busy_log_starts_anew(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "TURNS", 20)
    monkeypatch.setattr(checkpoints, "LONG_LOG", 50)
    log, enough = tmp_path / ".geckos3" / "objects.sqlite-wal", threading.Event()
    before = log.read_bytes()[SALTS]

    def write(name):
        turn = 0
        while not enough.is_set():
            shop.put(b"%d/%d" % (name, turn % 7), b"%d" % turn)
            turn += 1

    writers = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for writer in writers:
        writer.start()
    try:
        eventually(lambda: log.read_bytes()[SALTS] != before)
    finally:
        enough.set()
        for writer in writers:
            writer.join()
    assert all(int(shop.get(key)) >= 0 for key in shop.listed())


def test_nobody_waits_for_a_thread_that_was_never_needed(shop, monkeypatch):
    started = []
    monkeypatch.setattr(checkpoints.Checkpoints, "_start", started.append)
    shop.put(b"k", b"data")
    shop.driver.close()
    assert started == []
