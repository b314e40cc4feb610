"""A limit of time for what the server does next."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Stall:
    """Does something when nothing moved for too long.

    :param reactor: turns the clock.
    :param seconds: so long nothing may move.
    :param first: seconds for the first time, when there is a connection to be made.
    :param act: is called once.
    :ivar over: whether it was called.
    :ivar cancelled: whether nobody waits any more.
    """

    def __init__(self, reactor: IReactorTime, seconds: float, first: float, act: Callable[[], object]) -> None:
        self._reactor, self.seconds, self.act = reactor, seconds, act
        self.over = self.cancelled = False
        self._call: IDelayedCall | None = reactor.callLater(first, self._fire)

    def progress(self) -> None:
        """Something moved."""
        if self._call is not None:
            self._call.reset(self.seconds)

    def pause(self) -> None:
        """It is our own turn; forever is not too long."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def resume(self) -> None:
        """It is the server's turn again."""
        if self._call is None and not self.over:
            self._call = self._reactor.callLater(self.seconds, self._fire)

    def _fire(self) -> None:
        self._call, self.over = None, True
        self.act()
