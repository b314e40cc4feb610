"""Putting and removing, against a model that a page of prose could be."""

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gecko_tw.store import version_ids
from gecko_tw.store.records import NULL, BucketRecord, DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import DeleteMarkerNamed, NoSuchKey, ObjectLocked, PreconditionFailed, Refusal
from gecko_tw.store.requests import Remove, Removed, WriteConditions
from gecko_tw.store.rules import locks, versions
from gecko_tw.store.rules.finding import find, find_described

ABSENT = WriteConditions(if_none_match="*")
PRESENT = WriteConditions(if_match="*")
HOUR = 3600 * 10**9


class KeyOfABucket(RuleBasedStateMachine):
    """One key. The model is a list of ``[id, etag or None for a marker, protection]``, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.bucket = BucketRecord(name="photos", created=1)
        self.history = KeyHistory(bucket="photos", key=b"k")
        self.model: list[list[object]] = []
        self.now, self.count = 1_700_000_000 * 10**9, 0
        self.given: list[str] = []

    @property
    def versioning(self) -> str | None:
        return self.bucket.settings.get("versioning")

    def current(self) -> object:
        return self.model[0][1] if self.model else None

    def refused_by(self, conditions: WriteConditions) -> type[Refusal] | None:
        if conditions == ABSENT and self.current() is not None:
            return PreconditionFailed
        return NoSuchKey if conditions == PRESENT and self.current() is None else None

    def apply(self, expected: type[Refusal] | None, rule: object, *arguments: object) -> object:
        try:
            change = rule(self.bucket, self.history, *arguments)  # type: ignore[operator]
        except Refusal as refusal:
            assert type(refusal) is expected
            return None
        assert expected is None
        self.history = change.history
        return change

    @rule(status=st.sampled_from(["Enabled", "Suspended"]))
    def switch(self, status: str) -> None:
        assume(locks.SETTING not in self.bucket.settings)
        self.bucket = self.bucket.with_setting("versioning", status)

    @precondition(lambda self: self.versioning == "Enabled")
    @rule(default=st.sampled_from([{}, {"mode": "GOVERNANCE", "days": 1}, {"mode": "COMPLIANCE", "years": 1}]))
    def lock(self, default: dict[str, object]) -> None:
        self.bucket = self.bucket.with_setting("object-lock", default)

    @rule(hours=st.sampled_from([0, 0, 1, 25, -2]))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(conditions=st.sampled_from([WriteConditions(), ABSENT, PRESENT]))
    def put(self, conditions: WriteConditions) -> None:
        self.count += 1
        version = Version(etag=str(self.count), size=0, modified=self.now)
        before = [entry for entry in self.model if entry[0] == NULL]
        change = self.apply(self.refused_by(conditions), versions.put, version, conditions, f"{self.count:x}")
        if change is None:
            return
        made = self.history.versions[0]
        if self.versioning == "Enabled":
            assert made.version_id not in [NULL, *self.given]
            self.given.append(made.version_id)
        else:
            assert made.version_id == NULL
            self.model = [entry for entry in self.model if entry not in before]
        default = self.bucket.settings.get("object-lock") or {}
        until = self.now + (24 if "days" in default else 365 * 24) * HOUR
        self.model.insert(0, [made.version_id, version.etag, (default["mode"], until) if default else None])

    @rule(conditions=st.sampled_from([WriteConditions(), PRESENT]))
    def delete(self, conditions: WriteConditions) -> None:
        request = Remove(now=self.now, conditions=conditions)
        change = self.apply(self.refused_by(conditions), versions.remove, request)
        if change is None:
            return
        if self.versioning != "Enabled":
            self.model = [entry for entry in self.model if entry[0] != NULL]
        if self.versioning is None:
            assert change.outcome == Removed()
            return
        made = self.history.versions[0].version_id
        assert (made == NULL) == (self.versioning == "Suspended")
        assert change.outcome == Removed(version_id=made, marker=True)
        self.given += [made] if made != NULL else []
        self.model.insert(0, [made, None, None])

    @precondition(lambda self: self.model)
    @rule(data=st.data(), bypass=st.booleans())
    def delete_version(self, data: st.DataObject, bypass: bool) -> None:
        entry = data.draw(st.sampled_from(self.model))
        protected = entry[2] is not None and entry[2][1] > self.now  # type: ignore[index]
        held = protected and not (bypass and entry[2][0] == "GOVERNANCE")  # type: ignore[index]
        request = Remove(now=self.now, version_id=entry[0], bypass=bypass)  # type: ignore[arg-type]
        change = self.apply(ObjectLocked if held else None, versions.remove, request)
        if change is not None:
            assert change.outcome == Removed(version_id=entry[0], marker=entry[1] is None)
            self.model.remove(entry)

    @rule()
    def delete_a_version_that_is_not_there(self) -> None:
        change = self.apply(None, versions.remove, Remove(now=self.now, version_id="f" * 32))
        assert change.outcome == Removed(version_id="f" * 32)

    @invariant()
    def the_history_is_the_model(self) -> None:
        assert [[v.version_id, getattr(v, "etag", None)] for v in self.history.versions] == [e[:2] for e in self.model]

    @invariant()
    def ids_tell_the_order(self) -> None:
        ids = [version.version_id for version in self.history.versions if version.version_id != NULL]
        assert ids == sorted(ids, reverse=True)
        orders = [version_ids.order_of(version) for version in self.history.versions]
        assert orders == sorted(set(orders), reverse=True)
        assert all(version_ids.is_version_id(one) and one.isalnum() for one in ids)


TestKeyOfABucket = KeyOfABucket.TestCase


def in_bucket(**settings: object) -> BucketRecord:
    return BucketRecord(name="photos", created=1, settings=settings)


def history_of(*found: Version | DeleteMarker) -> KeyHistory:
    return KeyHistory(bucket="photos", key=b"k", versions=found)


def version(version_id: str = NULL, **more: object) -> Version:
    return Version(version_id=version_id, etag="e", size=0, modified=1, **more)  # type: ignore[arg-type]


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_the_newer_of_two_versions_has_the_greater_id_whatever_the_clocks_say(first: int, second: int) -> None:
    older = version(version_ids.new_id(history_of(), first, "f" * 16))
    newer = version_ids.new_id(history_of(version(), older), second, "0" * 16)
    assert newer > older.version_id


def test_versions_of_other_ids_outlive_a_put_into_a_bucket_that_forgot_its_versioning() -> None:
    kept = version("0" * 32)
    change = versions.put(in_bucket(), history_of(version(), kept), version(), WriteConditions())
    assert change.history.versions[1:] == (kept,)
    removed = versions.remove(in_bucket(), change.history, Remove(now=5))
    assert removed.outcome == Removed(version_id=NULL, marker=True)
    assert removed.history.newest is None
    assert removed.history.versions[1:] == (kept,)


@pytest.mark.parametrize("settings", [{}, {"versioning": "Suspended"}])
def test_a_protected_null_version_is_not_replaced(settings: dict[str, str]) -> None:
    bucket, history = in_bucket(**settings), history_of(version(extra={"legal-hold": True}))
    with pytest.raises(ObjectLocked):
        versions.put(bucket, history, version(), WriteConditions())
    with pytest.raises(ObjectLocked):
        versions.remove(bucket, history, Remove(now=2))


def test_a_condition_of_a_deletion_is_about_the_version_that_it_names() -> None:
    named, top = version("0" * 32), evolve(version("1" * 32), etag="other")
    history = history_of(top, named)
    request = Remove(now=2, version_id=named.version_id, conditions=WriteConditions(if_match="e"))
    assert versions.remove(in_bucket(versioning="Enabled"), history, request).history.versions == (top,)


@pytest.mark.parametrize(
    ("version_id", "code", "marker"),
    [(None, "NoSuchKey", "1" * 32), ("1" * 32, "MethodNotAllowed", "1" * 32), ("2" * 32, "NoSuchVersion", None)],
)
def test_a_delete_marker_says_that_it_is_one(version_id: str | None, code: str, marker: str | None) -> None:
    history = history_of(DeleteMarker(version_id="1" * 32, modified=2), version())
    assert find(history, NULL) == version()
    with pytest.raises(Refusal) as refused:
        find(history, version_id)
    named = refused.value.marker and refused.value.marker.version_id
    assert (refused.value.code, named) == (code, marker)


def test_what_is_beside_the_bytes_is_not_asked_of_a_current_delete_marker() -> None:
    marker = DeleteMarker(version_id="1" * 32, modified=2)
    for version_id in (None, marker.version_id):
        with pytest.raises(DeleteMarkerNamed) as refused:
            find_described(history_of(marker, version()), version_id)
        assert refused.value.marker == marker
    assert find_described(history_of(marker, version()), NULL) == version()
    with pytest.raises(NoSuchKey):
        find_described(history_of(), None)
