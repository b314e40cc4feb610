"""One deadline of a connection at a time, kept by one timer that is armed again only when it rings too early."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Deadline:
    """Calls ``expired(what)`` when the deadline set last is reached.

    Setting and clearing cost no timer in the common case that the new deadline is later than the armed one: a connection that
    answers ten thousand requests a second must not make ten thousand timers.

    :param clock: an IReactorTime.
    :param expired: called with what was being waited for.
    :ivar what: what is being waited for now, or None.
    """

    __slots__ = ("_armed", "_at", "_call", "_clock", "_expired", "what")

    def __init__(self, clock: IReactorTime, expired: Callable[[str], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._at = 0.0
        self._armed = 0.0
        self._call: IDelayedCall | None = None
        self.what: str | None = None

    def set(self, seconds: float, what: str) -> None:
        """Waits for ``what`` from now on, ``seconds`` long; forgets what was waited for before."""
        self.what = what
        self._at = at = self._clock.seconds() + seconds
        if self._call is None:
            self._armed = at
            self._call = self._clock.callLater(seconds, self._ring)
        elif at < self._armed:
            self._armed = at
            self._call.reset(seconds)

    def clear(self) -> None:
        """Waits for nothing."""
        self.what = None

    def stop(self) -> None:
        """Clears, and gives the timer back."""
        self.what = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _ring(self) -> None:
        self._call = None
        if self.what is None:
            return
        left = self._at - self._clock.seconds()
        if left > 0:
            self._armed = self._at
            self._call = self._clock.callLater(left, self._ring)
            return
        what, self.what = self.what, None
        self._expired(what)
