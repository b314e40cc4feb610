"""How a connection ends: at once, in order, or lingering so that a peer that is still sending can read the last answer."""

from typing import TYPE_CHECKING

from twisted.internet.abstract import FileDescriptor
from twisted.logger import Logger

from gecko_tw.wire.answer_head import head_bytes, refusal
from gecko_tw.wire.heads import BadHead

if TYPE_CHECKING:
    from gecko_tw.wire.channel import Channel

LINGER, CLOSE = "linger", "close"
"""What a deadline waits for while a connection ends."""

_log = Logger()


class Closing:
    """The end of a connection that will carry no further request.

    A close while bytes of the peer lie unread makes the kernel send a reset, and many clients then never see the answer: so the write
    side is closed first, and what still comes is read and dropped for a while (RFC 9112, 9.6).

    :ivar begun: the end has begun; nothing that comes is a request any more.
    """

    def __init__(self, channel: "Channel") -> None:
        self.begun = False
        self._channel = channel
        self._transport = channel.transport
        self._dropped = 0
        self._closing = False

    def refuse(self, bad: BadHead) -> None:
        """Answers a head that cannot become a request, and ends."""
        _log.info("{peer}: {status} {code}", peer=self._channel.peer, status=bad.status, code=bad.code)
        headers, document = refusal(bad.code, bad.message)
        date_line = self._channel.date_line.get()
        self._transport.write(head_bytes(bad.status, headers, date_line, len(document), b"close") + document)
        self.linger()

    def linger(self) -> None:
        """Ends the write side when all is sent, then drops what comes until the peer closes or patience ends."""
        if self._channel.ended:
            self.close()
            return
        self._begin()
        if not self._channel.secure and isinstance(self._transport, FileDescriptor):
            self._transport.loseWriteConnection()
        self._transport.resumeProducing()
        self._channel.deadline.set(self._channel.limits.linger_seconds, LINGER)

    def received(self, size: int) -> None:
        """``size`` bytes came and were dropped."""
        self._dropped += size
        if self._dropped > self._channel.limits.linger_bytes:
            self.close()

    def close(self, grace_seconds: float | None = None) -> None:
        """Sends what is still to be sent and closes; aborts when that takes longer than the grace.

        By default the grace is as long as a peer may take for the answer before it.
        """
        if self._closing:
            return
        self._begin()
        self._closing = True
        if grace_seconds is None:
            grace_seconds = self._channel.limits.stalled_answer_seconds + self._channel.output.lag()
        # First: a transport in memory reports the loss from within loseConnection, which stops the deadline.
        self._channel.deadline.set(grace_seconds, CLOSE)
        self._transport.loseConnection()

    def abort(self) -> None:
        """Drops the connection now, so that the peer cannot take what it got for a whole answer."""
        self.begun = self._closing = True
        self._transport.abortConnection()

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self._transport.unregisterProducer()
