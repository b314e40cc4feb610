"""Versions in quarantine: how they come there, what may be done with them, and how they leave."""

import os
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store.integrity.comparing import DAMAGED, LOST, UNKNOWN, WHOLE, compare
from gecko_tw.store.integrity.pace import Ended, Pace
from gecko_tw.store.integrity.quarantine import Changed, Quarantine
from gecko_tw.store.integrity.remembering import SECONDS, WholeLately
from gecko_tw.store.refusals import InvalidRequest, ObjectDamaged, ObjectLocked
from gecko_tw.store.renaming import Rename, rename
from gecko_tw.store.requests import Copy, Source
from gecko_tw.store.rules.notices import SETTING
from gecko_tw.store.rules.quarantine import QUARANTINE, refuse_quarantined
from tests.contract.drivers import files, pool
from tests.store.integrity.damage import file_of, flip
from tests.store.shop import BUCKET, NOW, Shop, open_shop

LARGE = os.urandom(300_000)
LATER = NOW + 10**9


@pytest.fixture(params=["files", "pool"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    driver = {"files": files, "pool": pool}[request.param](tmp_path)
    yield open_shop(driver)
    driver.close()


def quarantine_of(shop: Shop) -> Quarantine:
    return Quarantine(shop.objects, shop.driver.documents)


def versioned(shop: Shop) -> None:
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_a_damaged_version_is_found_and_marked_and_its_bytes_are_refused(kept, tmp_path, data):
    version = kept.put(b"cat", data)
    flip(tmp_path, version, len(data) // 2)
    quarantine = quarantine_of(kept)
    assert quarantine.condemn(BUCKET, b"cat", version, LATER, "test") == DAMAGED
    found = kept.objects.look(BUCKET, b"cat")
    with pytest.raises(ObjectDamaged) as refused:
        refuse_quarantined(found)
    assert refused.value.details == {
        "Quarantined": "2023-11-14T22:13:21Z",
        "Reason": "its bytes are not those that were stored",
    }
    assert [(held.key, held.why, held.since) for held in quarantine.held()] == [(b"cat", DAMAGED, LATER)]
    assert kept.listed() == [b"cat"]


def test_a_whole_version_is_not_condemned(kept):
    version = kept.put(b"cat", LARGE)
    quarantine = quarantine_of(kept)
    assert quarantine.condemn(BUCKET, b"cat", version, LATER, "test") == WHOLE
    assert kept.objects.look(BUCKET, b"cat").extra == {}


def test_an_overwritten_version_is_not_condemned(kept, tmp_path):
    version = kept.put(b"cat", LARGE)
    flip(tmp_path, version)
    kept.put(b"cat", b"new", now=LATER)
    with pytest.raises(Changed):
        quarantine_of(kept).condemn(BUCKET, b"cat", version, LATER, "test")


def test_a_file_that_a_user_edited_is_adopted_and_not_condemned(tmp_path):
    driver = files(tmp_path)
    shop = open_shop(driver)
    version = shop.put(b"cat", LARGE)
    (tmp_path / BUCKET / "cat").write_bytes(b"edited")
    with pytest.raises(Changed):
        quarantine_of(shop).condemn(BUCKET, b"cat", version, LATER, "test")
    assert shop.get(b"cat") == b"edited"
    assert not list(quarantine_of(shop).held())
    driver.close()


def test_a_version_whose_file_is_gone_from_the_pool_is_lost(tmp_path):
    driver = pool(tmp_path)
    shop = open_shop(driver)
    version = shop.put(b"cat", LARGE)
    file_of(tmp_path, version.spans[0].blob).unlink()
    assert quarantine_of(shop).condemn(BUCKET, b"cat", version, LATER, "test") == LOST
    driver.close()


def test_an_old_version_whose_file_is_gone_is_lost_where_objects_are_files(tmp_path):
    driver = files(tmp_path)
    shop = open_shop(driver)
    versioned(shop)
    first = shop.put(b"cat", LARGE)
    shop.put(b"cat", b"new", now=LATER)
    old = shop.objects.look(BUCKET, b"cat", first.version_id)
    file_of(tmp_path, old.spans[0].blob).unlink()
    assert quarantine_of(shop).condemn(BUCKET, b"cat", old, LATER, "test") == LOST
    assert [held.version.version_id for held in quarantine_of(shop).held()] == [first.version_id]
    driver.close()


def test_without_metadata_nothing_tells_and_nothing_is_condemned(tmp_path):
    driver = files(tmp_path, metadata=False)
    shop = open_shop(driver, hashing=False)
    version = shop.put(b"cat", LARGE)
    flip(tmp_path, version)
    several = shop.multipart(b"parts", [b"12345", b"67890"])
    quarantine = quarantine_of(shop)
    assert quarantine.condemn(BUCKET, b"cat", version, LATER, "test") == UNKNOWN
    assert quarantine.condemn(BUCKET, b"parts", several, LATER, "test") == UNKNOWN
    driver.close()


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_an_object_of_parts_is_compared_as_its_checksum_was_made(kept, tmp_path, kind):
    algorithm = "CRC32" if kind == "FULL_OBJECT" else "SHA256"
    kept.begin(b"parts", checksum_algorithm=algorithm, checksum_kind=kind)
    parts = [kept.send(b"parts", number, body) for number, body in ((1, LARGE), (2, b"tail"))]
    version = kept.complete(b"parts", parts)
    quarantine = quarantine_of(kept)
    assert quarantine.condemn(BUCKET, b"parts", version, LATER, "test") == WHOLE
    flip(tmp_path, version, len(LARGE) + 1)
    assert quarantine.condemn(BUCKET, b"parts", version, LATER, "test") == DAMAGED


def test_what_is_whole_again_is_released(kept, tmp_path):
    version = kept.put(b"cat", LARGE)
    flip(tmp_path, version)
    quarantine = quarantine_of(kept)
    quarantine.condemn(BUCKET, b"cat", version, LATER, "test")
    assert not quarantine.revalidate(BUCKET, b"cat", None, LATER)
    flip(tmp_path, version)
    assert quarantine.revalidate(BUCKET, b"cat", None, LATER)
    assert kept.get(b"cat") == LARGE
    assert not list(quarantine.held())
    with pytest.raises(InvalidRequest):
        quarantine.revalidate(BUCKET, b"cat", None, LATER)


def reader(data: bytes) -> Any:
    return lambda offset, length: data[offset : offset + length]


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_bytes_are_given_back_and_all_else_stays(kept, tmp_path, data):
    version = kept.put(b"cat", data, metadata={"a": "b"})
    flip(tmp_path, version)
    quarantine = quarantine_of(kept)
    quarantine.condemn(BUCKET, b"cat", version, LATER, "test")
    for wrong in (data + b"more", data[:-1], b"x" * len(data)):
        with pytest.raises(ObjectDamaged):
            quarantine.restore(BUCKET, b"cat", None, reader(wrong), LATER)
    assert QUARANTINE in kept.objects.look(BUCKET, b"cat").extra
    quarantine.restore(BUCKET, b"cat", None, reader(data), LATER)
    found = kept.objects.look(BUCKET, b"cat")
    assert found.lying(()) == version.lying(())
    assert kept.get(b"cat") == data
    assert not list(quarantine.held())
    assert not kept.orphans()


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_an_old_version_gets_its_bytes_back_in_its_place(kept, tmp_path, data):
    versioned(kept)
    first = kept.put(b"cat", data)
    second = kept.put(b"cat", b"new", now=LATER)
    old = kept.objects.look(BUCKET, b"cat", first.version_id)
    flip(tmp_path, old)
    quarantine = quarantine_of(kept)
    assert quarantine.condemn(BUCKET, b"cat", old, LATER, "test") == DAMAGED
    quarantine.restore(BUCKET, b"cat", first.version_id, reader(data), LATER)
    found = kept.objects.look(BUCKET, b"cat", first.version_id)
    assert found.lying(()) == first.lying(())
    assert compare(kept.objects.blobs, found, Pace())[0] == WHOLE
    assert kept.objects.look(BUCKET, b"cat").version_id == second.version_id
    assert not kept.orphans()


def test_purging_obeys_retention(kept, tmp_path):
    versioned(kept)
    kept.buckets.change(BUCKET, lambda record: record.with_setting("object-lock", {}))
    until = {"mode": "GOVERNANCE", "until": LATER + 10**12}
    version = kept.put(b"cat", LARGE, extra={"retention": until})
    flip(tmp_path, version)
    quarantine = quarantine_of(kept)
    quarantine.condemn(BUCKET, b"cat", version, LATER, "test")
    with pytest.raises(ObjectLocked):
        quarantine.purge(BUCKET, b"cat", version.version_id, LATER)
    quarantine.purge(BUCKET, b"cat", version.version_id, LATER, bypass=True)
    assert not list(quarantine.held())
    assert kept.listed() == []


def test_what_is_in_quarantine_is_not_copied_and_not_renamed(kept, tmp_path):
    version = kept.put(b"cat", LARGE)
    flip(tmp_path, version)
    quarantine_of(kept).condemn(BUCKET, b"cat", version, LATER, "test")
    with pytest.raises(ObjectDamaged):
        kept.objects.copy(Source(bucket=BUCKET, key=b"cat"), BUCKET, b"dog", Copy(now=LATER))
    with pytest.raises(ObjectDamaged):
        rename(kept.objects, BUCKET, b"dog", Rename(now=LATER, source=b"cat", check=lambda found: None))


def test_an_overwritten_one_is_in_quarantine_no_more(kept, tmp_path):
    version = kept.put(b"cat", LARGE)
    flip(tmp_path, version)
    quarantine = quarantine_of(kept)
    quarantine.condemn(BUCKET, b"cat", version, LATER, "test")
    kept.put(b"cat", b"new", now=LATER)
    assert not list(quarantine.held())
    assert kept.get(b"cat") == b"new"


def test_those_who_want_to_know_are_told(kept, tmp_path):
    wanted = {"QueueConfigurations": [{"Id": "1", "QueueArn": "arn:q", "Events": ["s3:ObjectIntegrity:*"]}]}
    kept.buckets.change(BUCKET, lambda record: record.with_setting(SETTING, wanted))
    version = kept.put(b"cat", LARGE)
    flip(tmp_path, version)
    quarantine = quarantine_of(kept)
    quarantine.condemn(BUCKET, b"cat", version, LATER, "scrub")
    quarantine.restore(BUCKET, b"cat", None, reader(LARGE), LATER)
    events = [event for _, event in kept.driver.notices.waiting("arn:q", 9)]
    assert [event["eventName"] for event in events] == ["ObjectIntegrity:Quarantined", "ObjectIntegrity:Restored"]
    assert events[0]["userIdentity"] == {"principalId": "scrub"}


def test_the_mark_outlives_a_restart_and_a_rebuild(tmp_path):
    driver = files(tmp_path)
    shop = open_shop(driver)
    version = shop.put(b"cat", LARGE)
    flip(tmp_path, version)
    quarantine_of(shop).condemn(BUCKET, b"cat", version, LATER, "test")
    driver.close()
    driver.open(anew=True)
    assert [held.key for held in quarantine_of(shop_again(shop)).held()] == [b"cat"]
    driver.close()


def shop_again(shop: Shop) -> Shop:
    return evolve(shop, objects=evolve(shop.objects, catalog=shop.driver.catalog, blobs=shop.driver.blobs))


def test_a_reader_keeps_its_pace_and_ends_when_it_is_told():
    now, waits = [0.0], []

    def rest(seconds: float) -> bool:
        waits.append(seconds)
        now[0] += seconds
        return len(waits) == 3

    pace = Pace(1000, rest, lambda: now[0])
    pace.took(500)
    pace.took(1000)
    with pytest.raises(Ended):
        pace.took(250)
    assert waits == [0.5, 1.0, 0.25]


def test_a_range_of_a_damaged_object_is_not_copied_under_a_checksum_of_its_own(kept, tmp_path):
    whole, rotten = kept.put(b"whole", LARGE), kept.put(b"rotten", LARGE)
    kept.begin(b"copy")
    flip(tmp_path, rotten, len(LARGE) - 1)
    for first in (0, 100_000):
        source = Source(bucket=BUCKET, key=b"whole", first=first, last=first + 99_999)
        part = kept.uploads.copy_part(source, BUCKET, b"copy", "u1", 1, LATER)
        assert part.size == 100_000
    assert kept.objects.whole_lately.has(whole.etag, whole.spans)
    with pytest.raises(ObjectDamaged):
        kept.uploads.copy_part(evolve(source, key=b"rotten"), BUCKET, b"copy", "u1", 2, LATER)


def test_what_was_whole_a_while_ago_is_compared_again():
    now = [0.0]
    lately = WholeLately(lambda: now[0])
    lately.add("etag", ())
    assert lately.has("etag", ())
    assert not lately.has("other", ())
    now[0] = SECONDS
    assert not lately.has("etag", ())
    for number in range(300):
        lately.add(str(number), ())
    assert [lately.has(str(number), ()) for number in (0, 299)] == [False, True]
