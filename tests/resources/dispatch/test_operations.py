"""The table of operations."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import MethodNotAllowed, NotImplemented_
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import (
    BUCKET,
    GET,
    OBJECT,
    PUT,
    Operation,
    OperationTable,
    names_of,
    operation,
    rows_of,
)
from gecko_tw.resources.dispatch.subresources import SUBRESOURCES


def row(name: str, *selectors: str, method: str = GET, target: str = BUCKET) -> Operation:
    async def perform(call: object) -> None:
        """Never called."""

    return operation(name, method, target, *selectors, needs="s3:Something")(perform)


def test_the_most_specific_row_answers_whatever_the_order() -> None:
    rows = [row("List"), row("Uploads", "uploads"), row("Both", "uploads", "x-amz-copy-source")]
    for some in (rows, rows[::-1]):
        table = OperationTable([("a", some)])
        assert table.resolve(GET, BUCKET, frozenset()).name == "List"
        assert table.resolve(GET, BUCKET, frozenset({"uploads", "prefix"})).name == "Uploads"
        assert table.resolve(GET, BUCKET, frozenset({"uploads", "x-amz-copy-source"})).name == "Both"


def test_two_rows_for_one_request_are_refused_naming_both_owners() -> None:
    with pytest.raises(ValueError, match="Second: declared by one and again by two"):
        OperationTable([("one", [row("First", "cors")]), ("two", [row("Second", "cors")])])


def test_a_dropin_may_add_a_row_with_a_header_of_its_own() -> None:
    table = OperationTable([("own", [row("Get"), row("Special", "x-amz-special")])])
    present = table.present(names_of({}), {b"x-amz-special": b"1", b"host": b"x"})
    assert present == {"x-amz-special"}
    assert table.resolve(GET, BUCKET, present).name == "Special"


def test_a_method_or_a_place_without_rows_is_not_allowed() -> None:
    with pytest.raises(MethodNotAllowed):
        OperationTable([]).resolve("PATCH", OBJECT, frozenset())


def test_rows_are_found_among_the_names_of_a_family() -> None:
    first = row("First")
    assert rows_of(SimpleNamespace(first=first, other=1)) == [first]


@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]),
    target=st.sampled_from(["service", "bucket", "object"]),
    present=st.frozensets(st.sampled_from(sorted(SUBRESOURCES)) | st.text(max_size=5), max_size=4),
)
def test_a_row_never_answers_a_sub_resource_it_does_not_name(method: str, target: str, present: frozenset[str]) -> None:
    try:
        found = built_in().resolve(method, target, present)
    except (NotImplemented_, MethodNotAllowed):
        return
    assert present & SUBRESOURCES <= found.selectors <= present


@pytest.mark.parametrize("name", ["x-amz-copy-source", "X-Amz-Copy-Source"])
def test_a_header_moved_into_the_query_selects_in_any_case(name: str) -> None:
    table = built_in()
    assert table.resolve(PUT, OBJECT, table.present(names_of({name: "a/b"}), {})).name == "CopyObject"
