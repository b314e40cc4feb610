"""Rows whose figures would mean nothing are left out, and what goes wrong beside a row does not end the others."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import flames
from benchmarks.load import Sent
from benchmarks.measuring import Bench
from benchmarks.rows import small
from benchmarks.rows.row import Plan
from benchmarks.running import LeftOut


@pytest.mark.parametrize(("refused", "broken"), [(1000, 0), (0, 1)])
def test_nothing_is_removed_that_was_never_stored(refused, broken):
    def send(load, *how):
        method = load[0]
        bad = {"refused": refused, "broken": broken} if method == "PUT" else {"refused": 0, "broken": 0}
        return Sent(requests=1000, seconds=1, bytes=0, used=1000, p50=1, p99=1, **bad)

    server = SimpleNamespace(signed_load=lambda *asked: asked, send=send)
    plan = Plan(runs=1, seconds=1, connections=4, fill_seconds=1, peers_dir=Path())
    [row] = small.LAST
    with pytest.raises(LeftOut, match="nothing to remove"):
        row.measure(server, plan)


def test_a_flame_graph_that_cannot_be_drawn_ends_nothing(tmp_path, monkeypatch):
    def draw(*how):
        raise LeftOut("does not answer")

    monkeypatch.setattr(flames, "draw", draw)
    told, paused = [], []
    server = SimpleNamespace(go_on=lambda: None, pause=lambda: paused.append(True))
    plan = Plan(runs=1, seconds=1, connections=4, fill_seconds=1, peers_dir=tmp_path)
    Bench([], plan, tmp_path, tmp_path, told.append)._draw(small.LAST[0], [server])
    assert (told, paused) == (["no flame graph: does not answer"], [True])
