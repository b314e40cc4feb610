"""Object ownership: its rows, and whose an object becomes."""

import pytest

from tests.resources.accounts import ask, market, put_policy
from tests.resources.asking import FakeRequest, Shop
from tests.resources.reading import read

EVERYBODY_MAY = {"Action": "*"}


def controls(value: str) -> bytes:
    return f"<OwnershipControls><Rule><ObjectOwnership>{value}</ObjectOwnership></Rule></OwnershipControls>".encode()


def code(reply: FakeRequest) -> tuple[int, str]:
    return reply.status, reply.body.decode().partition("<Code>")[2].partition("<")[0]


@pytest.fixture
def there() -> Shop:
    there, _ = market()
    ask(there, "main", "PUT", "/photos")
    put_policy(there, "photos", EVERYBODY_MAY)
    return there


def enforce(there: Shop, value: str) -> None:
    assert ask(there, "main", "PUT", "/photos?ownershipControls", controls(value)).status == 200


def owner(there: Shop, key: str) -> str:
    return str(read("GetObjectAcl", ask(there, "alt", "GET", f"/photos/{key}?acl"))["Owner"]["ID"])


@pytest.mark.parametrize("value", ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
def test_ownership_comes_back_as_it_was_given_and_goes(value: str) -> None:
    there, _ = market()
    ask(there, "main", "PUT", "/photos")
    missing = (404, "OwnershipControlsNotFoundError")
    assert code(ask(there, "main", "GET", "/photos?ownershipControls")) == missing
    enforce(there, value)
    found = read("GetBucketOwnershipControls", ask(there, "main", "GET", "/photos?ownershipControls"))
    assert found["OwnershipControls"]["Rules"] == [{"ObjectOwnership": value}]
    for _ in range(2):
        assert ask(there, "main", "DELETE", "/photos?ownershipControls").status == 204
    assert code(ask(there, "main", "GET", "/photos?ownershipControls")) == missing
    ask(there, "main", "PUT", "/others", x_amz_object_ownership=value)
    found = read("GetBucketOwnershipControls", ask(there, "main", "GET", "/others?ownershipControls"))
    assert found["OwnershipControls"]["Rules"] == [{"ObjectOwnership": value}]


@pytest.mark.parametrize(
    "body",
    [b"", b"<X/>", b"<OwnershipControls/>", controls("Nobody"), controls("</ObjectOwnership><ObjectOwnership>"), b"x"],
)
def test_ownership_that_cannot_be_is_refused(there: Shop, body: bytes) -> None:
    assert code(ask(there, "main", "PUT", "/photos?ownershipControls", body)) == (400, "MalformedXML")
    assert code(ask(there, "main", "PUT", "/others", x_amz_object_ownership="Nobody")) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("ownership", "list_", "expected"),
    [
        ("ObjectWriter", None, "alt"),
        ("ObjectWriter", "private", "alt"),
        ("ObjectWriter", "bucket-owner-full-control", "alt"),
        ("BucketOwnerPreferred", None, "alt"),
        ("BucketOwnerPreferred", "private", "alt"),
        ("BucketOwnerPreferred", "bucket-owner-full-control", "main"),
        ("BucketOwnerEnforced", None, "main"),
        ("BucketOwnerEnforced", "bucket-owner-full-control", "main"),
    ],
)
def test_whose_an_object_becomes(there: Shop, ownership: str, list_: str | None, expected: str) -> None:
    enforce(there, ownership)
    headers = {} if list_ is None else {"x_amz_acl": list_}
    assert ask(there, "alt", "PUT", "/photos/put", b"x", **headers).status == 200
    assert ask(there, "main", "PUT", "/photos/own", b"x").status == 200
    assert ask(there, "alt", "PUT", "/photos/copy", x_amz_copy_source="photos/own", **headers).status == 200
    begun = ask(there, "alt", "POST", "/photos/big?uploads", **headers).body.decode()
    upload = begun.partition("<UploadId>")[2].partition("<")[0]
    for key in ("put", "copy"):
        assert there.service.objects.look("photos", key.encode()).owner == expected
    assert there.service.uploads.get("photos", b"big", upload).owner == expected


def test_a_bucket_without_lists_refuses_and_forgets_them(there: Shop) -> None:
    ask(there, "alt", "PUT", "/photos/theirs", b"x", x_amz_acl="public-read")
    enforce(there, "BucketOwnerEnforced")
    assert owner(there, "theirs") == "main"
    put_policy(there, "photos", {"Action": "s3:ListBucket"})
    assert ask(there, None, "GET", "/photos/theirs").status == 403
    assert ask(there, "alt", "GET", "/photos/theirs").status == 403
    assert ask(there, "main", "GET", "/photos/theirs").status == 200
    refused = (400, "AccessControlListNotSupported")
    for target in ("/photos?acl", "/photos/theirs?acl", "/photos/new"):
        assert code(ask(there, "main", "PUT", target, x_amz_acl="private")) == refused
        assert code(ask(there, "main", "PUT", target, x_amz_grant_read="id=alt")) == refused


def test_a_bucket_with_a_list_that_grants_something_keeps_it(there: Shop) -> None:
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl="public-read")
    reply = ask(there, "main", "PUT", "/photos?ownershipControls", controls("BucketOwnerEnforced"))
    assert code(reply) == (400, "InvalidBucketAclWithObjectOwnership")
    enforce(there, "BucketOwnerPreferred")
