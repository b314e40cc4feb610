"""The job that scrubs: in the background, one pass an interval."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from gecko_tw.jobs.repeating import Repeating
from gecko_tw.pools import IPool
from gecko_tw.settings import Settings
from gecko_tw.store.integrity.lease import Busy
from gecko_tw.store.integrity.scrub import KIND, Scrub, Wish
from gecko_tw.store.records import Json, now_of

LOOKS = 60.0
"""Seconds between two looks whether it is time; the first one comes so long after the start."""

WHO = "job"
DUE = "due"
"""The document that says when the next pass begins."""


class Scrubbing(Repeating):
    """Scrubs at the interval of the settings. The first pass of a data directory begins one interval after its first start.

    :param lane: where it runs; the scrub rests as it says, and ends when it is stopped.
    :param noticed: as of Repeating.
    """

    def __init__(
        self,
        clock: IReactorTime,
        lane: IPool,
        scrub: Scrub,
        settings: Settings,
        noticed: Callable[[BaseException], bool] = lambda problem: False,
    ) -> None:
        self._clock, self._scrub = clock, scrub
        self._interval_ns = now_of(settings.scrub_interval)
        self._wish = Wish(
            who=WHO,
            rate=settings.scrub_sample_rate,
            most=settings.scrub_max_per_run,
            bytes_per_second=settings.scrub_bytes_per_second,
        )
        told = "scrub: {count} damaged versions or parts"
        super().__init__(clock, lane, "scrub", LOOKS, self._when_due, told, noticed=noticed)

    def _when_due(self) -> object:
        """How many damaged ones it found. What was cut short is gone on with at once."""
        documents, now = self._scrub.quarantine.documents, now_of(self._clock.seconds())
        due = documents.get(KIND, DUE)
        if due is None or due["at"] > now + self._interval_ns:
            due = self._put_off(now)
        if due["at"] > now:
            return 0
        try:
            outcome = self._scrub.run(self._wish)
        except Busy:
            return 0
        if outcome.finished or (self._wish.most and not self._scrub.rest(0)):
            self._put_off(now)
        return outcome.report.damaged

    def _put_off(self, now: int) -> Json:
        due = {"at": now + self._interval_ns}
        return self._scrub.quarantine.documents.change(KIND, DUE, lambda _: due)
