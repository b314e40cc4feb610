"""Chores that are done again and again, by a clock that the test turns."""

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher

from gecko_tw.jobs.repeating import Repeating


class Chore:
    """Counts how often it was done; its outcome is whatever the test puts in."""

    def __init__(self, outcome=0):
        self.done, self.outcome = 0, outcome

    def __call__(self):
        self.done += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Pool:
    """A pool that works at once."""

    def run(self, function, *arguments, **named):
        return maybeDeferred(function, *arguments, **named)


class SlowPool:
    """A pool whose work ends when the test says so."""

    def __init__(self):
        self.working = []

    def run(self, function, *arguments, **named):
        self.working.append(Deferred())
        return self.working[-1].addCallback(lambda _: function(*arguments, **named))


@pytest.fixture
def messages():
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def started(chore, pool=None, told=""):
    clock = Clock()
    job = Repeating(clock, pool or Pool(), "chore", 10.0, chore, told)
    job.startService()
    return clock, job


def test_a_chore_is_done_after_each_interval_and_not_before():
    chore = Chore()
    clock, _ = started(chore)
    clock.advance(9.9)
    assert chore.done == 0
    clock.pump([0.1] + [10.0] * 4)
    assert chore.done == 5


def test_a_chore_that_fails_is_told_and_done_again(logged_failures):
    chore = Chore(OSError("no disk"))
    clock, _ = started(chore)
    clock.pump([10.0, 10.0])
    assert chore.done == 2
    assert len(logged_failures.take(OSError)) == 2
    chore.outcome = 0
    clock.advance(10.0)
    assert chore.done == 3


def test_a_chore_never_runs_twice_at_a_time():
    pool = SlowPool()
    clock, _ = started(Chore(), pool)
    clock.pump([10.0] * 5)
    assert len(pool.working) == 1
    pool.working[0].callback(None)
    clock.advance(10.0)
    assert len(pool.working) == 2
    pool.working[1].callback(None)


def test_a_stopped_job_waits_for_the_chore_under_way_and_does_no_other():
    pool, ended = SlowPool(), []
    clock, job = started(Chore(), pool)
    clock.advance(10.0)
    job.stopService().addCallback(ended.append)
    assert not ended
    pool.working[0].callback(None)
    assert ended == [None]
    clock.advance(100.0)
    assert len(pool.working) == 1
    assert not clock.getDelayedCalls()


def test_a_stopped_job_that_never_worked_is_gone_at_once():
    ended = []
    clock, job = started(Chore())
    job.stopService().addCallback(ended.append)
    assert ended == [None]
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize(("outcome", "lines"), [(3, ["3 things are gone"]), (0, []), (None, [])])
def test_only_a_chore_that_had_something_to_do_is_told(messages, outcome, lines):
    clock, _ = started(Chore(outcome), told="{count} things are gone")
    clock.advance(10.0)
    told = [
        event["log_format"].format(**event)
        for event in messages
        if event.get("log_namespace", "").startswith("gecko_tw")
    ]
    assert told == lines
