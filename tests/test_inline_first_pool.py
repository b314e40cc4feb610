"""Short work is done at the end of a turn, together, as long as that goes quickly."""

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from gecko_tw.pools import MOST_TOGETHER, PAUSE, SLOW, InlineFirstPool, IPool


class Threads:
    """A pool that only notes what it is given."""

    def __init__(self):
        self.given = []
        self.waiting = []

    def run(self, function, *arguments, **named):
        self.given.append((function, arguments, named))
        self.waiting.append(Deferred())
        return self.waiting[-1]


class Site:
    def __init__(self):
        self.threads, self.free, self.now, self.reactor = Threads(), True, 100.0, Clock()
        self.sizes = []
        self.pool = InlineFirstPool(self.reactor, self.threads, self.together, lambda: self.free, lambda: self.now)

    def together(self, verbs):
        self.sizes.append(len(verbs))
        return [verb() for verb in verbs]

    def work(self, seconds=0.0):
        """Whether some work that takes so long was done in the reactor's thread."""

        def done():
            self.now += seconds
            return "done"

        found = []
        self.pool.run(done).addCallback(found.append)
        assert found == []
        self.reactor.advance(0)
        return found == ["done"]


@pytest.fixture
def site():
    return Site()


def test_it_is_a_pool(site):
    verifyObject(IPool, site.pool)


def test_work_is_done_in_the_same_turn(site):
    assert site.work()
    failed = []
    site.pool.run(lambda text: int(text), "x").addErrback(lambda failure: failed.append(failure.type))
    site.reactor.advance(0)
    assert failed == [ValueError]
    assert site.threads.given == []


def test_what_is_asked_for_in_one_turn_is_done_together(site):
    found = []
    for number in range(3):
        site.pool.run(lambda number, more: (number, more), number, more="x").addCallback(found.append)
    site.pool.run(int, "x").addErrback(lambda failure: found.append(failure.type))
    site.reactor.advance(0)
    assert found == [(0, "x"), (1, "x"), (2, "x"), ValueError]
    assert site.sizes == [4]


def test_what_is_asked_for_by_who_was_answered_is_done_later(site):
    found = []
    site.pool.run(int).addCallback(lambda _: site.pool.run(str).addCallback(found.append))
    site.reactor.advance(0)
    assert (found, site.sizes) == ([""], [1, 1])


def test_of_very_much_a_part_is_done_at_a_time(site):
    found = []
    for number in range(2 * MOST_TOGETHER + 1):
        site.pool.run(int, number).addCallback(found.append)
    site.reactor.advance(0)
    assert found == list(range(2 * MOST_TOGETHER + 1))
    assert site.sizes == [MOST_TOGETHER, MOST_TOGETHER, 1]


def test_a_thread_does_what_would_have_to_wait_for_somebody(site):
    site.free = False
    found = []
    site.pool.run(int, "1", base=10).addCallback(found.append)
    site.pool.run(int, "x").addErrback(lambda failure: found.append(failure.type))
    site.reactor.advance(0)
    assert site.threads.given == [(int, ("1",), {"base": 10}), (int, ("x",), {})]
    assert found == []
    site.threads.waiting[1].errback(ValueError())
    site.threads.waiting[0].callback(1)
    assert found == [ValueError, 1]


def test_after_something_slow_threads_do_it_for_a_while(site):
    assert site.work(SLOW * 2)
    assert not site.work()
    site.now += PAUSE
    assert site.work(SLOW / 2)
    assert site.work()
