"""The public access block: its rows, and what each switch keeps out."""

import pytest

from gecko_tw.resources.gates.access_settings import BLOCKS
from tests.resources.accounts import ask, market, put_policy
from tests.resources.asking import FakeRequest, Shop
from tests.resources.reading import read

PHOTO = "/photos/cat.jpg"


@pytest.fixture
def there() -> Shop:
    there, _ = market()
    ask(there, "main", "PUT", "/photos")
    ask(there, "main", "PUT", PHOTO, b"meow")
    return there


def block(there: Shop, *switches: str) -> None:
    inside = "".join(f"<{name}>true</{name}>" for name in switches)
    body = f"<PublicAccessBlockConfiguration>{inside}</PublicAccessBlockConfiguration>"
    assert ask(there, "main", "PUT", "/photos?publicAccessBlock", body.encode()).status == 200


def code(reply: FakeRequest) -> tuple[int, str]:
    return reply.status, reply.body.decode().partition("<Code>")[2].partition("<")[0]


def test_a_block_comes_back_as_it_was_given_and_goes(there: Shop) -> None:
    missing = (404, "NoSuchPublicAccessBlockConfiguration")
    assert code(ask(there, "main", "GET", "/photos?publicAccessBlock")) == missing
    block(there, "BlockPublicAcls", "RestrictPublicBuckets")
    found = read("GetPublicAccessBlock", ask(there, "main", "GET", "/photos?publicAccessBlock"))
    assert found["PublicAccessBlockConfiguration"] == {
        name: name in ("BlockPublicAcls", "RestrictPublicBuckets") for name in BLOCKS
    }
    for _ in range(2):
        assert ask(there, "main", "DELETE", "/photos?publicAccessBlock").status == 204
    assert code(ask(there, "main", "GET", "/photos?publicAccessBlock")) == missing


@pytest.mark.parametrize("inside", ["<Other>true</Other>", "<BlockPublicAcls>yes</BlockPublicAcls>", "<"])
def test_a_block_that_cannot_be_is_refused(there: Shop, inside: str) -> None:
    body = f"<PublicAccessBlockConfiguration>{inside}</PublicAccessBlockConfiguration>".encode()
    assert code(ask(there, "main", "PUT", "/photos?publicAccessBlock", body)) == (400, "MalformedXML")


@pytest.mark.parametrize("list_", ["public-read", "public-read-write", "authenticated-read"])
def test_public_lists_are_kept_out(there: Shop, list_: str) -> None:
    block(there, "BlockPublicAcls")
    for target in ("/photos?acl", PHOTO + "?acl", "/photos/new"):
        assert code(ask(there, "main", "PUT", target, x_amz_acl=list_)) == (403, "AccessDenied")
        assert ask(there, "main", "PUT", target, x_amz_acl="private").status == 200


def test_public_lists_count_for_nothing_where_they_are_ignored(there: Shop) -> None:
    for target in ("/photos", PHOTO):
        ask(there, "main", "PUT", target + "?acl", x_amz_acl="public-read")
    block(there, "IgnorePublicAcls")
    for who in ("alt", None):
        assert ask(there, who, "GET", "/photos").status == ask(there, who, "GET", PHOTO).status == 403
    assert ask(there, "main", "PUT", "/photos?acl", x_amz_acl="public-read").status == 200


def test_a_public_policy_is_kept_out(there: Shop) -> None:
    block(there, "BlockPublicPolicy")
    assert code(put_policy(there, "photos", {"Action": "s3:GetObject"})) == (403, "AccessDenied")
    assert put_policy(there, "photos", {"Principal": {"AWS": "alt"}}).status == 204
    assert put_policy(there, "photos", {"Effect": "Deny", "Action": "s3:DeleteBucket"}).status == 204


def test_a_public_policy_serves_only_the_own_account_where_it_is_restricted(there: Shop) -> None:
    named = {"Principal": {"AWS": "alt"}, "Action": "s3:ListBucket"}
    put_policy(there, "photos", {"Action": "s3:GetObject"}, named)
    block(there, "RestrictPublicBuckets")
    expected = {"root": 200, "main": 200, "ann": 200, "bob": 200, "alt": 403, "eve": 403, None: 403}
    assert {who: ask(there, who, "GET", PHOTO).status for who in expected} == expected
    assert ask(there, "alt", "GET", "/photos").status == 403
    put_policy(there, "photos", named)
    assert ask(there, "alt", "GET", "/photos").status == 200


def test_a_restricted_policy_still_denies(there: Shop) -> None:
    put_policy(there, "photos", {"Action": "s3:GetObject"}, {"Effect": "Deny", "Action": "s3:GetObject"})
    ask(there, "main", "PUT", PHOTO + "?acl", x_amz_acl="public-read")
    block(there, "RestrictPublicBuckets")
    assert ask(there, "alt", "GET", PHOTO).status == 403
