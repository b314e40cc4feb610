"""Bytes in a pool of a real Ceph: what lies there, what becomes of it, and what happens while Ceph does not do its part."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.drivers.ahead import PIECE
from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.drivers.postgresql import rados as driver_of_rados
from gecko_tw.store.drivers.postgresql.driver import PostgresqlDriver
from gecko_tw.store.drivers.postgresql.rados import STRIPE
from gecko_tw.store.records import BlobNote
from gecko_tw.store.refusals import InsufficientStorage, ServiceUnavailable
from tests.clusters.ceph import OSDS, POOL, Ceph, place_in, shared_ceph
from tests.clusters.databases import database, postgresql
from tests.contract.acts import a_bucket, commit, content, described, look, put
from tests.patience import eventually

NOTE = BlobNote(bucket="photos", key=b"k", record=described(b""))
LARGE = bytes(range(253)) * 40_000
"""Three RADOS objects."""


@pytest.fixture(scope="module")
def ceph() -> Ceph:
    return shared_ceph()


@pytest.fixture
def node(ceph: Ceph, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    made = []

    def another(pool: str = POOL) -> Any:
        made.append(postgresql(tmp_path, place_in(ceph, tmp_path.name, pool)))
        return made[-1]

    yield another
    for driver in made:
        driver.close()


@pytest.fixture
def far(node: Callable[..., Any]) -> Any:
    return node()


def objects(driver: Any) -> list[str]:
    return sorted(one.key for one in driver._bytes._pool_context.list_objects() if one.key != "geckos3-blobs")


@pytest.mark.parametrize("size", (70_000, PIECE, STRIPE, STRIPE + 1, len(LARGE)))
def test_a_large_body_is_striped_and_read_from_anywhere(far: Any, size: int):
    bucket = a_bucket(far)
    put(far, bucket, b"k", LARGE[:size])
    assert len(objects(far)) == -(-size // STRIPE)
    found = look(far, bucket, b"k").newest
    assert content(far, found) == LARGE[:size]
    reader = far.blobs.open(found.spans[0].blob)
    for offset in (size - 1, STRIPE - 500, 0, size // 2):
        assert reader.read(offset, 1000) == LARGE[offset:size][:1000]
    assert reader.read(0, size) == LARGE[:size]
    reader.close()


def test_what_nothing_needs_any_more_goes_with_all_its_objects(far: Any):
    bucket = a_bucket(far)
    put(far, bucket, b"k", LARGE)
    put(far, bucket, b"k", b"2" * 100_000)
    left = far.blobs.create()
    left.write(LARGE)
    left._large.close()  # its process dies: nobody has finished it, nor says so
    far._bytes._pool_context.remove_object(f"{left._name}.00000001")
    assert len(objects(far)) == 6
    far.blobs.remove(list(far.blobs.older_than(-60)))
    assert far.blobs.purge(-60) == 2
    assert len(objects(far)) == 1
    assert content(far, look(far, bucket, b"k").newest) == b"2" * 100_000


def test_a_body_that_is_given_up_leaves_nothing(far: Any):
    writer = far.blobs.create()
    writer.write(LARGE)
    writer.abort()
    assert (objects(far), list(far.blobs.older_than(-60))) == ([], [])


def test_bytes_that_somebody_has_removed_or_cut_there_are_gone(far: Any):
    first, second = (commit(far, LARGE, NOTE) for _ in range(2))
    far._bytes._pool_context.remove_object(f"{first.blob}.00000000")
    far._bytes._pool_context.trunc(f"{second.blob}.00000002", 10)
    for span in (first, second):
        with pytest.raises(BlobGone):
            far.blobs.open(span.blob).read(0, len(LARGE))


def why(ceph: Ceph, folder: Path, blobs: str) -> str:
    """The one line that says why a driver cannot be opened."""
    driver = PostgresqlDriver(str(folder), catalog=database(folder), blobs=blobs)
    with pytest.raises((ValueError, RuntimeError)) as told:
        driver.open()
    driver.close()
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_pool_that_cannot_be_used_is_told_in_one_line_at_the_start(ceph: Ceph, tmp_path: Path, far: Any):
    put(far, a_bucket(far), b"k", LARGE)
    assert "Ceph has no pool 'nowhere'" in why(ceph, tmp_path, place_in(ceph, "x", "nowhere"))
    assert "has no object geckos3-blobs" in why(ceph, tmp_path, place_in(ceph, "another"))
    assert "cannot be used: " in why(ceph, tmp_path, f"rados:{POOL}?conf=/nowhere")
    assert "cannot be used: " in why(ceph, tmp_path, f"rados:{POOL}?conf={ceph.conf}&user=nobody")


def test_a_pool_that_is_full_refuses_to_write_reads_on_and_can_be_emptied(ceph: Ceph, node: Callable[..., Any]):
    ceph.ask("osd", "pool", "create", "small", "8")
    driver = node("small")
    bucket = a_bucket(driver)
    put(driver, bucket, b"k", LARGE)
    ceph.ask("osd", "pool", "set-quota", "small", "max_objects", "1")
    eventually(lambda: "pool(s) full" in ceph.ask("health"))

    def refused() -> bool:
        try:
            put(driver, bucket, b"more", LARGE)
        except InsufficientStorage:
            return True
        return False

    eventually(refused)
    assert content(driver, look(driver, bucket, b"k").newest) == LARGE
    put(driver, bucket, b"k", b"small")  # lets go of what is there
    assert driver.blobs.purge(-60)
    ceph.ask("osd", "pool", "set-quota", "small", "max_objects", "0")
    eventually(lambda: not refused())


def test_an_osd_that_stops_to_answer_is_waited_for(ceph: Ceph, far: Any):
    bucket = a_bucket(far)
    ceph.pause_osd(2)
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda n: put(far, bucket, b"%d" % n, b"%d" % n * 100_000), range(8)))
        for number in range(8):
            assert content(far, look(far, bucket, b"%d" % number).newest) == b"%d" % number * 100_000
    finally:
        ceph.pause_osd(2, paused=False)
        ceph.wait(OSDS)


def test_while_ceph_does_not_answer_large_bodies_are_refused_and_all_goes_on_when_it_does(
    ceph: Ceph, node: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(driver_of_rados._TIMEOUTS, "rados_osd_op_timeout", "2")
    driver = node()
    bucket = a_bucket(driver)
    put(driver, bucket, b"k", LARGE)
    for number in range(OSDS):
        ceph.pause_osd(number)
    try:
        with pytest.raises(ServiceUnavailable):
            content(driver, look(driver, bucket, b"k").newest)
        with pytest.raises(ServiceUnavailable):
            put(driver, bucket, b"k", LARGE)
        assert driver.damage.text
        put(driver, bucket, b"small", b"data")
    finally:
        for number in range(OSDS):
            ceph.pause_osd(number, paused=False)
    ceph.wait(OSDS)
    eventually(lambda: driver.damage.text is None)
    assert content(driver, look(driver, bucket, b"k").newest) == LARGE
    put(driver, bucket, b"k", b"x" * 100_000)
    assert caplog.text.count("cannot be used: ") == 1
