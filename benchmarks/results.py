"""What was measured, as values and as JSON: the one thing that tables and pictures are made from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from attrs import asdict, field, frozen

OURS = "geckos3-tw"


@frozen
class Run:
    """One run of one row against one server.

    :ivar value: in the figure's unit.
    :ivar p50: latency in milliseconds, like ``p99``; 0 where none was taken.
    :ivar errors: answers that were no success, and broken connections.
    :ivar cpu: microseconds of processor time that the server took for each request or MiB; 0 where it was not taken.
    :ivar others: share of the machine that something else took meanwhile, 0 to 1.
    """

    value: float
    p50: float = 0.0
    p99: float = 0.0
    errors: int = 0
    cpu: float = 0.0
    others: float = 0.0


@frozen
class Figure:
    """What one line of the table shows.

    :ivar less: whether less is better.
    """

    name: str
    unit: str
    less: bool = False


@frozen
class Contestant:
    """A server that took part.

    :ivar options: its command line, with names in braces for what differs from run to run.
    :ivar note: what a reader must know of how it was run.
    """

    key: str
    name: str
    version: str
    options: str
    note: str = ""


@frozen
class Measured:
    """All runs of one figure.

    :ivar runs: by key of the contestant.
    :ivar left_out: why a contestant has none.
    """

    figure: Figure
    runs: Mapping[str, Sequence[Run]]
    left_out: Mapping[str, str] = field(factory=dict)

    def median_of(self, key: str) -> float | None:
        """The median, or None where nothing was measured."""
        runs = self.runs.get(key)
        return median(run.value for run in runs) if runs else None

    def latency_of(self, key: str) -> tuple[float, float] | None:
        """Medians of p50 and p99 in milliseconds, or None where none were taken."""
        runs = [run for run in self.runs.get(key, ()) if run.p99]
        return (median(run.p50 for run in runs), median(run.p99 for run in runs)) if runs else None

    def cpu_of(self, key: str) -> float | None:
        """The median of microseconds a request or MiB, or None where they were not taken."""
        found = [run.cpu for run in self.runs.get(key, ()) if run.cpu]
        return median(found) if found else None

    def errors_of(self, key: str) -> int:
        return sum(run.errors for run in self.runs.get(key, ()))

    def ratio(self, ours: str, theirs: str) -> float | None:
        """How many times better ours is: the median over the rounds, in each of which both ran one after the other.

        None where one of them has no run, or a run with errors, or nothing was answered: such figures are no rates.
        """
        if self.errors_of(ours) or self.errors_of(theirs):
            return None
        pairs = list(zip(self.runs.get(ours, ()), self.runs.get(theirs, ()), strict=False))
        if not pairs or any(not a.value or not b.value for a, b in pairs):
            return None
        return median(b.value / a.value if self.figure.less else a.value / b.value for a, b in pairs)

    def best_peer(self, ours: str, peers: Sequence[str]) -> str | None:
        """The best of those whose runs have no errors."""
        found = [(value, key) for key in peers if key != ours and (value := self._comparable(key)) is not None]
        if not found:
            return None
        return (min(found) if self.figure.less else max(found))[1]

    def _comparable(self, key: str) -> float | None:
        return None if self.errors_of(key) else self.median_of(key) or None


@frozen
class Results:
    """One benchmark."""

    command: str
    date: str
    machine: Mapping[str, str]
    settings: Mapping[str, float]
    contestants: Sequence[Contestant]
    rows: Sequence[Measured]

    def disturbance(self) -> tuple[float, float]:
        """The median and the largest share of the machine that something else took during a run."""
        found = [run.others for row in self.rows for runs in row.runs.values() for run in runs if run.p99 or run.cpu]
        return (median(found), max(found)) if found else (0.0, 0.0)

    def variants(self) -> list[str]:
        """Keys of our own server and its variants."""
        return [one.key for one in self.contestants if one.key.startswith(OURS)]

    def peers(self) -> list[str]:
        """Keys of everybody else."""
        return [one.key for one in self.contestants if not one.key.startswith(OURS)]


def save(results: Results, path: Path) -> None:
    """Writes JSON."""
    path.write_text(json.dumps(asdict(results), indent=1) + "\n")


def load(path: Path) -> Results:
    """Reads what `save` wrote."""
    found: dict[str, Any] = json.loads(path.read_text())
    rows = [
        Measured(
            figure=Figure(**row["figure"]),
            runs={key: [Run(**run) for run in runs] for key, runs in row["runs"].items()},
            left_out=row["left_out"],
        )
        for row in found["rows"]
    ]
    contestants = [Contestant(**one) for one in found["contestants"]]
    return Results(**{**found, "rows": rows, "contestants": contestants})
