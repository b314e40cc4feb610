"""Deleting many objects at once."""

import pytest

from tests.resources.asking import FakeRequest, Shop, shop
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    for key in "abc":
        there.ask("PUT", f"/photos/{key}", b"meow")
    return there


def delete(there: Shop, *objects: str, quiet: str = "") -> FakeRequest:
    body = "".join(f"<Object>{one}</Object>" for one in objects)
    return there.ask("POST", "/photos?delete", f"<Delete>{quiet}{body}</Delete>".encode())


def keys(there: Shop) -> list[str]:
    found = read("ListObjectsV2", there.ask("GET", "/photos?list-type=2"))
    return [entry["Key"] for entry in found.get("Contents", [])]


def test_each_key_is_told_of(there: Shop) -> None:
    found = read("DeleteObjects", delete(there, "<Key>a</Key>", "<Key>none</Key>"))
    assert found["Deleted"] == [{"Key": "a"}, {"Key": "none"}]
    assert keys(there) == ["b", "c"]


def test_quiet_tells_errors_only(there: Shop) -> None:
    objects = ("<Key>a</Key>", '<Key>b</Key><ETag>"other"</ETag>')
    found = read("DeleteObjects", delete(there, *objects, quiet="<Quiet>true</Quiet>"))
    assert "Deleted" not in found
    assert [(error["Key"], error["Code"]) for error in found["Errors"]] == [("b", "PreconditionFailed")]
    assert keys(there) == ["b", "c"]


@pytest.mark.parametrize(
    ("condition", "goes"),
    [
        ("<ETag>4a4be40c96ac6314e91d93f38043a634</ETag>", True),
        ("<ETag>*</ETag>", True),
        ("<Size>4</Size>", True),
        ("<Size>5</Size>", False),
        ("<LastModifiedTime>Sat, 21 Nov 2026 03:00:00 GMT</LastModifiedTime>", True),
        ("<LastModifiedTime>2026-11-21T03:00:00Z</LastModifiedTime>", True),
        ("<LastModifiedTime>2026-11-21T03:00:00</LastModifiedTime>", True),
        ("<LastModifiedTime>2026-11-21T03:00:01Z</LastModifiedTime>", False),
    ],
)
def test_a_key_may_have_conditions(there: Shop, condition: str, goes: bool) -> None:
    delete(there, f"<Key>a</Key>{condition}")
    assert ("a" not in keys(there)) is goes


def test_a_version_that_is_not_there_is_an_error_of_that_key(there: Shop) -> None:
    found = read("DeleteObjects", delete(there, "<Key>a</Key><VersionId>7</VersionId>", "<Key>b</Key>"))
    assert found["Errors"][0]["Code"] == "NoSuchVersion"
    assert found["Errors"][0]["VersionId"] == "7"
    assert found["Deleted"] == [{"Key": "b"}]


@pytest.mark.parametrize(
    "body",
    [
        "<Delete/>",
        "<Delete><Object/></Delete>",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "<Delete><Other/></Delete>",
        "<Delete><Object><Key>a</Key><Size>x</Size></Object></Delete>",
        "<Delete><Object><Key>a</Key><LastModifiedTime>soon</LastModifiedTime></Object></Delete>",
        f"<Delete>{'<Object><Key>a</Key></Object>' * 1001}</Delete>",
        "<Delete><Object><Key>a</Key></Object>",
        "Key=a",
    ],
)
def test_a_malformed_list_deletes_nothing(there: Shop, body: str) -> None:
    reply = there.ask("POST", "/photos?delete", body.encode())
    assert read("DeleteObjects", reply)["Error"]["Code"] == "MalformedXML"
    assert keys(there) == ["a", "b", "c"]


def test_a_thousand_of_the_longest_keys_fit(there: Shop) -> None:
    objects = [f"<Key>{'&amp;' * 1020}{number:04}</Key>" for number in range(1000)]
    assert len(read("DeleteObjects", delete(there, *objects))["Deleted"]) == 1000


def test_a_key_with_anything_that_xml_can_write_is_deleted(there: Shop) -> None:
    there.ask("PUT", "/photos/%3C%26%3E%22%20%C3%A9%0D%0A%09", b"x")
    assert (
        there.ask(
            "POST",
            "/photos?delete",
            b"<Delete><Object><Key>&lt;&amp;&gt;&quot; \xc3\xa9&#13;&#10;&#9;</Key></Object></Delete>",
        ).status
        == 200
    )
    assert keys(there) == ["a", "b", "c"]


def test_a_missing_bucket_or_body_is_told(there: Shop) -> None:
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    assert read("DeleteObjects", there.ask("POST", "/none?delete", body))["Error"]["Code"] == "NoSuchBucket"
    assert read("DeleteObjects", there.ask("POST", "/photos?delete"))["Error"]["Code"] == "MissingRequestBodyError"
