"""What is read of a bucket in which nothing was ever set."""

from typing import Any

import pytest

from tests.resources.asking import Shop, shop
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


def of(operation: str, reply: Any) -> dict[str, Any]:
    found = read(operation, reply)
    del found["ResponseMetadata"]
    return found


@pytest.mark.parametrize(
    ("operation", "query", "expected"),
    [
        ("GetBucketAccelerateConfiguration", "accelerate", {}),
        ("GetBucketRequestPayment", "requestPayment", {"Payer": "BucketOwner"}),
        ("GetBucketAbac", "abac", {"AbacStatus": {"Status": "Disabled"}}),
        ("ListBucketAnalyticsConfigurations", "analytics", {"IsTruncated": False}),
        ("ListBucketIntelligentTieringConfigurations", "intelligent-tiering", {"IsTruncated": False}),
        ("ListBucketInventoryConfigurations", "inventory", {"IsTruncated": False}),
        ("ListBucketMetricsConfigurations", "metrics", {"IsTruncated": False}),
    ],
)
def test_what_was_never_set_is_told_as_such(there: Shop, operation: str, query: str, expected: dict[str, Any]) -> None:
    assert of(operation, there.ask("GET", f"/photos?{query}")) == expected
    assert there.ask("GET", f"/nowhere?{query}").status == 404


@pytest.mark.parametrize("report", ["analytics", "intelligent-tiering", "inventory", "metrics"])
def test_a_report_that_nobody_configured_does_not_exist(there: Shop, report: str) -> None:
    reply = there.ask("GET", f"/photos?{report}&id=weekly")
    assert reply.status == 404
    assert b"<Code>NoSuchConfiguration</Code>" in reply.body
    for method in ("PUT", "DELETE"):
        assert there.ask(method, f"/photos?{report}&id=weekly", b"").status == 501


def test_there_is_no_replication(there: Shop) -> None:
    reply = there.ask("GET", "/photos?replication")
    assert reply.status == 404
    assert read("GetBucketReplication", reply)["Error"]["Code"] == "ReplicationConfigurationNotFoundError"


@pytest.mark.parametrize(("payer", "status"), [("BucketOwner", 200), ("Requester", 501), ("Nobody", 400), ("", 400)])
def test_only_the_owner_can_pay(there: Shop, payer: str, status: int) -> None:
    body = f"<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>".encode()
    assert there.ask("PUT", "/photos?requestPayment", body).status == status
    assert b"<Payer>BucketOwner</Payer>" in there.ask("GET", "/photos?requestPayment").body
    assert there.ask("PUT", "/nowhere?requestPayment", body).status in (400, 404)
