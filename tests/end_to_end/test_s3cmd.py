"""s3cmd."""

from pathlib import Path

import pytest

from tests.end_to_end.clients import S3cmd
from tests.end_to_end.place import Place
from tests.end_to_end.trees import Large, contents, md5_of


@pytest.fixture
def s3cmd(scheme: Place, tmp_path: Path) -> S3cmd:
    return S3cmd(scheme.daemon, tmp_path)


def test_a_tree_is_synchronised_both_ways_and_removed(s3cmd: S3cmd, scheme: Place, tree: Path, tmp_path: Path):
    bucket, back = scheme.new_name(), tmp_path / "back"
    s3cmd.run("mb", f"s3://{bucket}")
    s3cmd.run("sync", f"{tree}/", f"s3://{bucket}/some prefix/")
    again = s3cmd.run("sync", f"{tree}/", f"s3://{bucket}/some prefix/")
    assert "upload" not in again
    back.mkdir()
    s3cmd.run("sync", f"s3://{bucket}/some prefix/", f"{back}/")
    assert contents(back) == contents(tree)
    s3cmd.run("del", "--recursive", "--force", f"s3://{bucket}/")
    s3cmd.run("rb", f"s3://{bucket}")
    assert bucket not in s3cmd.run("ls")


def test_objects_are_put_described_copied_moved_and_deleted(s3cmd: S3cmd, scheme: Place, tmp_path: Path):
    bucket, path = scheme.new_bucket(), tmp_path / "file.html"
    path.write_text("<p>hello")
    s3cmd.run("put", path, f"s3://{bucket}/a b/ü+%41.html", "--add-header=x-amz-meta-colour:green")
    described = s3cmd.run("info", f"s3://{bucket}/a b/ü+%41.html")
    assert "text/html" in described
    assert "x-amz-meta-colour: green" in described
    s3cmd.run("cp", f"s3://{bucket}/a b/ü+%41.html", f"s3://{bucket}/copy")
    s3cmd.run("mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    s3cmd.run("get", f"s3://{bucket}/moved", "back")
    assert (tmp_path / "back").read_text() == "<p>hello"
    assert scheme.keys(bucket) == ["a b/ü+%41.html", "moved"]
    s3cmd.run("del", f"s3://{bucket}/moved")
    assert scheme.keys(bucket) == ["a b/ü+%41.html"]
    assert bucket in s3cmd.run("info", f"s3://{bucket}")


def test_an_object_of_100_mebibytes_goes_up_in_parts_and_down(plain: Place, large: Large, tmp_path: Path):
    s3cmd, bucket = S3cmd(plain.daemon, tmp_path), plain.new_bucket()
    s3cmd.run("put", large.path, f"s3://{bucket}/large")
    s3cmd.run("get", f"s3://{bucket}/large", "back")
    assert md5_of(tmp_path / "back") == large.md5
    s3cmd.run("del", f"s3://{bucket}/large")
