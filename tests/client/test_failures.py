"""What goes wrong on the way, and what is said of it."""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor, task
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.web.client import FileBodyProducer

from gecko_tw.client import (
    S3,
    BodyUsed,
    ChecksumMismatch,
    ConditionFailed,
    ConnectionCut,
    ConnectionRefused,
    Denied,
    ExpiredKey,
    NoCredentials,
    NoSuchKey,
    NotTrusted,
    Options,
    Refusal,
    S3Error,
    TimedOut,
    UnknownHost,
    UnknownKey,
    UploadInterrupted,
    WrongClock,
    WrongEndpoint,
    WrongSecret,
    connect,
)
from tests.client.stub import Stub, cuts, cuts_after, refuses, says, stalls, waits

Connect = Callable[..., Awaitable[S3]]

REFUSALS = [
    (403, "SignatureDoesNotMatch", "", WrongSecret, "secret is not the one"),
    (403, "InvalidAccessKeyId", "does not exist", UnknownKey, "does not know"),
    (403, "InvalidAccessKeyId", "The access key expired at 2026-01-01T00:00:00Z.", ExpiredKey, "new credentials"),
    (400, "ExpiredToken", "", ExpiredKey, "new credentials"),
    (403, "RequestTimeTooSkewed", "", WrongClock, "clock"),
    (403, "AccessDenied", "", Denied, "policies"),
    (404, "NoSuchKey", "", NoSuchKey, "NoSuchKey"),
    (412, "PreconditionFailed", "", ConditionFailed, "PreconditionFailed"),
    (400, "SomethingElse", "", Refusal, "SomethingElse"),
]


@pytest.mark.parametrize(("status", "code", "message", "kind", "told"), REFUSALS)
@pytest_twisted.ensureDeferred
async def test_each_refusal_is_an_exception_that_says_what_to_do(stub, connected, status, code, message, kind, told):
    stub.answers = [refuses(status, code, message)]
    s3 = await connected()
    with pytest.raises(kind, match=told) as caught:
        await s3.get("photos", "cat.jpg")
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert caught.value.status == status
    assert isinstance(caught.value, S3Error)


@pytest_twisted.ensureDeferred
async def test_a_head_that_has_no_body_to_tell_the_reason_is_not_found_all_the_same(stub: Stub, connected: Connect):
    stub.answers = [says(404)]
    s3 = await connected()
    with pytest.raises(Refusal) as caught:
        await s3.api.head_object(Bucket="photos", Key="cat.jpg")
    assert caught.value.status == 404


@pytest_twisted.ensureDeferred
async def test_a_page_for_people_is_a_wrong_endpoint(stub: Stub, connected: Connect):
    s3 = await connected()
    for status in (404, 503):
        stub.answers = [says(status, b"<html>nothing here</html>", content_type="text/html")]
        with pytest.raises(WrongEndpoint, match="page for people"):
            await s3.api.list_buckets()
    stub.answers = [says(200, b"<html><p>welcome</html>", content_type="text/html")]
    with pytest.raises(WrongEndpoint):
        await s3.api.list_buckets()


class _Hello(Protocol):
    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"SSH-2.0-OpenSSH_9.9\r\n")


class _Bad(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        self.transport.loseConnection()


@pytest_twisted.ensureDeferred
async def test_what_does_not_speak_http_is_a_wrong_endpoint():
    port = reactor.listenTCP(0, Factory.forProtocol(_Hello), interface="127.0.0.1")
    s3 = await connect(f"http://127.0.0.1:{port.getHost().port}", "key", "secret", options=Options(max_attempts=1))
    with pytest.raises(WrongEndpoint, match="does not answer in HTTP"):
        await s3.api.list_buckets()
    await s3.close()
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_nobody_there_is_refused(stub: Stub):
    port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    number = port.getHost().port
    await port.stopListening()
    s3 = await connect(f"http://127.0.0.1:{number}", "key", "secret", options=Options(max_attempts=1))
    with pytest.raises(ConnectionRefused, match="Is the server running"):
        await s3.put("photos", "cat.jpg", b"x")
    await s3.close()


@pytest_twisted.ensureDeferred
async def test_a_name_without_an_address_is_an_unknown_host():
    s3 = await connect("http://s3.invalid:9000", "key", "secret", options=Options(max_attempts=1))
    with pytest.raises(UnknownHost, match="spelling") as caught:
        await s3.api.list_buckets()
    assert isinstance(caught.value, WrongEndpoint)
    await s3.close()


@pytest_twisted.ensureDeferred
async def test_https_to_a_server_of_http_is_not_trusted():
    port = reactor.listenTCP(0, Factory.forProtocol(_Bad), interface="127.0.0.1")
    s3 = await connect(f"https://127.0.0.1:{port.getHost().port}", "key", "secret", options=Options(max_attempts=1))
    with pytest.raises(NotTrusted, match="http:// URL"):
        await s3.api.list_buckets()
    await s3.close()
    await port.stopListening()


@pytest.mark.parametrize("url", ["localhost:9000", "ftp://localhost", "http:///photos", "", "s3"])
@pytest_twisted.ensureDeferred
async def test_what_is_no_url_is_a_wrong_endpoint_at_once(url: str):
    with pytest.raises(WrongEndpoint, match="begins with http"):
        await connect(url, "key", "secret")


@pytest_twisted.ensureDeferred
async def test_half_of_a_key_pair_is_a_mistake():
    with pytest.raises(ValueError, match="together"):
        await connect("http://localhost:9000", "key")


@pytest_twisted.ensureDeferred
async def test_without_a_key_it_says_where_one_is_looked_for(stub: Stub):
    s3 = await connect(stub.url)
    with pytest.raises(NoCredentials, match="AWS_ACCESS_KEY_ID"):
        await s3.api.list_buckets()
    await s3.close()
    assert not stub.asked


@pytest_twisted.ensureDeferred
async def test_a_connection_that_is_cut_before_the_answer_is_told(stub: Stub, connected: Connect):
    stub.answers = [cuts]
    s3 = await connected()
    with pytest.raises(ConnectionCut, match="may have been done"):
        await s3.put("photos", "cat.jpg", b"x" * 100_000)
    assert len(stub.asked) == 1


@pytest_twisted.ensureDeferred
async def test_an_object_that_is_cut_short_is_never_a_whole_one(stub: Stub, connected: Connect, tmp_path: Path):
    stub.answers = [cuts_after(1_000_000, b"x" * 600_000)]
    s3 = await connected()
    with pytest.raises(ConnectionCut):
        await s3.get("photos", "cat.jpg")
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"the old one")
    with pytest.raises(ConnectionCut):
        await s3.get_to("photos", "cat.jpg", path)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


@pytest_twisted.ensureDeferred
async def test_bytes_that_do_not_have_their_checksum_are_not_handed_out(stub: Stub, connected: Connect):
    stub.answers = [says(200, b"tampered", x_amz_checksum_crc32="AAAAAA==")]
    s3 = await connected()
    with pytest.raises(ChecksumMismatch, match="ask again"):
        await s3.get("photos", "cat.jpg")


@pytest.mark.parametrize("answer", [waits, stalls])
@pytest_twisted.ensureDeferred
async def test_a_server_that_says_nothing_more_is_given_up(stub: Stub, connected: Connect, answer):
    stub.answers = [answer]
    s3 = await connected(connect_timeout=0.05, read_timeout=0.05)
    with pytest.raises(TimedOut, match="read_timeout"):
        await s3.get("photos", "cat.jpg")


@pytest_twisted.ensureDeferred
async def test_trouble_on_the_way_is_tried_again_and_signed_anew(stub: Stub, connected: Connect):
    stub.answers = [cuts, refuses(500, "InternalError"), says(200, etag='"1"')]
    s3 = await connected(max_attempts=3)
    answer = await s3.put("photos", "cat.jpg", b"x" * 100_000)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert [asked.body for asked in stub.asked] == [b"x" * 100_000] * 3


@pytest_twisted.ensureDeferred
async def test_it_is_not_tried_more_often_than_wanted(stub: Stub, connected: Connect):
    stub.answers = [refuses(503, "ServiceUnavailable")]
    s3 = await connected(max_attempts=2)
    with pytest.raises(Refusal, match="ServiceUnavailable"):
        await s3.get("photos", "cat.jpg")
    assert len(stub.asked) == 2


@pytest_twisted.ensureDeferred
async def test_what_the_caller_did_wrong_is_not_tried_again(stub: Stub, connected: Connect):
    stub.answers = [refuses(400, "InvalidArgument")]
    s3 = await connected(max_attempts=3)
    with pytest.raises(Refusal, match="InvalidArgument"):
        await s3.get("photos", "cat.jpg")
    assert len(stub.asked) == 1


@pytest_twisted.ensureDeferred
async def test_a_call_that_is_cancelled_gives_up_its_connection(stub: Stub, connected: Connect):
    left = []

    def answer(request):
        request.notifyFinish().addErrback(lambda failure: left.append(failure.type))
        return waits(request)

    stub.answers = [answer]
    s3 = await connected(max_attempts=3)
    asked = s3.get("photos", "cat.jpg")
    while not stub.asked:
        await task.deferLater(reactor, 0.01)
    asked.cancel()
    with pytest.raises(CancelledError):
        await asked
    while not left:
        await task.deferLater(reactor, 0.01)
    assert len(stub.asked) == 1
    assert left[0].__name__ in ("ConnectionLost", ConnectionDone.__name__)


@pytest_twisted.ensureDeferred
async def test_a_call_can_be_cancelled_while_it_waits_to_try_again(stub: Stub, connected: Connect):
    stub.answers = [refuses(503, "SlowDown")]
    s3 = await connected(max_attempts=10)
    asked = s3.get("photos", "cat.jpg")
    while not stub.asked:
        await task.deferLater(reactor, 0.01)
    asked.cancel()
    with pytest.raises(CancelledError):
        await asked


@pytest_twisted.ensureDeferred
async def test_a_call_that_waits_for_its_turn_can_be_cancelled(stub: Stub, connected: Connect):
    stub.answers = [waits]
    s3 = await connected(max_connections=1)
    first, second = s3.get("photos", "1"), s3.get("photos", "2")
    for asked in (second, first):
        asked.cancel()
        with pytest.raises(CancelledError):
            await asked
    stub.answers = [says(200, b"there")]
    assert await s3.get("photos", "3") == b"there"


@pytest_twisted.ensureDeferred
async def test_an_upload_that_stops_names_itself(stub: Stub, connected: Connect):
    begun = says(200, b"<InitiateMultipartUploadResult><UploadId>abc</UploadId></InitiateMultipartUploadResult>")
    stub.answers = [begun, refuses(403, "AccessDenied")]
    s3 = await connected()
    with pytest.raises(UploadInterrupted, match="resume='abc'") as caught:
        await s3.multipart_upload("photos", "cat.jpg", b"x" * 100)
    assert caught.value.upload_id == "abc"
    assert isinstance(caught.value.__cause__, Denied)


@pytest_twisted.ensureDeferred
async def test_a_region_that_a_producer_cannot_follow_to_is_told(stub: Stub, connected: Connect):
    stub.answers = [
        says(
            400,
            b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
            content_type="text/xml",
        ),
        says(200, etag='"1"'),
    ]
    s3 = await connected()
    with pytest.raises(BodyUsed, match="name that"):
        await s3.put("photos", "cat.jpg", FileBodyProducer(io.BytesIO(b"x" * 10)))
