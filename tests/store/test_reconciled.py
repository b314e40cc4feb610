"""Asking until the answer is settled."""

import pytest

from gecko_tw.store.drivers.interfaces import Stale
from gecko_tw.store.reconciled import reconciled


def test_what_is_settled_is_answered_at_once():
    assert reconciled(lambda first, second: (first, second), 1, 2) == (1, 2)


def test_what_is_not_settled_is_settled_and_asked_again():
    left = [1, 2, 3]

    def ask():
        if left:
            raise Stale(left.pop)
        return "answer"

    assert reconciled(ask) == "answer"


def test_what_never_settles_is_given_up():
    def ask():
        raise Stale(lambda: None)

    with pytest.raises(Stale):
        reconciled(ask)


def test_what_settling_refuses_comes_out():
    def refuse():
        raise OSError

    def ask():
        raise Stale(refuse)

    with pytest.raises(OSError):
        reconciled(ask)
