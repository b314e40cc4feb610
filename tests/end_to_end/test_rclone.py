"""rclone, which compares the MD5 of everything it moves."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.clients import Rclone
from tests.end_to_end.place import Place
from tests.end_to_end.trees import Large, contents


@pytest.fixture
def rclone(scheme: Place, tmp_path: Path) -> Rclone:
    return Rclone(scheme.daemon, tmp_path)


def test_a_tree_is_synchronised_both_ways_and_purged(rclone: Rclone, scheme: Place, tree: Path, tmp_path: Path):
    bucket, back = scheme.new_name(), tmp_path / "back"
    rclone.run("mkdir", f"gecko:{bucket}")
    rclone.run("sync", tree, f"gecko:{bucket}/some prefix")
    rclone.run("check", tree, f"gecko:{bucket}/some prefix")
    rclone.run("check", "--download", tree, f"gecko:{bucket}/some prefix")
    rclone.run("sync", f"gecko:{bucket}/some prefix", back)
    assert contents(back) == contents(tree)
    assert {path.stat().st_mtime_ns for path in back.rglob("*.txt")} == {
        path.stat().st_mtime_ns for path in tree.rglob("*.txt")
    }
    rclone.run("purge", f"gecko:{bucket}")
    assert bucket not in rclone.run("lsd", "gecko:")


def test_objects_are_copied_moved_and_deleted_on_the_server(rclone: Rclone, scheme: Place, tree: Path):
    bucket, other = scheme.new_bucket(), scheme.new_bucket()
    rclone.run("copy", tree, f"gecko:{bucket}/from")
    rclone.run("copy", f"gecko:{bucket}/from", f"gecko:{other}/copied")
    rclone.run("move", f"gecko:{bucket}/from", f"gecko:{bucket}/moved")
    rclone.run("check", f"gecko:{bucket}/moved", f"gecko:{other}/copied")
    assert json.loads(rclone.run("size", "--json", f"gecko:{bucket}"))["count"] == len(contents(tree))
    rclone.run("delete", f"gecko:{bucket}/moved/deep")
    listed = rclone.run("lsf", "--recursive", "--files-only", f"gecko:{bucket}").splitlines()
    assert sorted(listed) == sorted(f"moved/{name}" for name in contents(tree) if not name.startswith("deep/"))


def test_a_stream_of_unknown_length_is_stored(plain: Place, tree: Path, tmp_path: Path):
    rclone, bucket = Rclone(plain.daemon, tmp_path), plain.new_bucket()
    rclone.run("copyurl", f"{plain.daemon.url}/health", f"gecko:{bucket}/health copy")
    assert rclone.run("cat", f"gecko:{bucket}/health copy") == "OK"
    rclone.run("touch", f"gecko:{bucket}/touched")
    assert sorted(rclone.run("lsf", f"gecko:{bucket}").splitlines()) == ["health copy", "touched"]


@pytest.mark.parametrize("provider", ["Other", "Minio"])
def test_what_nobody_hashed_is_not_judged_corrupt(unhashed: Place, tree: Path, tmp_path: Path, provider: str):
    rclone, bucket = Rclone(unhashed.daemon, tmp_path), unhashed.new_bucket()
    (tmp_path / "big").write_bytes(bytes(range(256)) * 50_000)
    asked = [f"--s3-provider={provider}", "--s3-upload-cutoff=6M", "--s3-chunk-size=6M"]
    rclone.run("copy", *asked, tree, f"gecko:{bucket}/tree")
    rclone.run("copyto", *asked, tmp_path / "big", f"gecko:{bucket}/big")
    rclone.run("copy", *asked, f"gecko:{bucket}/tree", f"gecko:{bucket}/copied")
    rclone.run("check", "--download", *asked, tree, f"gecko:{bucket}/copied")
    rclone.run("copyto", *asked, f"gecko:{bucket}/big", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "big").read_bytes()


def test_an_object_of_100_mebibytes_goes_up_in_parts_and_down(plain: Place, large: Large, tmp_path: Path):
    rclone, bucket = Rclone(plain.daemon, tmp_path), plain.new_bucket()
    rclone.run("copyto", "--s3-upload-cutoff=16M", "--s3-chunk-size=16M", large.path, f"gecko:{bucket}/large")
    assert rclone.run("hashsum", "MD5", f"gecko:{bucket}/large").split()[0] == large.md5
    rclone.run("copy", f"gecko:{bucket}/large", tmp_path / "back")
    assert set(contents(tmp_path / "back").values()) == {large.md5}
    rclone.run("delete", f"gecko:{bucket}")
