"""A backup that was made beside a running daemon, as docs/backup.md tells it, is served again."""

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.daemon import ROOT, Daemon
from tests.end_to_end.place import Place, refusal
from tests.patience import PATIENCE

PAGE = (ROOT / "docs" / "backup.md").read_text()


def geckos3(*arguments: str) -> None:
    command = [sys.executable, "-m", "gecko_tw.commands", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)


def back_up(source: Path, target: Path) -> None:
    """The catalog by SQLite, with the page's own statement, then all other files with their attributes."""
    statement = re.search(r'catalog\.sqlite "(VACUUM INTO .*?)"', PAGE)
    (target / ".geckos3").mkdir(parents=True)
    catalog = sqlite3.connect(source / ".geckos3" / "catalog.sqlite")
    catalog.execute(statement[1].replace("/backup/geckos3", str(target)))
    catalog.close()
    left_out = shutil.ignore_patterns("catalog.sqlite*")
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=left_out, symlinks=True)


@pytest.mark.parametrize("rebuilt", [True, False])
def test_a_backup_beside_a_running_daemon_is_served_with_all_it_had(tmp_path: Path, rebuilt: bool):
    with Daemon(tmp_path / "one") as daemon:
        place = Place(daemon)
        place.s3.create_bucket(Bucket="photos")
        place.s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        first = place.put("photos", "cat", b"old", Metadata={"a": "1"})["VersionId"]
        etag = place.put("photos", "cat", b"new", ContentType="text/cat")["ETag"]
        place.put("photos", "no//path", b"pooled", ServerSideEncryption="AES256")
        geckos3("key", "add", "--id=reader", "--secret=hidden", f"--data-dir={daemon.data_dir}")
        back_up(daemon.data_dir, tmp_path / "two" / "data")
        place.put("photos", "later", b"not in the backup")
    if rebuilt:
        geckos3("rebuild", f"--data-dir={tmp_path}/two/data")
    with Daemon(tmp_path / "two") as daemon:
        restored = Place(daemon)
        found = restored.s3.get_object(Bucket="photos", Key="cat")
        assert (found["Body"].read(), found["ETag"], found["ContentType"]) == (b"new", etag, "text/cat")
        older = restored.s3.get_object(Bucket="photos", Key="cat", VersionId=first)
        assert (older["Body"].read(), older["Metadata"]) == (b"old", {"a": "1"})
        assert restored.get("photos", "no//path") == b"pooled"
        assert refusal(restored.get, "photos", "later") == ("NoSuchKey", 404)
        keys = {"aws_access_key_id": "reader", "aws_secret_access_key": "hidden"}
        assert daemon.client(**keys).list_objects_v2(Bucket="photos")["KeyCount"] == 2
