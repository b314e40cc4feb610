"""s5cmd, which does everything with many requests at once."""

from pathlib import Path

import pytest

from tests.end_to_end.clients import S5cmd
from tests.end_to_end.place import Place
from tests.end_to_end.trees import Large, contents, md5_of


@pytest.fixture
def s5cmd(plain: Place, tmp_path: Path) -> S5cmd:
    return S5cmd(plain.daemon, tmp_path)


def test_a_tree_is_synchronised_both_ways_and_removed(s5cmd: S5cmd, plain: Place, tree: Path, tmp_path: Path):
    bucket, back = plain.new_name(), tmp_path / "back"
    s5cmd.run("mb", f"s3://{bucket}")
    s5cmd.run("sync", f"{tree}/", f"s3://{bucket}/prefix/")
    assert s5cmd.run("sync", f"{tree}/", f"s3://{bucket}/prefix/") == ""
    s5cmd.run("sync", f"s3://{bucket}/prefix/*", f"{back}/")
    assert contents(back) == contents(tree)
    s5cmd.run("rm", f"s3://{bucket}/*")
    s5cmd.run("rb", f"s3://{bucket}")
    assert bucket not in s5cmd.run("ls")


def test_objects_are_copied_moved_and_read(s5cmd: S5cmd, plain: Place, tmp_path: Path):
    bucket = plain.new_bucket()
    (tmp_path / "file").write_text("hello")
    s5cmd.run("cp", "--content-type=text/x", "file", f"s3://{bucket}/a b/ü+%41")
    s5cmd.run("cp", f"s3://{bucket}/a b/*", f"s3://{bucket}/copy/")
    s5cmd.run("mv", f"s3://{bucket}/copy/ü+%41", f"s3://{bucket}/moved")
    assert s5cmd.run("cat", f"s3://{bucket}/moved") == "hello"
    assert plain.keys(bucket) == ["a b/ü+%41", "moved"]
    assert plain.s3.head_object(Bucket=bucket, Key="a b/ü+%41")["ContentType"] == "text/x"
    assert "5 bytes" in s5cmd.run("du", f"s3://{bucket}/moved")


def test_an_object_of_100_mebibytes_goes_up_in_parts_and_down(s5cmd: S5cmd, plain: Place, large: Large, tmp_path: Path):
    bucket = plain.new_bucket()
    s5cmd.run("cp", "--part-size=8", large.path, f"s3://{bucket}/large")
    s5cmd.run("cp", f"s3://{bucket}/large", "back")
    assert md5_of(tmp_path / "back") == large.md5
    s5cmd.run("rm", f"s3://{bucket}/large")
