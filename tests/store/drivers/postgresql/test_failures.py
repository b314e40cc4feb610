"""A database that is away, comes back, is not what it must be, or is reached through a pooler."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gecko_tw.store.drivers.postgresql.addresses import place_of
from gecko_tw.store.drivers.postgresql.driver import PostgresqlDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, Notice
from gecko_tw.store.refusals import ServiceUnavailable, SlowDown
from gecko_tw.store.requests import ListRequest, Put, Remove
from tests.clusters.databases import database
from tests.clusters.pgbouncer import Pooler
from tests.clusters.postgresql import Server, check_there
from tests.contract.acts import NOW, a_bucket, begin, change, content, every_page, look, mark_deleted, put, send_part


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be halted."""
    check_there()
    server = Server(synchronous_commit="on")
    yield server
    server.stop()


def driver_at(address: str, folder: Path, **options: Any) -> PostgresqlDriver:
    return PostgresqlDriver(str(folder), catalog=address, **options)


def why(address: str, folder: Path, **options: Any) -> str:
    """The one line that says why a driver cannot be opened."""
    driver = driver_at(address, folder, **options)
    with pytest.raises((RuntimeError, ValueError, OSError)) as told:
        driver.open()
    driver.close()
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_database_that_is_away_refuses_everything_and_all_goes_on_when_it_is_back(
    own_server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    driver = driver_at(own_server.address(), tmp_path)
    driver.open()
    bucket = a_bucket(driver)
    put(driver, bucket, b"k", b"data")
    begin(driver, bucket, b"k", "u")
    objects = Objects(driver.catalog, driver.blobs)
    own_server.halt()
    incoming = objects.receive()
    incoming.push(b"y" * 100_000)
    verbs = (
        partial(driver.catalog.history, bucket, b"k"),
        partial(driver.catalog.page, bucket, b"", b"", 10, "objects"),
        partial(driver.catalog.buckets, "", "", 10),
        partial(driver.catalog.add_bucket, BucketRecord(name="more", created=1)),
        partial(driver.catalog.change_bucket, bucket, lambda record: record.with_setting("a", 1)),
        partial(driver.catalog.remove_bucket, bucket),
        partial(objects.remove, bucket, b"k", Remove(now=NOW)),
        partial(driver.notices.add, [Notice("a", {})]),
        partial(driver.documents.change, "user", "a", lambda old: 1),
        partial(send_part, driver, bucket, b"k", "u", 1, b"part"),
        partial(objects.put, bucket, b"k", incoming, Put(now=NOW)),
        partial(objects.page, bucket, ListRequest()),
        driver.leads,
    )
    for verb in verbs:
        with pytest.raises(ServiceUnavailable):
            verb()
    assert driver.damage.text
    own_server.start()
    assert wait_for(lambda: driver.damage.text is None)
    assert content(driver, look(driver, bucket, b"k").newest) == b"data"
    put(driver, bucket, b"k", b"new")
    assert every_page(driver, bucket, "objects") == [(b"k", "null")]
    assert wait_for(lambda: driver.documents.revision() > 0)
    driver.close()
    assert caplog.text.count("the database does not answer") == 1


def wait_for(is_so: Any) -> bool:
    """Asks again and again, for a while."""
    pause = threading.Event()
    for _ in range(200):
        try:
            if is_so():
                return True
        except ServiceUnavailable:
            pass  # not yet
        pause.wait(0.05)
    return False


def test_what_is_remembered_is_not_believed_when_nobody_tells_what_changed(own_server: Server, tmp_path: Path):
    driver = driver_at(own_server.address(), tmp_path)
    driver.open()
    a_bucket(driver)
    driver.documents.change("user", "a", lambda old: 1)
    driver.catalog.bucket("photos")
    own_server.halt()
    verbs = (
        driver.documents.revision,
        partial(driver.documents.get, "user", "a"),
        partial(driver.catalog.bucket, "photos"),
    )
    assert wait_for(lambda: not driver._watch.is_fresh)
    for verb in (*verbs, partial(driver.documents.all, "user")):
        with pytest.raises(ServiceUnavailable):
            verb()
    driver.close()


def test_connections_that_are_cut_are_replaced(driver: Any, server: Server):
    bucket = a_bucket(driver)
    put(driver, bucket, b"k", b"data")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'geckos3'"
    for number in range(5):
        server.execute(others)
        assert content(driver, look(driver, bucket, b"k").newest) in (b"data", b"%d" % (number - 1))
        server.execute(others)
        for _ in range(3):
            try:
                put(driver, bucket, b"k", b"%d" % number)
                break
            except ServiceUnavailable:
                continue  # whether it was written is not known: a client sends it again
        assert content(driver, look(driver, bucket, b"k").newest) == b"%d" % number


def test_a_put_whose_answer_is_lost_keeps_or_loses_its_bytes_but_never_half(
    driver: Any, monkeypatch: pytest.MonkeyPatch
):
    """The statement was committed, and the connection broke before that was told."""
    bucket = a_bucket(driver)
    objects = Objects(driver.catalog, driver.blobs)
    incoming = objects.receive()
    incoming.push(b"x" * 100_000)
    run = driver._connections.run

    def lost(statement: str, values: Any = ()) -> Any:
        found = run(statement, values)
        if "FROM put" in statement:
            raise ServiceUnavailable
        return found

    with monkeypatch.context() as patched:
        patched.setattr(driver._connections, "run", lost)
        with pytest.raises(ServiceUnavailable):
            objects.put(bucket, b"k", incoming, Put(now=NOW))
    kept = look(driver, bucket, b"k").newest
    assert content(driver, kept) == b"x" * 100_000
    assert driver.catalog.references([kept.spans[0].blob]) == {kept.spans[0].blob}


def test_an_address_that_leads_nowhere_is_told_in_one_line(tmp_path: Path, server: Server):
    assert "127.0.0.1:1/nothing cannot be used: " in why("postgresql://me:secret@127.0.0.1:1/nothing", tmp_path)
    assert 'database "nothing" does not exist' in why(server.address("nothing"), tmp_path)
    assert "secret" not in why("postgresql://me:secret@127.0.0.1:1/nothing", tmp_path)
    with pytest.raises(ValueError, match="nonsense"):
        driver_at("postgresql://host/name?nonsense=1", tmp_path)


def test_a_user_who_may_not_make_tables_is_told_so(tmp_path: Path, server: Server):
    database(tmp_path)
    server.execute("DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    address = server.address(urlsplit(database(tmp_path)).path[1:]).replace("geckos3@", "guest@")
    server.execute("CREATE DATABASE not_ours")
    assert "may not make them" in why(address.rpartition("/")[0] + "/not_ours", tmp_path)
    server.execute("DROP DATABASE not_ours")


def test_tables_of_a_newer_program_are_left_alone(driver: Any, tmp_path: Path, server: Server):
    driver._connections.run("UPDATE schema_version SET version = 99")
    try:
        assert "version 99" in why(database(tmp_path), tmp_path)
    finally:
        driver._connections.run("UPDATE schema_version SET version = 1")


def test_of_many_that_start_at_once_one_makes_the_tables(tmp_path: Path, server: Server):
    server.execute("CREATE DATABASE fresh")
    drivers = [driver_at(server.address("fresh"), tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: one.open(), drivers))
    a_bucket(drivers[0])
    assert drivers[3].catalog.bucket("photos").owner == "owner"
    for one in drivers:
        one.close()
    server.execute("DROP DATABASE fresh")


def test_who_finds_no_free_connection_in_time_is_told_to_slow_down(node: Any, monkeypatch: pytest.MonkeyPatch):
    driver = node(connections=1)
    monkeypatch.setattr("gecko_tw.store.drivers.postgresql.connections.TIMEOUT", 0.05)
    a_bucket(driver)
    with ThreadPoolExecutor(1) as threads:
        sleeping = threads.submit(driver._connections.run, "SELECT pg_sleep(1)")
        assert wait_for(lambda: driver._connections._free._value == 0)
        with pytest.raises(SlowDown):
            driver.catalog.buckets("", "", 1)
        sleeping.result()
    assert len(driver.catalog.buckets("", "", 1)) == 1


def test_a_directory_of_bytes_that_is_another_one_is_refused(node: Any, tmp_path: Path):
    shared, other = tmp_path / "shared", tmp_path / "other"
    shared.mkdir(), other.mkdir()
    driver = node(blobs=f"files:{shared}")
    put(driver, a_bucket(driver), b"k", b"x" * 100_000)
    assert "has no file geckos3-blobs" in why(database(tmp_path), tmp_path, blobs=f"files:{other}")
    assert "No such file" in why(database(tmp_path), tmp_path, blobs=f"files:{tmp_path / 'nowhere'}")


def test_a_pooler_that_hands_on_connections_may_stand_between(server: Server, tmp_path: Path):
    name = urlsplit(database(tmp_path)).path[1:]
    with Pooler(server) as pooler:
        drivers = [driver_at(pooler.address(name), tmp_path) for _ in range(2)]
        for one in drivers:
            one.open()
        first, second = drivers
        bucket = a_bucket(first)
        for number in range(30):
            put((first, second)[number % 2], bucket, b"k", b"%d" % number)
            mark_deleted(first, bucket, b"m", f"m{number}")
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda n: put((first, second)[n % 2], bucket, b"%d" % n, b"x" * 100_000), range(20)))
        assert content(second, look(second, bucket, b"k").newest) == b"29"
        first.documents.change("user", "a", lambda old: {"x": 1})
        assert wait_for(lambda: second.documents.get("user", "a") == {"x": 1})
        first.catalog.change_bucket(bucket, lambda record: record.with_setting("n", 1))
        assert wait_for(lambda: second.catalog.bucket(bucket).settings == {"n": 1})
        begin(first, bucket, b"k", "u")
        change(first, bucket, b"k", lambda history: history.having(()), None, "u")
        assert first.leads() and not second.leads()
        for one in drivers:
            one.close()


def test_passwords_are_not_in_what_is_told():
    assert place_of("postgresql://me:secret@host:5432/db?sslmode=require") == "postgresql://me@host:5432/db"
    assert "secret" not in place_of("host=a password=secret")
