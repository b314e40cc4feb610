"""Which storage class lifecycle rules move a version to, and when."""

from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.records import NULL, STORAGE_CLASS, BucketRecord, KeyHistory, Version
from gecko_tw.store.rules.due import Due, NothingDue, due, move
from gecko_tw.store.rules.lifecycle import DAY, SMALLEST, Calendar, rules_of
from gecko_tw.store.rules.storage_classes import AT_HAND, TARGETS, furthest, may_move
from tests.store.rules.test_lifecycle import START, TAGS, bucket, expire_all, history, marker, old, rule, version

LARGE = SMALLEST
TIERING, INSTANT = "INTELLIGENT_TIERING", "GLACIER_IR"


def moving(days: int, target: str = TIERING, *more: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return rule(Transitions=[{"Days": days, "StorageClass": target}, *more], **parts)


def moving_old(days: int, target: str = TIERING, **more: Any) -> dict[str, Any]:
    return rule(NoncurrentVersionTransitions=[{"NoncurrentDays": days, "StorageClass": target, **more}])


def large(name: str = NULL, day: float = 0, storage_class: str = "", **more: Any) -> Version:
    headers = {STORAGE_CLASS: storage_class} if storage_class else {}
    return version(name, day, **{"size": LARGE, "headers": headers, **more})


def class_of(one: Any) -> str:
    return one.headers.get(STORAGE_CLASS, "STANDARD")  # type: ignore[no-any-return]


def at(day: float, smallest: int = SMALLEST) -> Calendar:
    return Calendar(START + round(day * DAY), DAY, smallest)


def move_all(record: BucketRecord, before: KeyHistory, calendar: Calendar) -> KeyHistory:
    """What is there when everything that is to be moved has been."""
    found = [
        one for one in due(rules_of(record.settings["lifecycle"]), before.key, before.versions, calendar) if one.moves
    ]
    for one in found:
        before = move(record, before, calendar, one).history
    return before


def classes(record: BucketRecord, before: KeyHistory, calendar: Calendar) -> dict[str, str]:
    after = move_all(record, before, calendar).versions
    return {one.version_id: class_of(one) for one in after if isinstance(one, Version)}


@pytest.mark.parametrize(("came", "days", "moves"), [(0.4, 0, 1), (0, 1, 2), (0.4, 1, 2), (0.999, 30, 31), (1, 1, 3)])
def test_days_end_at_the_midnight_that_follows(came: float, days: int, moves: int) -> None:
    there, before = bucket(moving(days)), history(large(day=came))
    assert classes(there, before, at(moves - 0.0001)) == {NULL: "STANDARD"}
    assert classes(there, before, at(moves)) == {NULL: TIERING}


def test_from_a_date_on_everything_is_moved_also_what_comes_later() -> None:
    date = {"Date": "2024-10-09T00:00:00.000Z", "StorageClass": "STANDARD_IA"}  # START + 5 days
    there = bucket(rule(Transitions=[date]))
    assert classes(there, history(large()), at(4.99)) == {NULL: "STANDARD"}
    assert classes(there, history(large()), at(5)) == {NULL: "STANDARD_IA"}
    assert classes(there, history(large(day=6)), at(6)) == {NULL: "STANDARD_IA"}


def test_nothing_but_the_class_changes() -> None:
    before = large("v1", headers={"content-type": "text/plain"}, tags=TAGS, metadata={"a": "b"}, owner="me")
    [after] = move_all(bucket(moving(1)), history(before), at(9)).versions
    assert after == evolve(before, headers={"content-type": "text/plain", STORAGE_CLASS: TIERING})


def test_what_has_been_moved_is_not_due_again() -> None:
    there = bucket(moving(1))
    after = move_all(there, history(large()), at(9))
    assert list(due(rules_of(there.settings["lifecycle"]), after.key, after.versions, at(99))) == []


def test_a_rule_moves_step_by_step() -> None:
    there = bucket(moving(2, TIERING, {"Days": 4, "StorageClass": INSTANT}))
    steps = [classes(there, history(large()), at(day))[NULL] for day in (2, 3, 4, 5)]
    assert steps == ["STANDARD", TIERING, TIERING, INSTANT]
    assert classes(there, history(large(storage_class=TIERING)), at(5)) == {NULL: INSTANT}


def test_of_several_rules_the_furthest_class_wins() -> None:
    two = [{**moving(1, target), "ID": target} for target in (INSTANT, "STANDARD_IA")]
    assert classes(bucket(*two), history(large()), at(9)) == {NULL: INSTANT}


def test_an_object_is_not_moved_back_nor_where_s3_does_not_move_it() -> None:
    for source, target in (
        (INSTANT, TIERING),
        ("ONEZONE_IA", INSTANT),
        ("REDUCED_REDUNDANCY", "STANDARD_IA"),
        (TIERING, TIERING),
    ):
        assert classes(bucket(moving(1, target)), history(large(storage_class=source)), at(9)) == {NULL: source}


def test_a_current_version_is_moved_by_its_age_and_a_noncurrent_one_by_that_of_its_follower() -> None:
    before = history(large("v3", 9), large("v2", 4.5), large("v1", 0))
    assert classes(bucket(moving(2)), before, at(12)) == {"v3": TIERING, "v2": "STANDARD", "v1": "STANDARD"}
    assert classes(bucket(moving_old(2)), before, at(6.9))["v1"] == "STANDARD"
    assert classes(bucket(moving_old(2)), before, at(7)) == {"v3": "STANDARD", "v2": "STANDARD", "v1": TIERING}
    assert classes(bucket(moving_old(2)), before, at(12)) == {"v3": "STANDARD", "v2": TIERING, "v1": TIERING}


def test_the_newest_noncurrent_versions_stay_where_they_are_and_markers_are_not_counted() -> None:
    there = bucket(moving_old(1, NewerNoncurrentVersions=2))
    before = history(marker("m2"), large("v4"), marker("m1"), large("v3"), large("v2"), large("v1"))
    assert classes(there, before, at(9)) == {"v4": "STANDARD", "v3": "STANDARD", "v2": TIERING, "v1": TIERING}


@pytest.mark.parametrize(
    ("predicates", "size", "moves"),
    [
        ({}, SMALLEST, True),
        ({}, SMALLEST - 1, False),
        ({"Prefix": "log/"}, SMALLEST - 1, False),
        ({"ObjectSizeGreaterThan": 10}, 11, True),
        ({"ObjectSizeGreaterThan": 10}, 10, False),
        ({"ObjectSizeLessThan": 12}, 11, True),
        ({"And": {"Prefix": "log/", "ObjectSizeGreaterThan": 10}}, 11, True),
        ({"Tag": {"Key": "kind", "Value": "log"}}, SMALLEST, True),
        ({"Tag": {"Key": "kind", "Value": "cat"}}, SMALLEST, False),
    ],
)
def test_small_objects_stay_unless_the_rule_chooses_by_size(predicates: dict[str, Any], size: int, moves: bool) -> None:
    both = moving(1) | moving_old(1)
    there = bucket({name: part for name, part in both.items() if name != "Prefix"} | {"Filter": predicates})
    before = history(large("v2", size=size, tags=TAGS), large("v1", size=size, tags=TAGS))
    assert classes(there, before, at(9)) == dict.fromkeys(("v2", "v1"), TIERING if moves else "STANDARD")


def test_from_which_size_on_objects_are_moved_can_be_chosen() -> None:
    assert classes(bucket(moving(1)), history(large(size=0)), at(9, smallest=0)) == {NULL: TIERING}
    assert classes(bucket(moving(1)), history(large(size=9)), at(9, smallest=10)) == {NULL: "STANDARD"}


def test_locks_hinder_no_move() -> None:
    held = {"legal-hold": True, "retention": {"mode": "COMPLIANCE", "until": START + 99 * DAY}}
    there, before = bucket(moving(1) | moving_old(1)), history(large("v2", extra=held), large("v1", extra=held))
    assert classes(there, before, at(9)) == {"v2": TIERING, "v1": TIERING}


def test_a_disabled_rule_moves_nothing() -> None:
    assert classes(bucket(moving(1, Status="Disabled")), history(large()), at(99)) == {NULL: "STANDARD"}


def test_what_is_removed_for_good_is_not_moved() -> None:
    there = bucket(moving_old(1) | {"NoncurrentVersionExpiration": old(2)})
    before = history(large("v2"), large("v1"))
    found = list(due(rules_of(there.settings["lifecycle"]), before.key, before.versions, at(9)))
    assert found == [Due("v1", 0, START)]


def test_an_object_that_goes_for_good_is_not_moved_before() -> None:
    action = moving(1) | {"Expiration": {"Days": 2}}
    for versioning, names in (("Enabled", ["v2"]), ("Suspended", [NULL, "v1"]), (None, [NULL])):
        there = bucket(action, versioning=versioning)
        before = history(*(large(name) for name in names))
        if versioning == "Enabled":
            assert class_of(move_all(there, before, at(9)).versions[0]) == TIERING
            continue
        with pytest.raises(NothingDue):
            move_all(there, before, at(9))


def test_what_is_hidden_by_a_marker_is_moved_before() -> None:
    for versioning in ("Enabled", "Suspended"):
        there = bucket(moving(1) | {"Expiration": {"Days": 2}}, versioning=versioning)
        moved = move_all(there, history(large("v1")), at(9))
        hidden = expire_all(there, moved, at(9)).versions
        assert [class_of(one) for one in hidden if isinstance(one, Version)] == [TIERING]


def test_a_version_that_became_another_kind_meanwhile_is_not_moved_as_what_it_was() -> None:
    there, now = bucket(moving(1)), at(9)
    [one] = due(rules_of(there.settings["lifecycle"]), b"log/a", [large("v1")], now)
    with pytest.raises(NothingDue):
        move(there, history(large("v2", 8), large("v1")), now, one)
    there = bucket(moving_old(1))
    [one] = due(rules_of(there.settings["lifecycle"]), b"log/a", [large("v2"), large("v1")], now)
    with pytest.raises(NothingDue):
        move(there, history(large("v1")), now, one)
    with pytest.raises(NothingDue):
        move(there, history(large("v2")), now, one)


def test_a_null_version_that_was_replaced_meanwhile_is_young_again() -> None:
    there, now = bucket(moving(2)), at(9)
    [one] = due(rules_of(there.settings["lifecycle"]), b"log/a", [large()], now)
    with pytest.raises(NothingDue):
        move(there, history(large(day=8)), now, one)


def test_a_marker_has_no_class() -> None:
    there = bucket(moving(1) | moving_old(1))
    assert list(due(rules_of(there.settings["lifecycle"]), b"log/a", [marker("m2"), marker("m1")], at(99))) == []


def test_moves_go_one_way_only() -> None:
    for source, target in product(AT_HAND | TARGETS, repeat=2):
        assert not (may_move(source, target) and may_move(target, source))
        assert not may_move(source, "STANDARD") and not may_move(source, "REDUCED_REDUNDANCY")
        assert furthest(source, [target]) == (target if may_move(source, target) else None)
    assert furthest("STANDARD", []) is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(sorted(TARGETS & AT_HAND))), min_size=1, max_size=5),
    st.sampled_from(sorted(AT_HAND)),
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
)
def test_runs_only_ever_move_further_and_come_to_an_end(
    some: list[tuple[int, str]], source: str, hours: list[int]
) -> None:
    there = bucket(*({**moving(days, target), "ID": str(index)} for index, (days, target) in enumerate(some)))
    real, now = history(large(storage_class=source)), 0
    for more in hours:
        now += more
        before = class_of(real.versions[0])
        real = move_all(there, real, at(now / 24))
        after = class_of(real.versions[0])
        named = {target for days, target in some if (days + 1) * 24 <= now}
        assert after == before or (after in named and may_move(before, after))
        assert not any(may_move(after, target) for target in named)
        assert move_all(there, real, at(now / 24)) == real
