"""The counters in Prometheus' text format, under ByteBucket's names and under names of our own.

Source: Prometheus, "Exposition formats" and "Metric and label naming".
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gecko_tw.metrics.counters import Histogram, RequestCounters, Row

_HELP = {
    "connections": "Connections of clients.",
    "requests_in_flight": "Requests begun and not yet answered.",
    "bodies_being_written": "Bodies that are being hashed and written.",
    "catalog_pool_jobs": "Work that the threads for records do or will do.",
    "bytes_pool_jobs": "Work that the threads for bodies do or will do.",
    "process_cpu_seconds": "Processor time of the processes that answer, user and system.",
    "process_resident_bytes": "Memory of the processes that answer.",
    "process_open_fds": "File descriptors of the processes that answer.",
}


@frozen
class Told:
    """What is told beside the counters.

    :ivar version: of this program.
    :ivar places: method and template of each operation, as ``GET`` and ``/:bucket``.
    :ivar sizes: further gauges by name: bytes and numbers of what is on the disk.
    :ivar ends: of each certificate its path, its names, and when it ends, in seconds since 1970.
    """

    version: str
    places: Mapping[str, tuple[str, str]]
    sizes: Mapping[str, tuple[str, float]]
    ends: Sequence[tuple[str, str, float]] = ()


def exposition(counters: RequestCounters, told: Told) -> bytes:
    """The document that a scrape is answered with."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(counters, told))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, counters: RequestCounters, told: Told) -> None:
        self._counters, self._told = counters, told

    def collect(self) -> Iterable[Metric]:
        rows = list(self._counters.rows())
        yield from _by_place(rows, self._told.places)
        yield from _by_operation(rows)
        refusals = CounterMetricFamily("geckos3_refusals", "Refused requests by error code.", labels=["code"])
        for code, number in self._counters.refusals().items():
            refusals.add_metric([code], number)
        yield refusals
        for name, number in self._counters.gauges().items():
            kind = CounterMetricFamily if name == "process_cpu_seconds" else GaugeMetricFamily
            yield kind(f"geckos3_{name}", _HELP[name], number)
        for name, (text, number) in self._told.sizes.items():
            yield GaugeMetricFamily(f"geckos3_{name}", text, number)
        yield from _certificates(self._told.ends)
        info = GaugeMetricFamily("geckos3_build_info", "The version of this program.", labels=["version"])
        info.add_metric([self._told.version], 1)
        yield info


def _certificates(ends: Sequence[tuple[str, str, float]]) -> Iterator[Metric]:
    labels = ["path", "names"]
    at = GaugeMetricFamily("geckos3_tls_certificate_end_seconds", "When a certificate ends, since 1970.", labels=labels)
    left = GaugeMetricFamily("geckos3_tls_certificate_days_left", "Days until a certificate ends.", labels=labels)
    for path, names, end in ends:
        at.add_metric([path, names], end)
        left.add_metric([path, names], (end - time.time()) / 86400)
    return iter([at, left] if ends else [])


def _by_place(rows: list[Row], places: Mapping[str, tuple[str, str]]) -> Iterator[Metric]:
    """ByteBucket's four: requests by method, by the template of what they address, and by status."""
    requests = CounterMetricFamily("http_requests", "Answered requests.", labels=["method", "path", "status"])
    histograms = [
        (HistogramMetricFamily(name, text, labels=["method", "path"]), field)
        for name, text, field in (
            ("http_request_duration_seconds", "How long requests took.", "duration"),
            ("http_request_size_bytes", "Bytes of the bodies of requests.", "received"),
            ("http_response_size_bytes", "Bytes of the bodies of answers.", "sent"),
        )
    ]
    at_place: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.operation in places:
            at_place[places[row.operation]].append(row)
    for place, there in at_place.items():
        statuses: dict[str, float] = defaultdict(float)
        for row in there:
            for status, number in row.statuses.items():
                statuses[status] += number
        for status, number in statuses.items():
            requests.add_metric([*place, status], number)
        for family, field in histograms:
            _add(family, list(place), [getattr(row, field) for row in there])
    return iter([requests, *(family for family, _ in histograms)])


def _by_operation(rows: list[Row]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "geckos3_requests", "Answered requests by operation.", labels=["operation", "status"]
    )
    seconds = HistogramMetricFamily("geckos3_request_seconds", "How long operations took.", labels=["operation"])
    received = CounterMetricFamily("geckos3_received_bytes", "Bytes of the bodies of requests.", labels=["operation"])
    sent = CounterMetricFamily("geckos3_sent_bytes", "Bytes of the bodies of answers.", labels=["operation"])
    for row in rows:
        for status, number in row.statuses.items():
            requests.add_metric([row.operation, status], number)
        _add(seconds, [row.operation], [row.duration])
        received.add_metric([row.operation], row.received.total)
        sent.add_metric([row.operation], row.sent.total)
    yield from (requests, seconds, received, sent)


def _add(family: HistogramMetricFamily, labels: list[str], histograms: list[Histogram]) -> None:
    """Adds the sum of some histograms of the same bounds: each bucket with all that are below it."""
    running, buckets = 0.0, []
    counts = [sum(column) for column in zip(*(one.counts for one in histograms), strict=True)]
    for bound, count in zip([*map(str, histograms[0].bounds), "+Inf"], counts, strict=True):
        running += count
        buckets.append((bound, running))
    family.add_metric(labels, buckets, sum(one.total for one in histograms))
