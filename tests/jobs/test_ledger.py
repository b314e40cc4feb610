"""What jobs have done and what somebody wants, in memory that several processes share."""

import pytest
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gecko_tw.jobs.ledger import NAMES, Ledger
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.jobs.wanted import LOOK, Wanted
from tests.conftest import LoggedFailures
from tests.resources.asking import HeldPool, InlinePool


def test_another_process_sees_what_was_done() -> None:
    ledger = Ledger()
    other = Ledger(ledger.fileno)
    assert list(other.entries()) == []
    ledger.scheduled("scan", 60.0, 1000.0)
    (entry,) = other.entries()
    assert (entry.name, entry.next, entry.running, entry.runs) == ("scan", 1060.0, False, 0)
    ledger.begun("scan", 1060.0)
    assert next(other.entries()).running
    ledger.ended("scan", 1061.0, True)
    ledger.begun("scan", 1120.0)
    ledger.ended("scan", 1123.0, False)
    (entry,) = other.entries()
    assert (entry.begun, entry.ended, entry.succeeded, entry.runs, entry.failures) == (1120.0, 1123.0, 1061.0, 2, 1)


def test_a_job_that_is_wanted_is_done_once_and_soon() -> None:
    ledger, clock, services, done = Ledger(), Clock(), MultiService(), []
    job = Repeating(clock, InlinePool(), "scan", 3600.0, lambda: done.append(1), ledger=ledger)
    job.setServiceParent(services)
    Wanted(clock, ledger, services).setServiceParent(services)
    services.startService()
    Ledger(ledger.fileno).want("scan")
    clock.pump([LOOK / 2] * 6)
    assert (len(done), ledger.wanted(), next(ledger.entries()).runs) == (1, [], 1)
    clock.advance(3600.0)
    assert len(done) == 2
    services.stopService()


def test_a_job_that_is_wanted_while_it_is_done_is_done_again() -> None:
    ledger, clock, services, pool = Ledger(), Clock(), MultiService(), HeldPool()
    Repeating(clock, pool, "scan", 10.0, lambda: None, ledger=ledger).setServiceParent(services)
    Wanted(clock, ledger, services).setServiceParent(services)
    services.startService()
    clock.advance(10.0)
    ledger.want("scan")
    clock.advance(LOOK)
    assert ledger.wanted() == ["scan"]
    pool.work()
    clock.pump([LOOK] * 2)
    pool.work()
    assert next(ledger.entries()).runs == 2
    stopped = services.stopService()
    assert isinstance(stopped, Deferred)


def test_a_job_that_fails_is_counted_as_one(logged_failures: LoggedFailures) -> None:
    ledger, clock = Ledger(), Clock()

    def fail() -> None:
        raise OSError("no")

    job = Repeating(clock, InlinePool(), "scan", 10.0, fail, ledger=ledger)
    job.startService()
    clock.advance(10.0)
    assert len(logged_failures.take(OSError)) == 1
    entry = next(ledger.entries())
    assert (entry.failures, entry.succeeded) == (1, 0.0)
    job.stopService()


@pytest.mark.parametrize("name", ["catalog", "notifications"])
def test_a_job_without_a_place_is_not_told_of(name: str) -> None:
    ledger, clock = Ledger(), Clock()
    job = Repeating(clock, InlinePool(), name, 1.0, lambda: None, ledger=ledger)
    job.startService()
    clock.advance(1.0)
    assert name not in NAMES and list(ledger.entries()) == []
    job.stopService()
