"""What is told of a signature that was not good."""

import pytest

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.v4 import iso_date
from gecko_tw.resources.gates.mismatches import what_differed
from gecko_tw.store.refusals import Refusal
from gecko_tw.wire.head import Head, head_of
from tests.end_to_end.matrix.signing import Asked, Signer
from tests.resources.asking import NOW

PAIR = ("key", "secret")


def signed(host: str = "s3.test", then: float = NOW, secret: str = "secret") -> dict[bytes, bytes]:
    asked = Asked(method="GET", path="/photos", headers={"x-amz-meta-a": "b"})
    made = Signer(host, "us-east-1", iso_date(then)).header(asked, ("key", secret))
    return {b"host": host.encode(), **{name.encode(): value.encode() for name, value in made.headers.items()}}


def told(headers: dict[bytes, bytes], region: str | None = None) -> str:
    head: Head = head_of("GET", b"/photos", headers)
    authenticator = Authenticator(OnePair(*PAIR), lambda: NOW, region)
    with pytest.raises(Refusal) as refused:
        authenticator.authenticate(head)
    return what_differed(head, refused.value)


def test_a_good_signature_is_the_ground_of_these_tests() -> None:
    assert Authenticator(OnePair(*PAIR), lambda: NOW).authenticate(head_of("GET", b"/photos", signed())).identity


def test_a_host_that_a_proxy_replaced_is_told() -> None:
    assert told({**signed(), b"host": b"inner:9000"}).startswith("host: inner:9000 came, tried was ")


def test_a_clock_that_is_wrong_is_told() -> None:
    assert told(signed(then=NOW - 3600)).startswith("time: it says ")


def test_a_header_that_did_not_come_is_told() -> None:
    headers = signed()
    del headers[b"x-amz-meta-a"]
    assert "header: x-amz-meta-a was signed and did not come" in told(headers)


def test_a_header_that_was_not_signed_is_told() -> None:
    assert told({**signed(), b"x-amz-acl": b"private"}) == "header: x-amz-acl came and was not signed"


def test_another_region_is_told() -> None:
    assert told(signed(), "eu-west-1") == "region: this server is in eu-west-1"


def test_a_wrong_secret_is_one_of_what_is_left() -> None:
    assert told(signed(secret="guess")).endswith(
        "else the secret, or what a proxy changed of path, query or a signed header"
    )


def test_what_a_caller_wrote_is_one_short_line() -> None:
    text = told({**signed(), b"host": b"a\x1b[2J" + b"b" * 1000})
    assert text.isprintable() and len(text) < 1000
