"""Pools of threads."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from time import sleep
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from gecko_tw.pools import MOST_STEPS_BACK, MOST_TOGETHER, IPool, Lane, Pool
from tests.patience import PATIENCE


class Calls:
    """A reactor that only takes calls from threads; ``run`` makes the next one, waiting for it."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def callFromThread(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def run(self) -> None:
        self._calls.get(timeout=PATIENCE)()

    def until(self, fired: Callable[[], Any]) -> None:
        while not fired():
            self.run()


@pytest.fixture
def reactor() -> Calls:
    return Calls()


@pytest.fixture
def pool(reactor: Calls) -> Iterator[Pool]:
    pool = Pool(reactor, "some", 2)
    pool.startService()
    yield pool
    pool.stopService()


def test_it_is_a_pool(pool: Pool) -> None:
    verifyObject(IPool, pool)


def test_a_call_runs_in_a_thread_of_that_name_and_its_result_comes_back_to_the_reactor(
    pool: Pool, reactor: Calls
) -> None:
    results: list[Any] = []
    pool.run(lambda first, second: (threading.current_thread().name, first, second), 1, second=2).addCallback(
        results.append
    )
    assert results == []
    reactor.until(lambda: results)
    assert results == [("some-0", 1, 2)]


def test_what_a_call_raises_is_the_failure(pool: Pool, reactor: Calls) -> None:
    failures: list[Any] = []
    pool.run(int, "no number").addErrback(failures.append)
    reactor.until(lambda: failures)
    assert failures[0].check(ValueError)


def test_patient_threads_work_one_after_the_other(reactor: Calls) -> None:
    pool = Pool(reactor, "patient", 4, patience=30)
    at_work, most, results = 0, 0, []

    def work() -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        sleep(0.002)
        at_work -= 1

    for _ in range(20):
        pool.run(work).addCallback(results.append)
    reactor.until(lambda: len(results) == 20)
    pool.stopService()
    assert most == 1


def beside_long_work(reactor: Calls, threads: int, word: str) -> tuple[Pool, threading.Event, list[Any]]:
    """A patient pool in which something takes until the gate opens and something else is done; and the results so far."""
    pool = Pool(reactor, "patient", threads, patience=0.01)
    gate, results = threading.Event(), []
    pool.run(gate.wait, 30).addCallback(results.append)
    pool.run(lambda: word).addCallback(results.append)
    reactor.until(lambda: results)
    return pool, gate, results


def test_patience_ends_with_work_that_takes_long(reactor: Calls) -> None:
    pool, gate, results = beside_long_work(reactor, 2, "beside it")
    assert results == ["beside it"]
    gate.set()
    reactor.until(lambda: len(results) == 2)
    pool.run(lambda: "after it").addCallback(results.append)
    reactor.until(lambda: len(results) == 3)
    pool.stopService()
    assert results == ["beside it", True, "after it"]


def test_only_the_first_waits_for_work_that_takes_long(reactor: Calls) -> None:
    pool, gate, results = beside_long_work(reactor, 3, "first")
    pool._patience = 3600  # of whoever waited for it now the reactor would never hear
    pool.run(lambda: "second").addCallback(results.append)
    reactor.until(lambda: len(results) == 2)
    gate.set()
    reactor.until(lambda: len(results) == 3)
    pool.stopService()
    assert results == ["first", "second", True]


def test_no_more_threads_than_allowed_run_at_once_and_no_call_is_lost(pool: Pool, reactor: Calls) -> None:
    names, results = set(), []
    gate = threading.Event()

    def work(number: int) -> int:
        names.add(threading.current_thread().name)
        gate.wait(PATIENCE)
        return number

    for number in range(50):
        pool.run(work, number).addCallback(results.append)
    gate.set()
    reactor.until(lambda: len(results) == 50)
    assert sorted(results) == list(range(50))
    assert names <= {"some-0", "some-1"}


def test_what_waits_is_done_together_if_there_is_a_way(reactor: Calls) -> None:
    pool, sizes, results = Pool(reactor, "some", 1), [], []
    is_in, gate = threading.Event(), threading.Event()

    def together(works: list[Callable[[], Any]]) -> list[Any]:
        sizes.append(len(works))
        return [work() for work in works]

    pool.together = together
    pool.run(lambda: (is_in.set(), gate.wait(PATIENCE))).addCallback(results.append)
    assert is_in.wait(PATIENCE)
    for number in range(MOST_TOGETHER + 3):
        pool.run(int, number).addCallback(results.append)
    pool.run(int, "x").addErrback(lambda failure: results.append(failure.type))
    gate.set()
    pool.stopService()  # what has not begun is done first
    reactor.until(lambda: len(results) == MOST_TOGETHER + 5)
    assert results[1:] == [*range(MOST_TOGETHER + 3), ValueError]
    assert sizes == [1, MOST_TOGETHER, 4]


def test_who_waits_hears_of_a_way_that_fails(pool: Pool, reactor: Calls) -> None:
    failures: list[Any] = []
    pool.together = int  # type: ignore[assignment] - it raises TypeError
    pool.run(list).addErrback(failures.append)
    reactor.until(lambda: failures)
    assert failures[0].check(TypeError)
    pool.together = None
    pool.run(list).addCallback(failures.append)
    reactor.until(lambda: len(failures) == 2)
    assert failures[1] == []


def test_results_that_wait_are_fetched_together(pool: Pool, reactor: Calls) -> None:
    results: list[int] = []
    ends = [threading.Event() for _ in range(3)]
    for number, end in enumerate(ends):
        pool.run(lambda number=number, end=end: (end.set(), number)[1]).addCallback(results.append)
    for end in ends:
        assert end.wait(PATIENCE)
    reactor.until(lambda: len(results) == 3)
    assert sorted(results) == [0, 1, 2]


def test_a_call_cannot_be_cancelled_whoever_waits_sees_it_end(pool: Pool, reactor: Calls) -> None:
    gate, done = threading.Event(), []
    waiting = pool.run(gate.wait, 30).addBoth(done.append)
    waiting.cancel()
    assert done == []
    gate.set()
    reactor.until(lambda: done)
    assert done == [True]


def test_stopping_waits_for_what_was_begun_and_asked(reactor: Calls) -> None:
    pool, done = Pool(reactor, "short", 1), []
    pool.startService()
    for number in range(5):
        pool.run(done.append, number)
    pool.stopService()
    assert done == [0, 1, 2, 3, 4]


class Steps:
    """An event that nobody sets and that counts how often it is waited for."""

    def __init__(self, busy: Pool, until: int) -> None:
        self.waits: list[float] = []
        self._busy, self._until = busy, until

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == self._until:
            self._busy.outstanding = 0


@pytest.mark.parametrize(("until", "waits"), [(1, 1), (7, 7), (10**6, MOST_STEPS_BACK)])
def test_a_lane_stands_back_while_others_have_work_but_not_for_ever(reactor: Calls, until: int, waits: int) -> None:
    busy = Pool(reactor, "busy", 1)
    busy.outstanding = 1
    lane = Lane(reactor, "lane", [Pool(reactor, "idle", 1), busy])
    steps = Steps(busy, until)
    lane._leaving = steps
    assert not lane.rest(0)
    assert len(steps.waits) == waits


def test_a_lane_that_stops_ends_what_rests_in_it(reactor: Calls) -> None:
    lane = Lane(reactor, "lane", [])
    lane.startService()
    began: SimpleQueue[None] = SimpleQueue()
    ends: list[bool] = []

    def work() -> bool:
        began.put(None)
        return lane.rest(PATIENCE * 10)

    lane.run(work).addCallback(ends.append)
    began.get(timeout=PATIENCE)
    lane.stopService()
    reactor.until(lambda: ends)
    assert ends == [True]
