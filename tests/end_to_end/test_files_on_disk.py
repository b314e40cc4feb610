"""Objects are ordinary files: readable without the daemon, and files put there by others are objects."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place, refusal
from tests.end_to_end.trees import NAMES, contents, some_bytes
from tests.patience import eventually


@pytest.fixture(params=["plain", "sidecar", "unhashed"])
def kept(request: pytest.FixtureRequest) -> Place:
    """Every daemon that keeps its files in another manner."""
    return request.getfixturevalue(request.param)


def quoted_md5(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def test_an_object_is_a_file_at_its_path(kept: Place):
    bucket = kept.new_bucket()
    folder = kept.daemon.data_dir / bucket
    for number, name in enumerate(NAMES):
        kept.put(bucket, name, some_bytes(1000 * number, number), ContentType="text/x")
    for number, name in enumerate(NAMES):
        assert (folder / name).read_bytes() == some_bytes(1000 * number, number)
        assert kept.get(bucket, name) == some_bytes(1000 * number, number)
    visible = {name for name in contents(folder) if not name.endswith(".metadata.json")}
    assert visible == set(NAMES)
    kept.put(bucket, NAMES[0], b"overwritten")
    assert (folder / NAMES[0]).read_bytes() == b"overwritten"
    for name in NAMES:
        kept.s3.delete_object(Bucket=bucket, Key=name)
    assert not list(folder.iterdir())


def test_an_object_made_of_parts_becomes_a_file_too(kept: Place):
    bucket, body = kept.new_bucket(), some_bytes(9_000_000)
    named = {"Bucket": bucket, "Key": "folder/parts"}
    upload = named | {"UploadId": kept.s3.create_multipart_upload(**named)["UploadId"]}
    parts = []
    for number, piece in enumerate((body[:6_000_000], body[6_000_000:]), 1):
        sent = kept.s3.upload_part(**upload, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    etag = kept.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})["ETag"]
    path = kept.daemon.data_dir / bucket / "folder/parts"
    eventually(lambda: path.is_file() and path.read_bytes() == body)
    answer = kept.s3.get_object(**named)
    assert (answer["Body"].read(), answer["ETag"]) == (body, etag)


def test_a_file_put_there_is_an_object_at_once(kept: Place):
    bucket = kept.new_bucket()
    folder = kept.daemon.data_dir / bucket
    (folder / "sub").mkdir()
    (folder / "sub" / "put there ü.txt").write_bytes(b"by somebody else")
    answer = kept.s3.get_object(Bucket=bucket, Key="sub/put there ü.txt")
    assert (answer["Body"].read(), answer["ContentLength"]) == (b"by somebody else", 16)
    head = kept.s3.head_object(Bucket=bucket, Key="sub/put there ü.txt")
    assert head["ETag"] == answer["ETag"]
    if "--metadata=false" not in kept.daemon._options:
        assert head["ETag"] == quoted_md5(b"by somebody else")
    assert kept.keys(bucket) == ["sub/put there ü.txt"]
    kept.s3.delete_object(Bucket=bucket, Key="sub/put there ü.txt")
    assert not list(folder.iterdir())


def test_a_file_changed_behind_our_back_is_served_as_it_is_now(kept: Place):
    bucket = kept.new_bucket()
    path = kept.daemon.data_dir / bucket / "key"
    old = kept.put(bucket, "key", b"old bytes", ContentType="text/x")["ETag"]
    path.write_bytes(b"new and longer bytes")
    answer = kept.s3.get_object(Bucket=bucket, Key="key")
    assert answer["Body"].read() == b"new and longer bytes"
    assert answer["ContentLength"] == 20
    assert answer["ETag"] != old
    replacement = path.with_name("replacement")
    replacement.write_bytes(b"replaced")
    replacement.rename(path)
    again = kept.s3.get_object(Bucket=bucket, Key="key")
    assert (again["Body"].read(), again["ContentLength"]) == (b"replaced", 8)
    assert again["ETag"] != answer["ETag"]
    path.unlink()
    assert refusal(kept.get, bucket, "key") == ("NoSuchKey", 404)


def test_files_and_folders_put_there_while_stopped_are_found_at_the_start(tmp_path: Path, tree: Path):
    shutil.copytree(tree, tmp_path / "data" / "copied-tree")
    (tmp_path / "data" / "a file beside the buckets").write_text("ignored")
    (tmp_path / "data" / "empty-bucket").mkdir()
    with Daemon(tmp_path, "--workers=2") as daemon:
        place = Place(daemon)
        assert [bucket["Name"] for bucket in place.s3.list_buckets()["Buckets"]] == ["copied-tree", "empty-bucket"]
        expected = {name: f'"{md5}"' for name, md5 in contents(tree).items()}
        eventually(lambda: place.keys("copied-tree") == sorted(expected, key=str.encode))
        listed = place.s3.list_objects_v2(Bucket="copied-tree")["Contents"]
        assert {entry["Key"]: entry["ETag"] for entry in listed} == expected
        before = contents(daemon.data_dir / "copied-tree")
        for name, etag in expected.items():
            head = place.s3.head_object(Bucket="copied-tree", Key=name)
            stat = (daemon.data_dir / "copied-tree" / name).stat()
            assert (head["ETag"], head["ContentLength"]) == (etag, stat.st_size)
            assert head["LastModified"].timestamp() == int(stat.st_mtime)
        assert contents(daemon.data_dir / "copied-tree") == before


REQUESTS = {
    "head": lambda s3, bucket: s3.head_bucket(Bucket=bucket),
    "list": lambda s3, bucket: s3.list_objects_v2(Bucket=bucket),
    "versions": lambda s3, bucket: s3.list_object_versions(Bucket=bucket),
    "uploads": lambda s3, bucket: s3.list_multipart_uploads(Bucket=bucket),
    "get": lambda s3, bucket: s3.get_object(Bucket=bucket, Key="a"),
    "get what is not there": lambda s3, bucket: s3.get_object(Bucket=bucket, Key="b"),
    "get a version": lambda s3, bucket: s3.get_object(Bucket=bucket, Key="a", VersionId="null"),
    "head of an object": lambda s3, bucket: s3.head_object(Bucket=bucket, Key="a"),
    "head of what is not there": lambda s3, bucket: s3.head_object(Bucket=bucket, Key="b"),
    "put": lambda s3, bucket: s3.put_object(Bucket=bucket, Key="b", Body=b"x"),
    "delete": lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="a"),
    "delete several": lambda s3, bucket: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}]}),
    "copy": lambda s3, bucket: s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a"),
    "upload": lambda s3, bucket: s3.create_multipart_upload(Bucket=bucket, Key="b"),
    "versioning": lambda s3, bucket: s3.get_bucket_versioning(Bucket=bucket),
    "policy": lambda s3, bucket: s3.get_bucket_policy(Bucket=bucket),
    "delete bucket": lambda s3, bucket: s3.delete_bucket(Bucket=bucket),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bucket_whose_directory_was_removed_is_gone_whatever_is_asked_first(plain: Place, name: str):
    bucket = plain.new_bucket()
    plain.put(bucket, "a", b"x")
    shutil.rmtree(plain.daemon.data_dir / bucket)
    for one in (name, "list", "put", "head"):
        code, status = refusal(REQUESTS[one], plain.s3, bucket)
        assert (code in ("NoSuchBucket", "404"), status) == (True, 404), one
    assert not (plain.daemon.data_dir / bucket).exists()
    plain.s3.create_bucket(Bucket=bucket)
    assert plain.keys(bucket) == []


def test_a_bucket_whose_directory_was_removed_is_not_listed(plain: Place):
    bucket = plain.new_bucket()
    shutil.rmtree(plain.daemon.data_dir / bucket)
    assert bucket not in [one["Name"] for one in plain.s3.list_buckets()["Buckets"]]


def test_a_directory_whose_name_looks_like_an_address_is_no_bucket(plain: Place):
    (plain.daemon.data_dir / "192.168.1.1").mkdir()
    assert refusal(plain.s3.list_objects_v2, Bucket="192.168.1.1") == ("InvalidBucketName", 400)
    assert "192.168.1.1" not in [one["Name"] for one in plain.s3.list_buckets()["Buckets"]]
    shutil.rmtree(plain.daemon.data_dir / "192.168.1.1")


def test_a_bucket_is_not_made_over_a_file_and_the_refusal_says_so(plain: Place):
    bucket = plain.new_name()
    file = plain.daemon.data_dir / bucket
    file.write_text("of somebody else")
    with pytest.raises(ClientError, match="There is a file of this name in the data directory") as refused:
        plain.s3.create_bucket(Bucket=bucket)
    assert refused.value.response["Error"]["Code"] == "BucketAlreadyExists"
    assert file.read_text() == "of somebody else"
    file.unlink()
    plain.s3.create_bucket(Bucket=bucket)


def test_symbolic_links_are_neither_listed_nor_followed(plain: Place, tmp_path: Path):
    bucket = plain.new_bucket()
    folder = plain.daemon.data_dir / bucket
    (tmp_path / "secret").write_text("outside")
    os.symlink(tmp_path / "secret", folder / "file")
    os.symlink(tmp_path, folder / "folder")
    plain.put(bucket, "key", b"body")
    assert refusal(plain.get, bucket, "file") == ("NoSuchKey", 404)
    assert refusal(plain.get, bucket, "folder/secret") == ("NoSuchKey", 404)
    plain.put(bucket, "folder/secret", b"inside")
    plain.put(bucket, "file", b"inside")
    assert (tmp_path / "secret").read_text() == "outside"
    assert plain.get(bucket, "folder/secret") == plain.get(bucket, "file") == b"inside"
    assert plain.keys(bucket) == ["file", "folder/secret", "key"]


def test_without_metadata_an_etag_is_made_of_size_and_time(unhashed: Place):
    bucket = unhashed.new_bucket()
    unhashed.put(bucket, "key", b"body", ContentType="text/x")
    stat = (unhashed.daemon.data_dir / bucket / "key").stat()
    pseudo = quoted_md5(f"{stat.st_size}-{stat.st_mtime_ns}".encode())[:-1] + '-1"'
    assert unhashed.s3.head_object(Bucket=bucket, Key="key")["ETag"] == pseudo
    assert unhashed.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ETag"] == pseudo
    assert not os.listxattr(unhashed.daemon.data_dir / bucket / "key")
    assert list(contents(unhashed.daemon.data_dir / bucket)) == ["key"]
