"""What leaves on a connection: the channel as twisted.web's Request knows it, with the peer's pace watched."""

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.internet.tcp import Connection
from twisted.web.http_headers import Headers
from zope.interface import implementer

from gecko_tw.wire.answer_head import head_bytes
from gecko_tw.wire.heads import Opening
from gecko_tw.wire.interfaces import Transport

if TYPE_CHECKING:
    from gecko_tw.wire.channel import Channel

ANSWER = "answer"
"""What a deadline waits for while the peer takes an answer."""

_OURS = frozenset((b"Server", b"Date", b"Connection"))


@implementer(IPushProducer)
class Backlog:
    """Registered with the transport while no answer has a producer: notices when the peer does not take its answers.

    :ivar full: the transport holds more than it likes; no further request is begun then.
    """

    def __init__(self, channel: "Channel") -> None:
        self._channel = channel
        self.full = False

    def pauseProducing(self) -> None:
        self.full = True

    def resumeProducing(self) -> None:
        self.full = False
        self._channel.advance()

    def stopProducing(self) -> None:
        self.full = True


@implementer(IPushProducer, IPullProducer)
class Paced:
    """A resource's producer, with a deadline while it waits for the peer."""

    # Any: an IPushProducer when it streams, else an IPullProducer, which is never paused.
    def __init__(self, producer: Any, streaming: bool, channel: "Channel") -> None:
        self._producer = producer
        self._streaming = streaming
        self._deadline = channel.deadline
        self._patience = channel.limits.stalled_answer_seconds

    def pauseProducing(self) -> None:
        self._deadline.set(self._patience, ANSWER)
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        if self._streaming:
            self._deadline.clear()
        else:
            self._deadline.set(self._patience, ANSWER)
        self._producer.resumeProducing()

    def stopProducing(self) -> None:
        self._producer.stopProducing()


class Output:
    """The ``channel`` of twisted.web's Request: what Requests and Resources may ask of a connection.

    :ivar keeping: the connection goes on after the current answer.
    :ivar socket: the transport when it is a socket of Twisted's, without TLS; else None.
    :ivar modern: the current request is one of HTTP/1.1, not 1.0.
    """

    def __init__(self, channel: "Channel") -> None:
        self.transport: Transport = channel.transport
        transport = self.transport
        self.site = self.factory = channel.site
        self.write = transport.write
        self.writeSequence = transport.writeSequence
        self.getPeer = transport.getPeer
        self.getHost = transport.getHost
        self.requestDone = channel.request_done
        self.keeping = True
        self.backlog = Backlog(channel)
        self._channel = channel
        self.date_line = channel.date_line
        self.modern = True
        self._waiting = 0
        self.socket = transport if isinstance(transport, Connection) and not channel.secure else None
        transport.registerProducer(self.backlog, True)

    def send(self, data: bytes) -> None:
        """Writes a whole small answer: into the socket at once when nothing waits before it, else as ``write``.

        Asking the reactor to say when a socket can be written costs a third of answering a small request, and it nearly always can.
        """
        socket = self.socket
        # The second attribute is not a public one: without it everything is simply written.
        if socket is not None and not socket.dataBuffer and not getattr(socket, "_tempDataLen", 1) and socket.connected:
            sent = socket.writeSomeData(data)
            if sent == len(data):
                return
            if isinstance(sent, int):
                data = data[sent:]
        self._waiting = len(data)
        self.write(data)

    def lag(self) -> float:
        """Seconds that the slowest peer we bear needs for what the transport was given of the last answer."""
        return self._waiting / self._channel.limits.slowest_answer_bytes_per_second

    def open(self, opening: Opening) -> None:
        """Another request begins."""
        self.keeping = opening.keep_alive
        self._waiting = 0
        self.modern = opening.modern

    def connection_line(self) -> bytes:
        """Decides whether the connection goes on after this answer; the value of its Connection header, or empty for none."""
        upload = self._channel.upload
        if self.keeping and not self.site.draining and (upload is None or upload.drainable):
            return b"" if self.modern else b"keep-alive"
        self.keeping = False
        return b"close"

    def isSecure(self) -> bool:
        return self._channel.secure

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """The head of an answer that a Resource makes the ordinary way; twisted.web has cleaned the headers."""
        measured = headers.hasHeader(b"Transfer-Encoding") or headers.hasHeader(b"Content-Length")
        if (not self.modern and not measured) or b"close" in headers.getRawHeaders(b"Connection", ()):
            self.keeping = False
        pairs = [(name, value) for name, values in headers.getAllRawHeaders() if name not in _OURS for value in values]
        self.write(head_bytes(int(code), pairs, self.date_line.get(), None, self.connection_line()))

    # Any: as in Paced.
    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.transport.unregisterProducer()
        self.transport.registerProducer(Paced(producer, streaming, self._channel), streaming)

    def unregisterProducer(self) -> None:
        self._channel.deadline.clear()
        if not self._channel.closing.begun:
            self.transport.unregisterProducer()
            self.transport.registerProducer(self.backlog, True)

    def loseConnection(self) -> None:
        self._channel.closing.close()

    def abort(self) -> None:
        """Drops the connection now."""
        self._channel.closing.abort()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """twisted.web's Request calls this for a form that cannot be read."""
        request = self._channel.request
        assert request is not None, "it is the request that cannot read its form"
        request.refuse(400, "MalformedPOSTRequest", "The form in the request cannot be read.")
