"""boto3 with its default settings, over http and https and with every way to keep attributes: buckets and objects."""

import base64
import hashlib
import io
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.end_to_end.place import Place, everywhere, refusal
from tests.end_to_end.trees import Large, md5_of, some_bytes

ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"]

BY_HAND = ("MD5", "SHA512")
"""What boto3 does not compute by itself."""


def test_buckets_are_made_listed_and_deleted(place: Place):
    s3, name = place.s3, place.new_name()
    assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
    assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=name)
    place.put(name, "key", b"body")
    assert refusal(s3.delete_bucket, Bucket=name) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=name, Key="key")
    s3.delete_bucket(Bucket=name)
    assert refusal(s3.head_bucket, Bucket=name) == ("404", 404)
    assert refusal(place.get, name, "key") == ("NoSuchBucket", 404)
    assert refusal(s3.create_bucket, Bucket="no..bucket") == ("InvalidBucketName", 400)


@everywhere
def test_objects_of_all_small_sizes_come_back_byte_for_byte(place: Place):
    bucket = place.new_bucket()
    for size in (0, 1, 8191, 8192, 65_536, 1_048_577, 8_388_608):
        body = some_bytes(size, size)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        assert place.put(bucket, str(size), body)["ETag"] == etag
        answer = place.s3.get_object(Bucket=bucket, Key=str(size))
        assert (answer["ETag"], answer["ContentLength"]) == (etag, size)
        assert answer["Body"].read() == body
        head = place.s3.head_object(Bucket=bucket, Key=str(size))
        assert (head["ETag"], head["ContentLength"]) == (etag, size)
        assert abs(datetime.now(UTC) - head["LastModified"]) < timedelta(minutes=5)


def test_headers_and_metadata_come_back(place: Place):
    bucket = place.new_bucket()
    sent = {
        "ContentType": "text/plain; charset=utf-8",
        "CacheControl": "max-age=60, public",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de-CH",
        "Metadata": {"colour": "green  and blue", "empty": "", "with-dash": "a=b;c,d"},
    }
    expires = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    place.put(bucket, "key", b"body", Expires=expires, **sent)
    place.s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key"})
    for key in ("key", "copy"):
        for answer in (place.s3.head_object(Bucket=bucket, Key=key), place.s3.get_object(Bucket=bucket, Key=key)):
            assert {name: answer[name] for name in sent} == sent | {"Metadata": answer["Metadata"]}
            assert answer["Metadata"]["colour"].split() == ["green", "and", "blue"]
            assert (answer["Metadata"]["empty"], answer["Metadata"]["with-dash"]) == ("", "a=b;c,d")
            assert answer["ExpiresString"] == "Tue, 06 May 2031 07:08:09 GMT"
    place.put(bucket, "bare", b"body")
    assert place.s3.head_object(Bucket=bucket, Key="bare")["ContentType"] == "binary/octet-stream"


def test_every_checksum_algorithm_is_verified_kept_and_told(scheme: Place):
    bucket, body = scheme.new_bucket(), some_bytes(100_000)
    for algorithm in ALGORITHMS:
        field = f"Checksum{algorithm}"
        by_hand = base64.b64encode(hashlib.new(algorithm, body).digest()).decode() if algorithm in BY_HAND else None
        asked = {field: by_hand} if by_hand else {"ChecksumAlgorithm": algorithm}
        stored = scheme.put(bucket, algorithm, body, **asked)
        answer = scheme.s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
        assert answer["Body"].read() == body
        assert stored[field] == answer[field]
        assert answer["ChecksumType"] == "FULL_OBJECT"
    by_default = scheme.put(bucket, "default", body)
    assert base64.b64decode(by_default["ChecksumCRC32"]) == zlib.crc32(body).to_bytes(4, "big")


def test_a_refused_upload_keeps_the_old_object(place: Place):
    bucket = place.new_bucket()
    place.put(bucket, "key", b"old", ContentType="text/old")
    wrong_md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refusal(place.put, bucket, "key", b"new", ContentMD5=wrong_md5) == ("BadDigest", 400)
    assert refusal(place.put, bucket, "key", b"new", ContentMD5="eA==") == ("InvalidDigest", 400)
    for algorithm, length in (("CRC32", 4), ("SHA256", 32), ("CRC64NVME", 8)):
        wrong = {f"Checksum{algorithm}": base64.b64encode(bytes(length)).decode()}
        assert refusal(place.put, bucket, "key", b"new", **wrong) == ("BadDigest", 400)
    assert refusal(place.put, bucket, "other", b"new", ContentMD5=wrong_md5) == ("BadDigest", 400)
    answer = place.s3.get_object(Bucket=bucket, Key="key")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"old", "text/old")
    assert place.keys(bucket) == ["key"]


def test_a_stream_without_a_known_length_is_stored(place: Place):
    class Unseekable(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._left = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            return self._left.readinto(buffer)

    bucket, body = place.new_bucket(), some_bytes(9_000_001)
    place.s3.upload_fileobj(io.BufferedReader(Unseekable(body)), bucket, "stream", ExtraArgs={"ContentType": "a/b"})
    back = io.BytesIO()
    place.s3.download_fileobj(bucket, "stream", back)
    assert back.getvalue() == body
    assert place.s3.head_object(Bucket=bucket, Key="stream")["ContentType"] == "a/b"


def test_a_hundred_mebibytes_go_up_and_down(scheme: Place, large: Large, tmp_path):
    bucket = scheme.new_bucket()
    with large.path.open("rb") as body:
        assert scheme.put(bucket, "whole", body)["ETag"] == f'"{large.md5}"'
    scheme.s3.upload_file(str(large.path), bucket, "parts")
    for key in ("whole", "parts"):
        scheme.s3.download_file(bucket, key, str(tmp_path / key))
        assert md5_of(tmp_path / key) == large.md5
        scheme.s3.delete_object(Bucket=bucket, Key=key)
        (tmp_path / key).unlink()


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-", 10, 300_000),
        ("bytes=-7", 299_993, 300_000),
        ("bytes=70000-200000", 70_000, 200_001),
        ("bytes=299999-999999", 299_999, 300_000),
        ("bytes=-999999", 0, 300_000),
    ],
)
def test_a_range_is_answered_with_just_its_bytes(scheme: Place, asked: str, first: int, last: int):
    bucket, body = scheme.new_bucket(), some_bytes(300_000)
    scheme.put(bucket, "key", body)
    answer = scheme.s3.get_object(Bucket=bucket, Key="key", Range=asked)
    assert answer["Body"].read() == body[first:last]
    assert answer["ContentRange"] == f"bytes {first}-{last - 1}/300000"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_behind_the_end_is_refused(scheme: Place):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "key", b"0123456789")
    scheme.put(bucket, "empty", b"")
    assert refusal(scheme.get, bucket, "key", Range="bytes=10-") == ("InvalidRange", 416)
    assert refusal(scheme.get, bucket, "empty", Range="bytes=0-0") == ("InvalidRange", 416)
    assert scheme.get(bucket, "key", Range="bytes=1-2,4-5") == b"0123456789"
    assert scheme.get(bucket, "key", Range="bytes=x") == b"0123456789"


def test_conditional_reads_are_decided_by_etag_and_date(scheme: Place):
    bucket, s3 = scheme.new_bucket(), scheme.s3
    etag = scheme.put(bucket, "key", b"body")["ETag"]
    date = s3.head_object(Bucket=bucket, Key="key")["LastModified"]
    before, after = date - timedelta(hours=1), date + timedelta(hours=1)
    for read, refused in ((s3.get_object, "PreconditionFailed"), (s3.head_object, "412")):
        asked = {"Bucket": bucket, "Key": "key"}
        assert read(**asked, IfMatch=etag)["ETag"] == etag
        assert read(**asked, IfMatch=etag, IfUnmodifiedSince=before)["ETag"] == etag
        assert read(**asked, IfNoneMatch='"other"', IfModifiedSince=after)["ETag"] == etag
        assert read(**asked, IfModifiedSince=before)["ETag"] == etag
        assert refusal(read, **asked, IfMatch='"other"') == (refused, 412)
        assert refusal(read, **asked, IfUnmodifiedSince=before) == (refused, 412)
        assert refusal(read, **asked, IfNoneMatch=etag) == ("304", 304)
        assert refusal(read, **asked, IfModifiedSince=date) == ("304", 304)


def test_copies_keep_or_replace_headers_and_heed_conditions(place: Place):
    one, two, s3 = place.new_bucket(), place.new_bucket(), place.s3
    body = some_bytes(200_000)
    etag = place.put(one, "from", body, ContentType="text/old", Metadata={"a": "1"})["ETag"]
    source = {"Bucket": one, "Key": "from"}
    assert s3.copy_object(Bucket=two, Key="kept", CopySource=source)["CopyObjectResult"]["ETag"] == etag
    s3.copy_object(
        Bucket=two,
        Key="new",
        CopySource=source,
        MetadataDirective="REPLACE",
        ContentType="text/new",
        Metadata={"b": "2"},
    )
    kept, new = (s3.get_object(Bucket=two, Key=key) for key in ("kept", "new"))
    assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (body, "text/old", {"a": "1"})
    assert (new["Body"].read(), new["ContentType"], new["Metadata"]) == (body, "text/new", {"b": "2"})
    assert refusal(s3.copy_object, Bucket=one, Key="from", CopySource=source) == ("InvalidRequest", 400)
    s3.copy_object(Bucket=one, Key="from", CopySource=source, MetadataDirective="REPLACE", Metadata={"c": "3"})
    assert (place.get(one, "from"), s3.head_object(**source)["Metadata"]) == (body, {"c": "3"})
    refused = refusal(s3.copy_object, Bucket=two, Key="kept", CopySource=source, CopySourceIfNoneMatch=etag)
    assert refused == ("PreconditionFailed", 412)
    gone = {"Bucket": one, "Key": "gone"}
    assert refusal(s3.copy_object, Bucket=two, Key="kept", CopySource=gone) == ("NoSuchKey", 404)


def test_deletes_are_single_or_many_and_a_missing_key_is_fine(place: Place):
    bucket, s3 = place.new_bucket(), place.s3
    keys = [f"folder {number}/key+{number}" for number in range(20)]
    for key in keys:
        place.put(bucket, key, b"body")
    s3.delete_object(Bucket=bucket, Key="never was")
    s3.delete_object(Bucket=bucket, Key=keys[0])
    asked = [{"Key": key} for key in [*keys[:10], "never was"]]
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": asked})
    assert sorted(entry["Key"] for entry in done["Deleted"]) == sorted([*keys[:10], "never was"])
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[10:]], "Quiet": True})
    assert "Deleted" not in quiet
    assert "Errors" not in quiet
    assert place.keys(bucket) == []
    assert not list(place.daemon.data_dir.glob(f"{bucket}/*"))
    too_many = [{"Key": str(number)} for number in range(1001)]
    assert refusal(s3.delete_objects, Bucket=bucket, Delete={"Objects": too_many}) == ("MalformedXML", 400)


def test_what_is_missing_is_named(scheme: Place):
    bucket, missing = scheme.new_bucket(), scheme.new_name()
    assert refusal(scheme.get, bucket, "gone") == ("NoSuchKey", 404)
    assert refusal(scheme.s3.head_object, Bucket=bucket, Key="gone") == ("404", 404)
    assert refusal(scheme.put, missing, "key", b"body" * 100_000) == ("NoSuchBucket", 404)
    assert refusal(scheme.s3.list_objects_v2, Bucket=missing) == ("NoSuchBucket", 404)
    assert refusal(scheme.s3.delete_bucket, Bucket=missing) == ("NoSuchBucket", 404)


def test_what_we_lack_is_refused_and_changes_nothing(plain: Place):
    bucket, s3 = plain.new_bucket(), plain.s3
    lacking = ("NotImplemented", 501)
    assert refusal(s3.delete_bucket_analytics_configuration, Bucket=bucket, Id="one") == lacking
    assert refusal(s3.delete_bucket_metrics_configuration, Bucket=bucket, Id="one") == lacking
    plain.put(bucket, "key", b"old")
    accelerate = {"Status": "Enabled"}
    assert refusal(s3.put_bucket_accelerate_configuration, Bucket=bucket, AccelerateConfiguration=accelerate) == lacking
    assert refusal(s3.get_object_torrent, Bucket=bucket, Key="key") == lacking
    assert refusal(plain.put, bucket, "key", b"new", WriteOffsetBytes=3) == lacking
    assert plain.get(bucket, "key") == b"old"
    assert plain.keys(bucket) == ["key"]


def test_a_wrong_secret_an_unknown_key_and_no_signature_are_refused(scheme: Place):
    from botocore import UNSIGNED
    from botocore.config import Config

    bucket = scheme.new_bucket()
    scheme.put(bucket, "key", b"body")
    asked = {"Bucket": bucket, "Key": "key"}
    wrong = scheme.daemon.client(aws_secret_access_key="wrong")
    unknown = scheme.daemon.client(aws_access_key_id="unknown")
    nobody = scheme.daemon.client(config=Config(signature_version=UNSIGNED))
    assert refusal(wrong.get_object, **asked) == ("SignatureDoesNotMatch", 403)
    assert refusal(wrong.put_object, **asked, Body=b"new" * 100_000) == ("SignatureDoesNotMatch", 403)
    assert refusal(unknown.get_object, **asked) == ("InvalidAccessKeyId", 403)
    assert refusal(nobody.get_object, **asked) == ("AccessDenied", 403)
    assert refusal(nobody.delete_object, **asked) == ("AccessDenied", 403)
    assert scheme.get(bucket, "key") == b"body"
