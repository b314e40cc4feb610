"""Status numbers and error documents."""

from types import ModuleType

import pytest
from lxml import etree

from gecko_tw.callers import refusals as callers_refusals
from gecko_tw.callers.access.policies import refusals as policies_refusals
from gecko_tw.resources.answers import refusals as resources_refusals
from gecko_tw.resources.answers.answer import STATUS, answer_for
from gecko_tw.resources.answers.refusals import InvalidRange
from gecko_tw.resources.call import Call
from gecko_tw.resources.documents import query_protocol
from gecko_tw.store import refusals as store_refusals
from gecko_tw.store.refusals import NoSuchKey, Refusal, SlowDown
from gecko_tw.wire.head import head_of
from tests.resources.asking import shop


def refusals_of(module: ModuleType) -> list[type[Refusal]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Refusal)]
    return [value for value in found if value is not Refusal]


MODULES = (store_refusals, callers_refusals, policies_refusals, resources_refusals)
EVERY = [one for module in MODULES for one in refusals_of(module)]


def call_of(method: str = "GET") -> Call:
    head = head_of(method, b"/photos/a%2Fb?x=1")
    return Call(None, head, {}, "photos", b"a/b", None, shop().service, None, {}, "0123")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_status_and_a_message(kind: type[Refusal]) -> None:
    refusal = kind()
    answer = answer_for(refusal, call_of())
    assert 400 <= answer.status < 600
    document = etree.fromstring(answer.body)
    assert document.findtext("Code") == refusal.code
    assert document.findtext("Message")
    assert "\n" not in document.findtext("Message")


def test_no_status_is_kept_for_a_code_that_nobody_gives() -> None:
    assert set(STATUS) == {kind().code for kind in EVERY} | set(query_protocol.CODES.values())


def test_an_error_tells_what_was_addressed_and_which_request_it_was() -> None:
    call = call_of()
    document = etree.fromstring(answer_for(NoSuchKey(Key="a<b"), call).body)
    assert {child.tag: child.text for child in document} == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Resource": "/photos/a%2Fb",
        "Key": "a<b",
        "RequestId": "0123",
        "HostId": call.service.host_id,
    }


def test_an_error_answers_head_without_a_document() -> None:
    answer = answer_for(NoSuchKey(), call_of("HEAD"))
    assert (answer.status, answer.body) == (404, b"")


def test_slow_down_says_when_to_come_again() -> None:
    assert (b"Retry-After", b"1") in answer_for(SlowDown(), call_of()).headers


def test_an_unsatisfiable_range_tells_the_size_in_its_header() -> None:
    assert (b"Content-Range", b"bytes */7") in answer_for(InvalidRange(ActualObjectSize=7), call_of()).headers
