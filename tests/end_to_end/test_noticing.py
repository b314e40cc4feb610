"""What others put, change and remove in the data directory is listed soon, whoever answers."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.patience import eventually


@pytest.fixture(scope="module", params=["--workers=1", "--workers=2"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A daemon that looks through its data directory only at its start."""
    with Daemon(tmp_path_factory.mktemp("noticing"), request.param, "--scan-interval=0") as daemon:
        yield Place(daemon)


@pytest.fixture
def bucket(place: Place) -> str:
    return place.new_bucket()


@pytest.fixture
def folder(place: Place, bucket: str) -> Path:
    return place.daemon.data_dir / bucket


def sizes(place: Place, bucket: str) -> dict[str, int]:
    return {entry["Key"]: entry["Size"] for entry in place.s3.list_objects_v2(Bucket=bucket).get("Contents", ())}


def buckets(place: Place) -> set[str]:
    return {bucket["Name"] for bucket in place.s3.list_buckets()["Buckets"]}


def test_a_file_that_comes_changes_is_renamed_and_goes_is_listed_so(place, bucket, folder):
    (folder / "own.txt").write_bytes(b"x")
    eventually(lambda: sizes(place, bucket) == {"own.txt": 1})
    (folder / "own.txt").write_bytes(b"longer")
    eventually(lambda: sizes(place, bucket) == {"own.txt": 6})
    (folder / "own.txt").rename(folder / "renamed.txt")
    eventually(lambda: sizes(place, bucket) == {"renamed.txt": 6})
    (folder / "renamed.txt").unlink()
    eventually(lambda: sizes(place, bucket) == {})


def test_an_object_overwritten_and_removed_by_hand_is_listed_so(place, bucket, folder):
    place.put(bucket, "deep/key", b"ours", ContentType="text/x")
    (folder / "deep/key").write_bytes(b"theirs, and longer")
    eventually(lambda: sizes(place, bucket) == {"deep/key": 18})
    shutil.rmtree(folder / "deep")
    eventually(lambda: sizes(place, bucket) == {})
    place.put(bucket, "deep/key", b"ours")
    assert sizes(place, bucket) == {"deep/key": 4}


def test_a_tree_is_listed_where_it_is(place, bucket, folder, tmp_path):
    (tmp_path / "tree/a/b").mkdir(parents=True)
    for name in ("tree/a/b/one", "tree/a/two", "tree/three"):
        (tmp_path / name).write_bytes(b"data")
    os.rename(tmp_path / "tree", folder / "tree")
    eventually(lambda: set(sizes(place, bucket)) == {"tree/a/b/one", "tree/a/two", "tree/three"})
    (folder / "tree/a/b/four").write_bytes(b"data")
    eventually(lambda: "tree/a/b/four" in sizes(place, bucket))
    (folder / "tree/a").rename(folder / "moved")
    eventually(lambda: set(sizes(place, bucket)) == {"moved/b/four", "moved/b/one", "moved/two", "tree/three"})
    (folder / "new/and/deep").mkdir(parents=True)
    (folder / "new/and/deep/file").write_bytes(b"data")
    eventually(lambda: "new/and/deep/file" in sizes(place, bucket))


def test_a_bucket_made_renamed_and_removed_by_hand_is_listed_so(place):
    folder = place.daemon.data_dir / "by-hand"
    folder.mkdir()
    (folder / "file").write_bytes(b"data")
    eventually(lambda: "by-hand" in buckets(place) and sizes(place, "by-hand") == {"file": 4})
    folder.rename(folder.with_name("by-another-hand"))
    eventually(lambda: "by-hand" not in buckets(place) and "by-another-hand" in buckets(place))
    eventually(lambda: sizes(place, "by-another-hand") == {"file": 4})
    shutil.rmtree(folder.with_name("by-another-hand"))
    eventually(lambda: "by-another-hand" not in buckets(place))


def test_what_we_write_ourselves_meanwhile_stays_as_it_is(place, bucket, folder):
    for number in range(50):
        place.put(bucket, f"folder-{number}/key", b"ours", ContentType="text/x", Metadata={"number": str(number)})
        (folder / f"folder-{number}/beside").write_bytes(b"theirs")
    eventually(lambda: len(sizes(place, bucket)) == 100)
    for number in range(50):
        head = place.s3.head_object(Bucket=bucket, Key=f"folder-{number}/key")
        assert (head["ContentType"], head["Metadata"]) == ("text/x", {"number": str(number)})


def test_what_came_while_nobody_served_is_followed_as_well(tmp_path):
    (tmp_path / "data/photos/deep").mkdir(parents=True)
    (tmp_path / "data/photos/deep/early").write_bytes(b"data")
    with Daemon(tmp_path, "--scan-interval=0") as daemon:
        place = Place(daemon)
        assert set(sizes(place, "photos")) == {"deep/early"}
        (tmp_path / "data/photos/deep/late").write_bytes(b"data")
        eventually(lambda: set(sizes(place, "photos")) == {"deep/early", "deep/late"})
        place.put("photos", "ours", b"data")
        daemon.stop()
        (tmp_path / "data/photos/deep/early").unlink()
        daemon.start()
        place = Place(daemon)
        eventually(lambda: set(sizes(place, "photos")) == {"deep/late", "ours"})
        (tmp_path / "data/photos/deep/late").unlink()
        eventually(lambda: set(sizes(place, "photos")) == {"ours"})
