"""The last requests, in memory that several processes share."""

from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.access_logs.recent import KEPT, SLOT, Recent, recent_file


def entry(
    number: int = 0, target: bytes = b"/", error: str = "", why: str = "", operation: str = "GetObject"
) -> AccessEntry:
    return AccessEntry(float(number), 0.5, f"{number}", "GET", target, 200, 3, "192.0.2.1:7", operation, error, why=why)


def rings() -> tuple[Recent, Recent]:
    file = recent_file(2)
    return Recent(file, 2, 0), Recent(file, 2, 1)


def test_each_process_sees_the_requests_of_all_in_their_order() -> None:
    one, other = rings()
    one.add(entry(1))
    other.add(entry(2))
    one.add(entry(3))
    for reader in (one, other):
        assert [seen.request_id for seen in reader.since([0, 0])] == ["1", "2", "3"]
        assert [seen.request_id for seen in reader.since([1, 0])] == ["2", "3"]
    assert one.counts() == [2, 1]


def test_only_the_last_ones_are_kept_but_for_the_place_that_is_written_next() -> None:
    one, other = rings()
    for number in range(KEPT + 7):
        one.add(entry(number))
    found = [seen.number for seen in other.since([0, 0])]
    assert found == list(range(8, KEPT + 7))


def test_who_takes_the_place_of_another_process_goes_on_counting() -> None:
    file = recent_file(1)
    Recent(file, 1, 0).add(entry(1))
    again = Recent(file, 1, 0)
    again.add(entry(2))
    assert (again.counts(), [seen.request_id for seen in again.since([0])]) == ([2], ["1", "2"])


def test_what_does_not_fit_is_cut_off_and_the_next_entry_is_whole() -> None:
    one, _ = rings()
    long = "\U0001f98e" * SLOT
    one.add(entry(1, b"/" + b"x" * SLOT, long, long)._replace(bucket=long, access_key=long, method="M" * SLOT))
    one.add(entry(2))
    first, second = one.since([0, 0])
    assert first.uri.startswith("/xxx") and first.error.startswith("\U0001f98e") and len(first.error) < SLOT
    assert (second.request_id, second.uri) == ("2", "/")


def test_signatures_are_masked_and_what_the_admin_api_answered_is_not_kept() -> None:
    one, _ = rings()
    one.add(entry(1, b"/photos/cat?X-Amz-Signature=abc"))
    one.add(entry(2, operation="admin:ServerInfo"))
    assert [seen.uri for seen in one.since([0, 0])] == ["/photos/cat?X-Amz-Signature=***"]
