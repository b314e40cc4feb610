"""A backup that was made beside a running daemon is served again: from a directory, and from a bucket of another S3."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place, refusal
from tests.store.integrity.damage import flip_in


def geckos3(*arguments: object, code: int = 0, **environment: str) -> str:
    """What a command says; on standard error when it refuses."""
    done = CliRunner().invoke(main, list(map(str, arguments)), env=environment)
    assert done.exit_code == code, done.output
    return done.stderr if code == 2 else done.stdout


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The S3 that backups go to; it has the bucket ``backups``."""
    with Daemon(tmp_path_factory.mktemp("other")) as daemon:
        daemon.client().create_bucket(Bucket="backups")
        yield daemon


def access_to(daemon: Daemon) -> dict[str, str]:
    """What makes boto3 talk to it."""
    keys = {"AWS_ACCESS_KEY_ID": "geckoadmin", "AWS_SECRET_ACCESS_KEY": "geckoadmin", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**keys, "AWS_ENDPOINT_URL": daemon.url, "AWS_MAX_ATTEMPTS": "1"}


def test_all_of_a_running_daemon_comes_back_from_another_s3_encrypted(tmp_path: Path, other: Daemon):
    there = {**access_to(other), "GECKOS3_BACKUP_PASSPHRASE": "correct horse"}
    with Daemon(tmp_path / "one") as daemon:
        place = Place(daemon)
        place.s3.create_bucket(Bucket="photos")
        place.s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        first = place.put("photos", "cat", b"old", Metadata={"a": "1"})["VersionId"]
        etag = place.put("photos", "cat", b"new", ContentType="text/cat")["ETag"]
        place.put("photos", "no//path", b"pooled", ServerSideEncryption="AES256")
        data = f"--data-dir={daemon.data_dir}"
        geckos3("key", "add", "--id=reader", "--secret=hidden", data)
        told = json.loads(geckos3("backup", "s3://backups/one", data, "--with-key", "--json", **there))
        assert (told["versions"], told["copied"], told["left_out"]) == (3, 3, [])
        place.put("photos", "later", b"not in the backup")
    shutil.rmtree(tmp_path / "one")
    assert geckos3("restore", "s3://backups/one", data, code=2, **{**there, "GECKOS3_BACKUP_PASSPHRASE": "no"}) == (
        "Error: s3://backups/one: the passphrase is wrong\n"
    )
    geckos3("restore", "s3://backups/one", data, **there)
    with Daemon(tmp_path / "one") as daemon:
        restored = Place(daemon)
        found = restored.s3.get_object(Bucket="photos", Key="cat")
        assert (found["Body"].read(), found["ETag"], found["ContentType"]) == (b"new", etag, "text/cat")
        older = restored.s3.get_object(Bucket="photos", Key="cat", VersionId=first)
        assert (older["Body"].read(), older["Metadata"]) == (b"old", {"a": "1"})
        assert restored.get("photos", "no//path") == b"pooled"
        assert refusal(restored.get, "photos", "later") == ("NoSuchKey", 404)
        keys = {"aws_access_key_id": "reader", "aws_secret_access_key": "hidden"}
        assert daemon.client(**keys).list_objects_v2(Bucket="photos")["KeyCount"] == 2
        geckos3("restore", "s3://backups/one", data, "--bucket=photos", "--prefix=ca", "--as=found", **there)
        assert restored.get("found", "cat") == b"new"


def test_large_files_go_in_parts_old_backups_are_removed_and_a_damaged_object_gets_its_bytes_from_there(
    tmp_path: Path, other: Daemon, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gecko_tw.store.backup.s3._PART", 5 * 1024 * 1024)
    with Daemon(tmp_path / "one") as daemon:
        place, data = Place(daemon), f"--data-dir={daemon.data_dir}"
        place.s3.create_bucket(Bucket="photos")
        body = os.urandom(11 * 1024 * 1024)
        place.put("photos", "large", body)
        place.put("photos", "small", b"small")
        there = access_to(other)
        geckos3("backup", "s3://backups/two", data, **there)
        place.s3.delete_object(Bucket="photos", Key="small")
        told = json.loads(geckos3("backup", "s3://backups/two", data, "--keep=1", "--json", **there))
        assert (told["copied"], told["removed"]) == (0, 1)
        files = [one["Key"] for one in other.client().list_objects_v2(Bucket="backups", Prefix="two/")["Contents"]]
        (large,) = [name for name in files if name.startswith("two/blobs/")]
        assert [
            line["versions"] for line in json.loads(geckos3("backup", "s3://backups/two", "--list", "--json", **there))
        ] == [1]
        geckos3("backup", "s3://backups/two", "--verify", **there)
        flip_in(daemon.data_dir / "photos" / "large", 1_000_000)
        assert "1 are damaged" in geckos3("scrub", data, "--scrub-bytes-per-second=0", code=1)
        assert refusal(place.get, "photos", "large") == ("ObjectDamaged", 500)
        geckos3("quarantine", "restore", data, "photos", "large", f"--from=s3://backups/{large}", **there)
        assert place.get("photos", "large") == body


def test_what_cannot_be_done_is_one_line_and_changes_nothing(tmp_path: Path, other: Daemon):
    with Daemon(tmp_path / "one") as daemon:
        data = f"--data-dir={daemon.data_dir}"
        Place(daemon).s3.create_bucket(Bucket="photos")
        nowhere = {**access_to(other), "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        refusals = (
            geckos3("backup", "s3://backups/three", data, code=2, **nowhere),
            geckos3("backup", "s3://no-such-bucket", data, code=2, **access_to(other)),
            geckos3("backup", "/dev/full", data, code=2),
            geckos3("backup", daemon.data_dir / "photos", data, code=2),
            geckos3("restore", tmp_path, data, code=2),
            geckos3("restore", "ftp://place", data, code=2),
        )
        for line in refusals:
            assert line.startswith("Error: ")
            assert line.count("\n") == 1
        assert os.listdir(daemon.data_dir / "photos") == []
