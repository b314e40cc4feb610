"""Recorded runs of many clients doing conditional PUT, DELETE, Complete and GET through two workers: one order explains each."""

import os
import signal
import time

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import family
from tests.end_to_end.recording import Client, merged
from tests.histories import explains

SECONDS = 4
KEYS = ["a", "b/c", "odd//key"]


def run(daemon, clients=8, killing=False):
    """Lets them work for a while, with a worker killed again and again if so asked; returns what they saw, by key."""
    bucket = daemon.client().create_bucket(Bucket="registers")["Location"].strip("/")
    crowd = [Client(daemon, bucket, KEYS, seed) for seed in range(clients)]
    for client in crowd:
        client.start()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(0.4)
        if killing:
            os.kill(family(daemon.pid)[1:][-1], signal.SIGKILL)
            time.sleep(0.6)
    for client in crowd:
        client.end()
    return merged(crowd)


@pytest.mark.parametrize("killing", [False, True], ids=["undisturbed", "workers killed"])
def test_a_recorded_run_is_explained_by_one_order(tmp_path, killing):
    with Daemon(tmp_path, "--workers=2", "--auth=false", "--min-part-size=0") as daemon:
        seen = run(daemon, killing=killing)
    done = [deed for deeds in seen.values() for deed in deeds if deed.status is not None]
    assert {deed.status for deed in done} == {200, 204, 404, 412}
    assert len(done) > 200
    for key, deeds in seen.items():
        assert explains(deeds), f"no order of {len(deeds)} deeds explains what was seen of {key}"
