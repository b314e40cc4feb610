"""minio-py, the SDK of another dialect."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource, CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from tests.end_to_end.place import Place
from tests.end_to_end.trees import Large, md5_of, some_bytes


@pytest.fixture
def minio(scheme: Place):
    daemon = scheme.daemon
    certificates = daemon.certificates
    with urllib3.PoolManager(ca_certs=str(certificates.authority) if certificates else None, retries=False) as pool:
        host, secure = daemon.url.partition("://")[2], certificates is not None
        yield Minio(host, daemon.access_key, daemon.secret_key, secure=secure, http_client=pool)


def test_objects_of_known_and_unknown_length_come_back(minio: Minio, scheme: Place):
    bucket = scheme.new_name()
    assert not minio.bucket_exists(bucket)
    minio.make_bucket(bucket)
    assert bucket in [entry.name for entry in minio.list_buckets()]
    body = some_bytes(6_000_000)
    for key, length in (("known/ü + %", len(body)), ("unknown", -1)):
        more = {"part_size": 5 * 1024 * 1024} if length < 0 else {}
        minio.put_object(
            bucket, key, io.BytesIO(body), length, content_type="a/b", metadata={"colour": "green"}, **more
        )
        answer = minio.get_object(bucket, key)
        assert answer.read() == body
        answer.release_conn()
        described = minio.stat_object(bucket, key)
        assert (described.size, described.content_type) == (len(body), "a/b")
        assert described.metadata["x-amz-meta-colour"] == "green"
    part = minio.get_object(bucket, "unknown", offset=5_000_000, length=10)
    assert part.read() == body[5_000_000:5_000_010]
    part.release_conn()
    errors = minio.remove_objects(
        bucket, [DeleteObject(entry.object_name) for entry in minio.list_objects(bucket, recursive=True)]
    )
    assert list(errors) == []
    minio.remove_bucket(bucket)


def test_objects_are_listed_copied_and_composed(minio: Minio, scheme: Place):
    bucket, part = scheme.new_bucket(), some_bytes(5 * 1024 * 1024)
    for key in ("a/1", "a/2", "b"):
        scheme.put(bucket, key, part)
    assert {entry.object_name for entry in minio.list_objects(bucket)} == {"a/", "b"}
    assert [entry.object_name for entry in minio.list_objects(bucket, "a/", start_after="a/1")] == ["a/2"]
    minio.copy_object(bucket, "copied", CopySource(bucket, "b"))
    minio.compose_object(
        bucket, "composed", [ComposeSource(bucket, "a/1"), ComposeSource(bucket, "b", offset=10, length=20)]
    )
    assert scheme.get(bucket, "copied") == part
    assert scheme.get(bucket, "composed") == part + part[10:30]
    with pytest.raises(S3Error, match="NoSuchKey"):
        minio.stat_object(bucket, "gone")


def test_presigned_urls_are_made(minio: Minio, scheme: Place):
    bucket = scheme.new_bucket()
    url = minio.presigned_put_object(bucket, "a b/ü", expires=timedelta(minutes=5))
    assert minio._http.request("PUT", url, body=b"body").status == 200
    assert minio._http.request("GET", minio.presigned_get_object(bucket, "a b/ü")).data == b"body"


def test_an_object_of_100_mebibytes_goes_up_in_parts_and_down(
    minio: Minio, scheme: Place, large: Large, tmp_path: Path
):
    bucket = scheme.new_bucket()
    minio.fput_object(bucket, "large", str(large.path), part_size=10 * 1024 * 1024)
    minio.fget_object(bucket, "large", str(tmp_path / "back"))
    assert md5_of(tmp_path / "back") == large.md5
    minio.remove_object(bucket, "large")
