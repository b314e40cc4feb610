"""Bytes as they come from the network: received, pulled, written to a file."""

from base64 import b64decode
from collections import deque
from collections.abc import Callable
from errno import EAGAIN
from io import RawIOBase
from typing import BinaryIO

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import TransportProxyProducer
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse
from zope.interface import implementer

from gecko_tw.client.checksums import Checksum, checksum
from gecko_tw.client.errors import ChecksumMismatch, ConnectionCut, TimedOut, unreachable
from gecko_tw.client.pausing import deferred
from gecko_tw.client.sources import PIECE
from gecko_tw.client.stalls import Stall
from gecko_tw.pools import IPool

AHEAD = 4
"""So many pieces are taken from the network before a disk has taken the first of them."""


@implementer(IPushProducer)
class Receiver(Protocol):
    """Receives the body of an answer, once.

    :param response: the answer's head.
    :param stall: limits how long nothing may come.
    :param endpoint: for messages.
    :ivar begun: whether the body was asked for.
    :ivar lenient: whether the end of the connection is an end of the body, when the server did not say where that is.
    """

    transport: TransportProxyProducer | None  # type: ignore[assignment]  # of a response's body

    def __init__(self, response: IResponse, stall: Stall, endpoint: str) -> None:
        self._response: IResponse | None = response
        self._stall, self._endpoint = stall, endpoint
        self._free: Callable[[], object] = tuple
        self._ended = False
        self._checksum: Checksum | None = None
        self._wanted = b""
        self.begun = self.lenient = False
        self._write: Callable[[bytes], object] = len
        self._done: Deferred[None] = Deferred(lambda _: self.stopProducing())
        self._failed: Failure | None = None
        stall.act = self.stopProducing
        stall.pause()

    def expect(self, algorithm: str, value: str) -> None:
        """What comes is held against a checksum, named and encoded as in its header."""
        self._checksum = checksum(algorithm)
        try:
            self._wanted = b64decode(value)
        except ValueError:
            self._wanted = b""  # which nothing has

    def deliver(self, write: Callable[[bytes], object]) -> Deferred[None]:
        """Begins to receive.

        :param write: is given the pieces.
        :returns: fires when all has come.
        """
        response, self._response = self._response, None  # which knows its request, and that one its body
        if response is None:
            raise RuntimeError("the body of an answer can be taken once")
        self.begun, self._write = True, write
        self._stall.resume()
        response.deliverBody(self)
        return self._done

    def when_free(self, free: Callable[[], object]) -> None:
        """Has something called when the connection is free."""
        if self._ended:
            free()
        else:
            self._free = free

    def cancel(self) -> None:
        """Gives up what has not come."""
        if not self._done.called:
            self._done.cancel()

    def fail(self, why: Failure) -> None:
        """Whoever takes the pieces cannot go on."""
        self._failed = why
        self.stopProducing()

    def dataReceived(self, data: bytes) -> None:
        if self._failed is not None:
            return
        self._stall.progress()
        if self._checksum is not None:
            self._checksum.update(data)
        # What it raises is raised where the body is waited for: Twisted takes it for an end of the connection, or for none.
        maybeDeferred(self._write, data).addErrback(self.fail)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stall.pause()
        self._ended = True
        self._free()
        if self._done.called:
            return
        why = self._failed or self._wrong(reason)
        if why is None:
            self._done.callback(None)
        else:
            self._done.errback(why)

    def _wrong(self, reason: Failure) -> Exception | None:
        """What is wrong with how it ended."""
        if self._stall.over:
            return TimedOut(self._endpoint, f"nothing came for {self._stall.seconds:g} s")
        if reason.check(PotentialDataLoss):
            return None if self.lenient else ConnectionCut(self._endpoint, "it did not say where the body ends")
        if not reason.check(ResponseDone):
            return unreachable(reason, self._endpoint)
        if self._checksum is not None and self._checksum.digest() != self._wanted:
            return ChecksumMismatch("What arrived does not have the checksum that the server told: ask again.")
        return None

    def pauseProducing(self) -> None:
        if self.transport is not None:
            self._stall.pause()
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        if self.transport is not None and not self._done.called:
            self._stall.resume()
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        if self.transport is not None:
            self.transport.resumeProducing()  # who is paused does not see the end
            self.transport.loseConnection()


class Pull:
    """Hands out the pieces of a body one at a time."""

    def __init__(self, body: Receiver) -> None:
        self._body = body
        self._pieces: deque[bytes] = deque()
        self._begun = self._over = False
        self._waiting: Deferred[bytes] | None = None
        self._failure: Failure | None = None

    def next(self) -> Deferred[bytes]:
        """The next piece; nothing at the end."""
        if self._pieces:
            return succeed(self._pieces.popleft())
        if self._over:
            return succeed(b"") if self._failure is None else fail(self._failure)
        waiting: Deferred[bytes] = Deferred(lambda _: self._body.cancel())
        self._waiting = waiting
        if not self._begun:
            self._begun = True
            self._body.deliver(self._arrived).addErrback(self._failed).addCallback(self._end)
        else:
            self._body.resumeProducing()
        return waiting

    def _arrived(self, piece: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            self._pieces.append(piece)
        else:
            self._body.pauseProducing()
            waiting.callback(piece)

    def _failed(self, why: Failure) -> None:
        self._failure = why

    def _end(self, _: None) -> None:
        self._over = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(b"") if self._failure is None else waiting.errback(self._failure)


class Writer:
    """Writes pieces to a file, in a thread; the body is paused while too much waits."""

    def __init__(self, file: BinaryIO, pool: IPool, body: Receiver) -> None:
        self._file, self._pool, self._body = file, pool, body
        self._waiting: list[bytes] = []
        self._size, self._paused = 0, False
        self._writing: Deferred[None] | None = None
        self._failed: Failure | None = None

    def write(self, data: bytes) -> None:
        """A piece."""
        self._waiting.append(data)
        self._size += len(data)
        if self._writing is None and self._size >= PIECE:
            self._flush()
        elif not self._paused and self._size >= AHEAD * PIECE:
            self._paused = True
            self._body.pauseProducing()

    @deferred
    async def finish(self) -> None:
        """Waits until everything is written.

        :raises OSError: it could not be.
        """
        while self._writing is not None or self._size:
            if self._writing is None:
                self._flush()
            else:
                await self._writing
        if self._failed is not None:
            self._failed.raiseException()

    def _flush(self) -> None:
        data, self._waiting, self._size = b"".join(self._waiting), [], 0
        written: Deferred[None] = Deferred()
        self._writing = written
        self._pool.run(_write_all, self._file, data).addErrback(self._cannot).addCallback(self._written, written)

    def _written(self, _: object, written: Deferred[None]) -> None:
        self._writing = None
        if self._size >= PIECE:
            self._flush()
        if self._paused and self._size < AHEAD * PIECE:
            self._paused = False
            self._body.resumeProducing()
        written.callback(None)

    def _cannot(self, why: Failure) -> None:
        self._failed = why
        self._body.fail(why)


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest: bytes | memoryview = data
    while rest:  # a file without a buffer takes as much as it likes
        taken: int | None = file.write(rest)
        if taken is None and isinstance(file, RawIOBase):
            raise BlockingIOError(EAGAIN, "the file takes nothing now: give one that blocks, or an IConsumer")
        rest = memoryview(rest)[len(rest) if taken is None else taken :]
