"""The job that keeps snapshots of the catalog: in the background, one an interval."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from gecko_tw.jobs.repeating import Repeating
from gecko_tw.pools import Lane
from gecko_tw.store.drivers.interfaces import ISnapshots
from gecko_tw.store.records import now_of

LOOKS = 60.0
"""Seconds between two looks whether it is time."""

APART = 0.02
"""Seconds of rest after each megabyte: 50 of them a second at most."""


class _Stopped(Exception):  # noqa: N818 - a signal, not an error
    """The process ends."""


class Snapshots(Repeating):
    """Takes a snapshot when the newest one is older than the interval.

    :param lane: where it runs; it rests as that says, and ends when it is stopped.
    :param interval: seconds.
    :param noticed: as of Repeating.
    """

    def __init__(
        self,
        clock: IReactorTime,
        lane: Lane,
        driver: ISnapshots,
        interval: float,
        noticed: Callable[[BaseException], bool] = lambda problem: False,
    ) -> None:
        self._clock, self._lane, self._driver, self._every = clock, lane, driver, now_of(interval)
        super().__init__(clock, lane, "snapshots", LOOKS, self._when_due, noticed=noticed)

    def _when_due(self) -> object:
        now = now_of(self._clock.seconds())
        there = self._driver.snapshots()
        if there and now - self._every < there[0].time <= now:
            return 0
        try:
            self._driver.snapshot(now, self._rest)
        except _Stopped:
            return 0
        return 1

    def _rest(self) -> None:
        if self._lane.rest(APART):
            raise _Stopped
