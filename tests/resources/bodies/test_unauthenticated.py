"""Whoever has not been permitted anything cannot keep others from being answered."""

from typing import Any

import pytest

from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.resources.bodies.streams import DOCUMENT_SECONDS
from gecko_tw.resources.bodies.unauthenticated import BODY_TIMEOUT, LONGEST, Unauthenticated
from tests.resources.accounts import market, put_policy
from tests.resources.asking import FakeRequest, FakeUpload, Shop, shop
from tests.resources.families.test_post_object import TYPE, form

FORM = {"content-type": "application/x-www-form-urlencoded"}
VOUCHED = {"x-amz-checksum-crc32": "AAAAAA=="}
KINDS: list[tuple[str, str, dict[str, str]]] = [
    ("POST", "/", FORM),
    ("POST", "/photos", {"content-type": TYPE}),
    ("POST", "/photos?delete", VOUCHED),
]
"""Requests of nobody whose bodies must be read before it is known whether they may be made."""


def begin(there: Shop, method: str, target: str, headers: dict[str, str], who: str = "192.0.2.1") -> FakeRequest:
    """A request whose body does not come."""
    upload = FakeUpload([b"x"], 5000, held=True)
    given: dict[str, Any] = {**headers, "content-length": "5000", "x-forwarded-for": who}
    return there.send(method, target, headers=given, upload=upload)


@pytest.fixture
def there() -> Shop:
    there, _ = market(max_in_flight=2, front=Front(trusted=1))
    there.ask("PUT", "/photos", headers={"authorization": "main"})
    return there


def is_answered(there: Shop) -> bool:
    return there.ask("GET", "/photos", headers={"authorization": "main"}).status == 200


@pytest.mark.parametrize(("method", "target", "headers"), KINDS)
def test_bodies_that_do_not_come_keep_nobody_from_being_answered(
    there: Shop, method: str, target: str, headers: dict[str, str]
) -> None:
    waiting = [begin(there, method, target, headers) for _ in range(5)]
    assert [request.upload.patience for request in waiting] == [BODY_TIMEOUT] * 5
    assert is_answered(there)
    for request in waiting:
        request.upload.within(0)
    assert {request.status for request in waiting} == {400}
    assert there.service.in_flight == 0


@pytest.mark.parametrize(("method", "target", "headers"), KINDS)
def test_who_has_waited_longest_gives_way(there: Shop, method: str, target: str, headers: dict[str, str]) -> None:
    there.service.unauthenticated = Unauthenticated(most=4, most_of_address=2)
    mine = [begin(there, method, target, headers) for _ in range(3)]
    there.clock.advance(0)
    assert [request.status for request in mine] == [400, 0, 0]
    others = [begin(there, method, target, headers, f"192.0.2.{number}") for number in (2, 3, 4)]
    there.clock.advance(0)
    assert [request.status for request in mine + others] == [400, 400, 0, 0, 0, 0]
    assert b"RequestTimeout" in mine[1].body
    for request in mine + others:
        request.upload.within(0)
    assert there.service.in_flight == 0


def test_what_comes_at_once_takes_nobodys_place(there: Shop) -> None:
    there.service.unauthenticated = Unauthenticated(most=1)
    waiting = begin(there, "POST", "/", FORM)
    for _ in range(3):
        assert there.ask("POST", "/photos?delete", b"<Delete/>", headers=VOUCHED).status == 400
        there.clock.advance(0)
    assert waiting.status == 0
    waiting.upload.within(0)


def test_a_document_of_nobody_is_small() -> None:
    there, _ = market()
    there.ask("PUT", "/photos", headers={"authorization": "main"})
    put_policy(there, "photos")
    body = b" " * LONGEST + b"<Delete><Object><Key>a</Key></Object></Delete>"
    reply = there.ask("POST", "/photos?delete", body, headers=VOUCHED)
    assert b"<Code>MaxMessageLengthExceeded</Code>" in reply.body
    reply = there.ask("POST", "/photos?delete", body, headers={**VOUCHED, "authorization": "main"})
    assert b"<Code>BadDigest</Code>" in reply.body


def test_what_needs_a_signature_is_refused_without_its_body(there: Shop) -> None:
    request = begin(there, "PUT", "/fresh", {})
    assert (request.status, request.upload.patience) == (403, None)


def test_a_document_of_somebody_has_a_deadline_of_its_own(there: Shop) -> None:
    for method, target in (("POST", "/photos?delete"), ("PUT", "/photos?tagging"), ("PUT", "/fresh")):
        request = begin(there, method, target, {**VOUCHED, "authorization": "main"})
        assert request.upload.patience == DOCUMENT_SECONDS
        request.upload.within(0)


def test_the_file_of_a_form_may_take_as_long_as_any_other() -> None:
    there, _ = market()
    there.ask("PUT", "/photos", headers={"authorization": "main"})
    whole = form({"key": "cat", "x-ignore-by": "main"}, b"meow" * 100)
    upload = FakeUpload([whole], len(whole), held=True)
    request = there.send("POST", "/photos", headers={"content-type": TYPE, "content-length": "1"}, upload=upload)
    assert upload.patience == BODY_TIMEOUT
    upload.consumer.write(whole[:-200])
    assert upload.patience is None
    assert there.service.in_flight == 1
    upload.pieces = [whole[-200:]]
    upload.release()
    assert request.status == 204


def test_nothing_is_waited_for_where_everybody_may_do_everything() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    request = begin(there, "POST", "/photos", {"content-type": TYPE})
    assert request.upload.patience is None
    request.upload.within(0)
