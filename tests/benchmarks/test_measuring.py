"""The harness against our own daemon: what it sends is answered, and what goes wrong is said."""

import shutil

import pytest
from attrs import evolve

from benchmarks.measuring import Bench
from benchmarks.peers import DAEMON
from benchmarks.results import OURS, Run
from benchmarks.rows import life, small
from benchmarks.rows.row import Plan, Row
from benchmarks.running import BUCKET, LeftOut

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
]


@pytest.fixture
def plan(tmp_path) -> Plan:
    return Plan(runs=2, seconds=1, connections=4, fill_seconds=10, peers_dir=tmp_path)


def one_process():
    return evolve(DAEMON, command=(*DAEMON.command[:-1], "--workers=1", "..."))


def test_rows_are_measured_and_who_cannot_take_part_is_named(tmp_path, plan):
    broken = evolve(DAEMON, key="broken", command=("-c", "raise SystemExit('no such luck')", "..."))
    lines: list[str] = []
    bench = Bench([one_process(), broken], plan, tmp_path, None, lines.append)
    [get] = [row for row in small.ROWS if row.name == "GET 4 KiB"]
    [rates, memory, _] = bench.measure([get, life.IDLE])
    assert [run.errors for run in rates.runs[OURS]] == [0, 0]
    assert all(run.value > 0 and run.p99 >= run.p50 > 0 and run.cpu > 0 for run in rates.runs[OURS])
    assert rates.left_out == {"broken": "ended with code 1: no such luck"}
    assert all(run.value > 1 for run in memory.runs[OURS])
    assert len(lines) == 3


def test_a_server_that_answers_wrongly_is_left_out_and_one_that_refuses_is_counted(tmp_path, plan):
    def filled(server, plan):
        keys = [f"filled/{number}" for number in range(100)]
        small.fill(server, BUCKET, keys, 10, seconds=10)
        assert [server.client.ask("HEAD", BUCKET, key).status for key in keys] == [200] * 100

    def deny(server, plan):
        raise LeftOut("the wrong bytes")

    def missing(server, plan) -> tuple[Run, ...]:
        return (server.send(server.signed_load("GET", BUCKET, ["missing"]), plan.seconds).rate(),)

    figures = small.ROWS[0].figures
    bench = Bench([one_process()], evolve(plan, runs=1), tmp_path, None, lambda line: None)
    wrong, refused = bench.measure([Row(figures, missing, deny), Row(figures, missing, filled)])
    assert wrong.left_out == {OURS: "the wrong bytes"} and not wrong.runs
    assert refused.runs[OURS][0].errors > 0 and refused.runs[OURS][0].value == 0
