"""What happens to every request."""

from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionLost

from gecko_tw.resources.pipeline import parse_query
from gecko_tw.store.drivers.interfaces import Stale
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import InsufficientStorage
from gecko_tw.wire.interfaces import UploadStalled
from tests.resources.asking import FakeUpload, HeldPool, Shop, shop

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


def test_every_answer_has_an_id_of_its_own_that_is_logged_too(there: Shop) -> None:
    replies = [there.ask("GET", target) for target in ("/", "/photos", "/none", "/photos/none", "/health", "/%zz")]
    ids = [reply.header("x-amz-request-id") for reply in replies]
    assert len(set(ids)) == len(ids)
    assert ids == [entry.request_id for entry in there.log[1:]]
    for reply, own in zip(replies, ids, strict=True):
        assert reply.header("x-amz-id-2") == there.service.host_id or reply.status == 200
        assert reply.status == 200 or f"<RequestId>{own}</RequestId>".encode() in reply.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_nobody_unknown_may_do_anything(method: str) -> None:
    there = shop(auth=True)
    there.service.buckets.create(BucketRecord(name="photos", created=0))
    for target in ("/", "/photos", "/photos/cat.jpg"):
        if (method, target) in (("HEAD", "/"), ("PUT", "/"), ("DELETE", "/")):
            continue
        reply = there.ask(method, target)
        assert reply.status == 403
        assert method == "HEAD" or b"<Code>AccessDenied</Code>" in reply.body
    assert there.ask(method, "/others").status == (403 if method == "PUT" else 404)
    assert [record.name for record in there.service.buckets.page("", "", 10)] == ["photos"]


def test_a_wrong_signature_is_told_as_such() -> None:
    there = shop(auth=True)
    headers = {
        "authorization": "AWS4-HMAC-SHA256 Credential=nobody/20261121/us-east-1/s3/aws4_request,"
        f"SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={'0' * 64}",
        "x-amz-date": "20261121T030000Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    assert b"<Code>InvalidAccessKeyId</Code>" in there.ask("GET", "/", headers=headers).body
    headers["authorization"] = headers["authorization"].replace("nobody", "key")
    reply = there.ask("GET", "/", headers=headers)
    assert reply.status == 403
    assert b"<StringToSign>" in reply.body


@pytest.mark.parametrize(("method", "target"), [("PATCH", "/photos/a"), ("TRACE", "/"), ("PUT", "/")])
def test_a_method_that_nothing_answers_is_not_allowed(there: Shop, method: str, target: str) -> None:
    reply = there.ask(method, target)
    assert reply.status == 405
    assert b"<Code>MethodNotAllowed</Code>" in reply.body
    assert method not in (reply.header("allow") or "").split(", ")
    assert "GET" in (reply.header("allow") or "")


@pytest.mark.parametrize(
    ("size", "headers"), [(100_000, {}), (100, {"expect": "100-continue"}), (100, {"if-match": '"none"'})]
)
def test_a_refused_upload_is_drained_and_never_read(there: Shop, size: int, headers: dict[str, str]) -> None:
    upload = FakeUpload([b"x" * size], size)
    assert there.ask("PUT", "/none/cat.jpg", b"x" * size, headers=headers, upload=upload).status == 404
    assert upload.drained
    assert upload.consumer is None


def test_too_many_requests_at_once_are_slowed_down() -> None:
    pool = HeldPool()
    there = shop(pool=pool, max_in_flight=2)
    first, second = there.send("PUT", "/photos"), there.send("PUT", "/pictures")
    third = there.ask("GET", "/")
    assert third.status == 503
    assert third.header("retry-after") == "1"
    assert b"<Code>SlowDown</Code>" in third.body
    pool.work()
    assert (first.status, second.status) == (200, 200)
    assert there.service.in_flight == 0
    assert there.ask("HEAD", "/photos").status == 200


def test_a_body_cut_short_leaves_the_old_object(there: Shop) -> None:
    there.ask("PUT", "/photos/cat.jpg", b"old")
    reply = there.ask("PUT", "/photos/cat.jpg", b"new!", upload=FakeUpload([b"ne"], 4, cut=True))
    assert reply.status == 400
    assert b"<Code>IncompleteBody</Code>" in reply.body
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"


def test_a_body_that_stalls_is_told_so_and_changes_nothing(there: Shop) -> None:
    there.ask("PUT", "/photos/cat.jpg", b"old")
    reply = there.ask("PUT", "/photos/cat.jpg", b"new!", upload=FakeUpload([b"ne"], 4, cut=UploadStalled()))
    assert reply.status == 400
    assert b"<Code>RequestTimeout</Code>" in reply.body
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"


def test_a_client_that_leaves_while_it_sends_is_forgotten(there: Shop) -> None:
    upload = FakeUpload([b"new"], 3, held=True)
    request = there.send("PUT", "/photos/cat.jpg", b"new", upload=upload)
    request.leave()
    assert request.finished == 0
    assert there.log[-1].status == 499
    assert there.service.in_flight == 0
    assert there.ask("GET", "/photos/cat.jpg").status == 404
    upload.release()
    assert there.ask("GET", "/photos/cat.jpg").status == 404


def test_a_commit_under_way_is_finished_when_the_client_leaves() -> None:
    pool = HeldPool()
    there = shop(pool=pool)
    there.send("PUT", "/photos")
    pool.work()
    request = there.send("PUT", "/photos/cat.jpg", b"new")
    request.leave()
    assert there.service.in_flight == 1
    pool.work()
    assert there.service.in_flight == 0
    assert there.ask("GET", "/photos/cat.jpg").body == b"new"


class Broken:
    """A store whose every verb fails."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def __getattr__(self, name: str) -> Any:
        def fail(*arguments: Any) -> None:
            raise self.failure

        return fail


def test_what_nobody_foresaw_is_an_internal_error_with_a_traceback_in_the_log(
    there: Shop, logged_failures: Any
) -> None:
    there.service.objects = Broken(ZeroDivisionError("surprise"))  # type: ignore[assignment]
    reply = there.ask("GET", "/photos/cat.jpg")
    assert reply.status == 500
    assert b"<Code>InternalError</Code>" in reply.body
    assert b"surprise" not in reply.body
    assert reply.header("x-amz-request-id") == there.log[-1].request_id
    assert len(logged_failures.take(ZeroDivisionError)) == 1
    assert there.service.in_flight == 0


def test_an_error_behind_the_first_byte_aborts_the_connection(there: Shop, logged_failures: Any) -> None:
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    request = there.send("HEAD", "/photos/none")
    assert not request.aborted

    reading = there.service.objects.open("photos", b"cat.jpg")
    reading.read = Broken(OSError("disk")).read  # type: ignore[method-assign]
    there.service.objects = Opened(reading)  # type: ignore[assignment]
    request = there.send("GET", "/photos/cat.jpg")
    assert request.aborted
    assert request.finished == 0
    assert there.log[-1].status == 500
    assert len(logged_failures.take(OSError)) == 1


class Opened:
    """A store that always opens the same."""

    def __init__(self, reading: Any) -> None:
        self.reading = reading

    def open(self, *arguments: Any) -> Any:
        return self.reading


def test_a_client_that_leaves_while_it_is_answered_is_no_error(there: Shop) -> None:
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    reading = there.service.objects.open("photos", b"cat.jpg")
    reading.read = Broken(ConnectionLost()).read  # type: ignore[method-assign]
    there.service.objects = Opened(reading)  # type: ignore[assignment]
    there.send("GET", "/photos/cat.jpg")
    assert there.log[-1].status == 499


def test_a_full_disk_is_told(there: Shop) -> None:
    there.service.objects = Broken(InsufficientStorage())  # type: ignore[assignment]
    assert there.ask("DELETE", "/photos/cat.jpg").status == 507


def test_a_record_that_is_not_settled_is_settled_and_asked_for_again(there: Shop) -> None:
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    reconciled: list[int] = []
    inner = there.service.objects

    class Restless:
        def look(self, *arguments: Any) -> Any:
            if len(reconciled) < 3:
                raise Stale(lambda: reconciled.append(1))
            return inner.look(*arguments)

    there.service.objects = Restless()  # type: ignore[assignment]
    assert there.ask("HEAD", "/photos/cat.jpg").status == 200
    assert len(reconciled) == 3


def test_a_slow_catalog_is_never_asked_on_the_reactor_thread() -> None:
    pool = HeldPool()
    there = shop(pool=pool, quick=False)
    there.send("PUT", "/photos")
    pool.work()
    request = there.send("HEAD", "/photos")
    assert request.finished == 0
    pool.work()
    assert request.status == 200


def test_an_owner_that_is_not_the_one_expected_is_refused(there: Shop) -> None:
    owner = there.service.buckets.get("photos").owner
    assert there.ask("GET", "/photos", headers={"x-amz-expected-bucket-owner": owner}).status == 200
    assert there.ask("GET", "/photos", headers={"x-amz-expected-bucket-owner": "123456789012"}).status == 403


def test_the_log_has_what_was_answered(there: Shop) -> None:
    there.ask("PUT", "/photos/cat.jpg?x-id=PutObject", b"meow")
    there.ask("GET", "/photos/cat.jpg")
    there.ask("HEAD", "/photos/none")
    put, get, head = there.log[-3:]
    assert (put.method, put.target, put.status, put.sent) == ("PUT", b"/photos/cat.jpg?x-id=PutObject", 200, 0)
    assert (get.operation, get.sent, get.error, get.peer) == ("GetObject", 4, "", "192.0.2.1:4711")
    assert (head.status, head.sent, head.error) == (404, 0, "NoSuchKey: The specified key does not exist.")


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=5))
def test_a_query_is_read_as_it_was_written(pairs: dict[str, str]) -> None:
    for write in (quote, quote_plus):
        query = "&".join(f"{write(name, safe='')}={write(value, safe='')}" for name, value in pairs.items())
        assert parse_query(query.encode()) == pairs


@given(st.binary(max_size=30))
def test_no_query_loses_a_byte_of_its_values(value: bytes) -> None:
    query = b"prefix=" + b"".join(b"%%%02X" % byte for byte in value)
    assert parse_query(query)["prefix"].encode("utf-8", "surrogateescape") == value


def test_the_first_value_of_a_name_counts() -> None:
    assert parse_query(b"a=1&a=2&b&&=x") == {"a": "1", "b": "", "": "x"}
