"""Copies."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.headers.sources import Named, read_source
from gecko_tw.store.refusals import InvalidArgument
from tests.resources.asking import FakeRequest, Shop, shop
from tests.resources.dispatch.test_tree import encoded
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/pictures")
    headers = {
        "content-type": "image/jpeg",
        "x-amz-meta-name": "Tom",
        "x-amz-tagging": "a=1",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-website-redirect-location": "/x",
    }
    there.ask("PUT", "/photos/cat.jpg", b"meow", headers=headers)
    return there


def copy(there: Shop, target: str = "/pictures/copy", source: str = "/photos/cat.jpg", **headers: str) -> FakeRequest:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return there.ask("PUT", target, headers={"x-amz-copy-source": source, **more})


def code(reply: FakeRequest) -> str:
    return read("CopyObject", reply)["Error"]["Code"]


def test_a_copy_has_bytes_metadata_and_tags_of_its_source(there: Shop) -> None:
    result = read("CopyObject", copy(there))["CopyObjectResult"]
    reply = there.ask("GET", "/pictures/copy")
    assert reply.body == b"meow"
    assert reply.header("content-type") == "image/jpeg"
    assert reply.header("x-amz-meta-name") == "Tom"
    assert reply.header("x-amz-tagging-count") == "1"
    assert reply.header("etag") == result["ETag"]
    assert result["ChecksumType"] == "FULL_OBJECT"


def test_a_copy_has_a_storage_class_and_a_redirect_only_when_asked_for(there: Shop) -> None:
    copy(there)
    reply = there.ask("GET", "/pictures/copy")
    assert reply.header("x-amz-storage-class") is None
    assert reply.header("x-amz-website-redirect-location") is None
    copy(there, x_amz_storage_class="ONEZONE_IA")
    reply = there.ask("GET", "/pictures/copy")
    assert reply.header("x-amz-storage-class") == "ONEZONE_IA"
    assert reply.header("content-type") == "image/jpeg"
    assert reply.header("x-amz-meta-name") == "Tom"


def test_replacing_metadata_takes_all_of_it_from_the_request(there: Shop) -> None:
    copy(there, x_amz_metadata_directive="REPLACE", x_amz_meta_other="1", x_amz_tagging="b=2&c=3")
    reply = there.ask("GET", "/pictures/copy")
    assert reply.header("x-amz-meta-name") is None
    assert reply.header("x-amz-meta-other") == "1"
    assert reply.header("content-type") == "binary/octet-stream"
    assert there.service.objects.look("pictures", b"copy").tags == {"a": "1"}
    copy(there, x_amz_tagging_directive="REPLACE", x_amz_tagging="b=2&c=3")
    assert there.service.objects.look("pictures", b"copy").tags == {"b": "2", "c": "3"}


@pytest.mark.parametrize("directive", ["x_amz_metadata_directive", "x_amz_tagging_directive"])
def test_another_directive_is_refused(there: Shop, directive: str) -> None:
    assert code(copy(there, **{directive: "MOVE"})) == "InvalidArgument"


def test_a_copy_onto_itself_must_change_something(there: Shop) -> None:
    itself = "/photos/cat.jpg"
    assert code(copy(there, itself)) == "InvalidRequest"
    assert code(copy(there, itself, "photos/cat.jpg?versionId=null")) == "InvalidRequest"
    assert copy(there, itself, x_amz_metadata_directive="REPLACE", x_amz_meta_name="Jerry").status == 200
    reply = there.ask("GET", itself)
    assert (reply.body, reply.header("x-amz-meta-name")) == (b"meow", "Jerry")
    assert copy(there, itself, x_amz_storage_class="STANDARD").status == 200


def test_a_copy_may_get_another_checksum(there: Shop) -> None:
    result = read("CopyObject", copy(there, x_amz_checksum_algorithm="SHA256"))["CopyObjectResult"]
    assert "ChecksumSHA256" in result


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_amz_copy_source_if_match": '"other"'}, "PreconditionFailed"),
        ({"x_amz_copy_source_if_none_match": "*"}, "PreconditionFailed"),
        ({"if_none_match": "*"}, "PreconditionFailed"),
        ({"if_match": '"other"'}, "PreconditionFailed"),
        ({"range": "bytes=0-1"}, "InvalidArgument"),
        ({"x_amz_copy_source_range": "bytes=0-1"}, "InvalidArgument"),
        ({"x_amz_source_expected_bucket_owner": "somebody"}, "AccessDenied"),
        ({"x_amz_checksum_algorithm": "CRC8"}, "InvalidRequest"),
        ({"x_amz_copy_source_server_side_encryption_customer_algorithm": "AES256"}, "InvalidArgument"),
    ],
)
def test_a_refused_copy_changes_nothing(there: Shop, headers: dict[str, str], expected: str) -> None:
    there.ask("PUT", "/pictures/copy", b"old")
    assert code(copy(there, **headers)) == expected
    assert there.ask("GET", "/pictures/copy").body == b"old"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "InvalidArgument"),
        ("photos", "InvalidArgument"),
        ("/photos/", "InvalidArgument"),
        ("/photos/%zz", "InvalidArgument"),
        ("/photos/none", "NoSuchKey"),
        ("/none/none", "NoSuchBucket"),
        ("/photos/cat.jpg?versionId=7", "InvalidArgument"),
        (f"/photos/cat.jpg?versionId={'7' * 32}", "NoSuchVersion"),
        ("arn:aws:s3:us-east-1:1:accesspoint/a/object/b", "NotImplemented"),
    ],
)
def test_a_source_that_is_none_is_told(there: Shop, source: str, expected: str) -> None:
    assert code(copy(there, source=source)) == expected


@given(st.binary(min_size=1, max_size=40))
def test_any_key_can_be_named_as_a_source(key: bytes) -> None:
    assert read_source("/photos/" + encoded(key).decode()) == Named("photos", key, None)
    assert read_source("photos/" + encoded(key).decode() + "?versionId=null") == Named("photos", key, "null")


@given(st.binary(min_size=1, max_size=40))
def test_a_source_may_have_its_slashes_encoded(key: bytes) -> None:
    whole = encoded(b"photos/" + key).decode().replace("/", "%2F")
    for spelt in (whole, "/" + whole, "%2F" + whole):
        assert read_source(spelt) == Named("photos", key, None)
        assert read_source(spelt + "?versionId=null") == Named("photos", key, "null")


def test_a_source_with_encoded_slashes_is_copied(there: Shop) -> None:
    assert copy(there, source="%2Fphotos%2Fcat.jpg").status == 200
    upload = read("CreateMultipartUpload", there.ask("POST", "/pictures/joined?uploads"))["UploadId"]
    assert copy(there, f"/pictures/joined?partNumber=1&uploadId={upload}", source="photos%2Fcat.jpg").status == 200


def test_a_plus_in_a_source_is_a_space() -> None:
    assert read_source("photos/a+b%2Bc%20d") == Named("photos", b"a b+c d", None)


@given(st.text(st.characters(max_codepoint=255), max_size=30))
@example("arn:")
def test_nothing_in_a_source_is_an_internal_error(value: str) -> None:
    try:
        read_source(value)
    except (InvalidArgument, NotImplemented_):
        return


def test_a_part_may_be_a_range_of_an_object(there: Shop) -> None:
    upload = read("CreateMultipartUpload", there.ask("POST", "/pictures/joined?uploads"))["UploadId"]
    target = f"/pictures/joined?partNumber=1&uploadId={upload}"
    result = read("UploadPartCopy", copy(there, target, x_amz_copy_source_range="bytes=1-2"))["CopyPartResult"]
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{result['ETag']}</ETag></Part></CompleteMultipartUpload>"
    assert there.ask("POST", f"/pictures/joined?uploadId={upload}", body.encode()).status == 200
    assert there.ask("GET", "/pictures/joined").body == b"eo"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_amz_copy_source_range": "bytes=0-4"}, "InvalidArgument"),
        ({"x_amz_copy_source_range": "bytes=2-"}, "InvalidArgument"),
        ({"x_amz_copy_source_if_match": '"other"'}, "PreconditionFailed"),
    ],
)
def test_a_part_that_cannot_be_copied_is_told(there: Shop, headers: dict[str, str], expected: str) -> None:
    upload = read("CreateMultipartUpload", there.ask("POST", "/pictures/joined?uploads"))["UploadId"]
    assert code(copy(there, f"/pictures/joined?partNumber=1&uploadId={upload}", **headers)) == expected
    assert code(copy(there, f"/pictures/joined?partNumber=0&uploadId={upload}")) == "InvalidArgument"
    assert code(copy(there, "/pictures/joined?partNumber=1&uploadId=none")) == "NoSuchUpload"
