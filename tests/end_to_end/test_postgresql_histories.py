"""Recorded runs of many clients through two nodes of two workers: one order explains each, whatever is killed, cut or halted meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clusters.postgresql import Server, check_there
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import family
from tests.end_to_end.recording import Client, merged
from tests.histories import explains
from tests.patience import eventually

DEEDS = 400
KEYS = ["a", "b/c", "odd//key"]
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'geckos3'"
ORPHANS = (
    "SELECT count(*) FROM blob WHERE state = 1 AND replace(id::text, '-', '') NOT IN"
    " (SELECT (regexp_matches(spans, '[0-9a-f]{32}', 'g'))[1] FROM head)"
    " AND id NOT IN (SELECT unnest(blobs) FROM part)"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    check_there()
    server = Server(synchronous_commit="on")
    yield server
    server.stop()


def kill_a_worker(nodes: list[Daemon], server: Server, number: int) -> None:
    node = nodes[number % 2]
    eventually(lambda: len(family(node.pid)) == 3)
    os.kill(family(node.pid)[1 + number % 2], signal.SIGKILL)


def cut_connections(nodes: list[Daemon], server: Server, number: int) -> None:
    server.execute(CUT)


def halt_the_database(nodes: list[Daemon], server: Server, number: int) -> None:
    server.halt()
    server.start()


def pause_a_node(nodes: list[Daemon], server: Server, number: int) -> None:
    """It is stopped in whatever it does, while the other one goes on."""
    processes = family(nodes[number % 2].pid)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    server.execute("SELECT pg_sleep(1.5)")
    for pid in processes:
        os.kill(pid, signal.SIGCONT)


TROUBLES = {"nodes": (kill_a_worker, cut_connections, pause_a_node), "database": (halt_the_database, halt_the_database)}


@pytest.mark.parametrize("of", TROUBLES)
def test_a_recorded_run_over_two_nodes_is_explained_by_one_order(tmp_path: Path, server: Server, of: str):
    name, troubles = f"trouble_of_{of}", TROUBLES[of]
    server.execute(f"CREATE DATABASE {name}")
    options = ("--workers=2", "--auth=false", "--min-part-size=0", f"--catalog={server.address(name)}")
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(Daemon(tmp_path / str(n), *options, env={"GECKOS3_ENCRYPTION_KEY": "k" * 32}))
            for n in (1, 2)
        ]
        nodes[0].client().create_bucket(Bucket="registers")
        crowd = [Client(nodes[seed % 2], "registers", KEYS, seed) for seed in range(8)]
        for client in crowd:
            client.start()
        for number, trouble in enumerate(troubles):
            share = DEEDS * (number + 1) // (len(troubles) + 1)
            eventually(lambda share=share: _have_done(crowd, share))
            trouble(nodes, server, number)
        eventually(lambda: _have_done(crowd, DEEDS))
        for client in crowd:
            client.end()
    seen = merged(crowd)
    done = [deed for deeds in seen.values() for deed in deeds if deed.status is not None]
    assert {deed.status for deed in done} == {200, 204, 404, 412}
    for key, deeds in seen.items():
        assert explains(deeds), f"no order of {len(deeds)} deeds explains what was seen of {key}"
    _nothing_is_held_in_vain(server, name)


def _have_done(crowd: list[Client], share: int) -> bool:
    for client in crowd:
        if client.trouble is not None:
            raise client.trouble
    return sum(client.done for client in crowd) >= share


def _nothing_is_held_in_vain(server: Server, name: str) -> None:
    """Every blob that is held is some version's or part's: those of nobody are marked, and need not be searched for."""
    import psycopg

    with psycopg.connect(server.address(name), autocommit=True) as connection:
        assert connection.execute(ORPHANS).fetchone() == (0,)
        counted = "SELECT (SELECT sum(objects) FROM slot), (SELECT count(*) FROM head WHERE marker = 0)"
        slots, heads = connection.execute(counted).fetchone() or (None, None)
        assert slots == heads
