"""A server of one's own, in a process and in the reactor of the test."""

import os
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest

from gecko_tw.testing import CannotStart, Server
from tests.patience import PATIENCE, eventually


@pytest.fixture(scope="module")
def server():
    with Server(timeout=PATIENCE) as server:
        yield server


def test_it_answers_as_soon_as_the_block_is_entered(server):
    assert urlopen(f"{server.url}/health", timeout=PATIENCE).status == 200


def test_objects_are_files_in_its_data_directory(server):
    s3 = server.client()
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a.txt", Body=b"bytes")
    assert (server.data_dir / "files/a.txt").read_bytes() == b"bytes"
    eventually(lambda: "/files/a.txt" in server.log)


def test_its_environment_is_enough_for_an_sdk(server):
    program = (
        "import boto3; boto3.client('s3').create_bucket(Bucket='by-another-process'); boto3.client('iam').list_users()"
    )
    subprocess.run([sys.executable, "-c", program], env=os.environ | server.environment, check=True, timeout=PATIENCE)
    assert (server.data_dir / "by-another-process").is_dir()


def test_another_secret_is_refused(server):
    s3 = server.client(aws_secret_access_key="wrong")
    with pytest.raises(s3.exceptions.ClientError, match="SignatureDoesNotMatch"):
        s3.list_buckets()


def test_it_is_empty_after_a_reset_at_the_same_url_and_gone_after_the_stop(monkeypatch):
    monkeypatch.setenv("GECKOS3_LISTEN", "nowhere")  # settings of a deployment are not for it
    server = Server(timeout=PATIENCE)
    server.start()
    url, folder, s3 = server.url, server.folder, server.client()
    s3.create_bucket(Bucket="bucket")
    server.reset()
    assert (server.url, s3.list_buckets()["Buckets"]) == (url, [])
    server.start()  # it runs already
    server.stop()
    server.stop()
    assert not folder.exists()
    assert (server.url, server.log) == ("", "")


def test_a_folder_that_was_given_stays_with_what_is_in_it(tmp_path):
    with Server("--workers=2", folder=tmp_path, access_key="key", secret_key="secret", timeout=PATIENCE) as server:
        server.client().create_bucket(Bucket="kept")
        server.reset()
        server.client().create_bucket(Bucket="bucket")
    assert [path.name for path in server.data_dir.iterdir() if path.name.isalpha()] == ["bucket"]
    assert "stopped" in server.log


def test_a_wrong_option_is_told_in_the_words_of_the_server():
    server = Server("--workers=none", timeout=PATIENCE)
    with pytest.raises(CannotStart, match="exit code 1: geckos3: --workers: 'none' is not allowed"):
        server.start()
    with pytest.raises(CannotStart, match="exit code 1: geckos3: option --nothing not recognized"):
        Server("--nothing", timeout=PATIENCE).start()
    assert server.url == ""


def test_who_does_not_answer_in_time_is_ended(tmp_path):
    server = Server(folder=tmp_path, timeout=0)
    with pytest.raises(CannotStart, match="did not answer within 0 s"):
        server.start()


@pytest.mark.parametrize("option", ["--data-dir=/tmp", "-secret-key=x", "--access-key"])
def test_what_has_an_argument_is_no_option(option):
    with pytest.raises(ValueError, match="allowed is the argument"):
        Server(option)


STARTER = """
import os, sys
from gecko_tw.testing import Server
server = Server()
server.start()
print(server._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_it_ends_when_its_starter_is_killed():
    killed = subprocess.run([sys.executable, "-c", STARTER], capture_output=True, text=True, timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL

    def gone() -> bool:
        try:
            os.kill(int(killed.stdout), 0)
        except ProcessLookupError:
            return True
        return False

    eventually(gone)
