"""Token buckets: how many requests somebody may make. Arithmetic only; levels are kept in the table that processes share."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from attrs import define, frozen

HOLD = 0.02
"""Seconds that tokens taken from the shared table in advance are good for, and how many seconds' worth of them are taken at once."""

REFUSED_AGAIN = 0.25
"""Seconds for which somebody who was refused is refused again without another look at the shared table, at most."""

REMEMBERED = 65_536
"""Names that a process knows of; the least recently used leaves."""


@frozen
class Budget:
    """What somebody may spend.

    :ivar rate: tokens (requests) a second, over 0.
    :ivar burst: tokens that can be saved up, from 1: how many requests may come at once.
    """

    rate: float
    burst: float


def budget_of(rate: float, burst: float) -> Budget | None:
    """The budget of two settings; None when there is no limit.

    :param rate: requests a second; 0 for no limit.
    :param burst: requests at once; 0 for those of two seconds.
    """
    return Budget(rate, max(1.0, burst or 2 * rate)) if rate > 0 else None


def refilled(level: float, seconds: float, budget: Budget) -> float:
    """A level some time later. A clock that was set back is as one that stood still."""
    return min(budget.burst, level + max(0.0, seconds) * budget.rate)


class ILevels(Protocol):
    """What a gecko_tw.callers.budgets.tally.Tally can do for this."""

    def step(self, name: str, budget: Budget, now: float, rule: Callable[[float], float]) -> float:
        """See there."""


@define(eq=False)
class _Lease:
    """Tokens that were taken in advance: ``left`` of them, good until ``until``. Or there was none to be had: the next one comes at
    ``ready``, and until ``again`` nobody looks."""

    left: int = 0
    until: float = 0.0
    ready: float = 0.0
    again: float = 0.0


class Spender:
    """Spends budgets by name in one of several processes that share their levels.

    A request that finds a token taken in advance costs one look-up. Whatever the processes do together, nobody makes more than
    ``burst + rate × (seconds + HOLD × (1 + processes))`` requests in any number of seconds; up to ``1 / HOLD`` requests a second no
    token is taken in advance, and it is ``burst + rate × seconds``.

    :param levels: the shared table.
    :param kind: put before each name.
    :param processes: how many spend the same budgets.
    """

    def __init__(self, levels: ILevels, kind: str, processes: int) -> None:
        self._levels = levels
        self._kind = kind
        self._share = 2 * processes
        self._leases: OrderedDict[str, _Lease] = OrderedDict()

    def wait(self, name: str, budget: Budget, now: float) -> float:
        """Spends a token of a name and returns 0, or returns the seconds until there will be one.

        :param now: seconds since 1970.
        """
        lease = self._leases.get(name)
        if lease is None:
            lease = self._leases[name] = _Lease()
            if len(self._leases) > REMEMBERED:
                self._leases.popitem(last=False)
            return self._take(lease, name, budget, now)
        self._leases.move_to_end(name)
        if lease.left and now < lease.until <= now + HOLD:
            lease.left -= 1
            return 0.0
        if now < lease.again <= now + REFUSED_AGAIN:
            return lease.ready - now
        return self._take(lease, name, budget, now)

    def forget(self) -> None:
        """Budgets were changed: nothing that was taken or refused counts any more."""
        self._leases.clear()

    def _take(self, lease: _Lease, name: str, budget: Budget, now: float) -> float:
        taken, unused = 0, lease.left
        lease.left = 0

        def rule(level: float) -> float:
            nonlocal taken
            level = min(budget.burst, level + unused)
            if level >= 1.0:
                taken = max(1, min(int(budget.rate * HOLD), int(level / self._share)))
            return level - taken

        level = self._levels.step(self._kind + name, budget, now, rule)
        if taken:
            lease.left, lease.until = taken - 1, now + HOLD
            return 0.0
        wait = (1.0 - level) / budget.rate
        lease.ready, lease.again = now + wait, now + min(wait, REFUSED_AGAIN)
        return wait
