"""The least that a server must do keeps what it is given, or it would be less than the least."""

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import pytest

from benchmarks.peers import DAEMON, floors


@pytest.mark.parametrize("options", [[], ["--pool"], ["--fsync"], ["--pool", "--fsync"]])
def test_it_keeps_objects(tmp_path, options):
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.floor", f"--data={tmp_path / 'data'}", f"--port={port}", *options]
    process = subprocess.Popen(command, start_new_session=True)

    def ask(method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", body, method=method)
        with closing(urllib.request.urlopen(request, timeout=30)) as answer:
            return answer.read()

    try:
        for _ in range(300):
            try:
                ask("PUT", "bench", b"")
                break
            except OSError:
                time.sleep(0.1)
        for body in (b"first", b"another", b"the second one"):
            for _ in range(4):  # whichever of both processes takes it
                ask("PUT", "bench/small/1", body)
                assert ask("GET", "bench/small/1") == body
    finally:
        subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=True)
        process.wait()


def test_it_is_told_from_the_daemon():
    assert all("python" in one.contestant().options and one.ours for one in floors())
    assert "geckos3 serve" in DAEMON.contestant().options
