"""Servers that are broken or mean harm: the program that asks is told so, and waits for nothing that never comes."""

import io
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor, task
from twisted.internet.interfaces import IConsumer
from twisted.web.http import Request
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from gecko_tw.client import (
    S3,
    ChecksumMismatch,
    ConnectionCut,
    Plan,
    Refusal,
    S3Error,
    TimedOut,
    UploadInterrupted,
    WrongEndpoint,
    downloads,
)
from tests.client.stub import Answer, Stub, says

Connect = Callable[..., Awaitable[S3]]
BEGUN = says(200, b"<InitiateMultipartUploadResult><UploadId>abc</UploadId></InitiateMultipartUploadResult>")
TAKEN = says(200, etag='"1"')


def raw(data: bytes) -> Answer:
    """Writes bytes that no server of HTTP would, and nothing more."""

    def render(request: Request) -> int:
        request.transport.write(data)
        return NOT_DONE_YET

    return render


def ok(rest: bytes) -> Answer:
    return raw(b"HTTP/1.1 200 OK\r\n" + rest)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (ok(b"Content-Length: -5\r\n\r\nabc"), ConnectionCut),
        (ok(b"Content-Length: many\r\n\r\nabc"), ConnectionCut),
        (ok(b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc"), ConnectionCut),
        (ok(b"Content-Length: 30\r\n\r\nabc"), TimedOut),
        (ok(b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"), ConnectionCut),
        (ok(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), TimedOut),
        (ok(b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000), ConnectionCut),
        (ok(b"a: " + b"x" * 70_000 + b"\r\n\r\n"), ConnectionCut),
        (ok(b"no header\r\n\r\n"), ConnectionCut),
        (ok(b"a: b\r\n" * 10_000), TimedOut),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000), TimedOut),
        (raw(b"\r\n\r\n"), WrongEndpoint),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_whole_answer_is_never_taken_for_one(stub: Stub, connected: Connect, answer, wrong):
    stub.answers = [answer]
    s3 = await connected(connect_timeout=0.1, read_timeout=0.1)
    with pytest.raises(wrong):
        await s3.get("photos", "cat.jpg")


@pytest.mark.parametrize(
    "headers",
    [{"last_modified": "yesterday"}, {"last_modified": "9" * 20}, {"x_amz_missing_meta": "many"}],
)
@pytest_twisted.ensureDeferred
async def test_headers_that_cannot_be_read_are_no_answer_and_keep_no_connection(
    stub: Stub, connected: Connect, headers
):
    left: list[Any] = []

    def answer(request: Request) -> int:
        request.notifyFinish().addErrback(left.append)
        for name, value in headers.items():
            request.setHeader(name.replace("_", "-"), value)
        request.setHeader("content-length", "10000000")
        request.write(b"x" * 1000)
        return NOT_DONE_YET

    stub.answers = [answer]
    s3 = await connected()
    with pytest.raises(WrongEndpoint, match="S3 does not write"):
        await s3.get("photos", "cat.jpg")
    while not left:
        await task.deferLater(reactor, 0.01)


@pytest.mark.parametrize("value", ["!!!", "\xe9\xe9", "AAAA"])
@pytest_twisted.ensureDeferred
async def test_a_checksum_that_is_none_fits_nothing(stub: Stub, connected: Connect, value: str):
    stub.answers = [says(200, b"abc", x_amz_checksum_crc32=value)]
    s3 = await connected()
    with pytest.raises(ChecksumMismatch):
        await s3.get("photos", "cat.jpg")


BOMB = (
    b"<!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaa'>%b]><ListAllMyBucketsResult><Owner><ID>&a9;</ID></Owner></ListAllMyBucketsResult>"
    % (b"".join(b"<!ENTITY a%d '%b'>" % (depth, b"&a%d;" % (depth - 1) * 10) for depth in range(1, 10)))
)
OUTSIDE = (
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><ListAllMyBucketsResult><Owner><ID>&a;</ID></Owner>"
    b"</ListAllMyBucketsResult>"
)
NEVER = b"<ListAllMyBucketsResult><Buckets><Bucket><CreationDate>never</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"


@pytest.mark.parametrize("document", [BOMB, OUTSIDE, NEVER, b"<a>" * 100_000, b"{}", b"<a>\xff</a>"])
@pytest.mark.parametrize("status", [200, 400])
@pytest_twisted.ensureDeferred
async def test_a_document_that_is_none_of_s3_is_an_error(stub: Stub, connected: Connect, document: bytes, status: int):
    stub.answers = [says(status, document, content_type="application/xml")]
    s3 = await connected()
    with pytest.raises(S3Error) as caught:
        await s3.api.list_buckets()
    assert "root:" not in str(caught.value)


@pytest_twisted.ensureDeferred
async def test_a_document_without_end_is_given_up(stub: Stub, connected: Connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(downloads, "MOST_DOCUMENT", 1 << 20)
    left: list[Any] = []

    def answer(request: Request) -> int:
        request.notifyFinish().addErrback(left.append)
        request.write(b"<" * (2 << 20))
        return NOT_DONE_YET

    stub.answers = [answer]
    s3 = await connected()
    with pytest.raises(WrongEndpoint, match="more than 1 MiB"):
        await s3.api.list_buckets()
    while not left:
        await task.deferLater(reactor, 0.01)


@pytest.mark.parametrize("status", [301, 302, 307])
@pytest_twisted.ensureDeferred
async def test_nobody_is_followed_to_elsewhere(stub: Stub, connected: Connect, status: int):
    stub.answers = [says(status, location="http://127.0.0.2:1/elsewhere")]
    s3 = await connected()
    for asked in (s3.get("photos", "cat.jpg"), s3.api.head_bucket(Bucket="photos")):
        with pytest.raises(WrongEndpoint, match="leads to http://127.0.0.2:1/elsewhere"):
            await asked
    assert len(stub.asked) == 3


@pytest_twisted.ensureDeferred
async def test_a_listing_that_never_ends_is_noticed(stub: Stub, connected: Connect):
    page = b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
    stub.answers = [says(200, page)]
    s3 = await connected()
    with pytest.raises(WrongEndpoint, match="same next token"):
        _ = [one async for one in s3.list("photos")]
    assert len(stub.asked) == 2


@pytest.mark.parametrize(
    ("answers", "plan", "lacking"),
    [
        ([says(200, b"<InitiateMultipartUploadResult/>")], Plan(), "UploadId"),
        ([says(200, b"<ListPartsResult><Part><Size>1</Size></Part></ListPartsResult>")], Plan(resume="abc"), "PartNum"),
        (
            [says(200, b"<ListMultipartUploadsResult><Upload><Key>k</Key></Upload></ListMultipartUploadsResult>")],
            Plan(resume=True),
            "Initiated",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_upload_that_the_server_begins_badly_is_told(stub: Stub, connected: Connect, answers, plan, lacking):
    stub.answers = answers
    s3 = await connected()
    with pytest.raises(WrongEndpoint, match=lacking):
        await s3.multipart_upload("photos", "k", b"x", plan)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([BEGUN, says(200)], WrongEndpoint),
        ([BEGUN, TAKEN, says(200)], ConnectionCut),
        ([BEGUN, TAKEN, says(200, b"   ")], Refusal),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_upload_is_not_complete_before_the_server_has_named_it(
    stub: Stub, connected: Connect, answers, reason
):
    stub.answers = answers
    s3 = await connected()
    with pytest.raises(UploadInterrupted, match="resume='abc'") as caught:
        await s3.multipart_upload("photos", "k", b"x")
    assert isinstance(caught.value.__cause__, reason)


# ---- whoever takes what comes


@implementer(IConsumer)
class _Broken:
    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """As it comes."""

    def unregisterProducer(self) -> None:
        """That was all."""

    def write(self, data: bytes) -> None:
        raise RuntimeError("cannot take it")


@pytest.mark.parametrize("length", [3, 1_000_000])
@pytest_twisted.ensureDeferred
async def test_a_consumer_that_fails_is_not_told_of_success(stub: Stub, connected: Connect, length: int):
    stub.answers = [says(200, b"x" * length)]
    s3 = await connected()
    with pytest.raises(RuntimeError, match="cannot take it"):
        await s3.get_to("photos", "cat.jpg", _Broken())


class _Silent(io.BytesIO):
    """Does not say how much it has taken."""

    def write(self, data: Any) -> None:  # type: ignore[override]  # as some file-like objects do
        assert len(self.getvalue()) < 100, "it is given the same bytes again and again"
        super().write(data)


class _Refusing(io.RawIOBase):
    """Would block."""

    def write(self, data: Any) -> None:
        return None


@pytest_twisted.ensureDeferred
async def test_a_file_that_does_not_say_what_it_took_is_written_once(stub: Stub, connected: Connect):
    stub.answers = [says(200, b"abc")]
    s3 = await connected()
    file = _Silent()
    await s3.get_to("photos", "cat.jpg", file)
    assert file.getvalue() == b"abc"
    with pytest.raises(BlockingIOError, match="blocks"):
        await s3.get_to("photos", "cat.jpg", _Refusing())


@pytest_twisted.ensureDeferred
async def test_a_file_may_have_as_long_a_name_as_the_disk_allows(stub: Stub, connected: Connect, tmp_path: Path):
    stub.answers = [says(200, b"abc")]
    s3 = await connected()
    for name in ("n" * 255, "語" * 85, "🦎" * 63):
        await s3.get_to("photos", "cat.jpg", tmp_path / name)
        assert (tmp_path / name).read_bytes() == b"abc"


@pytest_twisted.ensureDeferred
async def test_a_file_is_on_the_disk_before_it_takes_the_place_of_another(
    stub: Stub, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, steps = tmp_path / "cat.jpg", []
    path.write_bytes(b"the old one")
    fsync, replace = os.fsync, os.replace

    def synced(file: int) -> None:
        steps.append(("fsync", os.fstat(file).st_ino, os.fstat(file).st_size))
        fsync(file)

    def replaced(source: Path, target: Path) -> None:
        steps.append(("replace", source.stat().st_ino, source.stat().st_size))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    stub.answers = [says(200, b"the new one")]
    await (await connected()).get_to("photos", "cat.jpg", path)
    inode = path.stat().st_ino
    assert steps == [("fsync", inode, 11), ("replace", inode, 11)]


@pytest_twisted.ensureDeferred
async def test_a_request_that_cannot_be_begun_leaves_no_timer(
    stub: Stub, connected: Connect, monkeypatch: pytest.MonkeyPatch
):
    s3 = await connected()

    def request(*_: Any) -> None:
        raise RuntimeError("cannot be begun")

    monkeypatch.setattr(s3.api._exchange._agent, "request", request)
    before = len(reactor.getDelayedCalls())
    with pytest.raises(RuntimeError, match="cannot be begun"):
        await s3.get("photos", "cat.jpg")
    assert len(reactor.getDelayedCalls()) == before
