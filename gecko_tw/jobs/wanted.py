"""Jobs that an operator wants to be done now."""

from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService

from gecko_tw.jobs.ledger import Ledger
from gecko_tw.jobs.repeating import Repeating

LOOK = 1.0
"""Seconds between two looks."""


class Wanted(TimerService):
    """Has the jobs among some services done that the ledger says are wanted.

    :param clock: an IReactorTime; Any, as Twisted has no type for what its TimerService is given.
    """

    def __init__(self, clock: Any, ledger: Ledger, jobs: MultiService) -> None:
        super().__init__(LOOK, self._look)
        self.clock = clock
        self._ledger, self._jobs = ledger, jobs

    def _look(self) -> None:
        for name in self._ledger.wanted():
            job = self._jobs.namedServices.get(name)
            if isinstance(job, Repeating):
                job.now()
