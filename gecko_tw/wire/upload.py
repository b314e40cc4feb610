"""The body of a request as a push producer with back-pressure, and what becomes of a body that nobody wants."""

from socket import socket
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

from gecko_tw.wire.answer_head import CONTINUE
from gecko_tw.wire.framing import Chunked, Sized
from gecko_tw.wire.interfaces import IRoomyConsumer, IUpload, UploadCut

if TYPE_CHECKING:
    from gecko_tw.wire.channel import Channel

_DRAWN_BYTES = 128 * 1024
_TURN_BYTES = 1024 * 1024
"""What is read before other connections have their turn."""

_WAITING, _FLOWING, _HELD, _DROPPING, _ENDED, _CUT = range(6)


@implementer(IUpload, IPushProducer)
class Upload:
    """A body on its way in.

    :param length: in bytes; 0 when there is no body, None when it is chunked.
    :param expects: the client waits for ``100 Continue``.
    :ivar framing: decodes the connection's bytes.
    :ivar flowing: somebody waits for the next bytes.
    :ivar held: the consumer has asked to be spared.
    :ivar wanted: the next bytes can be used, if only to be dropped.
    """

    __slots__ = (
        "_began", "_channel", "_consumer", "_dropped", "_expects", "_longest", "_paused", "_result", "_state", "_why",
        "flowing", "framing", "held", "length", "wanted",
    )  # fmt: skip

    def __init__(self, channel: "Channel", length: int | None, expects: bool = False) -> None:
        self.length = length
        self.framing: Sized | Chunked | None = Sized(length) if length else Chunked() if length is None else None
        self.flowing = self.held = self.wanted = False
        self._state = _ENDED if length == 0 else _WAITING
        self._channel = channel
        self._expects = expects
        self._consumer: IConsumer | None = None
        self._result: Deferred[None] | None = None
        self._began: float | None = None
        self._longest = channel.limits.body_seconds
        self._paused = 0.0
        self._dropped = 0
        self._why = UploadCut()

    def deliver(self, consumer: IConsumer) -> Deferred[None]:
        """See IUpload. What has come already may be written before this returns, or soon after."""
        if self._state == _CUT:
            return fail(self._why)
        if self._consumer is not None or self._state == _DROPPING:
            raise RuntimeError("a body is delivered once, and not after it was dropped")
        self._consumer = consumer
        if self._state == _ENDED:
            self._invite()
            return succeed(None)
        result: Deferred[None] = Deferred()
        self._result = result
        self._turn(_FLOWING)
        consumer.registerProducer(self, True)
        self._invite()
        self._channel.feed(self)
        return result

    def whole(self) -> bytes | None:
        """See IUpload."""
        if self._state != _WAITING or self._expects:
            return None
        body = self._channel.hand_over(self)
        if body is not None:
            self._turn(_ENDED)
        return body

    def within(self, seconds: float | None) -> None:
        """See IUpload."""
        self._longest = self._channel.limits.body_seconds if seconds is None else seconds
        if self.flowing:
            self._channel.regulate()

    def drain(self) -> None:
        """See IUpload. A client that waits for ``100 Continue`` is left waiting: nothing of its body is read."""
        if self._state in (_WAITING, _FLOWING, _HELD):
            self._turn(_DROPPING)
            self._finish(UploadCut("the body is not wanted any more"))
            self._channel.advance()

    def pauseProducing(self) -> None:
        if self._state == _FLOWING:
            self._paused = self._channel.site.reactor.seconds()
            self._turn(_HELD)
            self._channel.regulate()

    def resumeProducing(self) -> None:
        if self._state == _HELD:
            # The peer is not to be blamed for the time that we held it back.
            self._longest += self._channel.site.reactor.seconds() - self._paused
            self._turn(_FLOWING)
            self._channel.advance()

    def stopProducing(self) -> None:
        self.drain()

    @property
    def drainable(self) -> bool:
        """Whether the rest is small enough to be read and dropped, so that the connection can go on."""
        if self._expects or self.framing is None or self._state == _CUT:
            return False
        return self._dropped + (self.framing.left or 0) <= self._channel.limits.drain_bytes

    def patience(self, now: float) -> float:
        """How many seconds may pass until the next byte."""
        if self._began is None:
            self._began = now
        limits = self._channel.limits
        return max(0, min(limits.stalled_body_seconds, self._began + self._longest - now))

    def take(self, body: bytes, raw_size: int, ended: bool) -> None:
        """The next bytes of the body, decoded from ``raw_size`` bytes of the connection."""
        if self._state == _DROPPING:
            self._dropped += raw_size
            self.wanted = self.drainable
        elif body and self._consumer is not None:
            self._consumer.write(body)
        if ended:
            self._turn(_ENDED)
            self._finish(None)

    def draw(self, connection: socket) -> None:
        """Reads what waits in a socket straight into the consumer's memory, if it is much and the consumer has any.

        Never the last byte: what a body's end means is told by who feeds :meth:`take`.
        """
        framing, turn = self.framing, _TURN_BYTES
        if not isinstance(framing, Sized) or not IRoomyConsumer.providedBy(self._consumer):
            return
        while self.flowing and turn > 0 and framing.left > _DRAWN_BYTES:
            space = self._consumer.space()
            if space is None:
                return
            space = space[: framing.left - 1]
            try:
                size = connection.recv_into(space)
            except OSError:  # empty, or broken: the reactor will tell
                return
            framing.left -= size
            turn -= size
            if size:
                self._consumer.filled(size)
            if size < len(space):
                return

    def cut(self, failure: UploadCut) -> None:
        """No more bytes will come, or none that are waited for."""
        if self._state not in (_ENDED, _CUT):
            self._why = failure
            self._turn(_CUT)
            self._finish(failure)

    def _invite(self) -> None:
        """Before an empty body, too: the AWS CLI 1 mistakes the next answer on a connection where none came for a broken one."""
        if self._expects:
            self._expects = False
            self._channel.output.write(CONTINUE)

    def _turn(self, state: int) -> None:
        self._state = state
        self.flowing = state == _FLOWING
        self.held = state == _HELD
        self.wanted = state == _FLOWING or (state == _DROPPING and self.drainable)

    def _finish(self, failure: UploadCut | None) -> None:
        result, self._result = self._result, None
        if result is None:
            return
        if self._consumer is not None:
            self._consumer.unregisterProducer()
        if failure is None:
            result.callback(None)
        else:
            result.errback(failure)
