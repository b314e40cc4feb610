"""Short work is done at once, as long as that goes quickly."""

import pytest
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from gecko_tw.interfaces import IPool
from gecko_tw.threads import PAUSE, SLOW, Prompt


class Threads:
    """A pool that only notes what it is given."""

    def __init__(self):
        self.given = []

    def run(self, function, *arguments, **named):
        self.given.append((function, arguments, named))
        return Deferred()


class Site:
    def __init__(self):
        self.threads, self.free, self.now = Threads(), True, 100.0
        self.prompt = Prompt(self.threads, lambda: self.free, lambda: self.now)

    def work(self, seconds=0.0):
        """Whether some work that takes so long was done at once."""

        def done():
            self.now += seconds
            return "done"

        found = []
        self.prompt.run(done).addCallback(found.append)
        return found == ["done"]


@pytest.fixture
def site():
    return Site()


def test_it_is_a_pool(site):
    verifyObject(IPool, site.prompt)


def test_work_is_done_at_once_and_its_outcome_is_there(site):
    assert site.work()
    failed = []
    site.prompt.run(lambda text: int(text), "x").addErrback(lambda failure: failed.append(failure.type))
    assert failed == [ValueError]
    assert site.threads.given == []


def test_a_thread_does_what_would_have_to_wait_for_somebody(site):
    site.free = False
    assert not site.work()
    ((function, arguments, named),) = site.threads.given
    assert (function(), arguments, named) == ("done", (), {})


def test_after_something_slow_threads_do_it_for_a_while(site):
    assert site.work(SLOW * 2)
    assert not site.work()
    site.now += PAUSE
    assert site.work(SLOW / 2)
    assert site.work()
