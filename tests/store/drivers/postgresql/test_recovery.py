"""Going back in time over PostgreSQL by its own tools, as docs/backup.md tells it: the bytes of that time are still there."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.clusters.postgresql import NoPostgresql, Server, absent, programs
from tests.patience import PATIENCE
from tests.store.shop import Shop, open_shop, shop_over

LARGE = os.urandom(200_000)


@pytest.fixture
def server() -> Any:
    try:
        server = Server(archive_mode="on", archive_command="mkdir -p ../wal && cp %p ../wal/%f")
    except NoPostgresql as why:
        absent(why)
    yield server
    server.stop()


def driver_over(server: Server, folder: Path) -> Any:
    from gecko_tw.store.drivers.postgresql.driver import PostgresqlDriver

    (folder / "blobs").mkdir(exist_ok=True)

    driver = PostgresqlDriver(str(folder / "node"), catalog=server.address(), blobs=f"files:{folder / 'blobs'}")
    driver.open()
    return driver


def ask(server: Server, question: str) -> Any:
    with psycopg.connect(server.address(), autocommit=True) as connection:
        return connection.execute(question).fetchone()[0]  # type: ignore[call-overload, index]


def await_truth(server: Server, question: str) -> None:
    until = time.monotonic() + PATIENCE
    while not ask(server, question):
        assert time.monotonic() < until, (server.folder / "log").read_text()
        time.sleep(0.02)


def everything(shop: Shop) -> dict[bytes, bytes]:
    return {key: shop.get(key) for key in shop.listed()}


def test_a_base_backup_and_the_log_give_back_every_byte_of_a_moment(server: Server, tmp_path: Path):
    driver = driver_over(server, tmp_path)
    shop = open_shop(driver)
    shop.put(b"before", LARGE)
    base = [programs() / "pg_basebackup", "--pgdata=base", "--wal-method=stream", "--checkpoint=fast"]
    server._run([*base, f"--dbname={server.address()}"])
    shop.put(b"small", b"small")
    shop.put(b"large", LARGE[1:])
    moment, before = ask(server, "SELECT now()::text"), everything(shop)
    time.sleep(0.01)
    shop.put(b"small", b"changed")
    shop.put(b"before", LARGE[2:])
    shop.remove(b"large")
    for _ in range(2):
        shop.upkeep.sweep(24 * 3600.0)
    end = ask(server, "SELECT pg_walfile_name(pg_switch_wal())")
    await_truth(server, f"SELECT last_archived_wal >= '{end}' FROM pg_stat_archiver")
    driver.close()
    server.halt()
    shutil.rmtree(server.folder / "data")
    (server.folder / "base").rename(server.folder / "data")
    (server.folder / "data" / "recovery.signal").touch()
    server._settings |= {
        "restore_command": "cp ../wal/%f %p",
        "recovery_target_time": moment,
        "recovery_target_action": "promote",
        "archive_mode": "off",
    }
    server.start()
    await_truth(server, "SELECT NOT pg_is_in_recovery()")
    driver = driver_over(server, tmp_path)
    assert everything(shop_over(driver)) == before
    driver.close()
