"""Listing what is under way."""

from base64 import b64encode
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.resources.asking import Shop, shop
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


def begin(there: Shop, key: str) -> str:
    return read("CreateMultipartUpload", there.ask("POST", f"/photos/{key}?uploads"))["UploadId"]


@given(numbers=st.sets(st.integers(1, 10_000), max_size=8), size=st.integers(1, 4))
def test_pages_of_parts_tell_of_each_once_in_order(numbers: set[int], size: int) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    upload = begin(there, "big")
    for number in numbers:
        there.ask("PUT", f"/photos/big?partNumber={number}&uploadId={upload}", b"x" * (number % 7))
    found, marker = [], 0
    while True:
        reply = there.ask("GET", f"/photos/big?uploadId={upload}&max-parts={size}&part-number-marker={marker}")
        page = read("ListParts", reply)
        assert (page["MaxParts"], page["PartNumberMarker"]) == (size, marker)
        found += [(part["PartNumber"], part["Size"]) for part in page.get("Parts", [])]
        if not page["IsTruncated"]:
            break
        marker = page["NextPartNumberMarker"]
    assert found == [(number, number % 7) for number in sorted(numbers)]


def test_a_listing_of_parts_tells_what_the_upload_is(there: Shop) -> None:
    reply = there.ask("POST", "/photos/big?uploads", headers={"x-amz-checksum-algorithm": "sha1"})
    upload = read("CreateMultipartUpload", reply)
    assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == ("SHA1", "COMPOSITE")
    digest = b64encode(sha1(b"x").digest()).decode()
    there.ask(
        "PUT", f"/photos/big?partNumber=1&uploadId={upload['UploadId']}", b"x", headers={"x-amz-checksum-sha1": digest}
    )
    page = read("ListParts", there.ask("GET", f"/photos/big?uploadId={upload['UploadId']}"))
    assert (page["Bucket"], page["Key"], page["UploadId"]) == ("photos", "big", upload["UploadId"])
    assert (page["ChecksumAlgorithm"], page["ChecksumType"], page["StorageClass"]) == ("SHA1", "COMPOSITE", "STANDARD")
    assert page["Owner"]["ID"] == page["Initiator"]["ID"] == there.service.owner
    assert page["Parts"][0]["ChecksumSHA1"] == digest
    assert page["Parts"][0]["ETag"] == '"9dd4e461268c8034f5c8564e155c67a6"'


@pytest.mark.parametrize("query", ["max-parts=x", "max-parts=-1", "part-number-marker=x", "encoding-type=base64"])
def test_a_parameter_that_is_no_number_is_refused(there: Shop, query: str) -> None:
    upload = begin(there, "big")
    assert there.ask("GET", f"/photos/big?uploadId={upload}&{query}").status == 400


def test_no_parts_asked_for_are_no_parts(there: Shop) -> None:
    upload = begin(there, "big")
    there.ask("PUT", f"/photos/big?partNumber=1&uploadId={upload}", b"x")
    page = read("ListParts", there.ask("GET", f"/photos/big?uploadId={upload}&max-parts=0"))
    assert ("Parts" in page, page["IsTruncated"]) == (False, False)


@given(keys=st.lists(st.sampled_from(["a", "a/b", "b", "c/d", "c/e"]), max_size=7), size=st.integers(1, 3))
def test_pages_of_uploads_tell_of_each_once(keys: list[str], size: int) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    begun = []
    for key in keys:
        begun.append((key, begin(there, key)))
        there.clock.advance(1)
    found, query = [], ""
    while True:
        page = read("ListMultipartUploads", there.ask("GET", f"/photos?uploads&max-uploads={size}{query}"))
        found += [(upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", [])]
        assert len(page.get("Uploads", [])) <= size
        if not page["IsTruncated"]:
            break
        query = f"&key-marker={page['NextKeyMarker']}&upload-id-marker={page['NextUploadIdMarker']}"
    assert found == sorted(begun, key=lambda pair: pair[0])


def test_uploads_are_folded_by_a_delimiter(there: Shop) -> None:
    for key in ("a", "c/d", "c/e"):
        begin(there, key)
    page = read("ListMultipartUploads", there.ask("GET", "/photos?uploads&delimiter=/&encoding-type=url&prefix="))
    assert [upload["Key"] for upload in page["Uploads"]] == ["a"]
    assert page["CommonPrefixes"] == [{"Prefix": "c/"}]
    assert page["EncodingType"] == "url"


def test_uploads_of_no_bucket_are_refused(there: Shop) -> None:
    assert there.ask("GET", "/none?uploads").status == 404
