"""How many requests an address and a key may make, and how that is changed while requests come."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.resources.gates.rate_limits import KIND, OVERRIDE, RateLimits
from gecko_tw.store.records import BucketRecord
from tests.callers.signatures import signing
from tests.callers.signatures.signing import ACCESS_KEY, SECRET, signed_form
from tests.resources.asking import Shop, shop
from tests.store.encryption.rings import DictDocuments

BEARER = {"authorization": "Bearer key:secret"}


@pytest.fixture
def tally() -> Iterator[Tally]:
    made = Tally()
    yield made
    os.close(made.fileno)


def limited(tally: Tally, auth: bool = True, documents: Any = None, **budgets: Budget) -> Shop:
    there = shop(auth=auth, front=Front(trusted=1))
    there.service.limits = RateLimits(tally, 1, there.clock.seconds, documents=documents, **budgets)
    return there


def statuses(there: Shop, count: int, target: str = "/", **headers: str) -> list[int]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return [there.ask("GET", target, headers=given).status for _ in range(count)]


def test_an_address_is_told_to_slow_down_and_when_to_come_again(tally: Tally) -> None:
    there = limited(tally, auth=False, address=Budget(0.1, 3))
    assert statuses(there, 4) == [200, 200, 200, 503]
    refused = there.ask("GET", "/")
    assert b"<Code>SlowDown</Code>" in refused.body
    assert refused.header("Retry-After") == "10"
    there.clock.advance(7)
    assert there.ask("GET", "/").header("Retry-After") == "3"
    there.clock.advance(3)
    assert statuses(there, 2) == [200, 503]


def test_other_addresses_have_budgets_of_their_own(tally: Tally) -> None:
    there = limited(tally, auth=False, address=Budget(0.1, 1))
    assert statuses(there, 2, x_forwarded_for="203.0.113.9") == [200, 503]
    assert statuses(there, 2, x_forwarded_for="9.9.9.9, 203.0.113.10") == [200, 503]
    assert statuses(there, 1, x_forwarded_for="9.9.9.8, 203.0.113.10") == [503]


def test_an_address_is_counted_before_anybody_looks_who_asks(tally: Tally) -> None:
    there = limited(tally, address=Budget(0.1, 2))
    assert statuses(there, 3) == [403, 403, 503]
    assert statuses(there, 1, "/%zz") == [503]


def test_a_key_is_counted_wherever_it_is_used_and_only_when_it_was_proven(tally: Tally) -> None:
    there = limited(tally, key=Budget(0.1, 2))
    assert statuses(there, 3, authorization="Bearer key:wrong") == [403, 403, 403]
    spread = [statuses(there, 1, x_forwarded_for=f"203.0.113.{host}", **BEARER) for host in range(3)]
    assert spread == [[200], [200], [503]]
    assert statuses(there, 2) == [403, 403]


def test_a_form_spends_the_budget_of_the_key_that_signed_it(tally: Tally) -> None:
    there = limited(tally, key=Budget(0.1, 1))
    there.service.authenticator = Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: signing.NOW)
    there.service.buckets.create(BucketRecord(name="photos", created=there.service.now()))
    conditions = [{"bucket": "photos"}, {"key": "cat"}]
    fields = signed_form({"key": "cat"}, {"expiration": "2030-01-01T00:00:00Z", "conditions": conditions})
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    parts.append('--x\r\nContent-Disposition: form-data; name="file"; filename="cat"\r\n\r\nmew\r\n--x--\r\n')
    headers = {"content-type": "multipart/form-data; boundary=x"}
    body = "".join(parts).encode()
    assert [there.ask("POST", "/photos", body, headers=headers).status for _ in range(2)] == [204, 503]


def test_health_is_told_to_everybody_at_any_time(tally: Tally) -> None:
    there = limited(tally, auth=False, address=Budget(0.1, 1))
    assert statuses(there, 2) == [200, 503]
    assert statuses(there, 20, "/health") == [200] * 20


def test_an_override_counts_within_a_second_and_the_settings_again_when_it_is_gone(tally: Tally) -> None:
    documents = DictDocuments()
    there = limited(tally, auth=False, documents=documents, address=Budget(0.001, 1))
    assert statuses(there, 2) == [200, 503]
    documents.change(KIND, OVERRIDE, lambda _: {"address": [0, 0]})
    there.clock.advance(1.0)
    assert statuses(there, 5) == [200] * 5
    documents.change(KIND, OVERRIDE, lambda _: {"address": [0.001, 2]})
    there.clock.advance(1.0)
    assert 503 in statuses(there, 5)
    documents.change(KIND, OVERRIDE, lambda _: None)
    there.clock.advance(1.0)
    assert statuses(there, 1) == [503]


def test_an_override_of_one_limit_leaves_the_other_as_it_is_set(tally: Tally) -> None:
    documents = DictDocuments()
    there = limited(tally, documents=documents, key=Budget(0.001, 1))
    documents.change(KIND, OVERRIDE, lambda _: {"address": [0.001, 3]})
    assert statuses(there, 4, **BEARER) == [200, 503, 503, 503]
    assert b"SlowDown" in there.ask("GET", "/").body


def test_documents_are_looked_at_once_a_second(tally: Tally) -> None:
    documents = DictDocuments()
    asked = []
    documents.revision = lambda: asked.append(1) or 0  # type: ignore[method-assign,func-returns-value]
    there = limited(tally, auth=False, documents=documents)
    statuses(there, 10)
    there.clock.advance(1.0)
    statuses(there, 10)
    assert len(asked) == 2
