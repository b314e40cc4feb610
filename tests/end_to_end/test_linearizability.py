"""Recorded runs of many clients doing conditional PUT, DELETE, Complete and GET through two workers: one order explains each."""

import os
import signal

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import family
from tests.end_to_end.recording import Client, merged
from tests.histories import explains
from tests.patience import eventually

DEEDS = 1500
KILLS = 5
KEYS = ["a", "b/c", "odd//key"]


def run(daemon, clients=8, killing=False):
    """Lets them do so many deeds, with a worker killed again and again if so asked; returns what they saw, by key."""
    bucket = daemon.client().create_bucket(Bucket="registers")["Location"].strip("/")
    crowd = [Client(daemon, bucket, KEYS, seed) for seed in range(clients)]
    for client in crowd:
        client.start()
    for kills in range(1, KILLS + 1):
        eventually(lambda share=DEEDS * kills // (KILLS + 1): sum(client.done for client in crowd) >= share)
        if killing:
            eventually(lambda: len(family(daemon.pid)) == 3)
            os.kill(family(daemon.pid)[1 + kills % 2], signal.SIGKILL)
    eventually(lambda: sum(client.done for client in crowd) >= DEEDS)
    for client in crowd:
        client.end()
    return merged(crowd)


@pytest.mark.parametrize("killing", [False, True], ids=["undisturbed", "workers killed"])
def test_a_recorded_run_is_explained_by_one_order(tmp_path, killing):
    with Daemon(tmp_path, "--workers=2", "--auth=false", "--min-part-size=0") as daemon:
        seen = run(daemon, killing=killing)
    done = [deed for deeds in seen.values() for deed in deeds if deed.status is not None]
    assert killing or len(done) == sum(map(len, seen.values()))
    assert {deed.status for deed in done} == {200, 204, 404, 412}
    assert len(done) >= DEEDS
    for key, deeds in seen.items():
        assert explains(deeds), f"no order of {len(deeds)} deeds explains what was seen of {key}"
