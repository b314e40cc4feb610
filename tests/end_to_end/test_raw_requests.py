"""Requests sent by hand: bodies in every framing, clients that wait, leave, dawdle or lie about lengths."""

import base64
import hashlib
import socket
import struct
import zlib

import pytest

from tests.end_to_end.place import Place, everywhere
from tests.end_to_end.processes import memory
from tests.end_to_end.raw import STREAMING, Wire, presigned, request, signed_chunks, unsigned
from tests.end_to_end.trees import some_bytes
from tests.patience import eventually


def test_a_client_that_waits_is_told_to_continue_before_its_body(scheme: Place):
    bucket, body = scheme.new_bucket(), some_bytes(100_000)
    with Wire(scheme.daemon) as wire:
        head = request(scheme.daemon, "PUT", f"/{bucket}/key", Expect="100-continue", Content_Length="100000")
        wire.send(head)
        assert wire.answer().status == 100
        wire.send(body)
        assert wire.answer().status == 200
        wire.send(request(scheme.daemon, "GET", f"/{bucket}/key"))
        assert wire.answer().body == body


def test_a_client_that_waits_is_told_to_continue_before_an_empty_body_too(scheme: Place):
    """The AWS CLI 1 takes the next answer on the connection for a broken one where none came."""
    bucket = scheme.new_bucket()
    with Wire(scheme.daemon) as wire:
        wire.send(request(scheme.daemon, "PUT", f"/{bucket}/key", Expect="100-continue", Content_Length="0"))
        assert [wire.answer().status, wire.answer().status] == [100, 200]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"If_None_Match": "*"}, 412), ({"If_Match": '"other"'}, 412), ({"X_Amz_Server_Side_Encryption": "odd"}, None)],
)
def test_a_refused_client_that_waits_is_never_told_to_continue(
    plain: Place, headers: dict[str, str], status: int | None
):
    bucket = plain.new_bucket()
    plain.put(bucket, "key", b"old")
    with Wire(plain.daemon) as wire:
        wire.send(
            request(plain.daemon, "PUT", f"/{bucket}/key", Expect="100-continue", Content_Length="900000", **headers)
        )
        answer = wire.answer()
        assert answer.status == status or (status is None and answer.status in (400, 501))
    assert plain.get(bucket, "key") == b"old"


def test_a_wrongly_signed_client_that_waits_is_never_told_to_continue(plain: Place):
    bucket = plain.new_bucket()
    with Wire(plain.daemon) as wire:
        head = request(plain.daemon, "PUT", f"/{bucket}/key", Expect="100-continue", Content_Length="900000")
        wire.send(head.replace(b"Signature=", b"Signature=0")[:-4] + b"\r\n\r\n")
        assert wire.answer().status in (400, 403)
    assert plain.keys(bucket) == []


def test_a_chunked_body_is_stored_whole(scheme: Place):
    bucket, body = scheme.new_bucket(), some_bytes(300_000)
    with Wire(scheme.daemon) as wire:
        wire.send(request(scheme.daemon, "PUT", f"/{bucket}/key", Transfer_Encoding="chunked"))
        for begin in range(0, len(body), 7001):
            piece = body[begin : begin + 7001]
            wire.send(b"%X;extension=1\r\n%s\r\n" % (len(piece), piece))
        wire.send(b"0\r\n\r\n")
        assert wire.answer().status == 200
        wire.send(request(scheme.daemon, "GET", f"/{bucket}/key"))
        assert wire.answer().body == body


def put_in_signed_chunks(place: Place, bucket: str, chunks: list[bytes], spoil=(b"", b""), trailer: bytes = b""):
    """PutObject in signed chunks, with one text of the framed body replaced by another. Returns the answer."""
    kind = STREAMING + "-TRAILER" * bool(trailer)
    headers = {
        "X_Amz_Decoded_Content_Length": str(sum(map(len, chunks))),
        "Content_Encoding": "aws-chunked,gzip",
        "Transfer_Encoding": "chunked",
    }
    if trailer:
        headers["X_Amz_Trailer"] = trailer.partition(b":")[0].decode()
    head = request(place.daemon, "PUT", f"/{bucket}/key", kind, **headers)
    body = signed_chunks(place.daemon, head, chunks, trailer).replace(*spoil, 1)
    with Wire(place.daemon) as wire:
        wire.send(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        return wire.answer()


def test_signed_chunks_are_decoded_and_each_signature_is_verified(scheme: Place):
    bucket = scheme.new_bucket()
    chunks = [some_bytes(65_536, 1), some_bytes(65_536, 2), b"the tail"]
    assert put_in_signed_chunks(scheme, bucket, chunks).status == 200
    answer = scheme.s3.get_object(Bucket=bucket, Key="key")
    assert (answer["Body"].read(), answer["ContentEncoding"]) == (b"".join(chunks), "gzip")
    spoiled = put_in_signed_chunks(scheme, bucket, chunks, spoil=(b"the tail", b"the bail"))
    assert (spoiled.status, b"SignatureDoesNotMatch" in spoiled.body) == (403, True)
    cut = put_in_signed_chunks(scheme, bucket, chunks, spoil=(b"8;chunk", b"7;chunk"))
    assert cut.status in (400, 403)
    assert scheme.get(bucket, "key") == b"".join(chunks)


def test_a_signed_trailer_is_verified_too(scheme: Place):
    bucket, chunks = scheme.new_bucket(), [some_bytes(70_000), b"the tail"]
    digest = base64.b64encode(zlib.crc32(b"".join(chunks)).to_bytes(4, "big"))
    right = b"x-amz-checksum-crc32:" + digest
    assert put_in_signed_chunks(scheme, bucket, chunks, trailer=right).status == 200
    answer = scheme.s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert (answer["Body"].read(), answer["ChecksumCRC32"]) == (b"".join(chunks), digest.decode())
    scheme.put(bucket, "key", b"old")
    wrong = put_in_signed_chunks(scheme, bucket, chunks, trailer=b"x-amz-checksum-crc32:AAAAAA==")
    assert (wrong.status, b"BadDigest" in wrong.body) == (400, True)
    forged = put_in_signed_chunks(scheme, bucket, chunks, (b"trailer-signature:", b"trailer-signature:0"), right)
    assert forged.status in (400, 403)
    missing = put_in_signed_chunks(scheme, bucket, chunks, (right + b"\r\n", b""), right)
    assert missing.status in (400, 403)
    assert scheme.get(bucket, "key") == b"old"


def test_a_body_that_is_not_what_was_signed_keeps_the_old_object(scheme: Place):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "key", b"old")
    signed = hashlib.sha256(b"signed").hexdigest()
    with Wire(scheme.daemon) as wire:
        wire.send(request(scheme.daemon, "PUT", f"/{bucket}/key", signed, Content_Length="6") + b"forged")
        answer = wire.answer()
        assert (answer.status, b"XAmzContentSHA256Mismatch" in answer.body) == (400, True)
    assert scheme.get(bucket, "key") == b"old"


@everywhere
@pytest.mark.parametrize("abruptly", [False, True])
def test_an_upload_cut_off_in_the_middle_keeps_the_old_object(place: Place, abruptly: bool):
    bucket = place.new_bucket()
    place.put(bucket, "key", b"old")
    for key in ("key", "never was"):
        target = f"/{bucket}/{key.replace(' ', '%20')}"
        for length, sent in ((900_000, 500_000), (10, 9)):
            with Wire(place.daemon) as wire:
                wire.send(request(place.daemon, "PUT", target, Content_Length=str(length)) + bytes(sent))
                if abruptly:
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with Wire(place.daemon) as wire:
            wire.send(request(place.daemon, "PUT", target, Transfer_Encoding="chunked") + b"5\r\nhello\r\n5\r\nwo")
    assert place.get(bucket, "key") == b"old"
    assert place.keys(bucket) == ["key"]
    staging = place.daemon.data_dir / ".geckos3" / "staging"
    eventually(lambda: not [path for path in staging.rglob("*") if path.is_file()])


def test_a_client_that_sends_byte_by_byte_is_served(scheme: Place):
    bucket = scheme.new_bucket()
    with Wire(scheme.daemon) as slow:
        for byte in request(scheme.daemon, "PUT", f"/{bucket}/slow", Content_Length="50") + bytes(range(50)):
            slow.send(bytes([byte]))
        assert slow.answer().status == 200
    assert scheme.get(bucket, "slow") == bytes(range(50))


def test_requests_in_one_packet_are_answered_in_their_order(scheme: Place):
    bucket = scheme.new_bucket()
    for key in "abc":
        scheme.put(bucket, key, key.encode() * 1000)
    put = request(scheme.daemon, "PUT", f"/{bucket}/d", Content_Length="4") + b"dddd"
    heads = [request(scheme.daemon, "GET", f"/{bucket}/{key}") for key in "abc"]
    with Wire(scheme.daemon) as wire:
        wire.send(heads[0] + put + heads[1] + unsigned(scheme.daemon, "GET", "/health") + heads[2])
        answers = [wire.answer() for _ in range(5)]
    assert [answer.body for answer in answers] == [b"a" * 1000, b"", b"b" * 1000, b"OK", b"c" * 1000]
    assert len({answer.headers["x-amz-request-id"] for answer in answers}) == 5


def test_clients_that_do_not_read_cost_little_memory(plain: Place):
    bucket = plain.new_bucket()
    plain.put(bucket, "key", bytes(40_000_000))
    before = memory(plain.daemon.pid)
    wires = [Wire(plain.daemon) for _ in range(12)]
    try:
        for wire in wires:
            wire.send(request(plain.daemon, "GET", f"/{bucket}/key") * 3)
            wire.socket.recv(1, socket.MSG_PEEK)
        assert plain.get(bucket, "key", Range="bytes=0-1") == b"\0\0"
        assert memory(plain.daemon.pid) - before < 100_000_000
        answers = [wires[0].answer().body for _ in range(2)]
        assert [len(body) for body in answers] == [40_000_000] * 2
    finally:
        for wire in wires:
            wire.socket.close()


LIES = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "a length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "chunks that are not last": b"Transfer-Encoding: chunked, identity\r\n",
    "a signed length": b"Content-Length: +5\r\n",
    "a negative length": b"Content-Length: -5\r\n",
    "a huge length": b"Content-Length: 99999999999999999999999999\r\n",
    "a list of lengths": b"Content-Length: 5, 5\r\n",
    "a space before the colon": b"Content-Length : 5\r\n",
    "a folded header": b"X-Folded: a\r\n b\r\nContent-Length: 5\r\n",
    "a bare carriage return": b"X-Odd: a\rContent-Length: 5\r\n",
    "a nul": b"X-Odd: a\0b\r\n",
    "a nameless header": b": value\r\n",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_request_with_two_readings_is_refused_and_nothing_behind_it_is_read(plain: Place, lie: str):
    bucket = plain.new_bucket()
    target = presigned(plain.daemon, "PUT", f"/{bucket}/key").removeprefix(plain.daemon.url)
    smuggled = unsigned(plain.daemon, "GET", "/health")
    with Wire(plain.daemon) as wire:
        host = f"Host: 127.0.0.1:{plain.daemon.port}\r\n".encode()
        wire.send(f"PUT {target} HTTP/1.1\r\n".encode() + host + LIES[lie] + b"\r\n0\r\n\r\n" + smuggled)
        rest = wire.ended()
    assert rest.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), rest
    assert rest.count(b"HTTP/1.1 ") == 1
    assert plain.keys(bucket) == []


def test_a_body_that_looks_like_a_request_is_not_one(scheme: Place):
    bucket = scheme.new_bucket()
    inner = request(scheme.daemon, "DELETE", f"/{bucket}")
    with Wire(scheme.daemon) as wire:
        wire.send(unsigned(scheme.daemon, "GET", "/health", Content_Length=str(len(inner))) + inner)
        first = wire.answer()
        wire.send(unsigned(scheme.daemon, "GET", "/health"))
        rest = wire.answer() if first.headers.get("connection") != "close" else first
    assert (first.body, rest.body) == (b"OK", b"OK")
    scheme.s3.head_bucket(Bucket=bucket)


def test_a_head_that_never_ends_is_refused(plain: Place):
    for line in (
        b"GET /" + b"a" * 40_000,
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000,
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 6_000,
    ):
        with Wire(plain.daemon) as wire:
            wire.send(line)
            assert wire.ended()[:10] in (b"HTTP/1.1 4", b"")


def test_what_is_not_http_is_refused(plain: Place):
    for nonsense in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0" * 100,
    ):
        with Wire(plain.daemon) as wire:
            wire.send(nonsense)
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.ended()[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 501", b"HTTP/1.1 505", b"")
    with Wire(plain.daemon) as wire:
        wire.send(unsigned(plain.daemon, "GET", "/health"))
        assert wire.answer().body == b"OK"


def test_a_head_request_has_the_headers_of_its_get_and_no_body(scheme: Place):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "key", b"12345", ContentType="a/b", Metadata={"x": "y"})
    with Wire(scheme.daemon) as wire:
        wire.send(request(scheme.daemon, "HEAD", f"/{bucket}/key") + request(scheme.daemon, "GET", f"/{bucket}/key"))
        head, get = wire.answer("HEAD"), wire.answer()
    varying = {"date", "x-amz-request-id", "x-amz-id-2"}
    assert get.body == b"12345"
    assert {name: value for name, value in head.headers.items() if name not in varying} == {
        name: value for name, value in get.headers.items() if name not in varying
    }


def test_a_bucket_may_be_named_by_the_host(durable: Place):
    bucket, host = durable.new_bucket(), "s3.example.test"
    durable.put(bucket, "folder/key", b"body")
    for name, target, wanted in (
        (f"{bucket}.{host}", "/folder/key", (200, b"body")),
        (f"{bucket}.{host}:9000", "/folder/key", (200, b"body")),
        (host, f"/{bucket}/folder/key", (200, b"body")),
        (f"missing-{bucket}.{host}", "/folder/key", (404, b"NoSuchBucket")),
    ):
        with Wire(durable.daemon) as wire:
            wire.send(request(durable.daemon, "GET", target, host=name))
            answer = wire.answer()
        assert (answer.status, wanted[1] in answer.body) == (wanted[0], True), answer


def test_without_authentication_everybody_may_do_everything(unhashed: Place):
    bucket = unhashed.new_name()
    with Wire(unhashed.daemon) as wire:
        for method, target, body, status in (
            ("PUT", f"/{bucket}", b"", 200),
            ("PUT", f"/{bucket}/key", b"body", 200),
            ("GET", f"/{bucket}/key", b"", 200),
            ("DELETE", f"/{bucket}/key", b"", 204),
            ("DELETE", f"/{bucket}", b"", 204),
            ("GET", f"/{bucket}/key", b"", 404),
        ):
            wire.send(unsigned(unhashed.daemon, method, target, Content_Length=str(len(body))) + body)
            assert wire.answer().status == status


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("DELETE", "/{}/key?uploadId=%FF", 404),
        ("GET", "/{}/key?uploadId=%ED%A0%80", 404),
        ("PUT", "/{}/key?partNumber=1&uploadId=%FF", 404),
        ("GET", "/{}?uploads&key-marker=a&upload-id-marker=%FF", 200),
        ("GET", "/{}?prefix=%FF&delimiter=%FE", 200),
        ("GET", "/?prefix=%FF", 200),
        ("PUT", "//key", 400),
        ("POST", "//key?uploads", 400),
    ],
)
def test_bytes_that_are_no_text_name_nothing(scheme: Place, method: str, target: str, status: int):
    bucket = scheme.new_bucket()
    with Wire(scheme.daemon) as wire:
        wire.send(request(scheme.daemon, method, target.format(bucket), Content_Length="0"))
        assert wire.answer().status == status
