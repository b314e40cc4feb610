"""What Object Lock lets nobody do."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.records import BucketRecord, DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import InvalidRequest, ObjectLocked, Refusal
from gecko_tw.store.requests import Remove, WriteConditions
from gecko_tw.store.rules import locks, versions

DAY = 86_400 * 10**9
NOW = 20_000 * DAY
BUCKET = BucketRecord(name="photos", created=1, settings={"versioning": "Enabled", "object-lock": {}})
PLAIN = Version(etag="e", size=0, modified=NOW)

retentions = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["GOVERNANCE", "COMPLIANCE"]),
        "until": st.integers(-2, 5).map(lambda days: NOW + days * DAY),
    }
)
acts = st.one_of(
    st.tuples(st.just("retain"), st.none() | retentions, st.booleans()),
    st.tuples(st.just("hold"), st.booleans(), st.booleans()),
    st.tuples(st.just("remove"), st.none(), st.booleans()),
    st.tuples(st.just("wait"), st.integers(0, 3), st.booleans()),
)


def protected(retention: Any = None, hold: bool | None = None) -> Version:
    extra = {} if retention is None else {"retention": retention}
    return evolve(PLAIN, extra=extra if hold is None else {**extra, "legal-hold": hold})


@given(st.integers(1, 5), st.lists(acts, max_size=12))
def test_nothing_that_anybody_does_ends_a_compliance_retention_early(days: int, done: list[Any]) -> None:
    until = NOW + days * DAY
    version, now = protected({"mode": "COMPLIANCE", "until": until}), NOW
    for act, value, bypass in done:
        if act == "wait":
            now += value * DAY
        if now >= until:
            return
        try:
            if act == "retain":
                version = locks.with_retention(version, BUCKET, value, now, bypass)
            elif act == "hold":
                version = locks.with_hold(version, BUCKET, value)
            elif act == "remove":
                locks.check_removal(version, now, bypass)
                raise AssertionError("it was removed")
        except Refusal:
            continue
        retention = version.extra["retention"]
        assert retention["mode"] == "COMPLIANCE"
        assert retention["until"] >= until


@given(st.none() | retentions, st.booleans(), st.booleans())
def test_who_may_bypass_governance_may_do_everything_but_pass_over_a_legal_hold(
    wanted: Any, hold: bool, over: bool
) -> None:
    version = protected({"mode": "GOVERNANCE", "until": NOW + (-1 if over else 1)}, hold)
    changed = locks.with_retention(version, BUCKET, wanted, NOW, True)
    assert changed.extra.get("retention") == wanted
    assert changed.extra["legal-hold"] == hold
    if hold:
        with pytest.raises(ObjectLocked):
            locks.check_removal(version, NOW, True)
    else:
        locks.check_removal(version, NOW, True)


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        ({"mode": "GOVERNANCE", "until": NOW + 3 * DAY}, True),
        ({"mode": "GOVERNANCE", "until": NOW + 2 * DAY}, True),
        ({"mode": "GOVERNANCE", "until": NOW + DAY}, False),
        ({"mode": "COMPLIANCE", "until": NOW + 3 * DAY}, False),
        (None, False),
    ],
)
def test_a_governance_retention_may_only_become_longer(wanted: Any, allowed: bool) -> None:
    version = protected({"mode": "GOVERNANCE", "until": NOW + 2 * DAY})
    if allowed:
        assert locks.with_retention(version, BUCKET, wanted, NOW, False).extra["retention"] == wanted
    else:
        with pytest.raises(ObjectLocked):
            locks.with_retention(version, BUCKET, wanted, NOW, False)


def test_a_retention_that_is_over_protects_nothing() -> None:
    version = protected({"mode": "COMPLIANCE", "until": NOW})
    locks.check_removal(version, NOW)
    assert "retention" not in locks.with_retention(version, BUCKET, None, NOW, False).extra


def test_a_legal_hold_needs_no_retention_and_no_retention_ends_it() -> None:
    version = locks.with_hold(PLAIN, BUCKET, True)
    with pytest.raises(ObjectLocked):
        locks.check_removal(version, NOW, True)
    locks.check_removal(locks.with_hold(version, BUCKET, False), NOW)


def test_delete_markers_are_never_protected() -> None:
    locks.check_removal(DeleteMarker(version_id="1", modified=NOW), NOW)


def test_where_nothing_would_enforce_it_no_protection_is_taken() -> None:
    bucket = BucketRecord(name="photos", created=1, settings={"versioning": "Enabled"})
    version = protected({"mode": "GOVERNANCE", "until": NOW + DAY})
    with pytest.raises(InvalidRequest):
        versions.put(bucket, KeyHistory(bucket="photos", key=b"k"), version, WriteConditions())
    with pytest.raises(InvalidRequest):
        locks.with_retention(PLAIN, bucket, None, NOW, True)
    with pytest.raises(InvalidRequest):
        locks.with_hold(PLAIN, bucket, False)


@pytest.mark.parametrize(("period", "days"), [({"days": 3}, 3), ({"years": 2}, 730)])
def test_new_versions_get_the_default_retention_unless_they_bring_their_own(period: Any, days: int) -> None:
    bucket = BUCKET.with_setting("object-lock", {"mode": "COMPLIANCE", **period})
    assert locks.protected(bucket, PLAIN).extra == {"retention": {"mode": "COMPLIANCE", "until": NOW + days * DAY}}
    own = protected({"mode": "GOVERNANCE", "until": NOW + 1}, True)
    assert locks.protected(bucket, own) is own
    assert locks.protected(BUCKET, PLAIN) is PLAIN


def test_new_versions_and_delete_markers_are_always_allowed_on_top_of_protected_ones() -> None:
    history = KeyHistory(
        bucket="photos", key=b"k", versions=(protected({"mode": "COMPLIANCE", "until": NOW + DAY}, True),)
    )
    history = versions.put(BUCKET, history, PLAIN, WriteConditions()).history
    history = versions.remove(BUCKET, history, Remove(now=NOW)).history
    assert len(history.versions) == 3
