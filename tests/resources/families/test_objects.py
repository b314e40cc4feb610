"""Objects, one at a time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.resources.headers.objects import http_date
from tests.resources.asking import NOW, Shop, shop


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow", headers={"content-type": "image/jpeg"})
    return there


ETAG = '"4a4be40c96ac6314e91d93f38043a634"'


def test_head_says_what_get_says(there: Shop) -> None:
    got, seen = there.ask("GET", "/photos/cat.jpg"), there.ask("HEAD", "/photos/cat.jpg")
    assert seen.body == b""
    assert seen.header("content-length") == "4"
    own = ("content-length", "x-amz-request-id")
    assert [pair for pair in seen.headers if pair[0].decode().lower() not in own] == [
        pair for pair in got.headers if pair[0].decode().lower() not in own
    ]


def test_put_answers_etag_and_checksum(there: Shop) -> None:
    reply = there.ask("PUT", "/photos/cat.jpg", b"meow")
    assert reply.header("etag") == ETAG
    assert reply.header("x-amz-checksum-crc64nvme")
    assert reply.header("x-amz-checksum-type") == "FULL_OBJECT"
    assert reply.header("x-amz-version-id") is None


def test_a_checksum_is_told_only_to_who_asks_and_only_of_the_whole(there: Shop) -> None:
    asking = {"x-amz-checksum-mode": "ENABLED"}
    assert there.ask("GET", "/photos/cat.jpg").header("x-amz-checksum-crc64nvme") is None
    assert there.ask("GET", "/photos/cat.jpg", headers=asking).header("x-amz-checksum-crc64nvme")
    assert there.ask("HEAD", "/photos/cat.jpg", headers=asking).header("x-amz-checksum-crc64nvme")
    part = there.ask("GET", "/photos/cat.jpg", headers={**asking, "range": "bytes=0-3"})
    assert part.header("x-amz-checksum-crc64nvme") is None
    assert there.ask("GET", "/photos/cat.jpg?partNumber=1", headers=asking).header("x-amz-checksum-crc64nvme")


@given(size=st.integers(0, 30), first=st.integers(0, 40), last=st.integers(0, 40))
def test_a_ranged_get_is_a_slice(size: int, first: int, last: int) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    data = bytes(range(size))
    there.ask("PUT", "/photos/cat.jpg", data)
    reply = there.ask("GET", "/photos/cat.jpg", headers={"range": f"bytes={first}-{last}"})
    if last < first:
        assert (reply.status, reply.body) == (200, data)
    elif first >= size:
        assert reply.status == 416
        assert reply.header("content-range") == f"bytes */{size}"
    else:
        assert (reply.status, reply.body) == (206, data[first : last + 1])
        assert reply.header("content-range") == f"bytes {first}-{min(last, size - 1)}/{size}"


@pytest.mark.parametrize(("wanted", "status"), [("bytes=-5", 200), ("bytes=-0", 416), ("bytes=0-", 416)])
def test_the_last_bytes_of_an_empty_object_are_none(there: Shop, wanted: str, status: int) -> None:
    there.ask("PUT", "/photos/empty")
    reply = there.ask("GET", "/photos/empty", headers={"range": wanted})
    assert (reply.status, reply.header("content-range")) == (status, None if status == 200 else "bytes */0")
    assert there.ask("HEAD", "/photos/empty", headers={"range": wanted}).status == status


def test_several_ranges_are_answered_with_the_whole(there: Shop) -> None:
    reply = there.ask("GET", "/photos/cat.jpg", headers={"range": "bytes=0-0,2-2"})
    assert (reply.status, reply.body) == (200, b"meow")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_already_is_not_sent(there: Shop, method: str) -> None:
    reply = there.ask(method, "/photos/cat.jpg", headers={"if-none-match": ETAG})
    assert (reply.status, reply.body) == (304, b"")
    assert reply.header("etag") == ETAG
    assert reply.header("content-type") is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_whose_clock_is_ahead_gets_the_object(there: Shop, method: str) -> None:
    for seconds, status in ((0, 304), (1, 200)):
        asking = {"if-modified-since": http_date(int(NOW) + seconds).decode()}
        assert there.ask(method, "/photos/cat.jpg", headers=asking).status == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_failed_condition_is_named(there: Shop, method: str) -> None:
    reply = there.ask(method, "/photos/cat.jpg", headers={"if-match": '"other"'})
    assert reply.status == 412
    assert method == "HEAD" or b"<Condition>If-Match</Condition>" in reply.body


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/photos/cat.jpg", {"if-none-match": ETAG}),
        ("/photos/cat.jpg", {"if-match": '"x"'}),
        ("/photos/cat.jpg", {"range": "bytes=9-"}),
        ("/photos/cat.jpg?partNumber=2", {}),
        ("/photos/cat.jpg?response-expires=%00", {}),
    ],
)
def test_an_opened_object_is_closed_whatever_is_answered(there: Shop, target: str, headers: dict[str, str]) -> None:
    closed: list[int] = []
    inner = there.service.objects

    class Watching:
        def open(self, *arguments: Any) -> Any:
            reading = inner.open(*arguments)
            reading.close = lambda: closed.append(1)  # type: ignore[method-assign]
            return reading

    there.service.objects = Watching()  # type: ignore[assignment]
    assert there.ask("GET", target, headers=headers).status >= 300
    assert closed == [1]


@pytest.mark.parametrize(("name", "status"), [("null", 200), ("0" * 32, 404), ("abc", 400), ("", 400)])
def test_a_version_that_is_not_there_is_told(there: Shop, name: str, status: int) -> None:
    assert there.ask("GET", f"/photos/cat.jpg?versionId={name}").status == status


def test_a_part_of_what_has_no_parts_is_the_whole(there: Shop) -> None:
    reply = there.ask("GET", "/photos/cat.jpg?partNumber=1")
    assert (reply.status, reply.body, reply.header("content-range")) == (206, b"meow", "bytes 0-3/4")
    assert reply.header("x-amz-mp-parts-count") is None
    assert b"<Code>InvalidPartNumber</Code>" in there.ask("GET", "/photos/cat.jpg?partNumber=2").body


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "10001", "1" * 40])
def test_a_part_number_is_one_of_ten_thousand(there: Shop, number: str) -> None:
    assert there.ask("GET", f"/photos/cat.jpg?partNumber={number}").status == 400


def test_a_range_of_a_part_cannot_be_asked_for(there: Shop) -> None:
    reply = there.ask("GET", "/photos/cat.jpg?partNumber=1", headers={"range": "bytes=0-0"})
    assert b"<Code>InvalidRequest</Code>" in reply.body


def test_nobody_can_write_a_version_that_is_there_already() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    reply = there.ask("PUT", "/photos/cat.jpg?versionId=null", b"woof")
    assert (reply.status, b"does not accept a version-id" in reply.body) == (400, True)
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"


def test_an_empty_object_is_read_whole_and_by_its_only_part(there: Shop) -> None:
    there.ask("PUT", "/photos/empty")
    assert there.ask("GET", "/photos/empty").status == 200
    assert there.ask("GET", "/photos/empty?partNumber=1").status == 200
    assert there.ask("GET", "/photos/empty", headers={"range": "bytes=0-"}).status == 416


def test_response_headers_are_replaced_for_known_callers_only(there: Shop, monkeypatch: Any) -> None:
    target = "/photos/cat.jpg?response-content-disposition=attachment&response-content-type=a/b"
    reply = there.ask("GET", target)
    assert reply.header("content-disposition") == "attachment"
    assert reply.header("content-type") == "a/b"
    there.ask("PUT", "/photos/cat.jpg?acl", headers={"x-amz-acl": "public-read"})
    monkeypatch.setattr(there.service.authenticator, "authenticate", lambda head: Caller())
    assert there.ask("GET", target).status == 400


def test_metadata_given_in_a_presigned_url_counts(there: Shop, monkeypatch: Any) -> None:
    caller = Caller(kind="open", hoisted={b"x-amz-meta-name": b"Tom", b"x-amz-tagging": b"a=1"})
    monkeypatch.setattr(there.service.authenticator, "authenticate", lambda head: caller)
    there.ask("PUT", "/photos/cat.jpg?X-Amz-Meta-Name=Tom", b"meow", headers={"x-amz-tagging": ""})
    reply = there.ask("GET", "/photos/cat.jpg")
    assert reply.header("x-amz-meta-name") == "Tom"
    assert reply.header("x-amz-tagging-count") is None


def test_a_copy_source_in_a_presigned_url_is_no_plain_put(there: Shop, monkeypatch: Any) -> None:
    caller = Caller(kind="open", hoisted={b"x-amz-copy-source": b"photos/cat.jpg"})
    monkeypatch.setattr(there.service.authenticator, "authenticate", lambda head: caller)
    there.ask("PUT", "/photos/dog.jpg?X-Amz-Copy-Source=photos%2Fcat.jpg&X-Amz-Signature=00", b"")
    assert there.service.objects.look("photos", b"dog.jpg").size == 4


def test_only_the_first_of_many_writers_gets_a_new_key(there: Shop) -> None:
    first = there.ask("PUT", "/photos/new", b"1", headers={"if-none-match": "*"})
    second = there.ask("PUT", "/photos/new", b"2", headers={"if-none-match": "*"})
    assert (first.status, second.status) == (200, 412)
    assert there.ask("GET", "/photos/new").body == b"1"


def test_a_body_whose_condition_fails_already_is_not_read(there: Shop) -> None:
    request = there.ask("PUT", "/photos/cat.jpg", b"x", headers={"if-none-match": "*"})
    assert request.status == 412
    assert request.upload.consumer is None
    assert request.upload.drained


def test_an_object_is_replaced_only_when_it_is_the_one_expected(there: Shop) -> None:
    assert there.ask("PUT", "/photos/cat.jpg", b"purr", headers={"if-match": ETAG}).status == 200
    assert there.ask("PUT", "/photos/cat.jpg", b"hiss", headers={"if-match": ETAG}).status == 412
    assert there.ask("PUT", "/photos/none", b"hiss", headers={"if-match": ETAG}).status == 404
    assert there.ask("GET", "/photos/cat.jpg").body == b"purr"


def test_deleting_what_is_not_there_is_fine(there: Shop) -> None:
    assert there.ask("DELETE", "/photos/none").status == 204
    assert there.ask("DELETE", "/none/none").status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-match": '"other"'}, 412),
        ({"x-amz-if-match-size": "5"}, 412),
        ({"x-amz-if-match-last-modified-time": "Sat, 21 Nov 2026 02:59:59 GMT"}, 412),
        ({"if-match": "*"}, 204),
        (
            {
                "if-match": ETAG,
                "x-amz-if-match-size": "4",
                "x-amz-if-match-last-modified-time": "Sat, 21 Nov 2026 03:00:00 GMT",
            },
            204,
        ),
    ],
)
def test_an_object_is_deleted_only_when_it_is_the_one_expected(
    there: Shop, headers: dict[str, str], status: int
) -> None:
    assert there.ask("DELETE", "/photos/cat.jpg", headers=headers).status == status
    assert there.ask("HEAD", "/photos/cat.jpg").status == (404 if status == 204 else 200)


def test_a_missing_bucket_is_told_as_such(there: Shop) -> None:
    for method, target in (("GET", "/none/a"), ("PUT", "/none/a"), ("DELETE", "/none/a"), ("GET", "/none")):
        body = there.ask(method, target).body
        assert b"<Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>" in body
        assert b"<BucketName>none</BucketName>" in body


@pytest.mark.parametrize("name", ["No_Such", "ab", "192.168.0.1", "a..b", "-ab", "%C3%A4%C3%A4%C3%A4", "x" * 64])
def test_a_name_that_no_bucket_can_have_is_told_as_such(there: Shop, name: str) -> None:
    for target in (f"/{name}", f"/{name}/a", f"/{name}?tagging"):
        for method in ("GET", "PUT", "DELETE"):
            assert b"<Code>InvalidBucketName</Code>" in there.ask(method, target).body, (method, target)
        assert there.ask("HEAD", target.partition("?")[0]).status == 400
    reply = there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": f"{name}/a"})
    assert b"<Code>InvalidBucketName</Code>" in reply.body
