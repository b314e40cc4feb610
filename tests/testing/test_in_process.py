"""A server in the test's own reactor."""

import subprocess
import sys

import pytest
import pytest_twisted
import treq
from twisted.internet.threads import deferToThread

from gecko_tw.testing import CannotStart
from gecko_tw.testing.in_process import InProcessServer
from tests.patience import PATIENCE


@pytest_twisted.ensureDeferred
async def test_it_answers_in_the_reactor_that_runs_the_test(monkeypatch):
    monkeypatch.setenv("GECKOS3_LISTEN", "nowhere")
    async with InProcessServer() as server:
        s3 = await deferToThread(server.client)
        await deferToThread(s3.create_bucket, Bucket="bucket")
        await deferToThread(s3.put_object, Bucket="bucket", Key="a", Body=b"bytes")
        folder = server.folder
        assert (server.data_dir / "bucket/a").read_bytes() == b"bytes"
    assert not folder.exists()
    assert server.url == ""


@pytest_twisted.ensureDeferred
async def test_it_may_be_started_again_on_its_port_and_its_folder(tmp_path):
    server = InProcessServer("--auth=false", folder=tmp_path)
    async with server:
        url = server.url
        answer = await treq.put(f"{url}/bucket", persistent=False)
        assert answer.code == 200
    async with server:
        answer = await treq.get(f"{url}/bucket", persistent=False)
        assert (server.url, answer.code) == (url, 200)
        await answer.content()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--workers=2"], "--workers: more than one"),
        (["--acl=none"], "--acl: 'none' is not allowed"),
        (["--nothing"], "option --nothing not recognized"),
        (["--listen=192.0.2.1:9"], "cannot be had"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_served(options, why):
    with pytest.raises(CannotStart, match=why):
        InProcessServer(*options).startService()


@pytest_twisted.ensureDeferred
async def test_a_start_that_fails_later_leaves_the_reactor_running(tmp_path):
    (tmp_path / "data/.geckos3/catalog.sqlite").mkdir(parents=True)  # no file can be there
    with pytest.raises(CannotStart):
        async with InProcessServer(folder=tmp_path):
            pass


TRIAL = """
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase
import signal
import treq
from gecko_tw.testing.in_process import InProcessServer


class Tests(TestCase):
    def setUp(self):
        self.before = signal.getsignal(signal.SIGHUP)
        self.server = InProcessServer("--auth=false")
        self.server.startService()
        self.addCleanup(self.server.stopService)
        return self.server.whenReady()

    @inlineCallbacks
    def test_get(self):
        answer = yield treq.get(self.server.url + "/health", persistent=False)
        self.assertEqual(answer.code, 200)
        yield answer.content()
        self.assertEqual(signal.getsignal(signal.SIGHUP), self.before)
"""


def test_trial_finds_a_clean_reactor_afterwards(tmp_path):
    (tmp_path / "test_it.py").write_text(TRIAL)
    trial = [sys.executable, "-m", "twisted.trial", "test_it"]
    ran = subprocess.run(trial, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "PASSED (successes=1)" in ran.stdout
