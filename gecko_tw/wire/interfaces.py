"""What the wire offers to ``resources/``."""

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IConsumer, IPullProducer, IPushProducer
from zope.interface import Attribute, Interface

from gecko_tw.pools import IPool
from gecko_tw.wire.head import Head

Headers = Iterable[tuple[bytes, bytes]]
"""Names and values."""


class Source(Protocol):
    """What the bytes of an answer are read from. ``read`` may wait for a disk, and fail as it likes; the others may raise OSError."""

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset`` on; fewer than ``length`` for any reason, none only at the end."""

    def run(self, offset: int) -> tuple[int, int, int] | None:
        """``(file descriptor, offset in the file, bytes that follow in that file)``, or None when there is no file to send."""

    def ready(self, offset: int, length: int) -> bytes | None:
        """As ``read``, when the bytes are in memory already; else None."""

    def close(self) -> None:
        """Releases it. Harmless when repeated."""


class Transport(Protocol):
    """What a connection needs of its transport, which is more than ITransport promises: all that Twisted has offer it."""

    def write(self, data: bytes) -> None:
        """Sends bytes, now or later."""

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """The same with several."""

    def getPeer(self) -> IAddress:
        """The address of the other side."""

    def getHost(self) -> IAddress:
        """The address of this one."""

    def loseConnection(self) -> None:
        """Closes when all is sent."""

    def abortConnection(self) -> None:
        """Closes now."""

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """What is asked for bytes, or told to wait."""

    def unregisterProducer(self) -> None:
        """The producer has no more."""

    def pauseProducing(self) -> None:
        """Reads no more for now."""

    def resumeProducing(self) -> None:
        """Reads on."""


class Framing(Protocol):
    """How a body lies in the bytes of a connection."""

    @property
    def received(self) -> int:
        """Bytes of the body that have come, chunked coding apart."""


class IUpload(Interface):
    """The body of a request, on its way in. An ``IPushProducer`` for whoever it is delivered to."""

    length: int | None = Attribute("Content-Length in bytes; 0 when the request has no body; None when it is chunked")
    framing: Framing | None = Attribute("counts what has come of the body; None when it has no byte")

    def deliver(consumer: IConsumer) -> Deferred[None]:
        """Sends ``100 Continue`` when the client waits for it, then the body to the consumer, with back-pressure.

        Returns a Deferred that fires after the last byte, and fails with :class:`UploadCut` when the client left, stalled,
        or broke the framing. May be called once. An IRoomyConsumer may be written to or have its space filled, as it comes.
        """

    def whole() -> bytes | None:
        """The body when all of it has come already, or None: then it is to be delivered, as is an empty one, one of unknown length, and
        one that the client waits to send."""

    def within(seconds: float | None) -> None:
        """How long the whole body may take, from the first wait for it on: ``deliver`` fails with :class:`UploadStalled` after that,
        or soon when that time is over. None for as long as the wire bears."""

    def drain() -> None:
        """The body is not wanted: reads and drops a small rest so that the connection can go on, else closes it after the answer."""


class IRoomyConsumer(IConsumer):
    """A consumer that has memory for the body delivered to it, so that nothing needs to be copied on the way."""

    def space() -> memoryview | None:
        """A memoryview that the next bytes may be put into, or None: then they are written."""

    def filled(size: int) -> None:
        """So many of the next bytes are in the beginning of the space asked for last."""


class UploadCut(Exception):  # noqa: N818 - a signal, not an error
    """The body ended before its end: the client left, stalled, or broke the framing."""


class UploadStalled(UploadCut):
    """The client has stopped sending its body, or takes too long over it."""


class IWireRequest(Interface):
    """What ``wire/request.py`` offers beside ``twisted.web.iweb.IRequest``."""

    head: Head = Attribute("what it says before its body")
    upload: IUpload = Attribute("its body")
    behind: bool = Attribute(
        "whether the client does not take what it was sent: an answer without an end sends no more for now"
    )
    leaving: bool = Attribute("whether connections are being ended: an answer without an end has to")

    def answer(
        status: int, headers: Headers, body: bytes = b"", lines: bytes = b"", about: object | None = None
    ) -> None:
        """Sends a whole answer in one write and finishes the request.

        Content-Length is added (unless it is given, as for HEAD), Date and
        Server too. For HEAD, 204 and 304 the body is not sent.

        :param lines: further headers, Content-Length among them, as :meth:`lines` has rendered them.
        :param about: what the answer tells of, for a wire that writes it in its own way; HTTP has no use for it.
        """

    def lines(headers: Headers) -> bytes:
        """Headers rendered as bytes, for answers that are given again and again."""

    def answer_spans(
        status: int,
        headers: Headers,
        reading: Source,
        offset: int,
        length: int,
        pool: IPool,
        *,
        lines: bytes = b"",
    ) -> Deferred[int]:
        """The same with ``length`` bytes of a Source from ``offset``; blocking reads run in ``pool``. Closes ``reading``.

        Returns a Deferred that fires with the number of bytes sent once all is handed over, and fails when the client leaves.
        """

    def answer_slowly(status: int, headers: Headers) -> tuple[Callable[[bytes], None], Callable[[object | None], None]]:
        """Sends the head of a chunked answer now and returns a ``write(data)`` and a ``finish(about)`` (long Complete: white space first).

        ``about`` is as that of :meth:`answer`.
        """

    def abort() -> None:
        """Drops the connection, so that what was sent of an answer cannot be taken for all of it."""

    def notifyFinish() -> Deferred[None]:
        """As that of ``IRequest``: fires when the answer is complete, and fails when the client leaves before."""
