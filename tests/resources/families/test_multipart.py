"""Multipart uploads from beginning to end."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.checksums import ALGORITHMS, Digests
from tests.resources.asking import FakeRequest, HeldPool, Shop, shop
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=0)
    there.ask("PUT", "/photos")
    return there


def begin(there: Shop, **headers: str) -> str:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return read("CreateMultipartUpload", there.ask("POST", "/photos/big?uploads", headers=more))["UploadId"]


def part(there: Shop, upload: str, number: int, data: bytes, **headers: str) -> FakeRequest:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return there.ask("PUT", f"/photos/big?partNumber={number}&uploadId={upload}", data, headers=more)


def listed(*parts: tuple[int, str], more: str = "") -> bytes:
    return document("".join(line(number, tag, more) for number, tag in parts))


def line(number: int, tag: str, more: str = "") -> str:
    return f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag>{more}</Part>"


def document(lines: str) -> bytes:
    return f"<CompleteMultipartUpload>{lines}</CompleteMultipartUpload>".encode()


def send(there: Shop, upload: str, algorithm: str, *pieces: bytes) -> bytes:
    """Sends parts with their checksums; returns the list that completes them."""
    lines = ""
    for number, data in enumerate(pieces, 1):
        digest = value(algorithm, data)
        reply = part(there, upload, number, data, **{f"x-amz-checksum-{algorithm.lower()}": digest})
        assert reply.header(f"x-amz-checksum-{algorithm.lower()}") == digest
        lines += line(number, etag(data), f"<Checksum{algorithm}>{digest}</Checksum{algorithm}>")
    return document(lines)


def complete(there: Shop, upload: str, body: bytes, **headers: str) -> FakeRequest:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return there.ask("POST", f"/photos/big?uploadId={upload}", body, headers=more)


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def code(operation: str, reply: FakeRequest) -> str:
    return read(operation, reply)["Error"]["Code"]


def test_parts_become_one_object_with_what_was_given_at_the_beginning(there: Shop) -> None:
    upload = begin(there, content_type="image/jpeg", x_amz_meta_name="Tom", x_amz_tagging="a=1")
    for number, data in ((1, b"me"), (7, b"ow")):
        assert part(there, upload, number, data).header("etag") == etag(data)
    reply = complete(there, upload, listed((1, etag(b"me")), (7, etag(b"ow"))))
    found = read("CompleteMultipartUpload", reply)
    assert found["Location"] == "http://s3.test/photos/big"
    both = hashlib.md5(hashlib.md5(b"me").digest() + hashlib.md5(b"ow").digest()).hexdigest()
    assert found["ETag"] == f'"{both}-2"'
    got = there.ask("GET", "/photos/big")
    assert (got.body, got.header("etag")) == (b"meow", found["ETag"])
    assert (got.header("content-type"), got.header("x-amz-meta-name")) == ("image/jpeg", "Tom")
    assert got.header("x-amz-tagging-count") == "1"


def test_completing_again_answers_the_same(there: Shop) -> None:
    upload = begin(there)
    part(there, upload, 1, b"meow")
    body = listed((1, etag(b"meow")))
    first, second = complete(there, upload, body), complete(there, upload, body)
    assert first.status == second.status == 200
    assert read("CompleteMultipartUpload", first)["ETag"] == read("CompleteMultipartUpload", second)["ETag"]


def test_a_part_of_a_finished_object_can_be_read(there: Shop) -> None:
    upload = begin(there, x_amz_checksum_algorithm="CRC32")
    complete(there, upload, send(there, upload, "CRC32", b"me", b"ow!"))
    reply = there.ask("GET", "/photos/big?partNumber=2", headers={"x-amz-checksum-mode": "ENABLED"})
    assert (reply.status, reply.body, reply.header("content-range")) == (206, b"ow!", "bytes 2-4/5")
    assert reply.header("x-amz-mp-parts-count") == "2"
    assert reply.header("x-amz-checksum-crc32") == value("CRC32", b"ow!")
    assert there.ask("GET", "/photos/big?partNumber=3").status == 416


def value(algorithm: str, data: bytes) -> str:
    digests = Digests((algorithm,))
    digests.update(data)
    return digests.value(algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_checksum_is_kept_with_parts_and_object(there: Shop, algorithm: str) -> None:
    upload = begin(there, x_amz_checksum_algorithm=algorithm)
    name = f"x-amz-checksum-{algorithm.lower()}"
    sent = part(there, upload, 1, b"meow", **{name: value(algorithm, b"meow")})
    assert sent.header(name) == value(algorithm, b"meow")
    checksum = f"<Checksum{algorithm}>{value(algorithm, b'meow')}</Checksum{algorithm}>"
    found = read("CompleteMultipartUpload", complete(there, upload, listed((1, etag(b"meow")), more=checksum)))
    seen = there.ask("HEAD", "/photos/big", headers={"x-amz-checksum-mode": "ENABLED"})
    assert seen.header(name) == found[f"Checksum{algorithm}"]
    assert seen.header("x-amz-checksum-type") == found["ChecksumType"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_amz_checksum_algorithm": "CRC8"}, "InvalidRequest"),
        ({"x_amz_checksum_algorithm": "SHA256", "x_amz_checksum_type": "FULL_OBJECT"}, "InvalidRequest"),
        ({"x_amz_checksum_algorithm": "CRC64NVME", "x_amz_checksum_type": "COMPOSITE"}, "InvalidRequest"),
        ({"x_amz_checksum_type": "COMPOSITE"}, "InvalidRequest"),
        ({"x_amz_acl": "public"}, "InvalidArgument"),
        ({"x_amz_storage_class": "GOLD"}, "InvalidStorageClass"),
    ],
)
def test_an_upload_that_cannot_be_is_not_begun(there: Shop, headers: dict[str, str], expected: str) -> None:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    assert code("CreateMultipartUpload", there.ask("POST", "/photos/big?uploads", headers=more)) == expected
    assert "Uploads" not in read("ListMultipartUploads", there.ask("GET", "/photos?uploads"))


def test_a_part_with_another_checksum_than_agreed_is_refused(there: Shop) -> None:
    upload = begin(there, x_amz_checksum_algorithm="SHA1")
    reply = part(there, upload, 1, b"meow", **{"x-amz-checksum-crc32": value("CRC32", b"meow")})
    assert code("UploadPart", reply) == "InvalidRequest"


def test_a_part_without_the_checksum_that_was_agreed_is_refused_before_it_is_read(there: Shop) -> None:
    upload = begin(there, x_amz_checksum_algorithm="SHA256")
    reply = part(there, upload, 1, b"meow")
    assert code("UploadPart", reply) == "InvalidRequest"
    assert b"expected checksum Type: sha256, actual checksum Type: null" in reply.body
    assert reply.upload.consumer is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_part_tells_the_checksum_that_it_was_sent_with(there: Shop, algorithm: str) -> None:
    upload = begin(there)
    name = f"x-amz-checksum-{algorithm.lower()}"
    reply = part(there, upload, 1, b"meow", **{name: value(algorithm, b"meow")})
    told = [key for key, _ in reply.headers if key.startswith(b"x-amz-checksum-")]
    assert (told, reply.header(name)) == ([name.encode()], value(algorithm, b"meow"))
    assert complete(there, upload, listed((1, etag(b"meow")))).status == 200


def test_a_copied_part_needs_nobody_to_vouch_for_it(there: Shop) -> None:
    there.ask("PUT", "/photos/cat", b"meow")
    upload = begin(there, x_amz_checksum_algorithm="SHA256")
    target = f"/photos/big?partNumber=1&uploadId={upload}"
    copied = read("UploadPartCopy", there.ask("PUT", target, headers={"x-amz-copy-source": "photos/cat"}))
    digest = copied["CopyPartResult"]["ChecksumSHA256"]
    assert digest == value("SHA256", b"meow")
    assert code("CompleteMultipartUpload", complete(there, upload, listed((1, etag(b"meow"))))) == "InvalidRequest"
    body = listed((1, etag(b"meow")), more=f"<ChecksumSHA256>{digest}</ChecksumSHA256>")
    assert complete(there, upload, body).status == 200


@pytest.mark.parametrize("number", ["0", "10001", "x", "-1"])
def test_a_part_has_one_of_ten_thousand_numbers(there: Shop, number: str) -> None:
    upload = begin(there)
    assert (
        code("UploadPart", there.ask("PUT", f"/photos/big?partNumber={number}&uploadId={upload}", b"x"))
        == "InvalidArgument"
    )


def test_a_part_of_no_upload_is_refused_before_it_is_read(there: Shop) -> None:
    reply = part(there, "..", 1, b"x")
    assert code("UploadPart", reply) == "NoSuchUpload"
    assert reply.upload.consumer is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (listed(), "MalformedXML"),
        (b"", "MalformedXML"),
        (b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>", "MalformedXML"),
        (listed((1, "x")).replace(b">1<", b">one<"), "MalformedXML"),
        (listed((0, "x")), "InvalidArgument"),
        (listed((1, '"other"')), "InvalidPart"),
        (listed((2, etag(b"ow")), (1, etag(b"me"))), "InvalidPartOrder"),
        (listed((1, etag(b"me")), (3, etag(b"ow"))), "InvalidPart"),
        (
            listed((1, etag(b"me")), more="<ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumSHA1>x</ChecksumSHA1>"),
            "InvalidRequest",
        ),
    ],
)
def test_a_wrong_list_of_parts_leaves_the_upload_as_it_is(there: Shop, body: bytes, expected: str) -> None:
    upload = begin(there)
    part(there, upload, 1, b"me")
    part(there, upload, 2, b"ow")
    assert code("CompleteMultipartUpload", complete(there, upload, body)) == expected
    assert there.ask("GET", "/photos/big").status == 404
    assert complete(there, upload, listed((1, etag(b"me")), (2, etag(b"ow")))).status == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_amz_mp_object_size": "5"}, "InvalidRequest"),
        ({"x_amz_mp_object_size": "x"}, "InvalidArgument"),
        ({"x_amz_checksum_crc32": "AAAAAA=="}, "BadDigest"),
        ({"x_amz_checksum_crc32": "nonsense"}, "InvalidRequest"),
        ({"x_amz_checksum_type": "COMPOSITE"}, "InvalidRequest"),
        ({"x_amz_checksum_crc32": value("CRC32", b"meow") + "-1"}, "BadDigest"),
        ({"x_amz_checksum_sha1": value("SHA1", b"meow")}, "InvalidRequest"),
        ({"if_match": '"x"'}, "NoSuchKey"),
        ({"if_none_match": '"x"'}, "NotImplemented"),
    ],
)
def test_what_is_claimed_of_the_whole_object_is_verified(there: Shop, headers: dict[str, str], expected: str) -> None:
    upload = begin(there, x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT")
    part(there, upload, 1, b"meow")
    assert code("CompleteMultipartUpload", complete(there, upload, listed((1, etag(b"meow"))), **headers)) == expected
    right = {"x_amz_checksum_crc32": value("CRC32", b"meow"), "x_amz_checksum_type": "FULL_OBJECT"}
    reply = complete(there, upload, listed((1, etag(b"meow"))), x_amz_mp_object_size="4", if_none_match="*", **right)
    assert reply.status == 200


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_every_part_is_read_with_its_own_checksum(there: Shop, kind: str) -> None:
    upload = begin(there, x_amz_checksum_algorithm="CRC32C", x_amz_checksum_type=kind)
    assert complete(there, upload, send(there, upload, "CRC32C", b"me", b"ow")).status == 200
    for number, data in ((1, b"me"), (2, b"ow")):
        reply = there.ask("GET", f"/photos/big?partNumber={number}", headers={"x-amz-checksum-mode": "ENABLED"})
        assert (reply.body, reply.header("x-amz-checksum-crc32c")) == (data, value("CRC32C", data))
        assert reply.header("x-amz-checksum-type") == kind


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=8), st.sampled_from(["CRC32", "CRC32C", "CRC64NVME", None])
)
def test_however_an_object_was_cut_its_full_checksum_is_that_of_its_bytes(
    pieces: list[bytes], algorithm: str | None
) -> None:
    there = shop(min_part_size=0)
    there.ask("PUT", "/photos")
    asked = {"x_amz_checksum_algorithm": algorithm, "x_amz_checksum_type": "FULL_OBJECT"} if algorithm else {}
    upload = begin(there, **asked)
    for number, piece in enumerate(pieces, 1):
        part(there, upload, number, piece)
    whole = value(algorithm or "CRC64NVME", b"".join(pieces))
    claim = {f"x_amz_checksum_{(algorithm or 'CRC64NVME').lower()}": whole}
    parts = listed(*((number, etag(piece)) for number, piece in enumerate(pieces, 1)))
    assert complete(there, upload, parts, **claim).status == 200
    seen = there.ask("GET", "/photos/big", headers={"x-amz-checksum-mode": "ENABLED"})
    assert seen.body == b"".join(pieces)
    assert seen.header(f"x-amz-checksum-{(algorithm or 'CRC64NVME').lower()}") == whole


def test_small_parts_are_refused_when_they_are_not_the_last() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    upload = begin(there)
    part(there, upload, 1, b"me")
    part(there, upload, 2, b"ow")
    body = listed((1, etag(b"me")), (2, etag(b"ow")))
    assert code("CompleteMultipartUpload", complete(there, upload, body)) == "EntityTooSmall"


def test_ten_thousand_parts_with_the_longest_checksums_fit(there: Shop) -> None:
    longest = f"\n        <ChecksumSHA512>{value('SHA512', b'')}</ChecksumSHA512>\n    "
    body = listed(*((number, etag(b"")) for number in range(1, 10_001)), more=longest)
    assert code("CompleteMultipartUpload", complete(there, begin(there), body)) == "InvalidPart"
    too_many = listed(*[(1, "x")] * 10_001)
    assert code("CompleteMultipartUpload", complete(there, begin(there), too_many)) == "MalformedXML"


def test_an_aborted_upload_is_gone(there: Shop) -> None:
    upload = begin(there)
    part(there, upload, 1, b"meow")
    assert there.ask("DELETE", f"/photos/big?uploadId={upload}").status == 204
    assert there.ask("DELETE", f"/photos/big?uploadId={upload}").status == 404
    assert code("ListParts", there.ask("GET", f"/photos/big?uploadId={upload}")) == "NoSuchUpload"
    assert code("CompleteMultipartUpload", complete(there, upload, listed((1, etag(b"meow"))))) == "NoSuchUpload"


def waiting(there: Shop) -> tuple[HeldPool, Any, str]:
    """A Complete whose work has not begun."""
    upload = begin(there)
    part(there, upload, 1, b"meow")
    there.service.bytes_pool = pool = HeldPool()
    request = there.send("POST", f"/photos/big?uploadId={upload}", listed((1, etag(b"meow"))))
    return pool, request, upload


def test_a_complete_that_ends_soon_is_answered_as_usual(there: Shop) -> None:
    pool, request, _ = waiting(there)
    there.clock.advance(4.9)
    assert request.status == 0
    pool.work()
    assert request.finished == 1
    assert request.header("content-type") == "application/xml"
    assert there.clock.getDelayedCalls() == []


def test_a_long_complete_is_kept_alive_with_white_space(there: Shop) -> None:
    pool, request, _ = waiting(there)
    there.clock.advance(5)
    assert (request.status, request.finished) == (200, 0)
    there.clock.advance(5)
    there.clock.advance(5)
    pool.work()
    assert request.finished == 1
    assert read("CompleteMultipartUpload", request)["ETag"]
    assert request.body.count(b"<?xml") == 1
    assert b"\n  <CompleteMultipartUploadResult" in request.body
    assert there.clock.getDelayedCalls() == []
    assert there.log[-1].sent == len(request.body)


def test_a_long_complete_that_fails_tells_so_inside_its_answer(there: Shop) -> None:
    pool, request, upload = waiting(there)
    there.clock.advance(5)
    there.service.uploads.abort("photos", b"big", upload)
    pool.work()
    assert (request.status, request.finished) == (200, 1)
    assert b"<Code>NoSuchUpload</Code>" in request.body
    assert there.log[-1].error.startswith("NoSuchUpload:")


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("seconds", [1, 6])
def test_a_client_that_leaves_does_not_stop_a_complete(there: Shop, seconds: int, fails: bool) -> None:
    pool, request, upload = waiting(there)
    there.clock.advance(seconds)
    request.leave()
    if fails:
        there.service.uploads.abort("photos", b"big", upload)
    pool.work()
    assert there.service.in_flight == 0
    assert there.clock.getDelayedCalls() == []
    assert there.ask("GET", "/photos/big").status == (404 if fails else 200)
