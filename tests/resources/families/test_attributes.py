"""GetObjectAttributes."""

from typing import Any

import pytest

from gecko_tw.store.checksums import Digests
from tests.resources.asking import FakeRequest, Shop, shop
from tests.resources.reading import read

ALL = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=0)
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    return there


def ask(there: Shop, key: str, wanted: str | None = ALL, query: str = "", **headers: str) -> FakeRequest:
    more: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    if wanted is not None:
        more["x-amz-object-attributes"] = wanted
    return there.ask("GET", f"/photos/{key}?attributes{query}", headers=more)


def attributes(reply: FakeRequest) -> dict[str, Any]:
    assert reply.status == 200, reply.body
    return read("GetObjectAttributes", reply)


def upload(there: Shop, key: str, parts: list[bytes], **headers: str) -> None:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    begun = read("CreateMultipartUpload", there.ask("POST", f"/photos/{key}?uploads", headers=more))["UploadId"]
    lines, algorithm = "", headers.get("x_amz_checksum_algorithm")
    for number, data in enumerate(parts, 1):
        sent, line = {}, ""
        if algorithm is not None:
            digests = Digests((algorithm,))
            digests.update(data)
            sent = {f"x-amz-checksum-{algorithm.lower()}": digests.value(algorithm)}
            line = f"<Checksum{algorithm}>{digests.value(algorithm)}</Checksum{algorithm}>"
        target = f"/photos/{key}?partNumber={number}&uploadId={begun}"
        etag = there.ask("PUT", target, data, headers=sent).header("etag")
        lines += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{line}</Part>"
    body = f"<CompleteMultipartUpload>{lines}</CompleteMultipartUpload>".encode()
    assert there.ask("POST", f"/photos/{key}?uploadId={begun}", body).status == 200


def test_the_attributes_of_a_simple_object(there: Shop) -> None:
    reply = ask(there, "cat.jpg")
    found = attributes(reply)
    assert found["ETag"] == "4a4be40c96ac6314e91d93f38043a634"
    assert found["ObjectSize"] == 4
    assert found["StorageClass"] == "STANDARD"
    assert found["Checksum"]["ChecksumType"] == "FULL_OBJECT"
    assert len(found["Checksum"]["ChecksumCRC64NVME"]) == 12
    assert "ObjectParts" not in found
    assert reply.header("last-modified") == there.ask("HEAD", "/photos/cat.jpg").header("last-modified")


def test_only_what_is_asked_is_told(there: Shop) -> None:
    found = attributes(ask(there, "cat.jpg", "ObjectSize, StorageClass"))
    assert set(found) & {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"} == {
        "StorageClass",
        "ObjectSize",
    }


@pytest.mark.parametrize("wanted", [None, "", "etag", "ETag,Colour"])
def test_what_s3_does_not_have_is_refused(there: Shop, wanted: str | None) -> None:
    reply = ask(there, "cat.jpg", wanted)
    assert reply.status == 400
    assert b"<Code>InvalidArgument</Code>" in reply.body


def test_the_parts_of_an_upload_are_told_a_page_at_a_time(there: Shop) -> None:
    upload(there, "film", [b"a" * n for n in (5, 6, 7, 8)], x_amz_checksum_algorithm="SHA256")
    whole = attributes(ask(there, "film"))
    told = there.ask("HEAD", "/photos/film", headers={"x-amz-checksum-mode": "ENABLED"}).header("x-amz-checksum-sha256")
    assert whole["Checksum"]["ChecksumSHA256"] + "-4" == told
    assert whole["Checksum"]["ChecksumType"] == "COMPOSITE"
    assert [part["Size"] for part in whole["ObjectParts"]["Parts"]] == [5, 6, 7, 8]
    assert all(len(part["ChecksumSHA256"]) == 44 for part in whole["ObjectParts"]["Parts"])
    page = attributes(ask(there, "film", x_amz_max_parts="2", x_amz_part_number_marker="1"))["ObjectParts"]
    assert [part["PartNumber"] for part in page.pop("Parts")] == [2, 3]
    assert page == {
        "TotalPartsCount": 4,
        "PartNumberMarker": 1,
        "NextPartNumberMarker": 3,
        "MaxParts": 2,
        "IsTruncated": True,
    }
    last = attributes(ask(there, "film", x_amz_part_number_marker="3"))["ObjectParts"]
    assert (last["IsTruncated"], len(last["Parts"])) == (False, 1)
    behind = attributes(ask(there, "film", x_amz_part_number_marker="9"))["ObjectParts"]
    assert (behind["NextPartNumberMarker"], "Parts" in behind) == (0, False)


@pytest.mark.parametrize("asked", [{}, {"x_amz_checksum_algorithm": "CRC32C", "x_amz_checksum_type": "FULL_OBJECT"}])
def test_the_parts_of_an_upload_with_a_full_checksum_are_only_counted(there: Shop, asked: dict[str, str]) -> None:
    upload(there, "film", [b"a", b"b"], **asked)
    found = attributes(ask(there, "film"))
    assert found["Checksum"]["ChecksumType"] == "FULL_OBJECT"
    assert found["ObjectParts"] == {"TotalPartsCount": 2}


def test_what_is_not_there_has_no_attributes(there: Shop) -> None:
    assert ask(there, "dog.jpg").status == 404
    assert ask(there, "cat.jpg", query="&versionId=" + "a" * 32).status == 404
    assert ask(there, "cat.jpg", x_amz_max_parts="many").status == 400


def test_a_condition_that_fails_is_told(there: Shop) -> None:
    assert ask(there, "cat.jpg", if_match='"other"').status == 412
    assert ask(there, "cat.jpg", if_match='"4a4be40c96ac6314e91d93f38043a634"').status == 200
