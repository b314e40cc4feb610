"""Ranges and preconditions against models of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import InvalidRange, NotImplemented_
from gecko_tw.resources.headers.conditions import (
    bare_etag,
    check_copy_source,
    check_read,
    copy_range,
    http_seconds,
    parse_range,
    remove_conditions,
    wanted_range,
    write_conditions,
)
from gecko_tw.resources.headers.objects import http_date
from gecko_tw.store.refusals import InvalidArgument, PreconditionFailed
from gecko_tw.store.requests import WriteConditions

MODIFIED = 1_700_000_000
NS = 1_000_000_000
NOW = 2 * MODIFIED * NS
sizes = st.integers(0, 50) | st.integers(0, 2**62)
places = st.integers(0, 60) | st.integers(0, 2**70)


@given(size=sizes, first=places, last=places)
def test_a_range_is_what_slicing_says(size: int, first: int, last: int) -> None:
    header = f"bytes={first}-{last}".encode()
    if last < first:
        assert parse_range(header, size) is None
    elif first >= size:
        with pytest.raises(InvalidRange):
            parse_range(header, size)
    else:
        assert parse_range(header, size) == (first, min(last, size - 1))


@given(size=sizes, first=places)
def test_an_open_range_ends_with_the_object(size: int, first: int) -> None:
    header = f"bytes={first}-".encode()
    if first < size:
        assert parse_range(header, size) == (first, size - 1)
    else:
        with pytest.raises(InvalidRange):
            parse_range(header, size)


@given(size=sizes, length=places)
def test_a_suffix_longer_than_the_object_is_the_whole_of_it(size: int, length: int) -> None:
    header = f"bytes=-{length}".encode()
    if length:
        assert parse_range(header, size) == ((max(size - length, 0), size - 1) if size else None)
    else:
        with pytest.raises(InvalidRange):
            parse_range(header, size)


@given(
    st.binary(max_size=20).filter(lambda text: b"=" not in text) | st.just(b"bytes=0-1,3-4") | st.just(b"bytes=1-\xb2")
)
def test_what_is_no_single_range_of_bytes_is_ignored(text: bytes) -> None:
    assert parse_range(text, 10) is None


@given(st.binary(max_size=12))
def test_no_range_is_ever_outside_of_the_object(text: bytes) -> None:
    try:
        found = parse_range(b"bytes=" + text, 10)
    except InvalidRange:
        return
    assert found is None or 0 <= found[0] <= found[1] < 10


def test_a_refused_range_tells_the_size() -> None:
    with pytest.raises(InvalidRange) as refused:
        parse_range(b"bytes=10-", 10)
    assert refused.value.details == {"RangeRequested": "bytes=10-", "ActualObjectSize": "10"}


@pytest.mark.parametrize(
    ("if_range", "honoured"),
    [
        (b'"e"', True),
        (b"e", True),
        (b'"other"', False),
        (b'W/"e"', False),
        (http_date(MODIFIED), True),
        (http_date(MODIFIED - 1), False),
        (http_date(MODIFIED + 1), False),
    ],
)
def test_if_range_sends_the_whole_of_another_state(if_range: bytes, honoured: bool) -> None:
    headers = {b"range": b"bytes=0-0", b"if-range": if_range}
    assert wanted_range(headers, 5, "e", MODIFIED * NS + 5) == ((0, 0) if honoured else None)


ABSENT = None


@pytest.mark.parametrize("match", [ABSENT, True, False])
@pytest.mark.parametrize("unmodified", [ABSENT, True, False])
@pytest.mark.parametrize("none_match", [ABSENT, True, False])
@pytest.mark.parametrize("modified", [ABSENT, True, False])
def test_the_truth_table_of_conditional_reads(
    match: bool | None, unmodified: bool | None, none_match: bool | None, modified: bool | None
) -> None:
    """``True`` means that the condition holds (RFC 9110, 13.2.2)."""
    headers = {}
    if match is not ABSENT:
        headers[b"if-match"] = b'"e"' if match else b'"x"'
    if unmodified is not ABSENT:
        headers[b"if-unmodified-since"] = http_date(MODIFIED if unmodified else MODIFIED - 1)
    if none_match is not ABSENT:
        headers[b"if-none-match"] = b'"x"' if none_match else b'"e"'
    if modified is not ABSENT:
        headers[b"if-modified-since"] = http_date(MODIFIED - 1 if modified else MODIFIED)
    failed = match is False or (match is ABSENT and unmodified is False)
    not_modified = none_match is False or (none_match is ABSENT and modified is False)
    if failed:
        with pytest.raises(PreconditionFailed) as refused:
            check_read(headers, "e", MODIFIED * NS + 999, NOW)
        assert refused.value.details["Condition"] == ("If-Match" if match is False else "If-Unmodified-Since")
    else:
        assert check_read(headers, "e", MODIFIED * NS + 999, NOW) is not not_modified


@pytest.mark.parametrize("listed", [b"*", b"e", b'"e"', b'"x", "e"', b'"x",e'])
def test_an_etag_is_found_in_a_list_with_or_without_quotes(listed: bytes) -> None:
    assert check_read({b"if-match": listed}, "e", 0, NOW)
    assert not check_read({b"if-none-match": listed}, "e", 0, NOW)


def test_a_weak_etag_counts_for_if_none_match_only() -> None:
    assert not check_read({b"if-none-match": b'W/"e"'}, "e", 0, NOW)
    with pytest.raises(PreconditionFailed):
        check_read({b"if-match": b'W/"e"'}, "e", 0, NOW)


def test_a_date_that_is_none_is_ignored() -> None:
    assert check_read({b"if-modified-since": b"yesterday", b"if-unmodified-since": b""}, "e", MODIFIED * NS, NOW)


@pytest.mark.parametrize("prefix", [b"", b"x-amz-copy-source-"])
def test_a_date_in_the_future_is_no_condition_of_if_modified_since(prefix: bytes) -> None:
    now = MODIFIED * NS + 999
    assert check_read({prefix + b"if-modified-since": http_date(MODIFIED + 1)}, "e", MODIFIED * NS, now, prefix)
    assert not check_read({prefix + b"if-modified-since": http_date(MODIFIED)}, "e", MODIFIED * NS, now, prefix)


@given(st.integers(0, 4_000_000_000))
def test_http_dates_are_read_as_they_are_written(seconds: int) -> None:
    assert http_seconds(http_date(seconds)) == seconds


@given(st.binary(max_size=40))
def test_nothing_in_a_date_header_is_an_internal_error(text: bytes) -> None:
    assert isinstance(http_seconds(text), int | None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"if-match", b'"x"'),
        (b"if-none-match", b'"e"'),
        (b"if-modified-since", http_date(MODIFIED)),
        (b"if-unmodified-since", http_date(MODIFIED - 1)),
    ],
)
def test_every_failed_condition_of_a_copy_is_a_failed_precondition(name: bytes, value: bytes) -> None:
    with pytest.raises(PreconditionFailed) as refused:
        check_copy_source({b"x-amz-copy-source-" + name: value}, "e", MODIFIED * NS, NOW)
    assert refused.value.details["Condition"].lower() == f"x-amz-copy-source-{name.decode()}"
    check_copy_source({name: value}, "e", MODIFIED * NS, NOW)


def test_write_conditions_are_those_that_s3_has() -> None:
    assert write_conditions({}) == WriteConditions()
    assert write_conditions({b"if-none-match": b"*"}) == WriteConditions(if_none_match="*")
    assert write_conditions({b"if-match": b'"abc"'}) == WriteConditions(if_match="abc")
    assert write_conditions({b"if-match": b"*"}) == WriteConditions(if_match="*")


@pytest.mark.parametrize(
    "headers",
    [
        {b"if-none-match": b'"abc"'},
        {b"if-none-match": b"*", b"if-match": b'"abc"'},
        {b"if-modified-since": b"x"},
        {b"if-unmodified-since": b"x"},
    ],
)
def test_other_write_conditions_are_refused(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(NotImplemented_):
        write_conditions(headers)


def test_a_delete_may_name_etag_size_and_time() -> None:
    headers = {
        b"if-match": b'"abc"',
        b"x-amz-if-match-size": b"12",
        b"x-amz-if-match-last-modified-time": http_date(MODIFIED),
    }
    assert remove_conditions(headers) == WriteConditions(if_match="abc", if_size=12, if_modified=MODIFIED)


@pytest.mark.parametrize("name", [b"x-amz-if-match-size", b"x-amz-if-match-last-modified-time"])
def test_a_malformed_condition_of_a_delete_is_refused(name: bytes) -> None:
    with pytest.raises(InvalidArgument):
        remove_conditions({name: b"soon"})
    with pytest.raises(NotImplemented_):
        remove_conditions({b"if-none-match": b"*"})


@given(first=st.integers(0, 2**70), more=st.integers(0, 100))
def test_a_copy_range_has_both_ends(first: int, more: int) -> None:
    wanted = copy_range(f"bytes={first}-{first + more}")
    assert wanted == (first, first + more)


@pytest.mark.parametrize("value", ["", "bytes=1-", "bytes=-1", "1-2", "bytes=2-1", "bytes=a-b", "bytes=0-1,3-4"])
def test_any_other_copy_range_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgument):
        copy_range(value)


@given(st.text(max_size=10))
def test_quotes_are_taken_off_an_etag_once(text: str) -> None:
    assert bare_etag(f'"{text}"') == text
