"""``geckos3 move``: a daemon's data directory becomes a deployment on PostgreSQL, and that a data directory again."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from gecko_tw.commands import main
from tests.clusters.postgresql import needed, servers_end  # noqa: F401 - a fixture
from tests.end_to_end.daemon import Daemon

KEY = "k" * 32
LARGE = b"0123456789" * 100_000


def command(*words: str, code: int = 0) -> str:
    told = CliRunner().invoke(main, words)
    assert told.exit_code == code, told.output
    return told.output


def fill(s3: Any) -> str:
    """Returns the id of an upload that is not finished."""
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    s3.create_bucket(Bucket="photos")
    for number in range(3):
        s3.put_object(Bucket="locked", Key="a/k", Body=b"%d" % number, Metadata={"n": str(number)})
    s3.put_object_legal_hold(Bucket="locked", Key="a/k", LegalHold={"Status": "ON"})
    s3.put_object(Bucket="photos", Key="sealed", Body=LARGE, ServerSideEncryption="AES256")
    s3.put_object(Bucket="photos", Key="tagged", Body=b"x", Tagging="a=b")
    upload: str = s3.create_multipart_upload(Bucket="photos", Key="film")["UploadId"]
    s3.upload_part(Bucket="photos", Key="film", UploadId=upload, PartNumber=1, Body=LARGE * 6)
    return upload


def told(s3: Any) -> Any:
    versions = s3.list_object_versions(Bucket="locked")["Versions"]
    bodies = [
        s3.get_object(Bucket="locked", Key=one["Key"], VersionId=one["VersionId"])["Body"].read() for one in versions
    ]
    sealed = s3.get_object(Bucket="photos", Key="sealed")
    assert sealed["Body"].read() == LARGE and sealed["ServerSideEncryption"] == "AES256"
    tags = s3.get_object_tagging(Bucket="photos", Key="tagged")["TagSet"]
    listed = [
        {name: one[name] for name in ("Key", "VersionId", "ETag", "IsLatest", "LastModified")} for one in versions
    ]
    return listed, bodies, tags, s3.get_object_legal_hold(Bucket="locked", Key="a/k")["LegalHold"]


def test_a_data_directory_becomes_a_deployment_and_a_data_directory_of_another_layout(tmp_path: Path):
    server = needed()
    server.execute("CREATE DATABASE moved")
    deployment = (f"--catalog={server.address('moved')}", f"--encryption-key={KEY}")
    with Daemon(tmp_path / "first") as daemon:
        directory = f"--data-dir={daemon.data_dir}"
        upload = fill(daemon.client())
        before = told(daemon.client())
        command("account", "add", "main", directory)
        command("key", "add", "--id", "AKIAMAIN", "--secret", "secretsecret", "--account", "main", directory)
        assert "in use" in command("move", "--to", directory, *deployment, code=1)
    said = command("move", "--to", directory, *deployment)
    assert "5 versions and 1 parts of unfinished uploads" in said and "2 whole buckets" in said
    assert "not empty" in command("move", "--to", directory, *deployment, code=1)
    with Daemon(tmp_path / "node", *deployment) as node:
        s3 = node.client()
        assert told(s3) == before
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket="locked", Key="a/k", VersionId=before[0][0]["VersionId"])
        other = node.client(aws_access_key_id="AKIAMAIN", aws_secret_access_key="secretsecret")
        assert other.list_buckets()["Buckets"] == []
        (part,) = s3.list_parts(Bucket="photos", Key="film", UploadId=upload)["Parts"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(Bucket="photos", Key="film", UploadId=upload, MultipartUpload=parts)
        assert "in use by" in command("move", "--from", f"--data-dir={tmp_path / 'back'}", *deployment, code=1)
    back = f"--data-dir={tmp_path / 'back' / 'data'}"
    command("move", "--from", back, "--directory-layout=pool", *deployment)
    with Daemon(tmp_path / "back", "--layout=pool", env={"GECKOS3_ENCRYPTION_KEY": KEY}) as daemon:
        assert told(daemon.client()) == before
        assert daemon.client().get_object(Bucket="photos", Key="film")["Body"].read() == LARGE * 6
