"""A catalog that is damaged while it is in use: one line names it and the cure, the daemon is not ready, and the next start mends it."""

import os
import shutil
import time
from http.client import HTTPConnection

import pytest

from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE, eventually


@pytest.mark.parametrize("workers", [1, 2])
def test_a_daemon_whose_catalog_is_damaged_ends_and_the_next_start_mends_it(tmp_path, workers):
    daemon = Daemon(tmp_path, f"--workers={workers}")
    with daemon:
        s3 = daemon.client()
        s3.create_bucket(Bucket="photos")
        s3.put_object(Bucket="photos", Key="cat", Body=b"meow", Metadata={"a": "b"})
    with daemon:
        path = tmp_path / "data" / ".geckos3" / "catalog.sqlite"
        shutil.copy(path, tmp_path / "copy")
        path.unlink()
        os.rename(tmp_path / "copy", path)
        code = daemon.process.wait(PATIENCE)
        daemon.process = None
    assert code == 1
    assert daemon.log.count("catalog.sqlite is damaged (it was removed, or replaced, while it was in use)") >= 1
    assert "it is made again from the files at the next start" in daemon.log
    assert "Traceback" not in daemon.log
    with daemon:
        found = daemon.client().get_object(Bucket="photos", Key="cat")
        assert (found["Body"].read(), found["Metadata"]) == (b"meow", {"a": "b"})


def test_a_pool_whose_catalog_is_damaged_is_not_ready(tmp_path):
    daemon = Daemon(tmp_path, "--layout=pool")
    daemon.start()
    try:
        s3 = daemon.client()
        s3.create_bucket(Bucket="photos")
        (tmp_path / "data" / ".geckos3" / "objects.sqlite").unlink()

        def status() -> int:
            connection = HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE)
            connection.request("GET", "/health/ready")
            return connection.getresponse().status

        eventually(lambda: status() == 503)
        time.sleep(3)  # the jobs meet it, too
        assert "restore a backup" in daemon.log
        assert "Traceback" not in daemon.log
    finally:
        daemon.kill()
