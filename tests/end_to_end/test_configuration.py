"""A daemon with a configuration file: what is declared is there before the first request, and after each SIGHUP."""

import os
import signal

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon
from tests.patience import eventually

pytestmark = pytest.mark.end_to_end

FIRST = """\
access-key: root-key
secret-key: ${ROOT_SECRET}
region: ${UNSET:-eu-central-1}
buckets:
  photos:
    versioning: enabled
    tags: {team: red}
"""
KEYS = """\
accounts: [media]
keys: [{access-key: media-key, secret: '${MEDIA_SECRET:-hush-media}', account: media}]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "geckos3.yaml"
    path.write_text(FIRST)
    return path


def reload(daemon):
    os.kill(daemon.pid, signal.SIGHUP)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_file_declares_is_served_and_grows_with_it(tmp_path, file, workers):
    env = {"ROOT_SECRET": "hush-root", "GECKOS3_REGION": "us-east-1"}
    with Daemon(tmp_path, f"--config={file}", f"--workers={workers}", env=env) as daemon:
        s3 = daemon.client(aws_access_key_id="root-key", aws_secret_access_key="hush-root")
        assert s3.get_bucket_versioning(Bucket="photos")["Status"] == "Enabled"
        assert s3.get_bucket_tagging(Bucket="photos")["TagSet"] == [{"Key": "team", "Value": "red"}]
        media = daemon.client(aws_access_key_id="media-key", aws_secret_access_key="hush-media")
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            media.list_buckets()
        assert f"GECKOS3_REGION overrules {file}:3: region" in daemon.log

        file.write_text(FIRST + "  videos: {owner: media}\nthreads: 3\n" + KEYS)
        reload(daemon)
        eventually(lambda: "threads was changed" in daemon.log)
        assert [bucket["Name"] for bucket in media.list_buckets()["Buckets"]] == ["videos"]

        file.write_text(FIRST + "  Videos: {}\n")
        reload(daemon)
        eventually(lambda: f"nothing is reloaded, the old configuration stays: {file}:8: buckets.Videos" in daemon.log)
        file.write_text(FIRST.replace("${ROOT_SECRET}", "[hush-root"))
        reload(daemon)
        eventually(lambda: "is no YAML" in daemon.log)
        media.put_object(Bucket="videos", Key="a", Body=b"b")
        assert media.get_object(Bucket="videos", Key="a")["Body"].read() == b"b"
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert not [text for text in written if b"hush-root" in text or b"hush-media" in text]


def test_a_bad_file_stops_the_start_with_its_line(tmp_path, file):
    file.write_text(FIRST + "  videos: {versioning: maybe}\n")
    with pytest.raises(
        AssertionError, match=rf"{file}:8: buckets\.videos\.versioning: must be one of Enabled, Suspended"
    ):
        Daemon(tmp_path, f"--config={file}", env={"ROOT_SECRET": "x"}).start()


def test_a_variable_that_is_not_set_stops_the_start(tmp_path, file):
    with pytest.raises(AssertionError, match=rf"{file}:2: secret-key: the environment variable ROOT_SECRET is not set"):
        Daemon(tmp_path, env={"GECKOS3_CONFIG": str(file)}).start()
