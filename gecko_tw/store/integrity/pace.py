"""At what pace bytes are read that nobody waits for."""

from collections.abc import Callable
from time import monotonic, sleep

Rest = Callable[[float], bool]
"""Waits for so many seconds, and as long as others have work that goes first; returns whether to end now."""

LEAST = 16 * 1024
"""Bytes that looking at anything counts as, however small it is."""


class Ended(Exception):  # noqa: N818 - a signal, not an error
    """Whoever reads is to end."""


def unattended(seconds: float) -> bool:
    """A Rest for who is alone."""
    if seconds > 0:
        sleep(seconds)
    return False


class Pace:
    """Keeps a reader at so many bytes a second.

    :param bytes_per_second: 0 for as fast as it goes.
    :param rest: waits.
    :param clock: seconds, of any beginning.
    """

    def __init__(
        self, bytes_per_second: int = 0, rest: Rest = unattended, clock: Callable[[], float] = monotonic
    ) -> None:
        self._rate, self._rest, self._clock = bytes_per_second, rest, clock
        self._due = clock()

    def took(self, size: int) -> None:
        """Waits after ``size`` bytes until their time is over. Raises Ended."""
        wait = 0.0
        if self._rate:
            now = self._clock()
            self._due = max(self._due, now) + size / self._rate
            wait = self._due - now
        if self._rest(wait):
            raise Ended
