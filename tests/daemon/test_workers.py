"""The watch over worker processes, with workers and a clock that do what the test says."""

from itertools import count

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.task import Clock

from gecko_tw.daemon.worker_protocol import CannotServe
from gecko_tw.daemon.workers import GRACE, LONGEST_WAIT, STABLE, Workers


class FakeWorker:
    """A worker process as Workers sees it."""

    def __init__(self, pid):
        self.pid, self.ended, self.serving = pid, Deferred(), Deferred()
        self.leaving = self.clean = self.drains = self.killed = False

    def serve(self, number, settings):
        self.number, self.settings = number, settings
        return self.serving

    def renew(self):
        self.renewing = Deferred()
        return self.renewing

    def drain(self):
        self.leaving = self.drains = True

    def kill(self):
        self.leaving = self.killed = True

    def end(self, clean=True):
        self.clean = clean
        self.ended.callback("ended")


class Recipe:
    """Makes fake workers, which serve at once unless told otherwise."""

    settings, drain_limit = "{}", 30.0

    def __init__(self):
        self.made, self.numbers = [], count(100)
        self.ready, self.broken = True, False

    def spawn(self, reactor):
        if self.broken:
            raise OSError("no processes left")
        worker = FakeWorker(next(self.numbers))
        self.made.append(worker)
        if self.ready:
            worker.serving.callback({})
        return worker


@pytest.fixture
def recipe():
    return Recipe()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workers(recipe, clock):
    watched = Workers(clock, 2, recipe)
    watched.startService()
    return watched


def result_of(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def test_it_is_open_when_all_workers_serve(workers, recipe):
    recipe.ready = False
    opened = result_of(workers.open())
    first, second = recipe.made
    assert {first.number, second.number} == {1, 2}
    first.serving.callback({})
    assert not opened
    second.serving.callback({})
    assert opened == [None]
    assert workers.pids == [100, 101]


def test_it_cannot_be_opened_when_one_worker_cannot_serve(workers, recipe):
    recipe.ready = False
    opened = result_of(workers.open())
    recipe.made[1].serving.errback(CannotServe("no certificate"))
    assert opened[0].check(CannotServe)
    assert recipe.made[1].killed


def test_it_cannot_be_opened_without_processes(workers, recipe):
    recipe.broken = True
    (failure,) = result_of(workers.open())
    assert failure.check(CannotServe)
    assert "no processes left" in failure.getErrorMessage()


def test_a_worker_that_lived_long_is_replaced_at_once(workers, recipe, clock):
    workers.open()
    clock.advance(STABLE)
    recipe.made[0].end(clean=False)
    clock.advance(0)
    assert len(recipe.made) == 3
    assert workers.pids == [102, 101]


def test_a_worker_that_dies_young_is_replaced_later_and_later(workers, recipe, clock):
    workers.open()
    waits = []
    for _ in range(9):
        recipe.made[-1].end(clean=False)
        (refill,) = clock.getDelayedCalls()
        waits.append(round(refill.getTime() - clock.seconds(), 3))
        clock.advance(LONGEST_WAIT)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, LONGEST_WAIT, LONGEST_WAIT]


def test_a_replacement_that_cannot_serve_is_tried_again(workers, recipe, clock):
    workers.open()
    recipe.broken = True
    recipe.made[0].end(clean=False)
    clock.pump([0.1] * 20)
    assert workers.pids == [101]
    recipe.broken = False
    clock.pump([0.1] * 50)
    assert workers.pids == [102, 101]


def test_a_reload_has_the_new_one_serving_before_the_old_one_drains(workers, recipe):
    workers.open()
    recipe.ready = False
    reloaded = result_of(workers.reload())
    first, second, third = recipe.made
    assert not first.drains
    third.serving.callback({})
    assert first.drains
    assert not second.drains
    recipe.made[3].serving.callback({})
    assert second.drains
    assert reloaded == [None]
    first.end()
    second.end()
    assert workers.pids == [102, 103]


def test_a_reload_that_fails_leaves_the_old_workers(workers, recipe):
    workers.open()
    recipe.ready = False
    reloaded = result_of(workers.reload())
    recipe.made[2].serving.errback(CannotServe("no certificate"))
    assert reloaded == [None]
    assert workers.pids == [100, 101]
    assert not recipe.made[0].drains


def test_a_second_reload_begins_when_the_first_is_over(workers, recipe):
    workers.open()
    recipe.ready = False
    workers.reload()
    second = result_of(workers.reload())
    assert len(recipe.made) == 3
    for made in (2, 3, 4, 5):
        recipe.made[made].serving.callback({})
    assert second == [None]
    assert workers.pids == [104, 105]


def test_a_stop_waits_for_every_worker(workers, recipe):
    workers.open()
    stopped = result_of(workers.stopService())
    first, second = recipe.made
    assert first.drains
    assert second.drains
    first.end()
    assert not stopped
    second.end()
    assert stopped
    assert not workers.cut


def test_a_worker_that_does_not_leave_is_killed(workers, recipe, clock):
    workers.open()
    stopped = result_of(workers.stopService())
    recipe.made[0].end()
    clock.advance(recipe.drain_limit + GRACE)
    assert recipe.made[1].killed
    assert not recipe.made[0].killed
    recipe.made[1].end(clean=False)
    assert stopped
    assert workers.cut


def test_a_stop_forgets_who_was_to_be_replaced(workers, recipe, clock):
    workers.open()
    recipe.made[0].end(clean=False)
    stopped = result_of(workers.stopService())
    recipe.made[1].end()
    assert stopped
    clock.advance(100)
    assert len(recipe.made) == 2
    assert not clock.getDelayedCalls()


def test_a_worker_that_begins_to_serve_after_the_stop_leaves_again(workers, recipe):
    workers.open()
    recipe.ready = False
    workers.reload()
    stopped = result_of(workers.stopService())
    recipe.made[2].serving.callback({})
    assert recipe.made[2].drains
    for worker in recipe.made:
        worker.end()
    assert stopped


def test_killing_spares_nobody(workers, recipe):
    workers.open()
    workers.kill()
    assert all(worker.killed for worker in recipe.made)
    for worker in recipe.made:
        worker.end(clean=False)
    assert workers.pids == []


def test_all_workers_are_told_of_other_certificates_and_none_is_replaced(workers, recipe, logged_failures):
    workers.open()
    renewed = result_of(workers.renew())
    first, second = recipe.made
    first.renewing.callback({})
    assert not renewed
    second.renewing.errback(CannotServe("no certificate"))
    assert renewed
    assert workers.pids == [100, 101]
    assert not first.drains
    assert not second.killed


def test_a_worker_that_ends_or_leaves_needs_no_certificates(workers, recipe):
    workers.open()
    first, second = recipe.made
    second.drain()
    renewed = result_of(workers.renew())
    assert not hasattr(second, "renewing")
    first.renewing.errback(ProcessDone(0))
    assert renewed
