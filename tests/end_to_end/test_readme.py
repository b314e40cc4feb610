"""What the README and the page of clients tell a new user to type works, in their own order."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.daemon import ROOT, Daemon
from tests.end_to_end.place import Place
from tests.patience import PATIENCE

BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


def blocks(page: str, chapter: str) -> list[tuple[str, str]]:
    """The programs of a chapter: their language and their text, without prompts."""
    text = (ROOT / page).read_text().partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    return [(language, re.sub(r"^\$ ", "", code, flags=re.MULTILINE)) for language, code in BLOCK.findall(text)]


def run_all(page: str, chapter: str, daemon: Daemon, folder: Path) -> list[str]:
    """Runs the blocks one after the other, variables that are exported included; returns what each printed."""
    found = [(language, code.replace("http://localhost:9000", daemon.url)) for language, code in blocks(page, chapter)]
    assert found
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_", "GECKOS3_"))}
    environment = {**given, "PATH": path, "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    told, exported = [], ""
    for language, code in found:
        command = (
            [sys.executable, "-c", code]
            if language == "python"
            else ["bash", "-euo", "pipefail", "-c", exported + code]
        )
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        told.append(done.stdout)
        exported += "".join(f"{line}\n" for line in code.splitlines() if line.startswith("export "))
    return told


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """A folder with what the pages speak of."""
    (tmp_path / "cat.txt").write_text("meow")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "dog.txt").write_text("woof")
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_readme_works_in_its_own_order(tmp_path: Path, cat: Path):
    with Daemon(tmp_path) as daemon:
        told = run_all("README.md", "Using it", daemon, cat)
        assert told[0] == "b'meow'\n" and told[-1] == "meow"
        files = {
            str(path.relative_to(daemon.data_dir)) for path in (daemon.data_dir / "photos").rglob("*") if path.is_file()
        }
    assert files == {"photos/cat.txt", "photos/curl.txt", "photos/pictures/dog.txt"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_lines_of_curl_work(tmp_path: Path, cat: Path):
    with Daemon(tmp_path) as daemon:
        assert run_all("docs/clients.md", "curl", daemon, cat) == ["meow"]


def test_an_own_bucket_is_created_again_unless_that_is_refused(tmp_path: Path):
    for option, again in (("--recreate=accept", 200), ("--recreate=refuse", 409)):
        with Daemon(tmp_path / option, option) as daemon:
            s3 = Place(daemon).s3
            s3.create_bucket(Bucket="photos")
            try:
                status = s3.create_bucket(Bucket="photos")["ResponseMetadata"]["HTTPStatusCode"]
            except s3.exceptions.BucketAlreadyOwnedByYou as refused:
                status = refused.response["ResponseMetadata"]["HTTPStatusCode"]
            assert status == again
