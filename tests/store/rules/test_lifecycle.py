"""What lifecycle rules let go of: tables, and a model of a key's life under rules."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.records import NULL, BucketRecord, DeleteMarker, KeyHistory, Version
from gecko_tw.store.requests import Remove, WriteConditions
from gecko_tw.store.rules import lifecycle, versions
from gecko_tw.store.rules.due import Due, NothingDue, due, expire
from gecko_tw.store.rules.lifecycle import DAY, Calendar, expiry, prefixes, rules_of

KEY = b"log/a"
START = 20_000 * DAY
HOUR = DAY // 24
TAGS = {"kind": "log", "year": "2026"}


def rule(**parts: Any) -> dict[str, Any]:
    return {"ID": "one", "Status": "Enabled", "Prefix": "", **parts}


def expiring(**what: Any) -> dict[str, Any]:
    return rule(Expiration=what)


def old(days: int, kept: int = 0) -> dict[str, Any]:
    return {"NoncurrentDays": days, **({"NewerNoncurrentVersions": kept} if kept else {})}


def bucket(*rules: dict[str, Any], versioning: str | None = "Enabled") -> BucketRecord:
    settings = {"lifecycle": list(rules)}
    return BucketRecord(name="b", created=0, settings=settings | ({"versioning": versioning} if versioning else {}))


def history(*newest_first: Version | DeleteMarker) -> KeyHistory:
    return KeyHistory(bucket="b", key=KEY, versions=newest_first)


def version(name: str = NULL, day: float = 0, size: int = 100, **more: Any) -> Version:
    return Version(version_id=name, etag="e", size=size, modified=START + int(day * DAY), **more)


def marker(name: str, day: float = 0) -> DeleteMarker:
    return DeleteMarker(version_id=name, modified=START + int(day * DAY))


def gone(record: BucketRecord, before: KeyHistory, day: float, length: int = DAY) -> list[str | None]:
    calendar = Calendar(START + round(day * DAY), length)
    return [one.version_id for one in due_of(record, before, calendar)]


def due_of(record: BucketRecord, before: KeyHistory, calendar: Calendar) -> list[Due]:
    return list(due(rules_of(record.settings["lifecycle"]), before.key, before.versions, calendar))


def expire_all(record: BucketRecord, before: KeyHistory, calendar: Calendar) -> KeyHistory:
    """What is left when everything that is due has gone, one after the other. Raises NothingDue when nothing goes."""
    left = before
    for one in due_of(record, before, calendar):
        with suppress(NothingDue):
            left = expire(record, left, calendar, "00", one).history
    if left is before:
        raise NothingDue
    return left


def after(record: BucketRecord, before: KeyHistory, day: float) -> list[str]:
    """What is left, newest first; a delete marker that came is shown as ``+``."""
    known = {one.version_id for one in before.versions}
    left = expire_all(record, before, Calendar(START + int(day * DAY))).versions
    return [one.version_id if one.version_id in known else "+" for one in left]


@pytest.mark.parametrize(
    ("came", "days", "goes"),
    [(0, 1, 2), (0.4, 1, 2), (0.999, 1, 2), (0.4, 30, 31), (1, 1, 3)],
)
def test_days_end_at_the_midnight_that_follows(came: float, days: int, goes: int) -> None:
    there, before = bucket(expiring(Days=days)), history(version(day=came))
    assert gone(there, before, goes - 0.0001) == []
    assert gone(there, before, goes) == [None]


def test_days_of_another_length_are_counted_as_they_are() -> None:
    there, before = bucket(expiring(Days=3)), history(version())
    short = 10 * 10**9
    assert gone(there, before, 29.9 / 86_400, short) == []
    assert gone(there, before, 30 / 86_400, short) == [None]


def test_from_a_date_on_everything_expires_also_what_comes_later() -> None:
    date = datetime.fromtimestamp((START + 5 * DAY) // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    there = bucket(expiring(Date=date))
    assert gone(there, history(version()), 4.99) == []
    assert gone(there, history(version()), 5) == [None]
    assert gone(there, history(version(day=6)), 6) == [None]


@pytest.mark.parametrize(
    ("predicates", "fits"),
    [
        ({}, True),
        ({"Prefix": "log/"}, True),
        ({"Prefix": "log/b"}, False),
        ({"Tag": {"Key": "kind", "Value": "log"}}, True),
        ({"Tag": {"Key": "kind", "Value": "cat"}}, False),
        (
            {"And": {"Prefix": "log/", "Tags": [{"Key": "kind", "Value": "log"}, {"Key": "year", "Value": "2026"}]}},
            True,
        ),
        ({"And": {"Tags": [{"Key": "kind", "Value": "log"}, {"Key": "year", "Value": "2025"}]}}, False),
        ({"And": {"Prefix": "cat/", "Tags": [{"Key": "kind", "Value": "log"}]}}, False),
        ({"ObjectSizeGreaterThan": 99}, True),
        ({"ObjectSizeGreaterThan": 100}, False),
        ({"ObjectSizeLessThan": 101}, True),
        ({"ObjectSizeLessThan": 100}, False),
        ({"And": {"ObjectSizeGreaterThan": 99, "ObjectSizeLessThan": 101}}, True),
    ],
)
def test_a_rule_concerns_what_its_filter_lets_through(predicates: dict[str, Any], fits: bool) -> None:
    one = {"ID": "one", "Status": "Enabled", "Filter": predicates, "Expiration": {"Days": 1}}
    assert (gone(bucket(one), history(version(tags=TAGS)), 3) == [None]) is fits


def test_a_disabled_rule_does_nothing() -> None:
    there = bucket({**expiring(Days=1), "Status": "Disabled"})
    assert gone(there, history(version()), 100) == []
    with pytest.raises(NothingDue):
        expire_all(there, history(version()), Calendar(START + 100 * DAY))


def test_without_versioning_an_expired_object_is_gone() -> None:
    assert after(bucket(expiring(Days=1), versioning=None), history(version()), 2) == []


def test_with_versioning_a_delete_marker_comes_on_top() -> None:
    assert after(bucket(expiring(Days=1)), history(version("v1")), 2) == ["+", "v1"]


def test_with_versioning_suspended_the_null_version_makes_place_for_a_marker() -> None:
    there = bucket(expiring(Days=1), versioning="Suspended")
    before = history(version(NULL, day=1), version("v1"))
    left = expire_all(there, before, Calendar(START + 3 * DAY)).versions
    assert [(one.version_id, type(one)) for one in left] == [(NULL, DeleteMarker), ("v1", Version)]


def test_a_null_version_that_is_outlived_is_removed_and_not_the_marker_that_takes_its_id() -> None:
    there = bucket(rule(Expiration={"Days": 1}, NoncurrentVersionExpiration=old(1)), versioning="Suspended")
    before = history(version("v2", day=1), version(NULL))
    left = expire_all(there, before, Calendar(START + 5 * DAY)).versions
    assert [(one.version_id, type(one)) for one in left] == [(NULL, DeleteMarker), ("v2", Version)]


def test_a_version_is_noncurrent_since_the_next_one_came() -> None:
    there = bucket(rule(NoncurrentVersionExpiration=old(2)))
    before = history(version("v3", 9), version("v2", 4.5), version("v1", 0))
    assert gone(there, before, 6.9) == []
    assert gone(there, before, 7) == ["v1"]
    assert after(there, before, 12) == ["v3"]


def test_the_newest_noncurrent_versions_are_kept_and_markers_are_not_counted_among_them() -> None:
    there = bucket(rule(NoncurrentVersionExpiration=old(1, kept=2)))
    before = history(marker("m2"), version("v4"), marker("m1"), version("v3"), version("v2"), version("v1"))
    assert after(there, before, 9) == ["m2", "v4", "m1", "v3"]


def test_an_expired_object_keeps_its_data_until_noncurrent_versions_expire() -> None:
    there = bucket(rule(Expiration={"Days": 1}, NoncurrentVersionExpiration=old(3)))
    assert after(there, history(version("v1")), 2) == ["+", "v1"]
    assert gone(there, history(marker("m", 2), version("v1")), 5.9) == []
    assert after(there, history(marker("m", 2), version("v1")), 6) == []


@pytest.mark.parametrize(
    ("action", "leaves"),
    [
        ({"ExpiredObjectDeleteMarker": True}, []),
        ({"ExpiredObjectDeleteMarker": False}, ["m"]),
        ({"Days": 4}, []),
        ({"Days": 5}, ["m"]),
        ({"Date": "1970-01-01T00:00:00.000Z"}, []),
    ],
)
def test_a_marker_with_nothing_below_goes(action: dict[str, Any], leaves: list[str]) -> None:
    there, before = bucket(rule(Expiration=action)), history(marker("m"))
    assert (["m"] if not gone(there, before, 5) else []) == leaves


def test_a_marker_with_something_below_stays() -> None:
    for action in ({"ExpiredObjectDeleteMarker": True}, {"Days": 1}):
        assert gone(bucket(rule(Expiration=action)), history(marker("m"), version("v1")), 50) == []


def test_a_marker_goes_with_the_last_version_below_it() -> None:
    there = bucket(rule(Expiration={"ExpiredObjectDeleteMarker": True}, NoncurrentVersionExpiration=old(1)))
    assert gone(there, history(marker("m"), version("v1")), 2) == ["v1", "m"]
    assert after(there, history(marker("m"), version("v1")), 2) == []


def test_what_has_become_the_current_version_stays() -> None:
    there = bucket(rule(NoncurrentVersionExpiration=old(1)))
    calendar = Calendar(START + 9 * DAY)
    [one] = due_of(there, history(marker("m"), version("v1")), calendar)
    with pytest.raises(NothingDue):
        expire(there, history(version("v1")), calendar, "00", one)


def test_a_marker_that_something_is_left_behind_stays() -> None:
    there = bucket(rule(Expiration={"ExpiredObjectDeleteMarker": True}))
    calendar = Calendar(START + 9 * DAY)
    [one] = due_of(there, history(marker("m")), calendar)
    with pytest.raises(NothingDue):
        expire(there, history(marker("m"), version("v1")), calendar, "00", one)


def test_a_marker_has_no_tags_and_no_size_to_be_chosen_by() -> None:
    for predicates in ({"Tag": {"Key": "kind", "Value": "log"}}, {"ObjectSizeLessThan": 10}):
        one = {"ID": "one", "Status": "Enabled", "Filter": predicates, "NoncurrentVersionExpiration": old(1)}
        assert gone(bucket(one), history(version("v1", 1), marker("m")), 50) == []


def test_a_locked_version_stays_as_long_as_it_is_locked() -> None:
    there = bucket(rule(NoncurrentVersionExpiration=old(1)))
    retention = {"mode": "COMPLIANCE", "until": START + 10 * DAY}
    locked = version("v1", extra={"retention": retention})
    before = history(version("v3", 1), version("v2", 1), locked)
    assert after(there, before, 5) == ["v3", "v1"]
    with pytest.raises(NothingDue):
        expire_all(there, evolve(before, versions=(before.versions[0], locked)), Calendar(START + 5 * DAY))
    assert after(there, before, 11) == ["v3"]


def test_a_held_object_gets_its_marker_and_keeps_its_data() -> None:
    there = bucket(rule(Expiration={"Days": 1}, NoncurrentVersionExpiration=old(1)))
    held = version("v1", extra={"legal-hold": True})
    assert after(there, history(held), 5) == ["+", "v1"]
    with pytest.raises(NothingDue):
        expire_all(there, history(marker("m", 2), held), Calendar(START + 50 * DAY))


def test_the_soonest_of_several_rules_counts_and_is_named() -> None:
    three = [{**expiring(Days=days), "ID": f"after {days}"} for days in (30, 3, 10)]
    found = expiry(rules_of(three), KEY, version(day=0.5), Calendar(0))
    assert found == (START + 4 * DAY, "after 3")
    assert expiry(rules_of([{**three[0], "Prefix": "cat/"}]), KEY, version(), Calendar(0)) is None


def test_an_upload_is_aborted_by_the_soonest_rule_of_its_prefix() -> None:
    rules = rules_of(
        [
            {**rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": days}), "ID": name, "Prefix": prefix}
            for name, prefix, days in (("any", "", 7), ("log", "log/", 2), ("cat", "cat/", 1))
        ]
    )
    assert lifecycle.aborting(rules, KEY, START, Calendar(0)) == (START + 3 * DAY, "log")
    assert lifecycle.aborting(rules, b"dog", START, Calendar(0)) == (START + 8 * DAY, "any")
    assert lifecycle.aborting(rules_of([expiring(Days=1)]), KEY, START, Calendar(0)) is None


@given(st.lists(st.binary(max_size=4)), st.binary(max_size=6))
def test_the_fewest_prefixes_cover_every_rule(some: list[bytes], key: bytes) -> None:
    rules = [lifecycle.Rule(id="", prefix=prefix) for prefix in some]
    found = prefixes(rules)
    assert any(map(key.startswith, found)) == any(map(key.startswith, some))
    assert not any(one != other and one.startswith(other) for one in found for other in found)


# ---- a key's life against a model ------------------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "big", "delete", "nothing"]), st.integers(0, 50)), min_size=1, max_size=25
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "Expiration": st.one_of(
            st.builds(lambda days: {"Days": days}, st.integers(1, 4)), st.just({"ExpiredObjectDeleteMarker": True})
        ),
        "NoncurrentVersionExpiration": st.builds(old, st.integers(1, 4), st.integers(0, 2)),
    },
)


class Model:
    """S3's promises in plain words, looked at every hour; a version is [name, is data, size, came]."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self.rules = rules
        self.there: list[tuple[str, bool, int, int]] = []

    def look(self, now: int) -> None:
        while self._one_pass(now):
            pass

    def _one_pass(self, now: int) -> bool:
        there = self.there
        going = set()
        for index, (name, data, size, came) in enumerate(there):
            for one in self.rules:
                least = one["Filter"].get("ObjectSizeGreaterThan")
                if least is not None and (not data or size <= least):
                    continue
                if index and "NoncurrentVersionExpiration" in one:
                    action = one["NoncurrentVersionExpiration"]
                    newer = len([True for other in there[1:index] if other[1]])
                    over = midnight(there[index - 1][3] + action["NoncurrentDays"] * DAY) <= now
                    if over and newer >= action.get("NewerNoncurrentVersions", 0):
                        going.add(name)
                days = one.get("Expiration", {}).get("Days")
                over = days is not None and midnight(came + days * DAY) <= now
                if index == 0 and data and over:
                    going.add("marker")
                if len(there) == 1 and not data and (over or "ExpiredObjectDeleteMarker" in one.get("Expiration", {})):
                    going.add(name)
        self.there = [one for one in there if one[0] not in going]
        if "marker" in going:
            self.there.insert(0, ("+", False, 0, now))
        return bool(going)


def midnight(moment: int) -> int:
    return moment - moment % DAY + DAY


@given(st.lists(RULES, min_size=1, max_size=3), st.booleans(), ACTIONS)
def test_a_key_lives_as_the_model_says(some: list[dict[str, Any]], big_only: bool, life: list[tuple[str, int]]) -> None:
    rules = [{"ID": str(index), "Status": "Enabled", "Filter": {}, **one} for index, one in enumerate(some)]
    if big_only and "ExpiredObjectDeleteMarker" not in rules[0].get("Expiration", {}):
        rules[0]["Filter"] = {"ObjectSizeGreaterThan": 1000}
    there, model, real, now = bucket(*rules), Model(rules), history(), START
    for deed, hours in life:
        if deed in ("put", "big"):
            made = Version(etag="e", size=2000 if deed == "big" else 10, modified=now)
            real = versions.put(there, real, made, WriteConditions(), f"{now:x}").history
            model.there.insert(0, ("v", True, made.size, now))
        elif deed == "delete":
            real = versions.remove(there, real, Remove(now=now)).history
            model.there.insert(0, ("m", False, 0, now))
        model.there = [(f"{index}", *one[1:]) for index, one in enumerate(model.there)]
        now += hours * HOUR
        model.look(now)
        with suppress(NothingDue):
            while True:  # as many runs
                real = expire_all(there, real, Calendar(now))
        assert [(isinstance(one, Version), one.modified) for one in real.versions] == [
            (data, came) for _, data, _, came in model.there
        ]


def test_rules_that_change_all_the_time_fill_no_memory():
    for _ in range(60):
        setting = [{"ID": str(number), "Status": "Enabled", "Expiration": {"Days": 1}} for number in range(1000)]
        assert len(lifecycle.rules_of(setting)) == 1000
        assert lifecycle.rules_of(setting) is lifecycle.rules_of(setting)
    assert sum(len(rules) for _, rules in lifecycle._read.values()) <= 20_000
