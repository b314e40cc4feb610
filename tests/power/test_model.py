"""The judge itself: what it allows, and that it finds what was lost, mixed or invented."""

import pytest

from tests.power.model import Cut, Record, Step, Subject, Version, judge

KEY, OTHER, UPLOAD = Subject("bucket", "key"), Subject("bucket", "other"), Subject("bucket", "key", "upload")
ONE, TWO, THREE = (Version("null", digest=str(number), note=str(number)) for number in (1, 2, 3))
CUT = Cut(began=10.0, ended=10.1, certain=6.0)


def recorded(*steps):
    record = Record()
    for sent, acked, state in steps:
        record.add(KEY, Step("put", sent, acked, state))
    return record


def faults(record, **found):
    subjects = {"key": KEY, "other": OTHER, "upload": UPLOAD}
    return judge(record, CUT, {subjects[name]: state for name, state in found.items() if state != ()})


@pytest.mark.parametrize("state", [(ONE,), (TWO,), (THREE,)])
def test_every_state_since_the_last_certain_one_may_be_found(state):
    record = recorded((1, 2, (ONE,)), (7, 8, (TWO,)), (9.9, 11, (THREE,)))
    assert faults(record, key=state) == []


def test_what_is_older_than_the_last_certain_state_is_a_loss():
    record = recorded((1, 2, (ONE,)), (3, 4, (TWO,)), (7, 8, (THREE,)))
    (fault,) = faults(record, key=(ONE,))
    assert "older than it may be" in fault


def test_what_was_certain_and_is_absent_is_a_loss():
    (fault,) = faults(recorded((1, 2, (ONE,))), key=())
    assert "older than it may be" in fault


def test_what_was_deleted_and_is_back_is_a_fault():
    (fault,) = faults(recorded((1, 2, (ONE,)), (3, 4, ())), key=(ONE,))
    assert "older than it may be" in fault


def test_what_was_asked_for_after_the_cut_cannot_be_there():
    (fault,) = faults(recorded((1, 2, (ONE,)), (11, 12, (TWO,))), key=(TWO,))
    assert "only at steps [2]" in fault


def test_bytes_under_another_versions_attributes_are_a_fault():
    mixed = Version("null", digest=ONE.digest, note=TWO.note)
    (fault,) = faults(recorded((1, 2, (ONE,)), (7, 8, (TWO,))), key=(mixed,))
    assert "was so at step 2, but for its bytes" in fault


def test_what_nobody_made_is_a_fault():
    (fault,) = faults(recorded((1, 2, (ONE,))), key=(ONE,), other=(TWO,))
    assert "nobody made it" in fault


def in_order(other_before, *found):
    """The key is overwritten, then something is put under the other one."""
    record = recorded((1, 2, (ONE,)), (7, 8, (TWO,)))
    record.add(OTHER, Step("put", 3, 4, other_before))
    record.add(OTHER, Step("put", 8.5, 8.6, (THREE,)))
    return faults(record, **dict(zip(("key", "other"), found, strict=True)))


@pytest.mark.parametrize("found", [((ONE,), (ONE,)), ((TWO,), (ONE,)), ((TWO,), (THREE,))])
def test_changes_of_several_keys_are_found_in_their_order(found):
    assert in_order((ONE,), *found) == []


def test_a_change_that_is_there_without_an_earlier_one_of_another_key_is_a_fault():
    (fault,) = in_order((ONE,), (ONE,), (THREE,))
    assert "is there; bucket/key 'put' is not" in fault


def test_a_new_object_may_be_there_without_an_earlier_change():
    assert in_order((), (ONE,), (THREE,)) == []


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [((ONE,), (TWO,), 0), ((), (ONE,), 0), ((), (TWO,), 1), ((ONE,), (ONE,), 0)],
    ids=["before", "after", "nowhere", "between"],
)
def test_what_is_renamed_is_found_at_its_old_key_or_its_new_one(source, target, expected):
    record = recorded((1, 2, (ONE,)))
    record.add(OTHER, Step("put", 1, 2, (TWO,)))
    record.move("rename", (KEY, Step("rename", 7, 8, ())), (OTHER, Step("rename", 7, 8, (ONE,))))
    assert len(faults(record, key=source, other=target)) == expected


def test_a_new_object_may_be_where_one_was_renamed_from_though_that_is_taken_back():
    record = recorded((1, 2, (ONE,)))
    record.add(OTHER, Step("put", 1, 2, (TWO,)))
    record.move("rename", (KEY, Step("rename", 7, 8, ())), (OTHER, Step("rename", 7, 8, (ONE,))))
    record.add(KEY, Step("put", 8.5, 8.6, (THREE,)))
    assert faults(record, key=(THREE,), other=(TWO,)) == []


def test_an_upload_that_is_gone_has_become_an_object():
    record = Record()
    record.add(UPLOAD, Step("part", 1, 2, ((1, "etag"),)))
    record.move("complete", (UPLOAD, Step("complete", 7, 8, None)), (KEY, Step("complete", 7, 8, (ONE,))))
    assert faults(record, upload=((1, "etag"),)) == []
    assert faults(record, key=(ONE,)) == []
    assert len(faults(record)) == 1
    assert len(faults(record, key=(ONE,), upload=((1, "etag"),))) == 1
