"""Processes that accept from the same sockets share the connections out."""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.daemon.balance import LEAD, Balance, balance_file


class Crowd:
    """Processes on the same sockets. A place that never was served has no connections."""

    def __init__(self, places: int, serving: int) -> None:
        self.fileno = balance_file(places)
        self.connections = [0] * serving
        self.balances = [Balance(self.fileno, place, self._load_of(place)) for place in range(serving)]

    def _load_of(self, place: int) -> Callable[[], int]:
        return lambda: self.connections[place]

    def offer(self, place: int) -> None:
        """A connection wakes this process."""
        if not self.balances[place].ahead():
            self.connections[place] += 1


@pytest.fixture
def two() -> Iterator[Crowd]:
    crowd = Crowd(2, 2)
    yield crowd
    os.close(crowd.fileno)


def test_a_process_alone_is_never_ahead() -> None:
    crowd = Crowd(1, 1)
    for _ in range(100):
        crowd.offer(0)
    assert crowd.connections == [100]
    os.close(crowd.fileno)


def test_who_is_awake_already_leaves_the_rest_of_a_burst_to_the_others(two: Crowd) -> None:
    for _ in range(16):
        two.offer(0)
    assert two.connections == [LEAD, 0]
    two.offer(1)
    two.offer(0)
    assert two.connections == [LEAD + 1, 1]


def test_connections_that_ended_do_not_count(two: Crowd) -> None:
    for place in (0, 1) * 10:
        two.offer(place)
    two.connections[1] = 0
    assert not two.balances[1].ahead()
    assert two.balances[0].ahead()


def test_who_takes_the_place_of_another_one_begins_with_none(two: Crowd) -> None:
    for place in (0, 1) * 10:
        two.offer(place)
    assert not two.balances[0].ahead()
    Balance(two.fileno, 1, lambda: 0)
    assert two.balances[0].ahead()


@given(st.lists(st.integers(0, 3), max_size=200))
def test_nobody_gets_far_ahead_of_the_least_loaded_whoever_wakes_when(wakes: list[int]) -> None:
    crowd = Crowd(4, 4)
    for place in wakes:
        crowd.offer(place)
        assert max(crowd.connections) <= min(crowd.connections) + LEAD
    os.close(crowd.fileno)
