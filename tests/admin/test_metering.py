"""What a process counts of its requests."""

from gecko_tw.admin.metering import TEMPLATES, Metrics
from gecko_tw.metrics.counters import MOST_CODES, MOST_OPERATIONS, counters_file
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.answers.answer import STATUS
from gecko_tw.resources.dispatch.families import built_in


def test_every_operation_and_error_code_has_a_counter_and_what_it_addresses_a_template() -> None:
    rows = [row for rows in built_in().rows.values() for row in rows]
    assert {row.target for row in rows} <= set(TEMPLATES)
    assert len({row.name for row in rows}) < MOST_OPERATIONS
    assert len(STATUS) < MOST_CODES


def test_a_request_of_iam_is_counted_as_one_of_the_root() -> None:
    metrics = Metrics((counters_file(1), 0), built_in())
    metrics.count(AccessEntry(1.0, 0.002, "1F", "POST", b"/", 200, 3, "127.0.0.1:1", "CreateUser", received=9))
    document = metrics.document(dict)
    assert b'http_requests_total{method="POST",path="/",status="200"} 1.0' in document
    assert b'geckos3_received_bytes_total{operation="CreateUser"} 9.0' in document
