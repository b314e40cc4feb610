"""Several processes on one socket: what clients notice when one dies, is replaced, or all of them leave."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.end_to_end.connections import Crowd, SlowUpload, ask, visitors
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import family
from tests.patience import PATIENCE, eventually

SERVES = re.compile(r"worker (\d+) \(pid (\d+)\) serves")


@pytest.fixture
def daemon(tmp_path):
    with Daemon(tmp_path, "--workers=2", "--auth=false") as running:
        yield running


def workers(daemon: Daemon) -> list[int]:
    return family(daemon.pid)[1:]


def starts(daemon: Daemon) -> list[int]:
    """Process ids of all workers that have ever served, in this order."""
    return [int(pid) for _, pid in SERVES.findall(daemon.log)]


def test_every_worker_takes_connections(daemon):
    assert len(workers(daemon)) == 2
    with visitors(daemon, 2) as by_process:
        assert len(by_process) == 2


def test_one_worker_is_the_daemon_itself(tmp_path):
    with Daemon(tmp_path, "--workers=1") as daemon:
        assert workers(daemon) == []


def test_a_killed_worker_is_replaced_and_nobody_elses_connection_notices(daemon):
    with visitors(daemon, 2) as by_process:
        os.kill(workers(daemon)[0], signal.SIGKILL)
        eventually(lambda: len(starts(daemon)) == 3)
        served = {process: {visitor.is_served() for visitor in theirs} for process, theirs in by_process.items()}
        assert sorted(served.values(), key=str) == [{False}, {True}]
    with visitors(daemon, 2) as by_process:
        assert len(by_process) == 2
    assert len(workers(daemon)) == 2


def test_a_worker_that_dies_again_and_again_is_replaced_each_time(daemon):
    for deaths in range(1, 4):
        os.kill(starts(daemon)[-1], signal.SIGKILL)
        eventually(lambda total=2 + deaths: len(starts(daemon)) == total)
    ask(daemon)


def test_a_worker_ended_by_hand_is_replaced_without_a_refused_connection(daemon):
    with Crowd(daemon) as crowd:
        os.kill(workers(daemon)[0], signal.SIGTERM)
        eventually(lambda: len(starts(daemon)) == 3)
    assert crowd.troubles == []
    assert crowd.answers


def test_sighup_replaces_every_worker_without_a_refused_connection(daemon):
    old = workers(daemon)
    with Crowd(daemon) as crowd:
        os.kill(daemon.pid, signal.SIGHUP)
        eventually(lambda: not set(old) & set(workers(daemon)))
    assert crowd.troubles == []
    assert len(set(crowd.answers)) >= 3
    assert len(workers(daemon)) == 2


def test_an_upload_under_way_survives_sighup(daemon):
    daemon.client().create_bucket(Bucket="slow")
    upload = SlowUpload(daemon, "/slow/key", 10)
    upload.send(b"01234")
    old = workers(daemon)
    os.kill(daemon.pid, signal.SIGHUP)
    eventually(lambda: len(starts(daemon)) == 4)
    assert set(old) & set(workers(daemon))
    upload.send(b"56789")
    assert upload.answer().startswith(b"HTTP/1.1 200 ")
    eventually(lambda: not set(old) & set(workers(daemon)))
    assert daemon.client().get_object(Bucket="slow", Key="key")["Body"].read() == b"0123456789"


@pytest.mark.parametrize("count", [1, 2])
def test_sigterm_lets_an_upload_under_way_end(tmp_path, count):
    with Daemon(tmp_path, f"--workers={count}", "--auth=false") as daemon:
        daemon.client().create_bucket(Bucket="slow")
        upload = SlowUpload(daemon, "/slow/key", 10)
        upload.send(b"01234")
        os.kill(daemon.pid, signal.SIGTERM)
        eventually(lambda: "stopping" in daemon.log)
        eventually(lambda: refuses(daemon))
        upload.send(b"56789")
        assert upload.answer().startswith(b"HTTP/1.1 200 ")
        assert daemon.process.wait(PATIENCE) == 0
        daemon.start()
        assert daemon.client().get_object(Bucket="slow", Key="key")["Body"].read() == b"0123456789"


@pytest.mark.parametrize("count", [1, 2])
def test_a_second_sigterm_does_not_wait(tmp_path, count):
    with Daemon(tmp_path, f"--workers={count}", "--auth=false") as daemon:
        daemon.client().create_bucket(Bucket="slow")
        upload = SlowUpload(daemon, "/slow/key", 10)
        while "cut off" not in daemon.log:
            os.kill(daemon.pid, signal.SIGTERM)
            time.sleep(0.1)
        assert daemon.process.wait(PATIENCE) == 1
        daemon.kill()
        assert upload.answer() == b""


@pytest.mark.parametrize("count", [1, 2])
def test_a_drain_that_takes_too_long_is_cut_off(tmp_path, count):
    with Daemon(tmp_path, f"--workers={count}", "--auth=false", "--shutdown-timeout=200ms") as daemon:
        daemon.client().create_bucket(Bucket="slow")
        upload = SlowUpload(daemon, "/slow/key", 10)
        daemon.stop(code=1)
        assert upload.answer() == b""


def test_a_signal_to_the_whole_group_lets_an_upload_under_way_end(daemon):
    daemon.client().create_bucket(Bucket="slow")
    upload = SlowUpload(daemon, "/slow/key", 10)
    for pid in reversed(family(daemon.pid)):
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: refuses(daemon))
    upload.send(b"0123456789")
    assert upload.answer().startswith(b"HTTP/1.1 200 ")
    assert daemon.process.wait(PATIENCE) == 0


def test_workers_leave_when_their_parent_is_killed(daemon):
    orphans = workers(daemon)
    daemon.kill()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))


def test_nobody_is_left_after_the_end(tmp_path):
    with Daemon(tmp_path, "--workers=2") as daemon:
        everybody = family(daemon.pid)
    assert not any(Path(f"/proc/{pid}").exists() for pid in everybody)


def test_secrets_are_not_in_the_arguments_of_workers(tmp_path):
    secret = {"GECKOS3_SECRET_KEY": "very-secret-indeed"}
    with Daemon(tmp_path, "--workers=2", env=secret) as daemon:
        for pid in family(daemon.pid):
            assert b"very-secret-indeed" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def refuses(daemon: Daemon) -> bool:
    try:
        ask(daemon)
    except OSError:
        return True
    return False
