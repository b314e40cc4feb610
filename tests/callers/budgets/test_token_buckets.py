"""Token buckets: never more than the budget, whatever several processes do; never less than it by waiting as told."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.budgets.token_buckets import HOLD, Budget, Spender, budget_of, refilled

NOW = 1_767_268_800.0
BUDGETS = st.builds(Budget, st.floats(0.1, 5000), st.floats(1, 300))
SLOW = st.builds(Budget, st.floats(0.1, 1 / HOLD), st.floats(1, 50))
STEPS = st.lists(st.tuples(st.floats(0, 0.3) | st.just(0.0), st.integers(0, 2)), max_size=150)


class Levels:
    """A shared table in one dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[float, float]] = {}

    def step(self, name: str, budget: Budget, now: float, rule: Callable[[float], float]) -> float:
        level, stamp = self.kept.get(name, (budget.burst, now))
        level = rule(refilled(level, now - stamp, budget))
        self.kept[name] = (level, now)
        return level


def admitted(budget: Budget, steps: list[tuple[float, int]], processes: int) -> list[float]:
    """When requests were let through; each step waits and asks one of several processes."""
    levels = Levels()
    spenders = [Spender(levels, "address ", processes) for _ in range(processes)]
    now, found = NOW, []
    for seconds, process in steps:
        now += seconds
        if spenders[process % processes].wait("x", budget, now) == 0.0:
            found.append(now)
    return found


def most_over(times: list[float], budget: Budget, more: float) -> float:
    """How many more requests than allowed there were in any span of time."""
    over = 0.0
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            allowed = budget.burst + budget.rate * (times[last] - start + more)
            over = max(over, last - first + 1 - allowed)
    return over


@given(budget=BUDGETS, steps=STEPS, processes=st.integers(1, 3))
def test_together_they_let_no_more_through_than_the_budget_and_what_they_took_in_advance(
    budget: Budget, steps: list[tuple[float, int]], processes: int
) -> None:
    assert most_over(admitted(budget, steps, processes), budget, HOLD * (1 + processes)) < 1e-3


@given(budget=SLOW, steps=STEPS, processes=st.integers(1, 3))
def test_up_to_fifty_a_second_the_budget_is_kept_exactly(
    budget: Budget, steps: list[tuple[float, int]], processes: int
) -> None:
    assert most_over(admitted(budget, steps, processes), budget, 0.0) < 1e-3


@given(budget=BUDGETS, steps=STEPS)
def test_whoever_waits_as_long_as_told_is_let_through(budget: Budget, steps: list[tuple[float, int]]) -> None:
    spender, now = Spender(Levels(), "key ", 1), NOW
    for seconds, _ in steps:
        now += seconds
        wait = spender.wait("x", budget, now)
        assert wait >= 0.0
        if wait:
            now += wait + 1e-3
            assert spender.wait("x", budget, now) == 0.0


@given(budget=BUDGETS)
def test_a_whole_burst_may_come_at_once(budget: Budget) -> None:
    spender = Spender(Levels(), "key ", 1)
    assert [spender.wait("x", budget, NOW) for _ in range(int(budget.burst))] == [0.0] * int(budget.burst)


def test_names_do_not_spend_each_others_budget() -> None:
    spender, budget = Spender(Levels(), "key ", 2), Budget(1.0, 1.0)
    assert [spender.wait(name, budget, NOW) == 0.0 for name in "aabb"] == [True, False, True, False]


@given(st.floats(-1e6, 0), BUDGETS)
def test_a_clock_that_is_set_back_fills_nothing_and_locks_nobody_out(jump: float, budget: Budget) -> None:
    assert refilled(0.0, jump, budget) == 0.0
    spender = Spender(Levels(), "key ", 1)
    while spender.wait("x", budget, NOW) == 0.0:
        pass
    spender.wait("x", budget, NOW + jump)
    assert spender.wait("x", budget, NOW + jump + 2 / budget.rate + 1) == 0.0


@pytest.mark.parametrize(
    ("rate", "burst", "budget"),
    [(0.0, 5.0, None), (10.0, 0.0, Budget(10, 20)), (10.0, 3.0, Budget(10, 3)), (0.1, 0.0, Budget(0.1, 1))],
)
def test_a_burst_is_that_of_two_seconds_unless_it_is_given(rate: float, burst: float, budget: Budget | None) -> None:
    assert budget_of(rate, burst) == budget
