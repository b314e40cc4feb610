"""Where the fast driver keeps bytes: small objects in the catalog's pages, larger ones in files, nothing of either twice."""

import errno
import os
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.records import BlobNote
from gecko_tw.store.refusals import InsufficientStorage, PreconditionFailed
from gecko_tw.store.requests import WriteConditions
from tests.contract.acts import described
from tests.crash.deeds import rows_without_version
from tests.store.drivers.pool.conftest import SMALL, opened
from tests.store.shop import BUCKET, open_shop, shop_over

TURNS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "remove"]), st.sampled_from([b"a", b"b"]), st.sampled_from([0, 9, SMALL, 3000])
    )
)


def rows(folder):
    with closing(sqlite3.connect(folder / ".geckos3" / "objects.sqlite")) as connection:
        return dict(connection.execute("SELECT id, data FROM blob").fetchall())


def files(folder):
    rooms = (folder / ".geckos3" / room for room in ("staging", "pool"))
    return [path for room in rooms for path in room.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, SMALL])
def test_a_small_object_is_a_row_and_no_file(shop, folder, size):
    shop.put(b"k", b"x" * size)
    assert list(rows(folder).values()) == [b"x" * size]
    assert files(folder) == []


def test_a_larger_object_is_a_file_and_no_row(shop, folder):
    shop.put(b"k", b"x" * (SMALL + 1))
    assert rows(folder) == {}
    assert [path.parts[-4] for path in files(folder)] == ["pool"]


def test_a_body_makes_no_file_until_it_is_too_large_for_a_row(shop, folder):
    writer = shop.driver.blobs.create()
    for _ in range(SMALL):
        writer.write(b"x")
    assert files(folder) == []
    writer.write(b"x")
    assert [path.read_bytes() for path in files(folder)] == [b"x" * (SMALL + 1)]
    writer.abort()
    assert files(folder) == []


def test_a_part_is_a_file_however_small_it_is(shop, folder):
    shop.begin(b"k")
    shop.send(b"k", 1, b"small")
    assert rows(folder) == {}
    assert [path.read_bytes() for path in files(folder)] == [b"small"]


def test_small_parts_become_a_row_when_they_are_joined(shop, folder):
    shop.multipart(b"k", [b"first ", b"second"])
    assert shop.upkeep.join() == 1
    shop.driver.flush()
    assert list(rows(folder).values()) == [b"first second"]
    assert files(folder) == []
    assert shop.get(b"k") == b"first second"


def test_a_refused_body_leaves_neither(shop, folder):
    shop.driver.blobs.remove([commit(shop, b"small"), commit(shop, b"x" * 2000)])
    assert rows(folder) == {}
    assert files(folder) == []


def commit(shop, data):
    writer = shop.driver.blobs.create()
    writer.write(data)
    return writer.commit(BlobNote(bucket=BUCKET, key=b"k", record=described(data)))


def test_a_name_never_opens_bytes_that_were_put_there_later(shop):
    names = []
    for turn in range(5):
        version = shop.put(b"k", b"turn %d" % turn)
        names.append(version.spans[0].blob)
        if turn % 2:
            shop.remove(b"k")
    assert len(set(names)) == 5
    for name in names[:-1]:
        with pytest.raises(BlobGone):
            shop.driver.blobs.open(name)


def test_whoever_has_read_an_old_record_is_given_the_new_object(shop):
    shop.put(b"k", b"old")
    old = shop.objects.look(BUCKET, b"k")
    other = opened(shop.driver.data_dir)
    open_again = shop.objects.open(BUCKET, b"k")
    shop_over(other).put(b"k", b"newer")
    assert open_again.read(0, 10) == b"old"
    with pytest.raises(BlobGone):
        other.blobs.open(old.spans[0].blob)
    assert shop.get(b"k") == b"newer"
    other.close()


@settings(max_examples=50)
@given(turns=TURNS)
def test_there_is_one_row_or_one_file_for_each_object(tmp_path_factory, turns):
    folder = tmp_path_factory.mktemp("data")
    shop = open_shop(opened(folder))
    held = {}
    for turn, (verb, key, size) in enumerate(turns):
        if verb == "put":
            held[key] = bytes([turn % 256]) * size
            shop.put(key, held[key])
        else:
            held.pop(key, None)
            shop.remove(key)
    shop.driver.flush()
    small = sorted(data for data in held.values() if len(data) <= SMALL)
    assert sorted(rows(folder).values()) == small
    assert rows_without_version(folder / ".geckos3" / "objects.sqlite") == []
    assert sorted(path.read_bytes() for path in files(folder)) == sorted(
        data for data in held.values() if len(data) > SMALL
    )
    assert {key: shop.get(key) for key in held} == held
    shop.driver.close()


def test_the_room_of_what_was_overwritten_is_used_again(shop):
    for turn in range(20):
        shop.put(b"k", bytes([turn]) * SMALL)
    connection = shop.driver._connections.mine()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    for turn in range(200):
        shop.put(b"k", bytes([turn]) * SMALL)
    assert connection.execute("PRAGMA page_count").fetchone()[0] <= pages + 1


def test_a_listing_does_not_read_bytes(shop):
    plan = shop.driver._connections.mine().execute(
        "EXPLAIN QUERY PLAN SELECT key, etag, size FROM version WHERE bucket_id = 1 ORDER BY key"
    )
    assert "blob" not in str(plan.fetchall())


def test_small_bytes_need_no_thread_to_be_read(shop):
    shop.put(b"small", b"0123456789")
    shop.put(b"large", b"0123456789" * 200)
    with_bytes, with_file = shop.objects.open(BUCKET, b"small"), shop.objects.open(BUCKET, b"large")
    assert with_bytes.run(0) is None
    assert with_bytes.ready(2, 3) == b"234"
    assert with_bytes.ready(8, 10) == b"89"
    assert with_bytes.ready(10, 1) == b""
    assert with_file.ready(0, 10) is None
    assert with_file.run(0) is not None
    with_bytes.close()
    with_file.close()


def test_an_overwrite_takes_the_row_of_what_it_replaces(shop):
    first = shop.put(b"k", b"first").spans[0].blob
    second = shop.put(b"k", b"second, and longer").spans[0].blob
    shop.put(b"other", b"other")
    assert first.split(".")[0] == second.split(".")[0]
    assert first != second
    assert shop.get(b"k") == b"second, and longer"


def test_a_refused_overwrite_leaves_the_row_as_it_was(shop, folder):
    shop.put(b"k", b"old")
    before = rows(folder)
    with pytest.raises(PreconditionFailed):
        shop.put(b"k", b"new", conditions=WriteConditions(if_none_match="*"))

    def rule(bucket, history):
        raise RuntimeError("after all")

    with pytest.raises(RuntimeError):
        shop.driver.catalog.change_history(BUCKET, b"k", rule)
    assert rows(folder) == before
    assert shop.get(b"k") == b"old"


def test_of_several_versions_each_has_its_row(shop, folder):
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))
    for turn in range(3):
        shop.put(b"k", b"%d" % turn)
    assert sorted(rows(folder).values()) == [b"0", b"1", b"2"]
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Suspended"))
    shop.put(b"k", b"null")
    shop.put(b"k", b"null again")
    assert sorted(rows(folder).values()) == [b"0", b"1", b"2", b"null again"]


def test_a_full_disk_is_a_refusal_and_leaves_nothing(shop, folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    shop.put(b"k", b"old")
    monkeypatch.setattr(shop.driver.blobs.files.disk, "rename_inner", full)
    with pytest.raises(InsufficientStorage):
        shop.put(b"k", b"x" * (SMALL + 1))
    assert files(folder) == []
    connection = shop.driver._connections.mine()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(InsufficientStorage):
        for turn in range(100):
            shop.put(b"%d" % turn, b"x" * SMALL)
    assert shop.get(b"k") == b"old"
    assert rows_without_version(folder / ".geckos3" / "objects.sqlite") == []


@pytest.mark.parametrize("size", [3, SMALL + 1])
def test_new_bodies_leave_room_for_removing_old_ones(shop, folder, monkeypatch, size):
    shop.put(b"k", b"old")
    monkeypatch.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_frsize=4096, f_blocks=1 << 30, f_bavail=1))
    with pytest.raises(InsufficientStorage):
        shop.put(b"k", b"x" * size)
    assert shop.get(b"k") == b"old"
    shop.remove(b"k")
    assert (shop.listed(), files(folder), rows(folder)) == ([], [], {})
