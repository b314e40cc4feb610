"""The rows of bucket policies."""

import json
from typing import Any

import pytest

from tests.resources.accounts import EVERYTHING, ask, identity_policy, market, put_policy
from tests.resources.asking import FakeRequest, Shop
from tests.resources.reading import read

DOCUMENT = (
    b'{ "Version": "2012-10-17",\n  "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",'
    + (b' "Resource": "arn:aws:s3:::photos/*"}]}')
)


@pytest.fixture
def there() -> Shop:
    there, _ = market()
    ask(there, "main", "PUT", "/photos")
    return there


def code(reply: FakeRequest) -> tuple[int, str]:
    return reply.status, reply.body.decode().partition("<Code>")[2].partition("<")[0]


def is_public(there: Shop) -> bool:
    reply = ask(there, "main", "GET", "/photos?policyStatus")
    return bool(read("GetBucketPolicyStatus", reply)["PolicyStatus"]["IsPublic"])


def test_a_policy_comes_back_exactly_as_it_was_given_and_goes(there: Shop) -> None:
    missing = (404, "NoSuchBucketPolicy")
    assert code(ask(there, "main", "GET", "/photos?policy")) == missing
    assert ask(there, "main", "PUT", "/photos?policy", DOCUMENT).status == 204
    reply = ask(there, "main", "GET", "/photos?policy")
    assert (reply.body, reply.header("content-type")) == (DOCUMENT, "application/json")
    for _ in range(2):
        assert ask(there, "main", "DELETE", "/photos?policy").status == 204
    assert code(ask(there, "main", "GET", "/photos?policy")) == missing


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "MissingRequestBodyError"),
        (b"nonsense", "MalformedPolicy"),
        (b"{}", "MalformedPolicy"),
        (DOCUMENT.replace(b"s3:GetObject", b"s3:Fetch"), "MalformedPolicy"),
        (DOCUMENT.replace(b"photos", b"other"), "MalformedPolicy"),
        (DOCUMENT.replace(b'"Principal": "*", ', b""), "MalformedPolicy"),
        (DOCUMENT.replace(b'"Principal"', b'"NotPrincipal"'), "MalformedPolicy"),
        (DOCUMENT + b" " * 20 * 1024, "MalformedPolicy"),
    ],
)
def test_a_policy_that_cannot_be_leaves_the_old_one(there: Shop, body: bytes, expected: str) -> None:
    ask(there, "main", "PUT", "/photos?policy", DOCUMENT)
    assert code(ask(there, "main", "PUT", "/photos?policy", body)) == (400, expected)
    assert ask(there, "main", "GET", "/photos?policy").body == DOCUMENT


@pytest.mark.parametrize(
    "principal",
    [
        "",
        [],
        {},
        ["*"],
        "main",
        {"AWS": ""},
        {"AWS": []},
        {"AWS": "nobody"},
        {"AWS": ["main", "nobody"]},
        {"AWS": ["*", "nobody"]},
        {"AWS": "arn:aws:iam::nobody:root"},
        {"AWS": "arn:aws:iam::main:user/bbo"},
        {"AWS": "arn:aws:iam::alt:user/bob"},
        {"AWS": "arn:aws:iam::main:user/*"},
        {"AWS": "arn:aws:iam::main:group/staff"},
        {"AWS": "arn:aws:iam::main:role/admin"},
        {"AWS": "arn:aws:sts::main:assumed-role/admin/session"},
        {"AWS": "arn:aws:s3:::photos"},
        {"CanonicalUser": "nobody"},
        {"CanonicalUser": "*"},
        {"Service": "logging.s3.amazonaws.co"},
        {"Service": "*"},
        {"Federated": "accounts.google.com"},
        {"aws": "main"},
    ],
)
@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
def test_a_policy_about_nobody_is_refused(there: Shop, principal: Any, element: str) -> None:
    statement = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*", element: principal}
    body = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
    assert code(ask(there, "main", "PUT", "/photos?policy", body)) == (400, "MalformedPolicy")


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": ["alt", "*"]},
        {"AWS": "arn:aws:iam::main:root"},
        {"AWS": ["arn:aws:iam::main:user/bob", "arn:aws:iam::000000000000:root"]},
        {"CanonicalUser": "alt", "Service": ["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"]},
    ],
)
def test_a_policy_is_about_whoever_is_there(there: Shop, principal: Any) -> None:
    assert put_policy(there, "photos", {"Action": "s3:GetObject", "Principal": principal}).status == 204


def test_a_policy_stays_when_somebody_leaves() -> None:
    there, town = market()
    ask(there, "main", "PUT", "/photos")
    named = {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::main:user/bob"}}
    put_policy(there, "photos", named)
    del town.identities["bob"]
    assert ask(there, "main", "PUT", "/photos/new", b"meow").status == 200
    assert b"user/bob" in ask(there, "main", "GET", "/photos?policy").body


def test_nobody_of_another_account_manages_a_policy_whatever_it_says(there: Shop) -> None:
    put_policy(there, "photos", {"Action": "s3:*"})
    for who in ("alt", "eve", None):
        for method in ("GET", "PUT", "DELETE"):
            body = DOCUMENT if method == "PUT" else b""
            assert code(ask(there, who, method, "/photos?policy", body)) == (405, "MethodNotAllowed")
    assert ask(there, "bob", "GET", "/photos?policy").status == 200


def test_who_would_be_locked_out_must_confirm_it() -> None:
    there, town = market()
    ask(there, "main", "PUT", "/photos")
    town.change("bob", policies=(identity_policy(EVERYTHING),))
    body = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "s3:*Policy", "Resource": "arn:aws:s3:::photos"},
            ],
        }
    ).encode()
    assert code(ask(there, "bob", "PUT", "/photos?policy", body)) == (403, "AccessDenied")
    assert (
        ask(there, "bob", "PUT", "/photos?policy", body, x_amz_confirm_remove_self_bucket_access="true").status == 204
    )
    assert ask(there, "bob", "DELETE", "/photos?policy").status == 403
    assert ask(there, "main", "PUT", "/photos?policy", body).status == 204
    assert ask(there, "main", "DELETE", "/photos?policy").status == 204


def test_a_bucket_without_a_policy_has_no_status_of_one(there: Shop) -> None:
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl="public-read")
    assert code(ask(there, "main", "GET", "/photos?policyStatus")) == (404, "NoSuchBucketPolicy")


def test_a_bucket_is_public_by_its_policy_or_its_list_unless_that_is_blocked(there: Shop) -> None:
    own = {"Action": "s3:GetObject", "Principal": {"AWS": "main"}}
    for switch in ("RestrictPublicBuckets", "IgnorePublicAcls"):
        put_policy(there, "photos", own)
        assert not is_public(there)
        if switch == "RestrictPublicBuckets":
            put_policy(there, "photos", {"Action": "s3:GetObject"})
        else:
            ask(there, "main", "PUT", "/photos?acl", x_amz_acl="authenticated-read")
        assert is_public(there)
        body = f"<PublicAccessBlockConfiguration><{switch}>true</{switch}></PublicAccessBlockConfiguration>"
        ask(there, "main", "PUT", "/photos?publicAccessBlock", body.encode())
        assert not is_public(there)
        ask(there, "main", "DELETE", "/photos?publicAccessBlock")
        ask(there, "main", "DELETE", "/photos?policy")
    network = {"IpAddress": {"aws:SourceIp": "10.0.0.0/32"}}
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl="private")
    put_policy(there, "photos", {"Action": "s3:GetObject", "Condition": network})
    assert not is_public(there)
