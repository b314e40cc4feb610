"""Spans of blobs on their way to the peer: what is in the page cache at once, what is not through a thread.

``preadv2`` with ``RWF_NOWAIT`` tells the two apart, so the reactor never waits for a disk (docs/decisions/0003-downloads.md and
0014-large-bodies.md).
"""

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.pools import IPool
from gecko_tw.wire.direct import Direct
from gecko_tw.wire.interfaces import Source

if TYPE_CHECKING:
    from gecko_tw.wire.request import WireRequest

STEP_BYTES = 256 * 1024
"""How much is read at a time: what stays in a processor's cache between reading and sending."""

_LEAST_BYTES = 32 * 1024
_TURN_BYTES = 1024 * 1024
"""How much is sent before other connections have their turn."""
_AHEAD_BYTES = 4 * 1024 * 1024
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)


class Shortened(Exception):  # noqa: N818 - said of the answer
    """The stored bytes ended before their end."""


def read_now(reading: Source, offset: int, length: int, scratch: bytearray) -> bytes | None:
    """Up to ``length`` bytes from ``offset`` without waiting for a disk.

    None when that is not possible: the bytes are not in memory, or the reading has neither them nor a file. Trouble also reads as
    None; reading again in a thread will tell.

    :param scratch: at least ``length`` bytes to read into.
    """
    data = at_hand(reading, offset, length)
    if data is None:
        view = memoryview(scratch)[:length]
        size = read_into(reading, offset, view)
        data = None if size is None else bytes(view[:size])
    return data


def read_into(reading: Source, offset: int, view: memoryview) -> int | None:
    """Fills ``view``, or its beginning, from ``offset`` on without waiting for a disk; returns how many bytes, or None as read_now."""
    try:
        run = reading.run(offset) if _NOWAIT else None
        if run is None:
            return None
        file, place, follow = run
        return os.preadv(file, [view[:follow]], place, _NOWAIT)
    except OSError:
        return None


def at_hand(reading: Source, offset: int, length: int) -> bytes | None:
    """What the reading itself has in memory of these bytes, or None as read_now."""
    try:
        return reading.ready(offset, length)
    except OSError:
        return None


def read_cold(reading: Source, offset: int, length: int) -> bytes:
    """Up to ``length`` bytes from ``offset``, waiting for the disk, which is told to have what follows ready. Blocks."""
    data = reading.read(offset, length)
    run = reading.run(offset + len(data)) if data and hasattr(os, "posix_fadvise") else None
    if run is not None:
        file, place, follow = run
        os.posix_fadvise(file, place, min(follow, _AHEAD_BYTES), os.POSIX_FADV_WILLNEED)
    return data


@implementer(IPushProducer)
class Download:
    """Sends part of a Source as the body of an answer, at the pace of the peer; then closes the reading.

    What is in memory goes from the scratch buffer into the socket. What the socket does not take is read again later: that is cheaper
    than keeping a copy of everything, and of every slow peer's share.

    :param pool: where reading may wait for the disk.
    """

    def __init__(self, request: "WireRequest", reading: Source, pool: IPool) -> None:
        self._request = request
        self._reading = reading
        self._pool = pool
        self._scratch = request.site.scratch
        self._result: Deferred[int] | None = Deferred(self._give_up)
        self._paused = False
        self._in_thread = False
        self._step = STEP_BYTES
        self._direct = Direct(request.channel.socket)

    def start(self, head: bytes, offset: int, length: int) -> Deferred[int]:
        """Sends ``head`` together with the first bytes; returns a Deferred as IWireRequest.answer_spans."""
        self._head = head
        self._offset = offset
        self._end = offset + length
        assert self._result is not None, "started once"
        result = self._result
        # Not every transport tells its producer that the peer has left; the channel always tells the request.
        self._request.notifyFinish().addErrback(self._fail)
        self._request.registerProducer(self, True)
        self._produce()
        return result

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._produce()

    def stopProducing(self) -> None:
        self._fail(Failure(ConnectionLost("the client left before it had its answer")))

    def _produce(self) -> None:
        turn = self._offset + _TURN_BYTES
        while self._result is not None and not self._paused and not self._in_thread:
            if self._offset >= turn and self._direct.wait():
                return
            size = min(self._step, self._end - self._offset)
            if self._direct.possible:
                self._hand_over(size)
            else:
                self._take(read_now(self._reading, self._offset, size, self._scratch), size)

    def _hand_over(self, size: int) -> None:
        """Reads up to ``size`` bytes and gives the socket what it takes of them."""
        begin = len(self._head)
        view = memoryview(self._scratch)[: begin + size]
        view[:begin] = self._head
        got = read_into(self._reading, self._offset, view[begin:])
        if not got:
            self._take(b"" if got == 0 else at_hand(self._reading, self._offset, size), size)
            return
        sent = self._direct.offer(view[: begin + got])
        self._head = self._head[sent:]
        self._passed(max(0, sent - begin))
        if sent == begin + got:
            self._step = min(2 * self._step, STEP_BYTES)
        elif self._result is not None:
            self._step = max(_LEAST_BYTES, min(2 * sent, STEP_BYTES))
            self._direct.wait()

    def _take(self, data: bytes | None, size: int) -> None:
        """Sends what was read, or has it read in a thread when that could not be done at once."""
        if data is not None:
            self._send(data)
            return
        self._in_thread = True
        reading = self._pool.run(read_cold, self._reading, self._offset, size)
        reading.addCallback(self._came).addErrback(self._failed)

    def _came(self, data: bytes) -> None:
        self._in_thread = False
        if self._result is None:
            self._reading.close()
        else:
            self._send(data)
            self._produce()

    def _failed(self, failure: Failure) -> None:
        self._in_thread = False
        self._reading.close()
        self._fail(failure)

    def _send(self, data: bytes) -> None:
        if not data:
            self._fail(Failure(Shortened(f"{self._end - self._offset} bytes are missing from byte {self._offset} on")))
            return
        head, self._head = self._head, b""
        self._request.channel.write(head + data if head else data)
        self._passed(len(data))

    def _passed(self, size: int) -> None:
        self._offset += size
        self._request.sentLength += size
        if self._offset == self._end and self._result is not None:
            result, self._result = self._result, None
            self._reading.close()
            self._request.unregisterProducer()
            self._request.close_answer()
            result.callback(self._request.sentLength)

    def _fail(self, failure: Failure) -> None:
        result = self._result
        if result is not None:
            self._give_up(result)
            result.errback(failure)

    def _give_up(self, _result: Deferred[int]) -> None:
        self._result = None
        if not self._in_thread:
            # A thread that still reads would find another file behind the same descriptor: it closes when it is back.
            self._reading.close()
        self._request.abort()
