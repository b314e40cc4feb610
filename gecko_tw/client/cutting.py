"""What a producer makes, cut into parts."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IBodyProducer


class Cutting:
    """Takes what a producer makes, and sends it in parts; the producer is paused while enough of them are on their way.

    :param producer: of any length.
    :param size: bytes of a part.
    :param most: so many parts are on their way at once.
    :param send: sends a part, given its number from 1 on and its bytes.
    """

    def __init__(
        self, producer: IBodyProducer, size: int, most: int, send: Callable[[int, bytes], Deferred[None]]
    ) -> None:
        self._producer, self._size, self._most, self._send = producer, size, most, send
        self._gathered = bytearray()
        self._number = 0
        self._sending: set[Deferred[None]] = set()
        self._produced = False
        self._done: Deferred[None] = Deferred(lambda _: self._stop(Failure(CancelledError())))

    def run(self) -> Deferred[None]:
        """Fires when all parts are sent; fails when one could not be, and then the others are cancelled."""
        self._producer.startProducing(self).addCallbacks(self._end, self._stop)
        return self._done

    def write(self, data: bytes) -> None:
        """What was made."""
        self._gathered += data
        while len(self._gathered) >= self._size and not self._done.called:
            self._begin(self._size)

    def _begin(self, size: int) -> None:
        part = bytes(memoryview(self._gathered)[:size])
        del self._gathered[:size]
        self._number += 1
        sent = self._send(self._number, part)
        self._sending.add(sent)
        if len(self._sending) == self._most:
            self._producer.pauseProducing()
        sent.addCallbacks(self._sent, self._stop, callbackArgs=(sent,))

    def _sent(self, _: None, sent: Deferred[None]) -> None:
        self._sending.discard(sent)
        if self._produced:
            self._look()
        elif len(self._sending) == self._most - 1:
            self._producer.resumeProducing()

    def _end(self, _: object) -> None:
        self._produced = True
        if self._done.called:
            return
        if self._gathered or not self._number:
            self._begin(len(self._gathered))
        self._look()

    def _look(self) -> None:
        if not self._sending and not self._done.called:
            self._done.callback(None)

    def _stop(self, why: Failure) -> None:
        if self._done.called:
            return
        self._done.errback(why)
        if not self._produced:
            self._producer.stopProducing()
        for sent in list(self._sending):
            sent.cancel()
