"""The table that processes share: one name's level is one level, whoever changes it, and there is room for 65,536."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gecko_tw.callers.budgets import tally as room
from gecko_tw.callers.budgets.tally import ENTRIES, Tally
from gecko_tw.callers.budgets.token_buckets import Budget

BUDGET = Budget(rate=1.0, burst=10_000.0)
NOW = 1_767_268_800.0

SPEND = """
import sys
from gecko_tw.callers.budgets.token_buckets import Budget
from gecko_tw.callers.budgets.tally import Tally
tally, budget = Tally(int(sys.argv[1])), Budget(rate=1.0, burst=10_000.0)
for _ in range(2000):
    tally.step("shared", budget, 1_767_268_800.0, lambda level: level - 1)
"""


@pytest.fixture
def tally() -> Iterator[Tally]:
    made = Tally()
    yield made
    os.close(made.fileno)


def level(tally: Tally, name: str, now: float = NOW) -> float:
    return tally.step(name, BUDGET, now, lambda found: found)


def test_no_change_of_a_level_is_lost_between_processes(tally: Tally) -> None:
    command = [sys.executable, "-c", SPEND, str(tally.fileno)]
    root = str(Path(room.__file__).parents[3])
    started = [
        subprocess.Popen(command, pass_fds=[tally.fileno], env={**os.environ, "PYTHONPATH": root}) for _ in range(2)
    ]
    assert [process.wait() for process in started] == [0, 0]
    assert level(tally, "shared") == BUDGET.burst - 4000


def test_a_level_is_filled_up_while_nobody_asks(tally: Tally) -> None:
    assert tally.step("x", BUDGET, NOW, lambda found: found - 100) == BUDGET.burst - 100
    assert level(tally, "x", NOW + 60) == BUDGET.burst - 40
    assert level(tally, "x", NOW + 600) == BUDGET.burst


def test_who_is_forgotten_starts_anew(tally: Tally) -> None:
    tally.step("x", BUDGET, NOW, lambda found: 0.0)
    tally.step("y", BUDGET, NOW, lambda found: 1.0)
    tally.forget("x")
    assert (level(tally, "x"), level(tally, "y")) == (BUDGET.burst, 1.0)


def test_who_is_new_takes_the_place_of_who_was_not_seen_for_longest(tally: Tally) -> None:
    tally.step("old", BUDGET, NOW, lambda found: 0.0)
    for number in range(4 * ENTRIES):
        tally.step(f"new {number}", BUDGET, NOW + number, lambda found: found - 1)
        if number % 1000 == 0:
            tally.step("busy", BUDGET, NOW + number, lambda found: -1e9)
    assert level(tally, "busy", NOW) < 0.0
    assert level(tally, "old", NOW) == BUDGET.burst


def test_names_are_placed_differently_in_every_deployment(tally: Tally) -> None:
    other = Tally()
    try:
        assert tally._tag("x") != other._tag("x")
        assert Tally(tally.fileno)._tag("x") == tally._tag("x")
    finally:
        os.close(other.fileno)


def test_a_process_that_dies_while_it_changes_a_level_holds_up_nobody(tally: Tally) -> None:
    die = SPEND.split("for")[0] + "import os\ntally.step('x', budget, 0.0, lambda level: os._exit(7))\n"
    command = [sys.executable, "-c", die, str(tally.fileno)]
    root = str(Path(room.__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root}
    assert subprocess.run(command, pass_fds=[tally.fileno], env=environment, check=False).returncode == 7
    assert level(tally, "shared") == BUDGET.burst
