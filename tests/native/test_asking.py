"""What the reading of a frame costs: a client chooses what is in it."""

import sys
from collections.abc import Callable
from typing import Any

from gecko_tw.native import frames
from gecko_tw.native.frames import i32, mapping, string
from gecko_tw.native.server import asking
from gecko_tw.native.server.asking import asked
from gecko_tw.resources.dispatch.operations import PUT

WHERE = string("photos") + string("k")


def calls_of(work: Callable[[], object]) -> int:
    """How many functions work calls."""
    count = 0

    def called(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def put(names: int) -> bytes:
    return WHERE + string("") + mapping({f"name-{number}": "" for number in range(names)})


def test_twice_as_many_names_are_twice_as_much_work_and_not_more():
    few, many = put(500), put(1000)
    assert calls_of(lambda: asked(frames.PUT_OBJECT, many)) < 2.1 * calls_of(lambda: asked(frames.PUT_OBJECT, few))
    found = asked(frames.PUT_OBJECT, many)
    assert found is not None
    assert len(found.headers) == 1001


def test_names_that_differ_in_their_case_alone_are_no_metadata():
    found = asked(frames.PUT_OBJECT, WHERE + string("") + mapping({"Camera": "", "camera": ""}))
    assert found is not None
    assert found.method == PUT
    assert found.address.refusal is not None


def test_what_is_longer_than_any_name_is_not_remembered():
    asked(frames.PUT_OBJECT, WHERE + string("") + mapping({}))
    remembered = asking._bucket_again.cache_info().currsize, asking._kind_again.cache_info().currsize
    long = "n" * 60_000
    for number in range(3):
        asked(frames.LIST_OBJECTS, string(f"{number}{long}") + string("") * 3 + i32(1))
        asked(frames.PUT_OBJECT, WHERE + string(f"{number}{long}") + mapping({}))
        asked(frames.CREATE_UPLOAD, string(f"{number}{long}") + string("k") + string(f"{number}{long}"))
    assert remembered == (asking._bucket_again.cache_info().currsize, asking._kind_again.cache_info().currsize)
