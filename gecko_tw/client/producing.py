"""The IBodyProducers that send a body, and the framing of bodies with a checksum behind them."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.python.failure import Failure
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from gecko_tw.client.checksums import Checksum, encoded
from gecko_tw.client.sources import PIECE, Memory, Source
from gecko_tw.pools import IPool

Progress = Callable[[], None]
"""Called whenever bytes moved."""


@implementer(IBodyProducer)
class Pieces:
    """Sends a source piece by piece; files are read in a thread.

    :param source: its length is what is sent, even if a file grows meanwhile.
    :param pool: threads in which it is read.
    :param progress: called with each piece.
    """

    def __init__(self, source: Source, pool: IPool, progress: Progress) -> None:
        self.length: int | str = source.length  # UNKNOWN_LENGTH is a string
        self._source: Source = source
        self._pool, self._progress = pool, progress
        self._offset, self._paused, self._reading, self._stopped = 0, False, False, False
        self._done: Deferred[None] = Deferred(lambda _: self.stopProducing())
        self._consumer: IConsumer | None = None

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        self._consumer = consumer
        self._more()
        return self._done

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._more()

    def stopProducing(self) -> None:
        # A consumer knows its producer, and a kept connection its last request: bytes would stay here long after they were sent.
        self._stopped, self._consumer, self._source = True, None, Memory(b"")

    def _more(self) -> None:
        if self._paused or self._reading or self._stopped:
            return
        if self._offset >= self._source.length:
            self.stopProducing()
            self._done.callback(None)
            return
        self._reading = True
        size = min(PIECE, self._source.length - self._offset)
        self._pool.run(self._source.read_at, self._offset, size).addCallbacks(self._read, self._failed)

    def _read(self, piece: bytes) -> None:
        self._reading = False
        if self._consumer is None:
            return
        if not piece:
            self._failed(Failure(OSError("the file became shorter while it was sent")))
            return
        self._offset += len(piece)
        self._progress()
        self._consumer.write(piece)
        self._more()

    def _failed(self, why: Failure) -> None:
        if not self._stopped:
            self.stopProducing()
            self._done.errback(why)


@implementer(IBodyProducer)
class Whole:
    """Sends a few bytes at once."""

    def __init__(self, data: bytes) -> None:
        self.length: int | str = len(data)
        self._data = data

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Everything is sent already."""

    def resumeProducing(self) -> None:
        """Everything is sent already."""

    def stopProducing(self) -> None:
        """Everything is sent already."""


@implementer(IBodyProducer)
class _Passing:
    """Stands between a producer and who sends what it makes.

    :param inner: makes the body.
    """

    def __init__(self, inner: IBodyProducer) -> None:
        self.length: int | str = inner.length
        self._inner = inner

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        self._consumer = consumer
        done: Deferred[None] = self._inner.startProducing(self)
        return done.addCallback(self._end)

    def pauseProducing(self) -> None:
        self._inner.pauseProducing()

    def resumeProducing(self) -> None:
        self._inner.resumeProducing()

    def stopProducing(self) -> None:
        self._inner.stopProducing()

    def write(self, data: bytes) -> None:
        """A piece of the body."""
        self._consumer.write(data)

    def _end(self, _: object) -> None:
        """The body is complete."""


class Watched(_Passing):
    """Sends what somebody else's producer makes; not more and not less than it said.

    :param inner: an IBodyProducer of known length.
    :param progress: called with each piece.
    """

    def __init__(self, inner: IBodyProducer, progress: Progress) -> None:
        super().__init__(inner)
        self._progress, self._sent = progress, 0

    def write(self, data: bytes) -> None:
        self._sent += len(data)
        self._progress()
        super().write(data)

    def _end(self, _: object) -> None:
        if self._sent != self.length:
            raise ValueError(f"the producer made {self._sent} bytes, and had said {self.length}")


class Trailing(_Passing):
    """Sends what another producer makes in aws-chunked framing, and its checksum behind it: STREAMING-UNSIGNED-PAYLOAD-TRAILER.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html

    :param inner: makes the body.
    :param name: the header of the checksum, e.g. ``"x-amz-checksum-crc32"``.
    :param found: is told the body.
    """

    def __init__(self, inner: IBodyProducer, name: str, found: Checksum) -> None:
        super().__init__(inner)
        self.length = UNKNOWN_LENGTH
        self._name, self._checksum = name, found

    def write(self, data: bytes) -> None:
        if data:
            self._checksum.update(data)
            super().write(b"%x\r\n%b\r\n" % (len(data), data))

    def _end(self, _: object) -> None:
        super().write(f"0\r\n{self._name}:{encoded(self._checksum)}\r\n\r\n".encode("ascii"))
