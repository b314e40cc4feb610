"""Three nodes of two workers over a PostgreSQL that Patroni keeps: the primary dies, nodes die and are exchanged, nothing is lost."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.clusters.patroni import Balancer, Patroni, Processes
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import family
from tests.end_to_end.recording import Client, merged
from tests.histories import explains
from tests.patience import eventually

log = logging.getLogger(__name__)

KEYS = ["a", "b/c", "odd//key", "d", "e", "f"]
DEEDS = 600
ENVIRONMENT = {"GECKOS3_ENCRYPTION_KEY": "k" * 32}


@pytest.fixture(scope="module")
def database() -> Iterator[Patroni]:
    cluster = Patroni()
    yield cluster
    cluster.stop()


def nodes_of(stack: ExitStack, folder: Path, *options: str) -> list[Daemon]:
    """Three of them."""
    return [stack.enter_context(Daemon(folder / str(n), "--workers=2", *options, env=ENVIRONMENT)) for n in range(3)]


def have_done(crowd: list[Client], share: int) -> bool:
    for client in crowd:
        if client.trouble is not None:
            raise client.trouble
    return sum(client.done for client in crowd) >= share


def test_a_run_in_which_the_primary_and_a_node_die_is_explained_by_one_order(database: Patroni, tmp_path: Path):
    database.execute("CREATE DATABASE histories")
    with ExitStack() as stack:
        nodes = nodes_of(
            stack, tmp_path, "--auth=false", "--min-part-size=0", f"--catalog={database.address('histories')}"
        )
        nodes[0].client().create_bucket(Bucket="registers")
        crowd = [Client(nodes[seed % 3], "registers", KEYS, seed, pause=5.0) for seed in range(6)]
        for client in crowd:
            client.start()
        eventually(lambda: have_done(crowd, DEEDS // 3))
        begun = time.monotonic()
        dead = database.kill_primary()
        served = sum(client.done for client in crowd)
        eventually(lambda: have_done(crowd, served + 30) and database.primary != dead)
        log.info("writes went on after %.1f s", time.monotonic() - begun)
        os.kill(family(nodes[2].pid)[1], signal.SIGKILL)
        database.start(dead)
        eventually(lambda: have_done(crowd, served + DEEDS))
        for client in crowd:
            client.end()
    for key, deeds in merged(crowd).items():
        assert explains(deeds), f"no order of {len(deeds)} deeds explains what was seen of {key}"


class Load(Thread):
    """A client with the retries that boto3 has by default, which writes and reads back as long as it may."""

    def __init__(self, s3: Any, number: int, end: Event) -> None:
        super().__init__()
        self._s3, self._number, self._end = s3, number, end
        self.done = 0
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._end.is_set():
                key, data = (
                    f"{self._number}/{self.done % 7}",
                    b"%d-%d" % (self._number, self.done) * (1 + self.done % 3 * 20_000),
                )
                self._s3.put_object(Bucket="photos", Key=key, Body=data)
                assert self._s3.get_object(Bucket="photos", Key=key)["Body"].read() == data
                self.done += 1
        except BaseException as failed:
            self.failed = failed


def test_nodes_are_exchanged_one_after_the_other_and_no_client_sees_it(database: Patroni, tmp_path: Path):
    database.execute("CREATE DATABASE rolling")
    processes, end = Processes(tmp_path), Event()
    with ExitStack() as stack:
        stack.callback(processes.stop)
        nodes = nodes_of(stack, tmp_path, f"--catalog={database.address('rolling')}")
        balancer = Balancer(processes, "front", "/health/ready", [(node.port, node.port) for node in nodes])
        eventually(lambda: "front" and _answers(balancer.port, nodes[0]))
        nodes[0].client().create_bucket(Bucket="photos")
        crowd = [
            Load(nodes[0].client(endpoint_url=f"http://127.0.0.1:{balancer.port}"), number, end) for number in range(6)
        ]
        stack.callback(end.set)
        for one in crowd:
            one.start()
        for node in nodes:
            before = sum(one.done for one in crowd)
            eventually(
                lambda before=before: sum(one.done for one in crowd) > before + 30 or any(one.failed for one in crowd)
            )
            node.stop()
            node.start()
            time.sleep(2)  # the balancer looks twice a second
        end.set()
        for one in crowd:
            one.join()
    assert [one.failed for one in crowd] == [None] * len(crowd)
    log.info("%d pairs of requests", sum(one.done for one in crowd))


def _answers(port: int, node: Daemon) -> bool:
    try:
        return bool(node.client(endpoint_url=f"http://127.0.0.1:{port}").list_buckets())
    except Exception:  # noqa: BLE001 - not yet
        return False
