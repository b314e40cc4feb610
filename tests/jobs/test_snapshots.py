"""The job that keeps snapshots: when it takes one, and how it ends."""

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from gecko_tw.jobs.snapshots import LOOKS, Snapshots
from tests.contract.drivers import files

HOUR = 3600.0


class Lane:
    """A lane that works at once."""

    leaving = False

    def run(self, function, *arguments, **named):
        return maybeDeferred(function, *arguments, **named)

    def rest(self, seconds):
        return self.leaving


def begun(driver, lane):
    clock = Clock()
    clock.advance(1_700_000_000)
    job = Snapshots(clock, lane, driver, HOUR)
    job.startService()
    return clock, job


def test_one_is_taken_soon_after_the_first_start_and_one_an_hour_whoever_starts_again(tmp_path):
    driver = files(tmp_path)
    clock, job = begun(driver, Lane())
    clock.pump([LOOKS] * 60)
    assert len(driver.snapshots()) == 1
    job.stopService()
    clock.advance(LOOKS)
    job.startService()
    clock.pump([LOOKS] * 2)
    assert len(driver.snapshots()) == 2
    job.stopService()
    driver.close()


def test_one_ends_with_the_process_and_is_taken_by_the_next(tmp_path):
    driver, lane = files(tmp_path), Lane()
    lane.leaving = True
    clock, job = begun(driver, lane)
    clock.advance(LOOKS)
    assert driver.snapshots() == []
    lane.leaving = False
    clock.advance(LOOKS)
    assert len(driver.snapshots()) == 1
    job.stopService()
    driver.close()
