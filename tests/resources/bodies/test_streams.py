"""Bodies on their way in."""

import gc
import hashlib
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.bodies.streams import Stream
from gecko_tw.resources.dispatch.operations import Document
from gecko_tw.store.checksums import ALGORITHMS, Digests
from gecko_tw.store.refusals import InsufficientStorage
from tests.resources.asking import FakeUpload, HeldPool, Shop, shop

MIB = 1024 * 1024
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"old")
    return there


def checksum(algorithm: str, data: bytes) -> str:
    digests = Digests((algorithm,))
    digests.update(data)
    return digests.value(algorithm)


def framed(data: bytes, trailer: str = "", size: int = 8192) -> bytes:
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    lines = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return lines + b"0\r\n" + trailer.encode() + (b"\r\n" if trailer else b"") + b"\r\n"


def test_a_body_with_chunked_transfer_encoding_needs_no_length(there: Shop) -> None:
    headers = {"content-length": None, "transfer-encoding": "chunked"}
    upload = FakeUpload([b"new", b"er"], None)
    assert there.ask("PUT", "/photos/cat.jpg", headers=headers, upload=upload).status == 200
    assert there.ask("GET", "/photos/cat.jpg").body == b"newer"


def test_a_body_without_a_length_is_refused(there: Shop) -> None:
    reply = there.ask("PUT", "/photos/cat.jpg", headers={"content-length": None})
    assert reply.status == 411
    assert b"<Code>MissingContentLength</Code>" in reply.body


def test_more_than_five_gibibytes_are_refused_before_a_byte_is_read(there: Shop) -> None:
    upload = FakeUpload([], 5 * 1024**3 + 1)
    reply = there.ask("PUT", "/photos/cat.jpg", headers={"content-length": str(5 * 1024**3 + 1)}, upload=upload)
    assert b"<Code>EntityTooLarge</Code>" in reply.body
    assert upload.consumer is None


@given(data=st.binary(max_size=20_000), cuts=st.lists(st.integers(0, 25_000), max_size=5))
def test_a_framed_body_is_stored_without_its_frame(data: bytes, cuts: list[int]) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    body = framed(data, f"x-amz-checksum-crc32:{checksum('CRC32', data)}")
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in zip(places, places[1:], strict=False)]
    headers = {
        "x-amz-content-sha256": UNSIGNED,
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": "x-amz-checksum-crc32",
        "content-encoding": "gzip, aws-chunked",
    }
    reply = there.ask("PUT", "/photos/cat.jpg", body, headers=headers, upload=FakeUpload(pieces, len(body)))
    assert reply.status == 200
    assert reply.header("x-amz-checksum-crc32") == checksum("CRC32", data)
    got = there.ask("GET", "/photos/cat.jpg")
    assert got.body == data
    assert got.header("content-encoding") == "gzip"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("place", ["header", "trailer"])
def test_a_wrong_checksum_leaves_the_old_object(there: Shop, algorithm: str, place: str) -> None:
    name, wrong = f"x-amz-checksum-{algorithm.lower()}", checksum(algorithm, b"other")
    if place == "header":
        reply = there.ask("PUT", "/photos/cat.jpg", b"new", headers={name: wrong})
    else:
        headers = {"x-amz-content-sha256": UNSIGNED, "x-amz-decoded-content-length": "3", "x-amz-trailer": name}
        reply = there.ask("PUT", "/photos/cat.jpg", framed(b"new", f"{name}:{wrong}"), headers=headers)
    assert reply.status == 400
    assert b"<Code>BadDigest</Code>" in reply.body
    assert algorithm.encode() in reply.body
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-md5": b64encode(hashlib.md5(b"other").digest()).decode()}, b"BadDigest"),
        ({"content-md5": "nonsense"}, b"InvalidDigest"),
        ({"x-amz-content-sha256": hashlib.sha256(b"other").hexdigest()}, b"XAmzContentSHA256Mismatch"),
        ({"x-amz-content-sha256": "nonsense"}, b"InvalidArgument"),
        ({"x-amz-checksum-crc32": "nonsense"}, b"InvalidRequest"),
    ],
)
def test_a_wrong_digest_leaves_the_old_object(there: Shop, headers: dict[str, str], code: bytes) -> None:
    reply = there.ask("PUT", "/photos/cat.jpg", b"new", headers=headers)
    assert b"<Code>%b</Code>" % code in reply.body
    assert reply.status == 400
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (framed(b"news", "x-amz-checksum-crc32:AAAAAA=="), b"IncompleteBody"),
        (framed(b"ne", "x-amz-checksum-crc32:AAAAAA=="), b"IncompleteBody"),
        (framed(b"new"), b"MalformedTrailerError"),
        (framed(b"new", "x-amz-checksum-crc32:short"), b"InvalidRequest"),
        (b"3\r\nnew\r\n", b"IncompleteBody"),
        (b"new", b"IncompleteBody"),
    ],
)
def test_a_broken_frame_leaves_the_old_object(there: Shop, body: bytes, code: bytes) -> None:
    headers = {
        "x-amz-content-sha256": UNSIGNED,
        "x-amz-decoded-content-length": "3",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    reply = there.ask("PUT", "/photos/cat.jpg", body, headers=headers)
    assert reply.status == 400
    assert b"<Code>%b</Code>" % code in reply.body
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"


def test_an_empty_framed_body_is_an_empty_object(there: Shop) -> None:
    headers = {
        "x-amz-content-sha256": UNSIGNED,
        "x-amz-decoded-content-length": "0",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    body = framed(b"", "x-amz-checksum-crc32:AAAAAA==")
    assert there.ask("PUT", "/photos/cat.jpg", body, headers=headers).status == 200
    assert there.ask("GET", "/photos/cat.jpg").body == b""


def test_a_large_body_is_written_by_a_thread_while_more_comes_and_the_sender_is_held_back() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    there.service.bytes_pool = pool = HeldPool()
    pieces = [bytes([number]) * MIB for number in range(5)]
    upload = FakeUpload(pieces[:1], 5 * MIB, held=True)
    request = there.send("PUT", "/photos/big", headers={"content-length": str(5 * MIB)}, upload=upload)
    consumer = upload.consumer
    consumer.write(pieces[0])
    assert pool.waiting
    assert upload.paused == 0
    consumer.write(pieces[1])
    assert upload.paused == 1
    pool.work()
    assert upload.paused == 0
    for piece in pieces[2:4]:
        consumer.write(piece)
    upload.pieces = pieces[4:]
    upload.release()
    assert request.finished == 0
    pool.work()
    pool.work()
    assert request.status == 200
    there.service.bytes_pool = there.service.catalog_pool
    assert there.ask("GET", "/photos/big").body == b"".join(pieces)


class FullDisk:
    """A blob writer that has no room."""

    def write(self, data: Any) -> None:
        raise InsufficientStorage

    def commit(self, note: Any) -> None:
        raise AssertionError("nothing was written")

    def abort(self) -> None:
        """There is nothing to forget."""


def test_what_took_a_body_is_gone_without_the_garbage_collector(there: Shop) -> None:
    gc.collect()
    gc.disable()
    try:
        there.ask("PUT", "/photos/cat.jpg", b"new")
        assert [one for one in gc.get_objects() if isinstance(one, Stream)] == []
    finally:
        gc.enable()


@pytest.mark.parametrize("when", ["while more comes", "behind the last byte"])
def test_a_disk_that_is_full_in_the_middle_of_a_body_leaves_the_old_object(
    there: Shop, when: str, monkeypatch: Any
) -> None:
    blobs = there.service.objects.blobs  # type: ignore[attr-defined]
    there.service.bytes_pool = pool = HeldPool()
    upload = FakeUpload([b"x" * MIB], 2 * MIB, held=True)
    request = there.send("PUT", "/photos/cat.jpg", headers={"content-length": str(2 * MIB)}, upload=upload)
    upload.consumer.write(b"x" * MIB)
    monkeypatch.setattr(blobs, "create", FullDisk)
    if when == "behind the last byte":
        upload.release()
    pool.work()
    pool.work()
    assert request.status == 507
    assert upload.drained
    monkeypatch.undo()
    there.service.bytes_pool = there.service.catalog_pool
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"


def test_a_body_that_is_refused_while_a_thread_writes_is_forgotten_only_after_that(there: Shop) -> None:
    there.service.bytes_pool = pool = HeldPool()
    upload = FakeUpload([b""], None, held=True, cut=True)
    headers = {"content-length": None, "transfer-encoding": "chunked"}
    request = there.send("PUT", "/photos/cat.jpg", headers=headers, upload=upload)
    upload.consumer.write(b"x" * MIB)
    upload.release()
    assert pool.waiting
    assert request.finished == 0
    pool.work()
    pool.work()
    assert request.status == 400
    there.service.bytes_pool = there.service.catalog_pool
    assert there.ask("GET", "/photos/cat.jpg").body == b"old"
    assert list(there.service.objects.blobs.older_than(-1)) == ["blob-1"]  # type: ignore[attr-defined]


CORS = (
    b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
    b"</CORSConfiguration>"
)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_document_is_held_against_its_checksum(there: Shop, algorithm: str) -> None:
    name = f"x-amz-checksum-{algorithm.lower()}"
    right, wrong = checksum(algorithm, CORS), checksum(algorithm, b"")
    assert there.ask("PUT", "/photos?cors", CORS, headers={name: wrong}).status == 400
    assert there.ask("GET", "/photos?cors").status == 404
    assert there.ask("PUT", "/photos?cors", CORS, headers={name: right}).status == 200


def test_a_document_is_held_against_the_hash_of_the_payload(there: Shop) -> None:
    reply = there.ask("PUT", "/photos?cors", CORS, headers={"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()})
    assert b"<Code>XAmzContentSHA256Mismatch</Code>" in reply.body


def test_a_document_may_be_framed(there: Shop) -> None:
    headers = {"x-amz-content-sha256": UNSIGNED, "x-amz-decoded-content-length": str(len(CORS))}
    assert there.ask("PUT", "/photos?cors", framed(CORS), headers=headers).status == 200
    assert there.ask("GET", "/photos?cors").status == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_document_that_is_too_long_is_refused(there: Shop, announced: bool) -> None:
    row = next(row for row in there.service.table.rows["PUT", "bucket"] if row.name == "PutBucketCors")
    assert isinstance(row.body, Document)
    body = b" " * (row.body.limit + 1)
    length = None if announced else "chunked"
    headers = {} if announced else {"content-length": None, "transfer-encoding": length}
    reply = there.ask("PUT", "/photos?cors", body, headers=headers)
    assert b"<Code>MaxMessageLengthExceeded</Code>" in reply.body


def test_a_missing_document_is_told_as_such(there: Shop) -> None:
    assert b"<Code>MissingRequestBodyError</Code>" in there.ask("PUT", "/photos?cors").body
