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
    end, kills = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        time.sleep(0.5)
        workers = family(daemon.pid)[1:]
        if killing and len(workers) == 2:
            os.kill(workers[kills % 2], signal.SIGKILL)
            kills += 1
    for client in crowd:
        client.end()
    assert bool(kills) == killing
    return merged(crowd)


@pytest.mark.parametrize("killing", [False, True], ids=["undisturbed", "workers killed"])
def test_a_recorded_run_is_explained_by_one_order(tmp_path, killing):
    with Daemon(tmp_path, "--workers=2", "--auth=false", "--min-part-size=0") as daemon:
        seen = run(daemon, killing=killing)
    done = [deed for deeds in seen.values() for deed in deeds if deed.status is not None]
    assert killing or len(done) == sum(map(len, seen.values()))
    assert {deed.status for deed in done} == {200, 204, 404, 412}
    assert len(done) > 200
    for key, deeds in seen.items():
        assert explains(deeds), f"no order of {len(deeds)} deeds explains what was seen of {key}"
