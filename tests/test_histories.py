"""The checker of recorded runs finds what it must find, and nothing else."""

from itertools import count
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.histories import ABSENT, Deed, effect, explains


def put(called, answered, writes, status=200, **more):
    return Deed(kind="put", called=called, answered=answered, writes=writes, status=status, **more)


def get(called, answered, read):
    return Deed(kind="get", called=called, answered=answered, read=read, status=200 if read else 404)


def delete(called, answered, status=204, **more):
    return Deed(kind="delete", called=called, answered=answered, status=status, **more)


VIOLATIONS = {
    "a stale read": [put(0, 1, "a"), put(2, 3, "b"), get(4, 5, "a")],
    "a write that was lost": [put(0, 1, "a"), get(2, 3, ABSENT)],
    "two winners of If-None-Match": [put(0, 3, "a", if_none_match=True), put(1, 2, "b", if_none_match=True)],
    "two winners of If-Match": [put(0, 1, "a"), put(2, 5, "b", if_match="a"), put(3, 4, "c", if_match="a")],
    "a refusal although the condition held": [put(0, 1, "a"), put(2, 3, "b", 412, if_match="a")],
    "a deleted object that comes back": [put(0, 1, "a"), delete(2, 3), get(4, 5, "a")],
    "reads that go back in time": [put(0, 1, "a"), put(2, 9, "b"), get(3, 4, "b"), get(5, 6, "a")],
    "a delete of what it was not told to": [put(0, 1, "a"), put(2, 3, "b"), delete(4, 5, if_match="a")],
    "a read of what nobody wrote": [put(0, 1, "a"), get(0, 3, "z")],
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_found(name):
    assert not explains(VIOLATIONS[name])


def test_a_write_without_an_answer_may_have_happened_or_not_or_happen_late():
    lost = Deed(kind="put", called=1, writes="b")
    assert explains([put(0, 0.5, "a"), lost, get(2, 3, "a")])
    assert explains([put(0, 0.5, "a"), lost, get(2, 3, "b")])
    assert explains([put(0, 0.5, "a"), lost, get(2, 3, "a"), get(4, 5, "b")])
    assert not explains([put(0, 0.5, "a"), lost, get(2, 3, "b"), get(4, 5, "a")])


CONDITIONS = st.one_of(
    st.just({}),
    st.just({"if_none_match": True}),
    st.sampled_from(["*", "e0", "e1", "e2", "e3"]).map(lambda etag: {"if_match": etag}),
)
WISHES = st.lists(st.tuples(st.sampled_from(["get", "put", "delete"]), CONDITIONS), max_size=14)


def history_of(wishes, seed):
    """What one copy that does one deed after the other answers; calls are earlier and answers later than the deed itself."""
    chance, state, deeds, names = Random(seed), ABSENT, [], count()
    for moment, (kind, conditions) in enumerate(wishes):
        if kind == "get":
            conditions = {}
        if kind == "delete":
            conditions.pop("if_none_match", None)
        deed = Deed(
            kind=kind,
            called=moment - chance.random() * 4,
            answered=moment + chance.random() * 4,
            writes=f"e{next(names)}" if kind == "put" else ABSENT,
            read=state if kind == "get" else ABSENT,
            **conditions,
        )
        for status in (200, 204, 404, 412):
            after = effect(evolve(deed, status=status), state)
            if after is not None:
                deeds.append(evolve(deed, status=status))
                state = after
                break
        else:
            raise AssertionError(deed)
    return deeds


@given(WISHES, st.integers())
def test_whatever_one_copy_answers_is_explained(wishes, seed):
    assert explains(history_of([(kind, dict(conditions)) for kind, conditions in wishes], seed))
