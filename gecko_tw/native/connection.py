"""A client's connection: a handshake, then one request at a time, with a deadline for whatever is waited for."""

from typing import Any
from typing import Protocol as Shape

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from gecko_tw.native import frames
from gecko_tw.native.errors import (
    BrokenFrame,
    ClientClosed,
    Cut,
    HalfFrame,
    NativeError,
    NotNative,
    NotProven,
    OtherVersion,
    OversizedMeta,
    TimedOut,
    WrongLength,
)
from gecko_tw.wire.buffer import Buffer
from gecko_tw.wire.deadline import Deadline

HANDSHAKE = "the handshake"
REPLY = "the reply"


class Sink(Shape):
    """Where the data of a reply goes: as much of IConsumer as is used."""

    # Any: as in IConsumer.
    def registerProducer(self, producer: Any, streaming: bool) -> object: ...

    def unregisterProducer(self) -> object: ...

    def write(self, data: bytes) -> object: ...


@frozen
class Frame:
    """A request.

    :ivar body: all of the data, or what produces as much of it as it says.
    """

    operation: int
    meta: bytes = b""
    body: "bytes | IBodyProducer" = b""

    @property
    def length(self) -> int:
        """Bytes of data. Raises WrongLength when the body does not know."""
        length = len(self.body) if isinstance(self.body, bytes) else self.body.length
        if not isinstance(length, int):
            raise WrongLength("the protocol needs to know the length of a body beforehand")
        return length


@frozen
class Reply:
    """The status of a reply, its metadata, and how many bytes of data came with it."""

    status: int
    meta: bytes
    length: int


@define(eq=False)
class _Asking:
    """A request under way.

    :ivar sink: takes the data.
    :ivar reply: what has come of the reply; ``left`` how many bytes of its data have not.
    """

    sink: Sink | None
    result: "Deferred[Reply]"
    reply: Reply | None = None
    left: int = 0


@implementer(IConsumer)
class _Sending:
    """Counts a body into the transport."""

    def __init__(self, connection: "Connection", length: int) -> None:
        self._connection, self.left = connection, length
        self.exceeded = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._connection.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self._connection.transport.unregisterProducer()

    def write(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            self._connection.fail(WrongLength("the body is longer than it said"))
        else:
            self._connection.alive()
            self._connection.transport.write(data)


@implementer(IPushProducer)
class Connection(Protocol):
    """One connection.

    :param pair: access key id and secret.
    :param patience: seconds that nothing may move while something is waited for.
    :ivar ready: fires with this when the handshake is done.
    :ivar gone: fires when the connection is.
    :ivar used: whether an answer has come on it.
    """

    transport: Any  # ITCPTransport, or that over TLS

    def __init__(self, clock: IReactorTime, pair: tuple[str, str], patience: float) -> None:
        self._pair, self._patience = pair, patience
        self._deadline = Deadline(clock, self._expired)
        self._intake = Buffer()
        self._asking: _Asking | None = None
        self._why: NativeError | OSError | None = None
        self._producer: IBodyProducer | None = None
        self.ready: Deferred[Connection] | None = Deferred(lambda _: self.drop())
        self.gone: Deferred[None] = Deferred()
        self.connected_now = self.used = False

    def connectionMade(self) -> None:
        self.connected_now = True
        if hasattr(self.transport, "setTcpNoDelay"):
            self.transport.setTcpNoDelay(True)
        self._deadline.set(self._patience, HANDSHAKE)
        self.transport.write(frames.greeting(*self._pair))

    def ask(self, frame: Frame, sink: Sink | None = None) -> "Deferred[Reply]":
        """Sends a request; the Deferred fires after the last byte of the reply. Cancelling it drops the connection."""
        length = frame.length
        asking = self._asking = _Asking(sink, Deferred(lambda _: self.drop()))
        opening = frames.frame(frame.operation, frame.meta, 0, length)
        self.alive()
        if isinstance(frame.body, bytes):
            self.transport.write(opening + frame.body)
        else:
            self.transport.write(opening)
            self._produce(frame.body, length)
        return asking.result

    def drop(self) -> None:
        """Ends it now."""
        self._deadline.stop()
        if self.connected_now:
            self.transport.abortConnection()

    def alive(self) -> None:
        """Something has moved."""
        self._deadline.set(self._patience, REPLY)

    def fail(self, why: NativeError | OSError) -> None:
        """Ends it, and whatever is waited for on it."""
        self._why = self._why or why
        self.drop()

    # ---- what is sent

    def _produce(self, body: IBodyProducer, length: int) -> None:
        sending = _Sending(self, length)
        self._producer = body

        def done(result: object) -> None:
            if self._producer is not body:
                return
            self._producer = None
            if isinstance(result, Failure):
                self._why = self._why or WrongLength(f"the body failed: {result.getErrorMessage()}")
                self.drop()
            elif sending.left:
                self.fail(WrongLength(f"{sending.left} bytes of the body are missing"))

        body.startProducing(sending).addBoth(done)

    def _stop_producing(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.stopProducing()

    # ---- what comes

    def dataReceived(self, data: bytes) -> None:
        if self._why is not None:
            return
        self._intake.add(data)
        try:
            if self.ready is not None:
                self._welcomed()
            elif self._asking is None:
                raise BrokenFrame("the server says what nobody asked")
            else:
                self.alive()
                self._receive(self._asking)
        except (NativeError, OSError) as wrong:  # a file cannot take what comes
            self.fail(wrong)

    def _welcomed(self) -> None:
        data = self._intake.data
        magic = frames.MAGIC.to_bytes(4, "big")
        if not data.startswith(magic[: len(data)]):
            raise NotNative("what answers is no server of the binary protocol")
        if len(data) < frames.ANSWER.size:
            return
        status = frames.ANSWER.unpack_from(self._intake.cut(frames.ANSWER.size))[2]
        if status == frames.NOT_PROVEN:
            raise NotProven(f"the key pair of {self._pair[0]!r} is not good, or not any more")
        if status != frames.WELCOME:
            raise OtherVersion(f"the server refuses the handshake with status {status}")
        self._deadline.clear()
        ready, self.ready = self.ready, None
        assert ready is not None, "still waited for"
        ready.callback(self)

    def _receive(self, asking: _Asking) -> None:
        if asking.reply is None and not self._open(asking):
            return
        data = self._intake.take()
        if len(data) > asking.left:
            raise BrokenFrame("the server says more than it announced")
        asking.left -= len(data)
        if asking.sink is not None and data:
            asking.sink.write(data)
        if not asking.left and self._asking is asking:
            self._finish(asking)

    def _open(self, asking: _Asking) -> bool:
        """Reads what is before the data; returns whether all of that has come."""
        data = self._intake.data
        if len(data) < frames.HEADER.size:
            return False
        status, _stream, meta_length, length = frames.HEADER.unpack_from(data)
        end = frames.HEADER.size + meta_length
        if meta_length > frames.MAX_META:
            raise OversizedMeta(f"the metadata of the reply has {meta_length} bytes")
        if length > frames.MAX_DATA:
            raise BrokenFrame("the reply is longer than the protocol allows")
        if len(data) < end:
            return False
        asking.reply, asking.left = Reply(status, self._intake.cut(end)[frames.HEADER.size :], length), length
        if status != frames.OK:
            asking.sink = None
        if asking.sink is not None and length:
            asking.sink.registerProducer(self, True)
        return True

    def _finish(self, asking: _Asking) -> None:
        assert asking.reply is not None, "it has been read"
        self._asking = None
        self.used = True
        self._deadline.clear()
        if self._producer is not None:
            # An answer before the end of the body: the rest is not wanted, and cannot be told from the next request.
            self._stop_producing()
            self.drop()
        _let_go(asking)
        asking.result.callback(asking.reply)

    def pauseProducing(self) -> None:
        self._deadline.clear()
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        if self._asking is not None:
            self.alive()
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        self.fail(Cut("what takes the object does not want it any more"))

    # ---- how it ends

    def _expired(self, what: str) -> None:
        self.fail(TimedOut(f"nothing moved for {self._patience} seconds while waiting for {what}"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.connected_now = False
        self._deadline.stop()
        self._stop_producing()
        ready, self.ready = self.ready, None
        asking, self._asking = self._asking, None
        if ready is not None and not ready.called:
            ready.errback(self._why or _unanswered(reason))
        if asking is not None:
            begun = asking.reply is not None or bool(self._intake.data)
            lost = HalfFrame("the connection was lost in the middle of an answer") if begun else Cut(_LOST)
            _let_go(asking)
            if not asking.result.called:
                asking.result.errback(self._why or lost)
        self.gone.callback(None)


def _unanswered(reason: Failure) -> NativeError:
    """Why a handshake has no answer."""
    if reason.check(ConnectionDone, ConnectionLost):
        return Cut("the server closed the connection without an answer: it may want TLS, or have too many connections")
    return NotNative(f"the connection broke in the handshake: {reason.getErrorMessage()}")


_LOST = "the connection was lost before an answer came"


def _let_go(asking: _Asking) -> None:
    if asking.sink is not None and asking.reply is not None:
        asking.sink.unregisterProducer()


def closed() -> ClientClosed:
    """What is said to whoever asks a client that was closed."""
    return ClientClosed("the client is closed")
