"""A data directory as GeckoS3 writes it: sidecars, staging directories and litter included. It must be served exactly."""

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place, refusal
from tests.patience import eventually

STAMP = "2024-03-05T06:07:08.123456789Z"
UPLOAD = "0123456789abcdef0123456789abcdef"
LEAST = 5 * 1024 * 1024


def quoted_md5(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def write_object(bucket: Path, key: str, body: bytes, **described: object) -> None:
    """An object and its sidecar: compact JSON, ``<``, ``>`` and ``&`` escaped, the ETag with its quotes."""
    path = bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    path.chmod(0o600)
    seconds = int(datetime.fromisoformat(STAMP[:19] + "+00:00").timestamp())
    os.utime(path, ns=(seconds * 10**9 + 123_456_000, seconds * 10**9 + 123_456_000))
    fields = {
        "size": len(body),
        "lastModified": STAMP,
        "etag": quoted_md5(body),
        "contentType": "application/octet-stream",
    }
    text = json.dumps(fields | described, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    sidecar = path.with_name(path.name + ".metadata.json")
    sidecar.write_text(text, encoding="utf-8")
    sidecar.chmod(0o600)


def write_upload(bucket: Path, key: str, parts: dict[int, bytes]) -> None:
    """A multipart upload under way."""
    folder = bucket / ".geckos3-multipart" / UPLOAD
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"contentType": "text/parts", "key": key}, separators=(",", ":")))
    for number, body in parts.items():
        (folder / f"part-{number:05}.tmp").write_bytes(body)
    (folder / ".part-tmp-3141592653").write_bytes(b"cut off")


PARTS = {1: bytes(range(256)) * (LEAST // 256), 2: b"the tail"}
WRITTEN = [
    "a/b/c.txt",
    "bare.bin",
    "grown.txt",
    "joined.bin",
    "photo & co <1>.jpg",
    "stale.txt",
    "täglich.txt",
    "upper.txt",
]


@pytest.fixture(scope="module", params=["xattr", "sidecar", "unhashed"])
def adopted(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A daemon started on such a directory."""
    folder = tmp_path_factory.mktemp("adopted")
    bucket = folder / "data" / "photos"
    write_object(bucket, "a/b/c.txt", b"hello", contentType="text/plain; charset=utf-8", cacheControl="no-cache")
    custom = {"colour": "green", "note": "a & b <c>", "umlaut": "ü"}
    write_object(bucket, "photo & co <1>.jpg", b"jpeg", contentType="image/jpeg", customMetadata=custom)
    write_object(bucket, "joined.bin", b"joined", etag='"00112233445566778899aabbccddeeff-3"')
    encoded = {"contentEncoding": "aws-chunked,gzip", "contentDisposition": 'attachment; filename="x"'}
    write_object(bucket, "täglich.txt", "Grüße".encode(), **encoded)
    write_object(bucket, "grown.txt", b"grown since its sidecar was written", size=5, etag=quoted_md5(b"grown"))
    write_object(bucket, "stale.txt", b"stale", lastModified=17)
    (bucket / "bare.bin").write_bytes(b"without a sidecar")
    write_object(bucket, "upper.txt", b"upper")
    upper = bucket / "upper.txt.metadata.json"
    upper.write_text(
        upper.read_text()
        .replace("contentType", "CONTENTTYPE")
        .replace("octet-stream", "upper")
        .replace('"size"', '"more":[1],"size"')
    )
    for litter in (
        ".geckos3-tmp/.put-123456",
        ".geckos3-tmp/.complete-7",
        "a/b/.metadata-tmp-99",
        ".DS_Store",
        "a/Thumbs.db",
    ):
        (bucket / litter).parent.mkdir(parents=True, exist_ok=True)
        (bucket / litter).write_bytes(b"litter")
    write_upload(bucket, "folder/under way.bin", PARTS)
    (folder / "data" / "empty-one").mkdir()
    (folder / "data" / "stray file").write_text("no bucket")
    options = {"xattr": [], "sidecar": ["--attributes=sidecar"], "unhashed": ["--metadata=false"]}[request.param]
    with Daemon(folder, "--workers=2", *options) as daemon:
        place = Place(daemon)
        eventually(lambda: place.keys("photos") == WRITTEN)
        yield place


def test_buckets_and_keys_are_those_that_were_written(adopted: Place):
    assert [bucket["Name"] for bucket in adopted.s3.list_buckets()["Buckets"]] == ["empty-one", "photos"]
    assert adopted.keys("photos") == WRITTEN
    assert adopted.keys("empty-one") == []
    for hidden in (
        "a/b/c.txt.metadata.json",
        ".geckos3-tmp/.put-123456",
        "a/b/.metadata-tmp-99",
        ".DS_Store",
        "a/Thumbs.db",
    ):
        assert refusal(adopted.get, "photos", hidden) == ("NoSuchKey", 404)


def test_sizes_etags_types_and_metadata_are_the_sidecars(adopted: Place):
    got = {key: adopted.s3.get_object(Bucket="photos", Key=key) for key in WRITTEN}
    bodies = {key: answer["Body"].read() for key, answer in got.items()}
    listed = {entry["Key"]: entry for entry in adopted.s3.list_objects_v2(Bucket="photos")["Contents"]}
    for key, answer in got.items():
        assert (answer["ContentLength"], listed[key]["Size"]) == (len(bodies[key]), len(bodies[key]))
        assert listed[key]["ETag"] == answer["ETag"]
    assert (bodies["a/b/c.txt"], got["a/b/c.txt"]["ETag"]) == (b"hello", quoted_md5(b"hello"))
    assert (got["a/b/c.txt"]["ContentType"], got["a/b/c.txt"]["CacheControl"]) == (
        "text/plain; charset=utf-8",
        "no-cache",
    )
    assert got["a/b/c.txt"]["LastModified"].isoformat() == "2024-03-05T06:07:08+00:00"
    photo = got["photo & co <1>.jpg"]
    assert (photo["ContentType"], photo["Metadata"]["colour"], photo["Metadata"]["note"]) == (
        "image/jpeg",
        "green",
        "a & b <c>",
    )
    assert got["joined.bin"]["ETag"] == '"00112233445566778899aabbccddeeff-3"'
    assert (got["täglich.txt"]["ContentEncoding"], got["täglich.txt"]["ContentDisposition"]) == (
        "gzip",
        'attachment; filename="x"',
    )
    assert got["upper.txt"]["ContentType"] == "application/upper"


def test_an_object_whose_sidecar_is_missing_or_wrong_is_served_as_it_is(adopted: Place):
    hashed = "--metadata=false" not in adopted.daemon._options
    for key, body in (
        ("bare.bin", b"without a sidecar"),
        ("grown.txt", b"grown since its sidecar was written"),
        ("stale.txt", b"stale"),
    ):
        answer = adopted.s3.get_object(Bucket="photos", Key=key)
        assert (answer["Body"].read(), answer["ContentLength"]) == (body, len(body))
        if hashed:
            assert answer["ETag"] == quoted_md5(body)
        assert answer["ETag"] != quoted_md5(b"grown")
        assert answer["ContentType"] in ("application/octet-stream", "binary/octet-stream")


def test_an_unfinished_upload_can_be_finished(adopted: Place):
    (upload,) = adopted.s3.list_multipart_uploads(Bucket="photos")["Uploads"]
    assert (upload["Key"], upload["UploadId"]) == ("folder/under way.bin", UPLOAD)
    named = {"Bucket": "photos", "Key": "folder/under way.bin", "UploadId": UPLOAD}
    listed = adopted.s3.list_parts(**named)["Parts"]
    assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed] == [
        (number, len(body), quoted_md5(body)) for number, body in PARTS.items()
    ]
    third = adopted.s3.upload_part(**named, PartNumber=3, Body=b"and more")
    wanted = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed[:1]]
    wanted.append({"PartNumber": 3, "ETag": third["ETag"]})
    adopted.s3.complete_multipart_upload(**named, MultipartUpload={"Parts": wanted})
    answer = adopted.s3.get_object(Bucket="photos", Key="folder/under way.bin")
    assert (answer["Body"].read(), answer["ContentType"]) == (PARTS[1] + b"and more", "text/parts")
    adopted.s3.delete_object(Bucket="photos", Key="folder/under way.bin")
    assert "Uploads" not in adopted.s3.list_multipart_uploads(Bucket="photos")


def test_adopted_objects_can_be_overwritten_copied_and_deleted(adopted: Place):
    bucket = adopted.new_bucket()
    for key in WRITTEN:
        body = adopted.get("photos", key)
        adopted.s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": "photos", "Key": key})
        assert adopted.get(bucket, key) == body
        adopted.put(bucket, key, b"new", ContentType="text/new")
        head = adopted.s3.head_object(Bucket=bucket, Key=key)
        assert (head["ContentType"], head["ContentLength"], head["Metadata"]) == ("text/new", 3, {})
        adopted.s3.delete_object(Bucket=bucket, Key=key)
    adopted.s3.delete_bucket(Bucket=bucket)
    assert adopted.keys("photos") == WRITTEN
