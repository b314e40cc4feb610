"""The AWS CLI."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.clients import Aws
from tests.end_to_end.place import Place
from tests.end_to_end.trees import Large, contents, md5_of


@pytest.fixture
def aws(scheme: Place, tmp_path: Path) -> Aws:
    return Aws(scheme.daemon, tmp_path)


def test_a_tree_is_synchronised_both_ways_and_removed(aws: Aws, scheme: Place, tree: Path, tmp_path: Path):
    bucket, back = scheme.new_name(), tmp_path / "back"
    aws.run("s3", "mb", f"s3://{bucket}")
    aws.run("s3", "sync", tree, f"s3://{bucket}/some prefix/")
    assert aws.run("s3", "sync", tree, f"s3://{bucket}/some prefix/") == ""
    aws.run("s3", "sync", f"s3://{bucket}/some prefix/", back)
    assert contents(back) == contents(tree)
    removed = aws.run("s3", "rb", "--force", f"s3://{bucket}")
    assert f"remove_bucket: {bucket}" in removed


def test_an_object_of_100_mebibytes_goes_up_in_parts_and_down(plain: Place, large: Large, tmp_path: Path):
    aws, bucket = Aws(plain.daemon, tmp_path), plain.new_bucket()
    aws.run("s3", "cp", large.path, f"s3://{bucket}/large", "--content-type=a/b", "--metadata=colour=green")
    head = plain.s3.head_object(Bucket=bucket, Key="large")
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (large.size, "a/b", {"colour": "green"})
    aws.run("s3", "mv", f"s3://{bucket}/large", f"s3://{bucket}/moved + here")
    aws.run("s3", "mv", f"s3://{bucket}/moved + here", "back")
    assert md5_of(tmp_path / "back") == large.md5
    assert plain.keys(bucket) == []


def test_listings_and_low_level_calls_answer(aws: Aws, scheme: Place):
    bucket = scheme.new_bucket()
    for key in ("a/1", "a/2", "b ü"):
        scheme.put(bucket, key, b"body")
    assert bucket in aws.run("s3", "ls")
    assert [line.split()[-1] for line in aws.run("s3", "ls", f"s3://{bucket}").splitlines()] == ["a/", "ü"]
    assert len(aws.run("s3", "ls", "--recursive", f"s3://{bucket}").splitlines()) == 3
    assert json.loads(aws.run("s3api", "get-bucket-location", "--bucket", bucket))["LocationConstraint"] is None
    page = json.loads(aws.run("s3api", "list-objects-v2", "--bucket", bucket, "--prefix", "a/", "--max-items", "1"))
    assert [entry["Key"] for entry in page["Contents"]] == ["a/1"]
