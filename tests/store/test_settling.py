"""Asking until the answer is settled."""

import pytest

from gecko_tw.store.drivers.interfaces import Unsettled
from gecko_tw.store.settling import settled


def test_what_is_settled_is_answered_at_once():
    assert settled(lambda first, second: (first, second), 1, 2) == (1, 2)


def test_what_is_not_settled_is_settled_and_asked_again():
    left = [1, 2, 3]

    def ask():
        if left:
            raise Unsettled(left.pop)
        return "answer"

    assert settled(ask) == "answer"


def test_what_never_settles_is_given_up():
    def ask():
        raise Unsettled(lambda: None)

    with pytest.raises(Unsettled):
        settled(ask)


def test_what_settling_refuses_comes_out():
    def refuse():
        raise OSError

    def ask():
        raise Unsettled(refuse)

    with pytest.raises(OSError):
        settled(ask)
