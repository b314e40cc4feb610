"""What the jobs of a deployment have done, in memory that all its processes share: one process does them, any may be asked about them."""

import mmap
from collections.abc import Iterator

from attrs import frozen

from gecko_tw.callers.budgets.tally import shared_file

NAMES = (
    "join",
    "sweep",
    "abandoned uploads",
    "scan",
    "flush",
    "lifecycle",
)
"""The jobs that are told of, in the order of their places."""

_INTERVAL, _BEGUN, _ENDED, _SUCCEEDED, _RUNS, _FAILURES, _WANTED = range(7)
_PLACE = 8
_WORD = 8


@frozen
class Entry:
    """One job. Times in seconds since 1970, 0 for never.

    :ivar interval: seconds from one run to the next; 0 when the settings do not ask for it.
    :ivar running: whether it is being done now.
    """

    name: str
    interval: float
    begun: float
    ended: float
    succeeded: float
    runs: int
    failures: int

    @property
    def running(self) -> bool:
        """Whether it is being done now."""
        return self.begun > self.ended

    @property
    def next(self) -> float:
        """When it is due."""
        return self.begun + self.interval if self.begun else 0.0


class Ledger:
    """The table. Only the process that does the jobs tells; every number is written at once.

    :param fileno: of :func:`ledger_file`; without it this process is alone.
    """

    def __init__(self, fileno: int | None = None) -> None:
        self.fileno = ledger_file() if fileno is None else fileno
        self._numbers = memoryview(mmap.mmap(self.fileno, len(NAMES) * _PLACE * _WORD)).cast("d")

    def knows(self, name: str) -> bool:
        """Whether a job has a place here."""
        return name in NAMES

    def scheduled(self, name: str, interval: float, now: float) -> None:
        """A job will be done every ``interval`` seconds, counted from now."""
        self._numbers[self._at(name, _INTERVAL)] = interval
        self._numbers[self._at(name, _BEGUN)] = self._numbers[self._at(name, _ENDED)] = now

    def begun(self, name: str, now: float) -> None:
        """A run begins; whoever wanted one has it."""
        self._numbers[self._at(name, _WANTED)] = 0.0
        self._numbers[self._at(name, _BEGUN)] = now

    def ended(self, name: str, now: float, well: bool) -> None:
        """It has ended."""
        self._numbers[self._at(name, _ENDED)] = now
        self._numbers[self._at(name, _RUNS)] += 1
        self._numbers[self._at(name, _SUCCEEDED if well else _FAILURES)] = now if well else self._failures(name) + 1

    def want(self, name: str) -> None:
        """Asks for a run now."""
        self._numbers[self._at(name, _WANTED)] = 1.0

    def wanted(self) -> list[str]:
        """The jobs that somebody wants to be done now."""
        return [name for name in NAMES if self._numbers[self._at(name, _WANTED)]]

    def entries(self) -> Iterator[Entry]:
        """All jobs that the settings ask for."""
        for name in NAMES:
            at = self._at(name, 0)
            interval, begun, ended, succeeded, runs, failures = self._numbers[at : at + _WANTED].tolist()
            if interval:
                yield Entry(name, interval, begun, ended, succeeded, int(runs), int(failures))

    def _failures(self, name: str) -> float:
        return self._numbers[self._at(name, _FAILURES)]

    def _at(self, name: str, column: int) -> int:
        return NAMES.index(name) * _PLACE + column


def ledger_file() -> int:
    """A file for the table; returns its descriptor."""
    return shared_file("geckos3-jobs", len(NAMES) * _PLACE * _WORD)
