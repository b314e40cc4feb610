"""What the store does by itself, over the reference driver."""

import pytest

from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.refusals import NoSuchUpload
from gecko_tw.store.requests import ListRequest
from tests.store.shop import BUCKET, NOW, open_shop

BODIES = [b"first part", b"second part", b"end"]
HOUR = 3600 * 10**9


def test_abandoned_uploads_go_and_young_ones_stay(shop):
    for number in range(5):
        shop.begin(b"key-%d" % (number % 2), f"u{number}", initiated=NOW + number * HOUR)
        shop.send(b"key-%d" % (number % 2), 1, b"data", f"u{number}")
    assert shop.upkeep.abort_older_than(NOW + 3 * HOUR) == 3
    left = shop.objects.page(BUCKET, ListRequest(), "uploads").entries
    assert sorted(entry.id for entry in left) == ["u3", "u4"]
    assert shop.orphans() == set()
    assert shop.upkeep.abort_older_than(NOW + 3 * HOUR) == 0


def test_more_abandoned_uploads_than_a_page_holds_go_in_one_round(shop):
    for number in range(1100):
        shop.begin(b"key-%d" % (number % 400), f"u{number}")
    assert shop.upkeep.abort_older_than(NOW + 1) == 1100
    assert shop.objects.page(BUCKET, ListRequest(), "uploads").entries == ()


def test_joining_changes_nothing_but_where_the_bytes_are(shop):
    before = shop.multipart(b"key", BODIES)
    shop.put(b"other", b"one span")
    assert shop.upkeep.join() == 1
    after = shop.objects.look(BUCKET, b"key")
    assert len(after.spans) == 1
    assert (after.etag, after.size, after.parts, after.modified) == (
        before.etag,
        before.size,
        before.parts,
        before.modified,
    )
    assert shop.get(b"key") == b"".join(BODIES)
    assert shop.orphans() == set()
    assert shop.upkeep.join() == 0


def test_joining_what_is_overwritten_meanwhile_leaves_the_new_object(shop):
    shop.multipart(b"key", BODIES)
    real = shop.driver.catalog.change_history

    def overtaken(*arguments):
        shop.driver.catalog.change_history = real
        shop.put(b"key", b"new")
        return real(*arguments)

    shop.driver.catalog.change_history = overtaken
    assert shop.upkeep.join() == 0
    assert shop.get(b"key") == b"new"
    assert shop.orphans() == set()


def test_joining_what_is_removed_meanwhile_leaves_nothing(shop):
    shop.multipart(b"key", BODIES)
    real = shop.driver.blobs.clone

    def overtaken(*arguments):
        shop.remove(b"key")
        return real(*arguments)

    shop.driver.blobs.clone = overtaken
    assert shop.upkeep.join() == 0
    assert shop.listed() == []
    assert shop.blobs() == set()


def test_the_sweeper_takes_only_what_is_old_and_unheld():
    now = [1000.0]
    shop = open_shop(MemoryDriver(clock=lambda: now[0]))
    shop.put(b"held", b"held")
    abandoned = shop.objects.receive(())
    abandoned.push(b"on its way")
    abandoned.flush()
    now[0] += 100
    young = shop.objects.receive(())
    young.push(b"young")
    young.flush()
    assert shop.upkeep.sweep(50) == 1
    assert shop.upkeep.sweep(50) == 0
    assert shop.get(b"held") == b"held"
    assert len(shop.blobs()) == 2
    young.abort()


def test_the_sweeper_works_through_more_than_one_batch(shop):
    for _ in range(450):
        orphan = shop.objects.receive(())
        orphan.push(b"x")
        orphan.flush()
    shop.put(b"held", b"held")
    assert shop.upkeep.sweep(-60) == 450
    assert shop.get(b"held") == b"held"


def test_an_upload_whose_parts_were_swept_by_nobody_can_still_be_completed(shop):
    shop.begin(b"key")
    part = shop.send(b"key", 1, b"data")
    shop.upkeep.sweep(-60)
    shop.complete(b"key", [part])
    assert shop.get(b"key") == b"data"
    with pytest.raises(NoSuchUpload):
        shop.uploads.get(BUCKET, b"key", "u1")
