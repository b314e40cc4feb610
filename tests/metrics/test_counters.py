"""The counters of finished requests: what all processes counted together, shown as Prometheus reads it."""

import os

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gecko_tw.metrics.counters import GAUGES, MOST_OPERATIONS, RequestCounters, counters_file
from gecko_tw.metrics.exposition import Told, exposition

OPERATIONS, CODES = ("GetObject", "PutObject"), ("AccessDenied", "NoSuchKey")
PLACES = {"GetObject": ("GET", "/:bucket/*objectKey"), "PutObject": ("PUT", "/:bucket/*objectKey")}

REQUESTS = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["GetObject", "PutObject", "OfADropin"]),
    st.sampled_from([100, 200, 204, 299, 307, 404, 418, 503, 599]),
    st.sampled_from(["", "NoSuchKey", "Unheard"]),
    st.sampled_from([0.0, 0.005, 0.0051, 1.0, 30.0, 31.0, 4000.0]),
    st.sampled_from([0, 1, 256, 257, 5 * 1024**3, 6 * 1024**4]),
    st.sampled_from([0, 255, 4096]),
)


def processes(number: int) -> list[RequestCounters]:
    fileno = counters_file(number)
    try:
        return [RequestCounters(fileno, place, OPERATIONS, CODES) for place in range(number)]
    finally:
        os.close(fileno)


def count(counters: RequestCounters, request: list) -> None:
    operation, status, code, seconds, received, sent = request
    counters.count(operation, status, code, seconds=seconds, received=received, sent=sent)


@given(st.lists(REQUESTS, max_size=30))
def test_what_all_processes_counted_is_shown_by_each(requests: list[tuple]) -> None:
    counters = processes(3)
    for place, *request in requests:
        count(counters[place], request)
    for one in counters:
        rows = {row.operation: row for row in one.rows()}
        assert sum(sum(row.statuses.values()) for row in rows.values()) == len(requests)
        for name in OPERATIONS:
            own = [request for _, *request in requests if request[0] == name]
            if own:
                row = rows[name]
                assert sum(row.duration.counts) == sum(row.received.counts) == sum(row.sent.counts) == len(own)
                assert row.received.total == sum(request[4] for request in own)
                assert row.sent.total == sum(request[5] for request in own)
            else:
                assert name not in rows
        refused = [request[2] for _, *request in requests if request[2]]
        assert one.refusals() == {
            code: refused.count(told) for code, told in (("NoSuchKey", "NoSuchKey"), ("", "Unheard")) if told in refused
        }


@given(st.lists(REQUESTS, min_size=1, max_size=30))
def test_prometheus_reads_the_document(requests: list[tuple]) -> None:
    (counters,) = processes(1)
    for _, *request in requests:
        count(counters, request)
    told = Told("1.2.3", PLACES, {"disk_free_bytes": ("Free.", 7.0)})
    families = {one.name: one for one in text_string_to_metric_families(exposition(counters, told).decode())}
    answered = families["geckos3_requests"].samples
    assert sum(sample.value for sample in answered) == len(requests)
    at_places = [sample for sample in families["http_requests"].samples if sample.name == "http_requests_total"]
    assert sum(sample.value for sample in at_places) == sum(request[1] in PLACES for request in requests)
    assert all(sample.labels["path"] == "/:bucket/*objectKey" for sample in at_places)
    for name in ("http_request_duration_seconds", "http_request_size_bytes", "geckos3_request_seconds"):
        samples = families[name].samples if name in families else []
        groups: dict[tuple, list[float]] = {}
        for sample in samples:
            if sample.name.endswith("_bucket"):
                rest = tuple(value for key, value in sorted(sample.labels.items()) if key != "le")
                groups.setdefault(rest, []).append(sample.value)
        assert all(numbers == sorted(numbers) for numbers in groups.values())
    assert families["geckos3_disk_free_bytes"].samples[0].value == 7
    assert families["geckos3_build_info"].samples[0].labels == {"version": "1.2.3"}


def test_the_state_of_all_processes_is_added_up() -> None:
    counters = processes(2)
    counters[0].tell(range(len(GAUGES)))
    counters[1].tell([1] * len(GAUGES))
    assert counters[0].gauges() == {name: index + 1 for index, name in enumerate(GAUGES)}
    counters[1].tell([0] * len(GAUGES))
    assert counters[0].gauges() == {name: index for index, name in enumerate(GAUGES)}


def test_more_operations_than_there_are_counters_for_are_counted_all_the_same() -> None:
    names = [f"Operation{number:03}" for number in range(MOST_OPERATIONS + 10)]
    counters = RequestCounters(counters_file(1), 0, names, CODES)
    for name in names:
        count(counters, [name, 200, "", 0.1, 0, 0])
    rows = {row.operation: sum(row.statuses.values()) for row in counters.rows()}
    assert sum(rows.values()) == len(names)
    assert rows[""] == len(names) - MOST_OPERATIONS + 1
