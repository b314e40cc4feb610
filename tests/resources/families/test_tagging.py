"""Tags of objects and buckets, as clients put and read them."""

import hashlib
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.resources.asking import FakeRequest, Shop, shop
from tests.resources.reading import read
from tests.store.rules.test_tags import KEYS, TEXT


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=0)
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow", headers={"x-amz-tagging": "old=1", "x-amz-meta-name": "Tom"})
    return there


def document(tags: dict[str, str]) -> bytes:
    lines = "".join(f"<Tag><Key>{escape(k)}</Key><Value>{escape(v)}</Value></Tag>" for k, v in tags.items())
    return f'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>{lines}</TagSet></Tagging>'.encode()


def tags_of(reply: FakeRequest) -> dict[str, str]:
    assert reply.status == 200, reply.body
    return {tag["Key"]: tag["Value"] for tag in read("GetObjectTagging", reply)["TagSet"]}


def code(reply: FakeRequest) -> str:
    return read("GetObjectTagging", reply)["Error"]["Code"]  # type: ignore[no-any-return]


@given(st.dictionaries(KEYS, TEXT, max_size=10))
def test_the_tags_of_an_object_come_back_and_nothing_else_changes(tags: dict[str, str]) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow", headers={"x-amz-meta-name": "Tom"})
    before = there.ask("GET", "/photos/cat.jpg")
    assert there.ask("PUT", "/photos/cat.jpg?tagging", document(tags)).status == 200
    assert tags_of(there.ask("GET", "/photos/cat.jpg?tagging")) == tags
    after = there.ask("GET", "/photos/cat.jpg")
    assert after.header("x-amz-tagging-count") == (str(len(tags)) if tags else None)
    assert [one for one in after.headers if b"tagging" not in one[0] and b"-id" not in one[0]] == [
        one for one in before.headers if b"-id" not in one[0]
    ]
    assert after.body == b"meow"


def test_removed_tags_are_gone_and_the_object_stays(there: Shop) -> None:
    reply = there.ask("DELETE", "/photos/cat.jpg?tagging")
    assert (reply.status, reply.body) == (204, b"")
    assert tags_of(there.ask("GET", "/photos/cat.jpg?tagging")) == {}
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"
    assert there.ask("DELETE", "/photos/cat.jpg?tagging=&versionId=null").status == 204


@pytest.mark.parametrize("empty", [b"<Tagging/>", document({}).replace(b"<TagSet></TagSet>", b""), document({})])
def test_a_document_without_tags_takes_them_away(there: Shop, empty: bytes) -> None:
    assert there.ask("PUT", "/photos/cat.jpg?tagging", empty).status == 200
    assert tags_of(there.ask("GET", "/photos/cat.jpg?tagging")) == {}
    there.ask("PUT", "/photos?tagging", document({"a": "1"}))
    assert there.ask("PUT", "/photos?tagging", empty).status == 204
    assert code(there.ask("GET", "/photos?tagging")) == "NoSuchTagSet"


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", document({})), ("DELETE", b"")])
def test_what_is_not_there_has_no_tags(there: Shop, method: str, body: bytes) -> None:
    assert code(there.ask(method, "/photos/dog.jpg?tagging", body)) == "NoSuchKey"
    assert code(there.ask(method, f"/photos/cat.jpg?tagging&versionId={'a' * 32}", body)) == "NoSuchVersion"
    assert code(there.ask(method, "/nowhere/cat.jpg?tagging", body)) == "NoSuchBucket"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "MalformedXML"),
        (b"<Tagging><TagSet/><TagSet/></Tagging>", "MalformedXML"),
        (b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"),
        (document({"a": "*"}), "InvalidTag"),
        (document({str(n): "" for n in range(11)}), "BadRequest"),
    ],
)
def test_refused_tags_change_nothing(there: Shop, body: bytes, expected: str) -> None:
    assert code(there.ask("PUT", "/photos/cat.jpg?tagging", body)) == expected
    assert tags_of(there.ask("GET", "/photos/cat.jpg?tagging")) == {"old": "1"}
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"


@pytest.mark.parametrize("target", ["/photos/cat.jpg?tagging", "/photos?tagging"])
def test_something_must_vouch_for_tags_and_the_hash_in_a_signature_does(there: Shop, target: str) -> None:
    body = document({"new": "2"})
    refused = there.ask("PUT", target, body, headers={"content-md5": None})
    assert (refused.status, code(refused)) == (400, "InvalidRequest")
    unsigned = there.ask("PUT", target, body, headers={"content-md5": None, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    assert unsigned.status == 400
    signed = {"content-md5": None, "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    assert there.ask("PUT", target, body, headers=signed).status in (200, 204)
    assert tags_of(there.ask("GET", target)) == {"new": "2"}


def test_an_empty_tagging_header_means_no_tags(there: Shop) -> None:
    assert there.ask("PUT", "/photos/cat.jpg", b"meow", headers={"x-amz-tagging": ""}).status == 200
    assert there.ask("HEAD", "/photos/cat.jpg").header("x-amz-tagging-count") is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-amz-tagging": "new=2"}, {"old": "1"}),
        ({"x-amz-tagging": "new=2", "x-amz-tagging-directive": "COPY"}, {"old": "1"}),
        ({"x-amz-tagging": "new=2", "x-amz-tagging-directive": "REPLACE"}, {"new": "2"}),
        ({"x-amz-tagging-directive": "REPLACE"}, {}),
    ],
)
def test_a_copy_has_the_tags_that_its_directive_says(
    there: Shop, headers: dict[str, str], expected: dict[str, str]
) -> None:
    there.ask("PUT", "/photos/copy.jpg", headers={"x-amz-copy-source": "photos/cat.jpg", **headers})
    assert tags_of(there.ask("GET", "/photos/copy.jpg?tagging")) == expected


def test_tags_given_when_an_upload_begins_are_those_of_its_object(there: Shop) -> None:
    begun = there.ask("POST", "/photos/film?uploads", headers={"x-amz-tagging": "a=1&b=2"})
    upload = read("CreateMultipartUpload", begun)["UploadId"]
    etag = there.ask("PUT", f"/photos/film?partNumber=1&uploadId={upload}", b"x").header("etag")
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    there.ask(
        "POST", f"/photos/film?uploadId={upload}", f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
    )
    assert tags_of(there.ask("GET", "/photos/film?tagging")) == {"a": "1", "b": "2"}


def test_a_bucket_has_tags_once_they_are_put(there: Shop) -> None:
    assert code(there.ask("GET", "/photos?tagging")) == "NoSuchTagSet"
    tags = {f"key {n}": str(n) for n in range(50)}
    assert there.ask("PUT", "/photos?tagging", document(tags)).status == 204
    assert tags_of(there.ask("GET", "/photos?tagging")) == tags
    assert code(there.ask("PUT", "/photos?tagging", document({**tags, "more": ""}))) == "BadRequest"
    assert tags_of(there.ask("GET", "/photos?tagging")) == tags


@pytest.mark.parametrize(("method", "body"), [("PUT", document({})), ("DELETE", b"")])
def test_a_bucket_loses_its_tags_and_stays(there: Shop, method: str, body: bytes) -> None:
    there.ask("PUT", "/photos?tagging", document({"a": "1"}))
    assert there.ask(method, "/photos?tagging", body).status == 204
    assert code(there.ask("GET", "/photos?tagging")) == "NoSuchTagSet"
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", document({})), ("DELETE", b"")])
def test_a_bucket_that_is_not_there_has_no_tags_and_is_not_made(there: Shop, method: str, body: bytes) -> None:
    assert code(there.ask(method, "/nowhere?tagging", body)) == "NoSuchBucket"
    assert there.ask("HEAD", "/nowhere").status == 404


def test_every_version_has_tags_of_its_own(there: Shop) -> None:
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert there.ask("PUT", "/photos?versioning", enabled).status == 200
    first = there.ask("PUT", "/photos/dog.jpg", b"1", headers={"x-amz-tagging": "n=1"}).header("x-amz-version-id")
    second = there.ask("PUT", "/photos/dog.jpg", b"2", headers={"x-amz-tagging": "n=2"}).header("x-amz-version-id")
    reply = there.ask("PUT", f"/photos/dog.jpg?tagging&versionId={first}", document({"n": "one"}))
    assert (reply.status, reply.header("x-amz-version-id")) == (200, first)
    current = there.ask("GET", "/photos/dog.jpg?tagging")
    assert (tags_of(current), current.header("x-amz-version-id")) == ({"n": "2"}, second)
    assert tags_of(there.ask("GET", f"/photos/dog.jpg?tagging&versionId={first}")) == {"n": "one"}
    assert there.ask("DELETE", "/photos/dog.jpg?tagging").header("x-amz-version-id") == second
    assert there.ask("GET", f"/photos/dog.jpg?versionId={first}").body == b"1"


def test_a_delete_marker_has_no_tags(there: Shop) -> None:
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    there.ask("PUT", "/photos?versioning", enabled)
    marker = there.ask("DELETE", "/photos/cat.jpg").header("x-amz-version-id")
    for named in ("", f"&versionId={marker}"):
        for method, body in (("GET", b""), ("PUT", document({})), ("DELETE", b"")):
            reply = there.ask(method, f"/photos/cat.jpg?tagging{named}", body)
            assert (reply.status, code(reply)) == (405, "MethodNotAllowed")
            assert (reply.header("allow"), reply.header("x-amz-version-id")) == ("DELETE", marker)
    assert code(there.ask("GET", "/photos/none?tagging")) == "NoSuchKey"


def test_the_version_without_an_id_is_named_once_there_are_others(there: Shop) -> None:
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    there.ask("PUT", "/photos?versioning", enabled)
    assert there.ask("GET", "/photos/cat.jpg?tagging").header("x-amz-version-id") == "null"
