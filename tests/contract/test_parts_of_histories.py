"""Rules and answers are given a part of a history: what they need, and the rest stays as it is, however large."""

from functools import partial
from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store.records import BucketRecord, KeyHistory, Upload
from gecko_tw.store.refusals import NoSuchUpload, ObjectLocked
from gecko_tw.store.requests import Complete, WantedPart
from tests.contract.acts import NOW, begin, change, give_up, look, on_top, upload_of
from tests.contract.acts import put as put_as
from tests.contract.test_versioning import listed, put, read, remove, store, switch
from tests.store.shop import BUCKET, Shop, shop_over

MANY = 30


def ids(objects: Any) -> list[str]:
    return [one[0] for one in listed(objects)]


def a_shop(driver: Any) -> Shop:
    driver.catalog.add_bucket(BucketRecord(name=BUCKET, created=1, settings={"versioning": "Enabled"}))
    return shop_over(driver)


def test_a_rule_sees_few_of_many_versions(driver: Any):
    objects = store(driver)
    put(objects, b"null")
    switch(objects, "versioning", "Enabled")
    made = [put(objects, b"%d" % number) for number in range(MANY)]
    seen = change(driver, "photos", b"k", lambda history: history, made[7]).before
    assert [one.version_id for one in seen.versions] == [made[-1], made[-2], made[7], "null"]
    assert len(change(driver, "photos", b"k", lambda history: history).before.versions) == 3
    assert len(look(driver, "photos", b"k").versions) <= 2


def test_a_rule_sees_one_of_many_uploads(driver: Any):
    store(driver)
    for number in range(MANY):
        begin(driver, "photos", b"k", f"u{number}")
    seen = change(driver, "photos", b"k", lambda history: history, None, "u7").before
    assert [one.id for one in seen.uploads] == ["u7"]
    assert [one.id for one in look(driver, "photos", b"k", None, "u9").uploads] == ["u9"]
    give_up(driver, "photos", b"k", "u7")
    assert upload_of(driver, "photos", b"k", "u7") is None
    left = [line.id for line in driver.catalog.page("photos", b"", b"", 100, "uploads")]
    assert left == [f"u{number}" for number in range(MANY) if number != 7]


def test_what_a_step_does_not_see_keeps_its_place(driver: Any):
    objects = store(driver, versioning="Enabled")
    made = [put(objects, b"%d" % number) for number in range(MANY)]
    remove(objects, made[11])
    objects.amend("photos", b"k", made[12], lambda version, _bucket: evolve(version, tags={"a": "b"}))
    made.append(put(objects, b"new"))
    marker = remove(objects).version_id
    del made[11]
    assert ids(objects) == [marker, *reversed(made)]
    assert read(objects, made[11]) == b"12"
    assert objects.look("photos", b"k", made[11]).tags == {"a": "b"}


@pytest.mark.parametrize("depth", [0, 1, 2, MANY])
def test_the_null_version_is_replaced_wherever_it_is(driver: Any, depth: int):
    objects = store(driver, versioning="Enabled")
    older = [put(objects, b"older %d" % number) for number in range(3)]
    switch(objects, "versioning", "Suspended")
    put(objects, b"null")
    switch(objects, "versioning", "Enabled")
    newer = [put(objects, b"newer %d" % number) for number in range(depth)]
    switch(objects, "versioning", "Suspended")
    put(objects, b"null again")
    assert ids(objects) == ["null", *reversed(newer), *reversed(older)]
    assert read(objects) == b"null again"
    assert remove(objects).marker
    assert ids(objects) == ["null", *reversed(newer), *reversed(older)]
    remove(objects, "null")
    assert ids(objects) == [*reversed(newer), *reversed(older)]
    assert read(objects) == (b"newer %d" % (depth - 1) if depth else b"older 2")


def test_a_protected_null_version_is_found_wherever_it_is(driver: Any):
    objects = store(driver, versioning="Suspended", **{"object-lock": {}})
    put(objects, b"null", extra={"legal-hold": True})
    switch(objects, "versioning", "Enabled")
    for number in range(MANY):
        put(objects, b"%d" % number)
    switch(objects, "versioning", "Suspended")
    with pytest.raises(ObjectLocked):
        put(objects, b"another")


def test_each_next_older_version_becomes_the_newest(driver: Any):
    objects = store(driver)
    put(objects, b"0")
    switch(objects, "versioning", "Enabled")
    made = ["null", *(put(objects, b"%d" % number) for number in range(1, 6))]
    for number in (5, 4, 3, 2, 1):
        assert read(objects) == b"%d" % number
        remove(objects, made[number])
    assert read(objects) == b"0"
    remove(objects, "null")
    assert ids(objects) == []


def test_a_new_version_is_newer_than_all_whatever_the_clock_says(driver: Any):
    objects = store(driver, versioning="Suspended")
    put(objects, b"null", now=NOW + 10**12)
    switch(objects, "versioning", "Enabled")
    made = [put(objects, b"%d" % number, now=NOW - number) for number in range(MANY)]
    assert made == sorted(made)
    switch(objects, "versioning", "Suspended")
    put(objects, b"null", now=NOW)
    assert objects.look("photos", b"k").modified > int(made[-1][:16], 16)


def test_no_version_becomes_the_newest_that_the_rule_did_not_see(driver: Any):
    objects = store(driver, versioning="Enabled")
    made = [put(objects, b"%d" % number) for number in range(5)]

    def without_two(history: KeyHistory) -> KeyHistory:
        return history.having(history.versions[2:])

    for named in (None, made[0]):
        with pytest.raises(ValueError, match="did not see"):
            change(driver, "photos", b"k", without_two, named)
    assert ids(objects) == made[::-1]
    assert read(objects) == b"4"
    change(driver, "photos", b"k", without_two, made[2])
    assert ids(objects) == made[2::-1]
    assert read(objects) == b"2"


def test_all_versions_that_there_are_may_go_at_once(driver: Any):
    store(driver)
    for name in ("v1", "v2"):
        put_as(driver, "photos", b"k", name.encode(), version_id=name)
    change(driver, "photos", b"k", lambda history: history.having(()))
    assert look(driver, "photos", b"k").versions == ()


def test_a_version_moves_to_the_top_from_anywhere(driver: Any):
    store(driver)
    for number in range(5):
        put_as(driver, "photos", b"k", b"%d" % number, version_id=f"v{number}")
    version = look(driver, "photos", b"k", "v1").versions[-1]
    change(driver, "photos", b"k", lambda history: on_top(history, version), "v1")
    lines = [line.id for line in driver.catalog.page("photos", b"", b"", 10, "versions")]
    assert lines == ["v1", "v4", "v3", "v2", "v0"]


@pytest.mark.parametrize("newer", [1, 5])
def test_a_completion_is_repeated_after_the_key_was_written_again(driver: Any, newer: int):
    shop = a_shop(driver)
    shop.begin(b"k")
    part = shop.send(b"k", 1, b"of an upload")
    version = shop.complete(b"k", [part])
    for number in range(newer):
        shop.put(b"k", b"newer %d" % number)
    assert shop.complete(b"k", [part]) == shop.objects.look(BUCKET, b"k", version.version_id)
    for wanted in ((WantedPart(2, part.etag),), (WantedPart(1, "0" * 32),)):
        with pytest.raises(NoSuchUpload):
            shop.uploads.complete(BUCKET, b"k", "u1", Complete(now=NOW, parts=wanted))
    shop.remove(b"k", version_id=version.version_id)
    with pytest.raises(NoSuchUpload):
        shop.complete(b"k", [part])


def test_an_upload_under_way_is_no_version_and_one_that_ended_no_upload(driver: Any):
    shop = a_shop(driver)
    shop.put(b"k", b"an object")
    shop.uploads.create(BUCKET, b"k", Upload(id="u1", initiated=NOW))
    asked = partial(look, driver, BUCKET, b"k", None)
    assert [one.upload for one in asked("u1").versions] == [None]
    version = shop.complete(b"k", [shop.send(b"k", 1, b"of an upload")])
    shop.put(b"k", b"a newer one")
    assert asked("u1").uploads == ()
    assert version.version_id in [one.version_id for one in asked("u1").versions]
    assert version.version_id not in [one.version_id for one in asked("other").versions]
