"""Callers who fail to prove who they are: answered later and later, without anybody else waiting, and told in the log."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.resources.gates.logins import DEEPEST, LINES, LOGIN_BUDGET, LONGEST, Logins, delay_of
from tests.resources.asking import FakeRequest, Shop, shop

RIGHT, WRONG, UNKNOWN = "Bearer key:secret", "Bearer key:wr0ng", "Bearer nobody:wr0ng"
FREE = int(LOGIN_BUDGET.burst)


@pytest.fixture
def there() -> Iterator[Shop]:
    tally = Tally()
    there = shop(auth=True, front=Front(trusted=1))
    there.service.logins = Logins(tally, there.clock)
    yield there
    os.close(tally.fileno)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    found: list[str] = []

    def watch(event: LogEvent) -> None:
        if event["log_level"] is LogLevel.warn:
            found.append(formatEvent(event))

    globalLogPublisher.addObserver(watch)
    yield found
    globalLogPublisher.removeObserver(watch)


def ask(there: Shop, authorization: str, address: str = "203.0.113.9") -> FakeRequest:
    return there.send("GET", "/", headers={"authorization": authorization, "x-forwarded-for": address})


def fail(there: Shop, times: int) -> None:
    for _ in range(times):
        ask(there, WRONG)
        there.clock.advance(0.0)


def test_the_first_failures_are_answered_at_once_and_later_ones_later_and_later(there: Shop) -> None:
    assert [ask(there, WRONG).finished for _ in range(FREE)] == [1] * FREE
    waited = []
    for _ in range(7):
        request, start = ask(there, UNKNOWN), there.clock.seconds()
        while not request.finished:
            there.clock.advance(0.125)
        assert request.status == 403
        waited.append(there.clock.seconds() - start)
    assert waited[0] < 1.0
    assert waited == sorted(waited)
    assert max(waited) == LONGEST


def test_good_requests_of_the_same_address_never_wait_and_end_the_waiting(there: Shop) -> None:
    fail(there, FREE)
    held = ask(there, WRONG)
    assert not held.finished
    assert ask(there, RIGHT).status == 200
    assert ask(there, WRONG).finished
    there.clock.advance(LONGEST)
    assert held.finished


def test_other_addresses_do_not_wait(there: Shop) -> None:
    fail(there, FREE)
    assert not ask(there, WRONG).finished
    assert ask(there, WRONG, "203.0.113.10").finished
    there.clock.advance(LONGEST)


def test_failures_in_all_processes_count_together(there: Shop) -> None:
    other = shop(auth=True, front=Front(trusted=1))
    other.service.logins = Logins(Tally(there.service.logins._tally.fileno), other.clock)
    for turn in range(FREE):
        assert ask((there, other)[turn % 2], WRONG).finished
    held = ask(other, WRONG)
    assert not held.finished
    assert ask(there, RIGHT).status == 200
    assert ask(other, WRONG).finished
    other.clock.advance(LONGEST)


def test_who_waits_takes_nobodys_place(there: Shop) -> None:
    there.service.max_in_flight = 1
    fail(there, FREE)
    held = [ask(there, WRONG) for _ in range(3)]
    assert not any(request.finished for request in held)
    assert ask(there, RIGHT, "203.0.113.10").status == 200
    there.clock.advance(LONGEST)
    assert [request.status for request in held] == [403] * 3
    assert there.service.in_flight == 0


def test_who_leaves_while_waiting_is_forgotten(there: Shop) -> None:
    fail(there, FREE)
    held = ask(there, WRONG)
    held.leave()
    assert there.log[-1].status == 499
    assert there.service.in_flight == 0
    assert not there.clock.getDelayedCalls()


def test_failures_are_forgiven_with_time(there: Shop) -> None:
    fail(there, FREE)
    there.clock.advance(60.0)
    assert ask(there, WRONG).finished


def test_requests_without_any_claim_are_no_failures(there: Shop, lines: list[str]) -> None:
    for _ in range(2 * FREE):
        assert there.ask("GET", "/").status == 403
    assert lines == []


@given(st.floats(DEEPEST, -0.001))
def test_no_answer_waits_longer_than_five_seconds(level: float) -> None:
    assert 0.25 <= delay_of(level) <= LONGEST


def test_a_failure_is_told_without_secrets(there: Shop, lines: list[str]) -> None:
    request = ask(there, WRONG)
    assert len(lines) == 1
    for told in ("203.0.113.9", "AccessDenied", "for key key", "s3.test", request.header("x-amz-request-id") or "?"):
        assert told in lines[0]
    assert "wr0ng" not in lines[0]
    assert "secret:" not in lines[0]


def test_a_wrong_signature_is_told_with_the_hosts_that_were_tried(there: Shop, lines: list[str]) -> None:
    signature = "0" * 64
    headers = {
        "authorization": "AWS4-HMAC-SHA256 Credential=key/20261121/us-east-1/s3/aws4_request,"
        f"SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={signature}",
        "x-amz-date": "20261121T030000Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    assert there.ask("GET", "/", headers=headers).status == 403
    assert "SignatureDoesNotMatch for key key" in lines[0]
    assert "hosts tried: s3.test, s3.test:80, s3.test:443" in lines[0]
    assert signature not in lines[0]
    headers["x-amz-date"] = "20261121T010000Z"
    assert b"7200 seconds behind" in there.ask("GET", "/", headers=headers).body
    assert "RequestTimeTooSkewed for key key" in lines[1]
    assert "7200 seconds behind" in lines[1]


EXPIRED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fkey%2F20261120%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20261120T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
)


def test_a_link_that_has_expired_is_told_and_is_no_guess(there: Shop, lines: list[str]) -> None:
    there.service.authenticator = Authenticator(OnePair("a/key", "secret"), there.clock.seconds)
    for _ in range(2 * FREE):
        assert b"<Expires>2026-11-20T00:01:00Z</Expires>" in there.ask("GET", f"/?{EXPIRED}").body
    assert "AccessDenied for key a/key: Request has expired" in lines[0]


def test_nobody_can_write_lines_of_his_own_into_the_log(there: Shop, lines: list[str]) -> None:
    ask(there, "Bearer a\x1b[31m{id}\x85b:c")
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert "{id}" in lines[0]


def test_the_log_is_not_flooded_and_says_how_much_is_missing(there: Shop, lines: list[str]) -> None:
    for host in range(200):
        ask(there, UNKNOWN, f"203.0.113.{host}")
    assert len(lines) == LINES.burst
    there.clock.advance(10.0)
    ask(there, UNKNOWN, "203.0.113.250")
    assert lines[-2] == "150 more requests failed to prove who asks"
