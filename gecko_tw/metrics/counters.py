"""Counters of finished requests, in memory that all processes of a deployment share.

Each process has a part of its own and alone writes there, so that counting needs no lock; whoever shows them adds the parts up. A process
that is started again goes on with the part of its place, so that no counter ever falls while the deployment lives.
"""

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from gecko_tw.callers.budgets.tally import shared_file

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram of durations, as ByteBucket has them."""

SIZES = tuple(256.0 * (5 * 1024**3 / 256) ** (step / 11) for step in range(12))
"""Upper bounds of the histograms of sizes in bytes: twelve exponential ones from 256 bytes to 5 GiB."""

GAUGES = (
    "connections",
    "requests_in_flight",
    "bodies_being_written",
    "catalog_pool_jobs",
    "bytes_pool_jobs",
    "process_cpu_seconds",
    "process_resident_bytes",
    "process_open_fds",
)
"""What each process tells of its state now and then; the sum over all processes is shown."""

MOST_OPERATIONS, MOST_CODES = 256, 256
"""Names that have counters of their own, so that whoever makes the file need not know them."""

STATUSES = (200, 204, 206, 304, 400, 401, 403, 404, 405, 409, 411, 412, 413, 416, 429, 499, 500, 501, 503, 507)
"""Status codes that are counted by themselves; others are counted by their class, as ``2xx``."""

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

_BUCKETS = len(SECONDS) + 1
_HISTOGRAM = _BUCKETS + 1
_DURATION = len(STATUSES) + len(CLASSES)
_RECEIVED = _DURATION + _HISTOGRAM
_SENT = _RECEIVED + _HISTOGRAM
_ROW = _SENT + _HISTOGRAM
_CODES = MOST_OPERATIONS * _ROW
_GAUGES = _CODES + MOST_CODES
_PART = _GAUGES + len(GAUGES)
_WORD = 8


@frozen
class Histogram:
    """One histogram of a row.

    :ivar counts: how many observations are in each bucket alone, the last one has no upper bound.
    :ivar total: the sum of what was observed.
    """

    bounds: Sequence[float]
    counts: Sequence[float]
    total: float


@frozen
class Row:
    """What was counted of one operation.

    :ivar statuses: how many requests were answered with each status, or with another one of a class.
    """

    operation: str
    statuses: dict[str, float]
    duration: Histogram
    received: Histogram
    sent: Histogram


class RequestCounters:
    """The counters of a deployment, as one of its processes sees them.

    :param fileno: of a file of :func:`counters_file`; it is not closed here.
    :param place: this process's, from 0; it has it alone.
    :param operations: the names of all operations, alike in all processes; requests of others are counted under ``""``.
    :param codes: the error codes that refusals have; others are counted under ``""``.
    """

    def __init__(self, fileno: int, place: int, operations: Iterable[str], codes: Iterable[str]) -> None:
        self._operations, self._codes = _names(operations, MOST_OPERATIONS), _names(codes, MOST_CODES)
        self._numbers = memoryview(mmap.mmap(fileno, os.fstat(fileno).st_size)).cast("d")
        start = place * _PART
        self._gauges = start + _GAUGES
        self._rows = {name: start + index * _ROW for index, name in enumerate(self._operations)}
        self._code_places = {name: start + _CODES + index for index, name in enumerate(self._codes)}
        self._columns = {status: index for index, status in enumerate(STATUSES)}

    def count(self, operation: str, status: int, code: str, *, seconds: float, received: int, sent: int) -> None:
        """Counts one finished request.

        :param code: of the refusal that was answered, or empty.
        :param received: bytes of the request's body; ``sent`` of the answer's.
        """
        numbers, rows = self._numbers, self._rows
        row = rows[operation] if operation in rows else rows[""]
        column = self._columns.get(status)
        numbers[row + (len(STATUSES) + status // 100 - 1 if column is None else column)] += 1
        at = row + _DURATION
        numbers[at + bisect_left(SECONDS, seconds)] += 1
        numbers[at + _BUCKETS] += seconds
        at = row + _RECEIVED
        numbers[at + bisect_left(SIZES, received)] += 1
        numbers[at + _BUCKETS] += received
        at = row + _SENT
        numbers[at + bisect_left(SIZES, sent)] += 1
        numbers[at + _BUCKETS] += sent
        if code:
            places = self._code_places
            numbers[places[code] if code in places else places[""]] += 1

    def tell(self, gauges: Sequence[float]) -> None:
        """Tells the state of this process.

        :param gauges: in the order of GAUGES.
        """
        for index, number in enumerate(gauges):
            self._numbers[self._gauges + index] = number

    def gauges(self) -> dict[str, float]:
        """The state of all processes together."""
        return dict(zip(GAUGES, self._summed(_GAUGES, len(GAUGES)), strict=True))

    def rows(self) -> Iterator[Row]:
        """What was counted in all processes, of each operation that was asked for at all."""
        for index, name in enumerate(self._operations):
            numbers = self._summed(index * _ROW, _ROW)
            if any(numbers):
                labels = (*map(str, STATUSES), *CLASSES)
                statuses = {label: number for label, number in zip(labels, numbers, strict=False) if number}
                yield Row(
                    name,
                    statuses,
                    _histogram(SECONDS, numbers, _DURATION),
                    _histogram(SIZES, numbers, _RECEIVED),
                    _histogram(SIZES, numbers, _SENT),
                )

    def refusals(self) -> dict[str, float]:
        """How often each error code was answered, by all processes."""
        numbers = self._summed(_CODES, len(self._codes))
        return {code: number for code, number in zip(self._codes, numbers, strict=True) if number}

    def _summed(self, start: int, length: int) -> list[float]:
        begins = range(start, len(self._numbers), _PART)
        return [
            sum(column) for column in zip(*(self._numbers[at : at + length].tolist() for at in begins), strict=True)
        ]


def counters_file(places: int) -> int:
    """A file for as many processes; returns its descriptor."""
    return shared_file("geckos3-metrics", places * _PART * _WORD)


def _names(names: Iterable[str], most: int) -> list[str]:
    return sorted({"", *names})[:most]


def _histogram(bounds: Sequence[float], numbers: Sequence[float], start: int) -> Histogram:
    return Histogram(bounds, numbers[start : start + _BUCKETS], numbers[start + _BUCKETS])
