"""Addresses that have failed too often with a token that is good for everything are refused for a while, with the right one, too.

As Jay does it: five failures, fifteen minutes after the last of them. It is counted in all processes together.
"""

from collections.abc import Callable

from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget
from gecko_tw.callers.signatures.proxies import neighbourhood

MOST = 5
"""Failures."""

SECONDS = 900
"""How long an address is locked out after its last failure."""

_KEPT = Budget(rate=0.0, burst=0.0)
"""A level that time does not change: it says how many failures there were, and when the last one was."""

_PLACES = 8


class Lockout:
    """The failures of each address.

    :param tally: the table that the processes share.
    :param clock: seconds since 1970.
    """

    def __init__(self, tally: Tally, clock: Callable[[], float]) -> None:
        self._tally, self._clock = tally, clock

    def left(self, address: str) -> int:
        """Seconds for which an address is locked out, 0 when it is not."""
        count, last = self._read(self._tally.look(_name(address)))
        return max(0, last + SECONDS - int(self._clock())) if count >= MOST else 0

    def failed(self, address: str) -> None:
        """Counts a failure."""
        now = int(self._clock())

        def rule(level: float) -> float:
            count = min(MOST, self._read(level)[0] + 1)
            return float(-(now * _PLACES + count))

        self._tally.step(_name(address), _KEPT, now, rule)

    def succeeded(self, address: str) -> None:
        """Whoever asks from there has the token."""
        self._tally.forget(_name(address))

    def _read(self, level: float | None) -> tuple[int, int]:
        """How many failures count still, and when the last one was."""
        last, count = divmod(-int(level or 0.0), _PLACES)
        return (count, last) if last <= int(self._clock()) < last + SECONDS else (0, last)


def _name(address: str) -> str:
    return "locked out " + neighbourhood(address)
