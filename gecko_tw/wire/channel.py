"""HTTP/1.1 on one connection: bytes become requests, one at a time, each begun as soon as its head is in."""

from typing import TYPE_CHECKING

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, ISSLTransport, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.wire.closing import CLOSE, LINGER, Closing
from gecko_tw.wire.deadline import Deadline
from gecko_tw.wire.framing import FramingError, Sized
from gecko_tw.wire.heads import BadHead, read_head
from gecko_tw.wire.input_buffer import Intake
from gecko_tw.wire.interfaces import Transport, UploadCut, UploadStalled
from gecko_tw.wire.output import ANSWER, Output
from gecko_tw.wire.upload import Upload

if TYPE_CHECKING:
    from gecko_tw.wire.request import WireRequest
    from gecko_tw.wire.site import Site

HEAD, IDLE, BODY, DRAIN = "head", "idle", "body", "drain"
"""What a deadline waits for while requests come in."""


@implementer(IHalfCloseableProtocol)
class Channel(Protocol):
    """One connection.

    What has come and is not yet used waits in one buffer: a head until it is whole, a body until somebody wants it, further
    requests until the one before is answered. Reading stops while that buffer is full, so a peer can make us hold only so much.

    :ivar request: the request being answered, or None.
    :ivar upload: its body while the end has not been reached, else None.
    :ivar peer: who it is, with its port; ``address`` without.
    :ivar ended: the peer has said that it will send no more; it may still wait for answers.
    """

    transport: Transport  # type: ignore[assignment]  # see LateRequest

    def __init__(self, site: "Site") -> None:
        self.site = self.factory = site
        self.limits = site.limits
        self.request: WireRequest | None = None
        self.upload: Upload | None = None
        self._intake = Intake()
        self._reading = True
        self._advancing = False
        self.ended = False

    def connectionMade(self) -> None:
        self.secure = ISSLTransport.providedBy(self.transport)
        self.date_line = self.site.secure_date_line if self.secure else self.site.date_line
        peer = self.transport.getPeer()
        self.peer, self.address = peer_text(peer), host_text(peer)
        self.deadline = Deadline(self.site.reactor, self._expired)
        self.deadline.set(self.limits.head_seconds, HEAD)
        self.closing = Closing(self)
        self.output = Output(self)
        if ITCPTransport.providedBy(self.transport):
            # An answer must not wait for the acknowledgement of the interim answer before it.
            self.transport.setTcpNoDelay(True)
        self.site.remember(self)

    def dataReceived(self, data: bytes) -> None:
        if self.closing.begun:
            self.closing.received(len(data))
        else:
            self._intake.add(data)
            self.advance()
            upload = self.upload
            # Less than a reading can be was all that waited: who sends slowly needs no memory for much.
            socket = self.output.socket
            if upload is not None and upload.flowing and socket is not None and len(data) >= socket.bufferSize:
                upload.draw(socket.socket)

    def readConnectionLost(self) -> None:
        """The peer sends no more: what it asked is answered, then the connection closes.

        Whether it is still there to take the answer is told by writing to it.
        """
        self.ended = True
        if self.closing.begun:
            self.closing.close()
        else:
            self.advance()

    def writeConnectionLost(self) -> None:
        """Our side is closed, and the peer's is not yet."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closing.begun = True
        self.deadline.stop()
        self._intake.take()
        upload, self.upload = self.upload, None
        request, self.request = self.request, None
        if request is not None:
            self.site.in_flight -= 1
            request.connectionLost(reason)
        # The request knows by now that there is nobody to answer.
        if upload is not None:
            upload.cut(UploadCut("the client left"))
        self.site.forget(self)

    def advance(self) -> None:
        """Uses what has come as far as it can be used now."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._intake.data and not self.closing.begun and self._step():
                pass
        finally:
            self._advancing = False
        if self.ended and not self.closing.begun:
            self._miss()
        self.regulate()

    def _miss(self) -> None:
        """Nothing more comes: whatever still waits for bytes is told so, and a connection without a request has done its work."""
        upload = self.upload
        if upload is not None:
            if upload.wanted:
                self.output.keeping = False
                upload.cut(UploadCut("the client ended it before its end"))
        elif self.request is None and self._intake.data and not self.output.backlog.full:
            self._cut_short()
        if self.request is None and not self._intake.data:
            self.closing.close()

    def _cut_short(self) -> None:
        """The peer will send no more of a head that has begun."""
        self.closing.refuse(BadHead(400, "BadRequest", "The request ended before the end of its head."))

    def feed(self, upload: Upload) -> None:
        """Hands over what has come of a body already, even while its head is still being worked on: a small one needs no waiting."""
        if self.upload is upload and self._intake.data and not self.closing.begun:
            self._feed(upload)
        self.advance()

    def hand_over(self, upload: Upload) -> bytes | None:
        """All of a sized body when it has come, without feeding it to anybody."""
        framing = upload.framing
        if self.upload is not upload or not isinstance(framing, Sized) or len(self._intake.data) < framing.left:
            return None
        body, rest = framing.feed(self._intake.take())
        assert rest is not None, "all of it was there"
        self._ended(rest)
        self.advance()
        return body

    def regulate(self) -> None:
        """Reads on, or holds the peer back; a body that is waited for has a deadline, one that we hold back has none."""
        if self.closing.begun:
            return
        upload = self.upload
        if upload is not None and upload.flowing:
            hold = False
            self.deadline.set(upload.patience(self.site.reactor.seconds()), BODY)
        else:
            busy = self.request is not None or self.output.backlog.full
            hold = busy and len(self._intake.data) >= self.limits.ahead_bytes
            hold = hold or (upload is not None and upload.held)
            if self.deadline.what == BODY:
                self.deadline.clear()
        if hold is self._reading and not self.ended:
            self._reading = not hold
            if hold:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()

    def request_done(self, request: "WireRequest") -> None:
        """The answer to the current request is complete: goes on, or parts."""
        self.site.in_flight -= 1
        self.request = None
        self._answered()

    def _answered(self) -> None:
        """All of an answer is handed over."""
        upload = self.upload
        if upload is not None:
            upload.drain()
            self.deadline.set(self.limits.drain_seconds, DRAIN)
        if not self.output.keeping or self.site.draining:
            if upload is None and not self._intake.data:
                self.closing.close()
            else:
                self.closing.linger()
            return
        if upload is None:
            self._rest()
        elif not upload.wanted:
            self.closing.linger()
        self.advance()

    def _rest(self) -> None:
        self.deadline.set(self.limits.idle_seconds + self.output.lag(), IDLE)

    def _step(self) -> bool:
        if self.upload is not None:
            return self.upload.wanted and self._feed(self.upload)
        return self.request is None and not self.output.backlog.full and self._begin_next()

    def _begin_next(self) -> bool:
        """Begins the request whose head has come; returns whether what has come was used."""
        try:
            raw = self._intake.cut_head(self.limits.head_bytes)
            if raw is None:
                if self.deadline.what != HEAD:
                    self.deadline.set(self.limits.head_seconds, HEAD)
                return False
            self._begin(raw)
        except BadHead as bad:
            self.closing.refuse(bad)
        return True

    def _begin(self, raw: bytes) -> None:
        opening = read_head(raw, self.limits, self.peer, self.secure)
        self.deadline.clear()
        self.output.open(opening)
        upload = Upload(self, opening.length, opening.expects)
        if opening.length != 0:
            self.upload = upload
        self.site.in_flight += 1
        self.request = request = self.site.requestFactory(self.output, opening.head, upload)
        request.begin()

    def _feed(self, upload: Upload) -> bool:
        data = self._intake.take()
        framing = upload.framing
        assert framing is not None, "it has bytes to come"
        try:
            body, rest = framing.feed(data)
        except FramingError as error:
            self.output.keeping = False
            upload.cut(UploadCut(str(error)))
            if self.request is None:
                self.closing.linger()
            return False
        if rest is not None:
            self._ended(rest)
        upload.take(body, len(data), rest is not None)
        if self.request is None and self.upload is not None and not upload.wanted:
            self.closing.linger()
        return True

    def _ended(self, rest: bytes) -> None:
        """A body is in; ``rest`` comes behind it."""
        self.upload = None
        self._intake.data = rest
        if self.request is None:
            self._rest()
        else:
            self.deadline.clear()

    def _expired(self, what: str) -> None:
        if what in (CLOSE, ANSWER):
            self.closing.abort()
        elif what == BODY and self.upload is not None:
            self.output.keeping = False
            self.upload.cut(UploadStalled("the client stalled"))
            self.regulate()
        elif what == HEAD and self._intake.data:
            self._too_late()
        elif what == LINGER:
            self.closing.close()
        else:
            self.closing.close(self.limits.close_seconds)

    def _too_late(self) -> None:
        """The end of a head has not come in time."""
        message = "Your socket connection to the server was not read from or written to within the timeout period."
        self.closing.refuse(BadHead(400, "RequestTimeout", message))


def host_text(address: IAddress) -> str:
    """A peer's address without its port; empty where a socket has none."""
    return address.host.removeprefix("::ffff:") if isinstance(address, IPv4Address | IPv6Address) else ""


def peer_text(address: IAddress) -> str:
    """``address:port`` of a peer, an IPv6 address in brackets; empty where a socket has no such thing.

    An IPv4 peer of a socket that takes both families is written as what it is.
    """
    if not isinstance(address, IPv4Address | IPv6Address):
        return ""
    host = host_text(address)
    return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
