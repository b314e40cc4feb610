"""Verbs that are called together do what each by itself would have done."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gecko_tw.pools import all_of
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, DeleteMarker
from gecko_tw.store.refusals import Refusal
from gecko_tw.store.requests import ListRequest, Put, Remove, WriteConditions

NOW = 1_795_230_000_000_000_000
KEYS = st.sampled_from([b"a", b"a/b", b"a/c", b"b//", b"k" * 300])
PUTS = st.lists(st.tuples(st.just("put"), KEYS, st.sampled_from([b"", b"x", b"y" * 100_000])), max_size=15)
REMOVALS = st.lists(
    st.tuples(st.sampled_from(["remove", "remove if"]), KEYS, st.sampled_from([None, "null"])), max_size=80
)


def act(objects, what, key, value, now):
    """What became of it, as far as that is not random."""
    try:
        if what == "put":
            body = objects.receive()
            body.push(value)
            return objects.put("photos", key, body, Put(now=now)).etag
        conditions = WriteConditions(if_match="*") if what == "remove if" else WriteConditions()
        return objects.remove("photos", key, Remove(now=now, version_id=value, conditions=conditions)).marker
    except Refusal as refusal:
        return refusal.code


def in_turn(objects, removals, key):
    """What became of all removals of a key; keys have no order among each other."""
    return [act(objects, *one, NOW + 100 + at) for at, one in enumerate(removals) if one[1] == key]


def state(objects):
    entries = objects.page("photos", ListRequest(), "versions").entries
    shown = [(entry.key, entry.etag, entry.size, entry.newest) for entry in entries]
    return shown, [objects.catalog.history("photos", key).newest for key, *_ in shown]


def clear(objects):
    for entry in objects.page("photos", ListRequest(), "versions").entries:
        objects.remove("photos", entry.key, Remove(now=NOW, version_id=entry.id))
    objects.catalog.remove_bucket("photos")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(PUTS, REMOVALS, st.sampled_from([None, "Enabled", "Suspended"]))
def test_removals_together_or_one_by_one_are_the_same(driver, puts, removals, versioning):
    model = MemoryDriver()
    bucket = BucketRecord(name="photos", created=NOW).with_setting("versioning", versioning)
    both = [Objects(one.catalog, one.blobs) for one in (driver, model)]
    works = []
    for objects in both:
        objects.catalog.add_bucket(bucket)
        for at, put in enumerate(puts):
            act(objects, *put, NOW + at)
        works.append([partial(in_turn, objects, removals, key) for key in {key: None for _, key, _ in removals}])
    try:
        assert all_of(works[0], driver.catalog.together) == [work() for work in works[1]]
        (shown, newest), (wanted, others) = map(state, both)
        assert shown == wanted
        assert [isinstance(one, DeleteMarker) for one in newest] == [isinstance(one, DeleteMarker) for one in others]
        driver.flush()
        assert not [blob for blob in driver.blobs.older_than(-60) if not driver.catalog.references([blob])]
    finally:
        clear(both[0])


def test_the_first_that_fails_is_told_when_those_with_it_have_ended(driver):
    driver.catalog.add_bucket(BucketRecord(name="photos", created=NOW))
    objects = Objects(driver.catalog, driver.blobs)

    def fail():
        raise ZeroDivisionError

    works = [partial(act, objects, "put", b"%03d" % number, b"x", NOW) for number in range(100)]
    works[3] = works[40] = fail
    with pytest.raises(ZeroDivisionError):
        all_of(works, driver.catalog.together)
    keys = [entry.key for entry in objects.page("photos", ListRequest()).entries]
    assert keys == [b"%03d" % number for number in range(32) if number != 3]
