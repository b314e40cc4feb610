"""The rows of access control lists, and the lists that new buckets and objects get."""

from typing import Any

import pytest

from gecko_tw.callers.access.acl import ALL_USERS, LOG_DELIVERY
from gecko_tw.resources.documents.acl import read_acl, write_acl
from gecko_tw.store.refusals import Refusal
from tests.callers.access.test_acl import parties
from tests.resources.accounts import ask, identity_policy, market, put_policy
from tests.resources.asking import FakeRequest, Shop
from tests.resources.reading import read

PHOTO = "/photos/cat.jpg"


def opened(**settings: Any) -> Shop:
    there, town = market(**settings)
    assert ask(there, "main", "PUT", "/photos").status == 200
    assert ask(there, "main", "PUT", PHOTO, b"meow").status == 200
    return there


@pytest.fixture
def there() -> Shop:
    return opened()


def grants(operation: str, reply: FakeRequest) -> list[tuple[str, str]]:
    """Who, and what, in the order of the answer."""
    assert reply.status == 200, reply.body
    found = read(operation, reply)["Grants"]
    return [(grant["Grantee"].get("ID") or grant["Grantee"]["URI"], grant["Permission"]) for grant in found]


def of_bucket(there: Shop, who: str = "main") -> list[tuple[str, str]]:
    return grants("GetBucketAcl", ask(there, who, "GET", "/photos?acl"))


def of_object(there: Shop, target: str = PHOTO, who: str = "main") -> list[tuple[str, str]]:
    return grants("GetObjectAcl", ask(there, who, "GET", target + "?acl"))


def code(reply: FakeRequest) -> tuple[int, str]:
    return reply.status, reply.body.decode().partition("<Code>")[2].partition("<")[0]


def document(*named: str, owner: str = "main") -> bytes:
    lines = "".join(
        f"<Grant><Grantee>{who}</Grantee><Permission>{what}</Permission></Grant>" for who, what in pairs(named)
    )
    return (
        f"<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{lines}</AccessControlList>"
        "</AccessControlPolicy>"
    ).encode()


def pairs(named: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(named[::2], named[1::2], strict=True))


PUBLIC = [(ALL_USERS, "READ"), ("main", "FULL_CONTROL")]
PRIVATE = [("main", "FULL_CONTROL")]


def test_what_was_given_no_list_is_private(there: Shop) -> None:
    assert of_bucket(there) == of_object(there) == PRIVATE
    owner = read("GetObjectAcl", ask(there, "main", "GET", PHOTO + "?acl"))["Owner"]
    assert owner == {"ID": "main", "DisplayName": "The main"}


def test_a_canned_list_is_given_and_taken_back(there: Shop) -> None:
    for target, answered in (("/photos", of_bucket), (PHOTO, of_object)):
        assert ask(there, "main", "PUT", target + "?acl", x_amz_acl="public-read").status == 200
        assert answered(there) == PUBLIC
        assert ask(there, None, "GET", target).status == 200
        assert ask(there, "main", "PUT", target + "?acl", x_amz_acl="private").status == 200
        assert answered(there) == PRIVATE
        assert ask(there, None, "GET", target).status == 403
    assert there.service.objects.look("photos", b"cat.jpg").extra == {}


@pytest.mark.parametrize("target", ["/photos/new", "/photos/copy", "/photos/big", "/photos/form"])
def test_a_list_given_at_creation_is_the_objects(there: Shop, target: str) -> None:
    if target == "/photos/new":
        ask(there, "main", "PUT", target, b"new", x_amz_acl="public-read")
    elif target == "/photos/copy":
        ask(there, "main", "PUT", target, x_amz_acl="public-read", x_amz_copy_source="photos/cat.jpg")
    elif target == "/photos/big":
        begun = ask(there, "main", "POST", target + "?uploads", x_amz_acl="public-read").body.decode()
        upload = begun.partition("<UploadId>")[2].partition("<")[0]
        etag = ask(there, "main", "PUT", f"{target}?partNumber=1&uploadId={upload}", b"part").header("etag")
        parts = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        assert ask(there, "main", "POST", f"{target}?uploadId={upload}", parts.encode()).status == 200
    else:
        fields = {"key": "form", "acl": "public-read", "x-ignore-by": "main"}
        lines = [
            f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
        ]
        body = "".join(lines) + '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nnew\r\n--x--\r\n'
        ask(there, None, "POST", "/photos", body.encode(), content_type="multipart/form-data; boundary=x")
    assert of_object(there, target) == PUBLIC
    assert ask(there, None, "GET", target).status == 200


def test_a_copy_does_not_take_its_sources_list(there: Shop) -> None:
    ask(there, "main", "PUT", PHOTO + "?acl", x_amz_acl="public-read")
    ask(there, "main", "PUT", "/photos/copy", x_amz_copy_source="photos/cat.jpg")
    assert of_object(there, "/photos/copy") == PRIVATE


def test_a_bucket_may_be_made_with_a_list() -> None:
    there, _ = market()
    assert ask(there, "main", "PUT", "/photos", x_amz_grant_read="id=alt", x_amz_grant_write="id=alt").status == 200
    assert of_bucket(there) == [("alt", "READ"), ("alt", "WRITE")]
    assert ask(there, "alt", "PUT", "/photos/new").status == 200
    assert ask(there, "alt", "GET", "/photos").status == 200
    assert ask(there, "alt", "GET", "/photos?acl").status == 403


def test_a_document_replaces_the_list(there: Shop) -> None:
    body = document(
        "<ID>main</ID>",
        "FULL_CONTROL",
        "<EmailAddress>alt@example.com</EmailAddress>",
        "READ",
        f"<URI>{ALL_USERS}</URI>",
        "READ_ACP",
        "<ID>alt</ID><DisplayName>x</DisplayName>",
        "WRITE_ACP",
    )
    for target, answered in (("/photos", of_bucket), (PHOTO, of_object)):
        assert ask(there, "main", "PUT", target + "?acl", body).status == 200
        assert answered(there) == [(ALL_USERS, "READ_ACP"), *PRIVATE, ("alt", "READ"), ("alt", "WRITE_ACP")]
        assert ask(there, None, "GET", target + "?acl").status == 200
        assert ask(there, "alt", "GET", target).status == 200
        assert ask(there, None, "GET", target).status == 403


def test_an_owner_who_is_on_no_list_can_change_it(there: Shop) -> None:
    for target, answered in (("/photos", of_bucket), (PHOTO, of_object)):
        assert ask(there, "main", "PUT", target + "?acl", document()).status == 200
        assert answered(there) == []
        assert ask(there, "main", "PUT", target + "?acl", x_amz_acl="private").status == 200


@pytest.mark.parametrize("permission", ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"])
def test_each_permission_of_a_bucket_is_for_something(there: Shop, permission: str) -> None:
    ask(there, "main", "PUT", "/photos?acl", document("<ID>alt</ID>", permission))
    requests = {
        "READ": ("HEAD", "/photos"),
        "WRITE": ("PUT", "/photos/new"),
        "READ_ACP": ("GET", "/photos?acl"),
        "WRITE_ACP": ("PUT", "/photos?acl"),
    }
    for needed, (method, target) in requests.items():
        headers = {"x_amz_acl": "public-read"} if method == "PUT" and "acl" in target else {}
        expected = 200 if permission in (needed, "FULL_CONTROL") else 403
        assert ask(there, "alt", method, target, **headers).status == expected
    assert ask(there, "alt", "GET", "/photos?location").status == 403


@pytest.mark.parametrize("permission", ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"])
def test_each_permission_of_an_object_is_for_something(there: Shop, permission: str) -> None:
    ask(there, "main", "PUT", PHOTO + "?acl", document("<ID>alt</ID>", permission))
    requests = {"READ": ("GET", PHOTO), "READ_ACP": ("GET", PHOTO + "?acl"), "WRITE_ACP": ("PUT", PHOTO + "?acl")}
    for needed, (method, target) in requests.items():
        headers = {"x_amz_acl": "private"} if method == "PUT" else {}
        expected = 200 if permission in (needed, "FULL_CONTROL") else 403
        assert ask(there, "alt", method, target, **headers).status == expected
    assert ask(there, "alt", "PUT", PHOTO).status == 403


def test_users_need_the_consent_of_their_own_policies() -> None:
    there, town = market()
    ask(there, "main", "PUT", "/photos", x_amz_grant_read="id=alt")
    assert ask(there, "eve", "GET", "/photos").status == 200
    town.change("eve", policies=(identity_policy({"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}),))
    assert ask(there, "eve", "GET", "/photos").status == 403
    assert ask(there, "bob", "GET", "/photos").status == 403
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl="authenticated-read")
    assert ask(there, "bob", "GET", "/photos").status == 200


def test_every_version_has_a_list_of_its_own(there: Shop) -> None:
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    ask(there, "main", "PUT", "/photos?versioning", body)
    first = ask(there, "main", "PUT", PHOTO, b"one").header("x-amz-version-id")
    ask(there, "main", "PUT", PHOTO, b"two")
    reply = ask(there, "main", "PUT", f"{PHOTO}?acl&versionId={first}", x_amz_acl="public-read")
    assert reply.header("x-amz-version-id") == first
    assert ask(there, None, "GET", f"{PHOTO}?versionId={first}").status == 200
    assert ask(there, None, "GET", PHOTO).status == 403
    assert of_object(there) == PRIVATE


@pytest.mark.parametrize("target", ["/photos", PHOTO])
@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"", {}, (400, "MissingSecurityHeader")),
        (document(), {"x_amz_acl": "private"}, (400, "UnexpectedContent")),
        (b"", {"x_amz_acl": "private", "x_amz_grant_read": "id=alt"}, (400, "InvalidRequest")),
        (b"", {"x_amz_acl": "public"}, (400, "InvalidArgument")),
        (b"nonsense", {}, (400, "MalformedACLError")),
        (b"<AccessControlPolicy/>", {}, (400, "MalformedACLError")),
        (document("<ID>alt</ID>", "EVERYTHING"), {}, (400, "MalformedACLError")),
        (document("<ID>alt</ID><URI>x</URI>", "READ"), {}, (400, "MalformedACLError")),
        (document("", "READ"), {}, (400, "MalformedACLError")),
        (document("<ID>nobody</ID>", "READ"), {}, (400, "InvalidArgument")),
        (document("<URI>http://nowhere.test/</URI>", "READ"), {}, (400, "InvalidArgument")),
        (document("<EmailAddress>x@y.test</EmailAddress>", "READ"), {}, (400, "UnresolvableGrantByEmailAddress")),
        (document("<ID>main</ID>", "FULL_CONTROL", owner="alt"), {}, (403, "AccessDenied")),
    ],
)
def test_a_list_that_cannot_be_changes_nothing(
    there: Shop, target: str, body: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    ask(there, "main", "PUT", target + "?acl", x_amz_acl="public-read")
    assert code(ask(there, "main", "PUT", target + "?acl", body, **headers)) == expected
    assert (of_bucket if target == "/photos" else of_object)(there) == PUBLIC


def test_a_delete_marker_has_no_list(there: Shop) -> None:
    versions = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert ask(there, "main", "PUT", "/photos?versioning", versions).status == 200
    marker = ask(there, "main", "DELETE", PHOTO).header("x-amz-version-id")
    for named, told in (("", (404, "NoSuchKey")), (f"&versionId={marker}", (405, "MethodNotAllowed"))):
        private = {"x_amz_acl": "private"}
        assert code(ask(there, "main", "PUT", f"{PHOTO}?acl{named}", **private)) == (405, "MethodNotAllowed")
        assert code(ask(there, "main", "GET", f"{PHOTO}?acl{named}")) == told


def test_documents_are_written_as_they_are_read() -> None:
    people = parties("alt", None)
    found = read_acl(document("<ID>main</ID>", "READ", f"<URI>{LOG_DELIVERY}</URI>", "WRITE", owner="alt"), people)
    again = read_acl(write_acl("alt", found, str.upper), people)
    assert sorted(again, key=str) == sorted(found, key=str)


def test_no_document_is_too_strange_to_be_refused() -> None:
    for text in ("", "<a", "<AccessControlPolicy><Owner/><Owner/></AccessControlPolicy>", "<X/>"):
        with pytest.raises(Refusal):
            read_acl(text.encode(), parties())


def test_a_writer_owns_what_it_writes_into_the_bucket_of_another(there: Shop) -> None:
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl="public-read-write")
    assert ask(there, "alt", "PUT", "/photos/theirs", b"x").status == 200
    assert ask(there, "alt", "GET", "/photos/theirs").status == 200
    assert of_object(there, "/photos/theirs", "alt") == [("alt", "FULL_CONTROL")]
    for who in ("main", "ann", None):
        assert ask(there, who, "GET", "/photos/theirs").status == 403
        assert ask(there, who, "GET", "/photos/theirs?acl").status == 403
    assert ask(there, "root", "GET", "/photos/theirs").status == 200
    assert ask(there, "alt", "PUT", "/photos/theirs?acl", x_amz_acl="bucket-owner-read").status == 200
    assert (
        ask(there, "main", "GET", "/photos/theirs").status == ask(there, "ann", "GET", "/photos/theirs").status == 200
    )
    assert of_object(there, "/photos/theirs", "alt") == [("alt", "FULL_CONTROL"), ("main", "READ")]


def test_lists_are_ignored_when_the_deployment_says_so() -> None:
    there = opened(acl="ignore")
    for target in ("/photos?acl", PHOTO + "?acl", "/photos/new"):
        assert ask(there, "main", "PUT", target, x_amz_acl="public-read").status == 200
    assert of_bucket(there) == of_object(there) == of_object(there, "/photos/new") == PRIVATE
    for target in ("/photos", PHOTO, "/photos/new"):
        assert ask(there, None, "GET", target).status == 403
    assert ask(there, "main", "PUT", "/photos?acl", document("<ID>alt</ID>", "READ")).status == 200
    put_policy(there, "photos", {"Action": "s3:PutObject"})
    ask(there, "alt", "PUT", "/photos/theirs", b"x")
    assert ask(there, "main", "GET", "/photos/theirs").status == 200


def test_new_buckets_have_no_lists_when_the_deployment_refuses_them() -> None:
    there = opened(acl="refuse")
    refused = (400, "AccessControlListNotSupported")
    for target in ("/photos?acl", PHOTO + "?acl", "/photos/new"):
        assert code(ask(there, "main", "PUT", target, x_amz_acl="public-read")) == refused
    assert ask(there, "main", "PUT", "/photos/new", x_amz_acl="bucket-owner-full-control").status == 200
    assert (
        code(ask(there, "main", "PUT", "/other", x_amz_acl="public-read"))[1] == "InvalidBucketAclWithObjectOwnership"
    )
    assert ask(there, "main", "PUT", "/other", x_amz_acl="private").status == 200
    assert (
        ask(there, "main", "PUT", "/third", x_amz_acl="public-read", x_amz_object_ownership="ObjectWriter").status
        == 200
    )
    assert ask(there, None, "GET", "/third").status == 200
