"""The programs of ``examples/``, each run as its reader would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.place import Place
from tests.patience import PATIENCE, eventually

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOLD = {
    "basic.py": "hello\ngreetings/hello.txt 5\n",
    "metadata.py": "image/jpeg M3 True\nit is there already\n",
    "large.py": "33554432 True\n",
    "multipart.py": "20971520 video/mp4\n",
    "cli.sh": "\nhello\n",
    "curl.sh": "hello",
}


def environment(place: Place, **more: str) -> dict[str, str]:
    daemon = place.daemon
    keys = {"AWS_ACCESS_KEY_ID": daemon.access_key, "AWS_SECRET_ACCESS_KEY": daemon.secret_key}
    return {**os.environ, **keys, "AWS_DEFAULT_REGION": "us-east-1", "S3_URL": daemon.url, **more}


@pytest.mark.parametrize("name", TOLD)
def test_an_example_does_what_it_says(name: str, plain: Place):
    program = "sh" if name.endswith(".sh") else sys.executable
    run = subprocess.run(
        [program, EXAMPLES / name], env=environment(plain), capture_output=True, text=True, timeout=PATIENCE
    )
    assert run.returncode == 0, run.stderr
    assert TOLD[name] in run.stdout
    assert not [one for one in plain.s3.list_buckets()["Buckets"] if one["Name"].startswith("example-")]


def test_the_service_keeps_what_it_is_told(plain: Place, tmp_path: Path):
    socket = tmp_path / "notes"
    command = [Path(sys.executable).with_name("twistd"), "--nodaemon", "--python", EXAMPLES / "service.py"]
    env = environment(plain, NOTES=f"unix:{socket}", S3_BUCKET="notes-of-a-service")
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as service:
        try:
            eventually(socket.exists)
            curl = ["curl", "--silent", "--unix-socket", socket]
            subprocess.run([*curl, "--data-binary", "a note", "http://x/one"], check=True, timeout=PATIENCE)
            told = subprocess.run([*curl, "http://x/one"], check=True, capture_output=True, timeout=PATIENCE)
            absent = subprocess.run([*curl, "http://x/two"], check=True, capture_output=True, timeout=PATIENCE)
        finally:
            service.terminate()
    assert told.stdout == b"a note"
    assert b"NoSuchKey" in absent.stdout
    assert plain.get("notes-of-a-service", "one") == b"a note"
