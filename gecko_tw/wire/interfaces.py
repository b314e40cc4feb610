"""What the wire offers to ``resources/``."""

from typing import Protocol

from zope.interface import Attribute, Interface


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


class IUpload(Interface):
    """The body of a request, on its way in. An ``IPushProducer`` for whoever it is delivered to."""

    length = Attribute("Content-Length in bytes; 0 when the request has no body; None when it is chunked")
    framing = Attribute(
        "counts in ``received`` the bytes of the body that have come, chunked coding apart; None when it has none"
    )

    def deliver(consumer):  # type: ignore[no-untyped-def]
        """Sends ``100 Continue`` when the client waits for it, then the body to an ``IConsumer``, with back-pressure.

        Returns a Deferred that fires with None after the last byte, and fails with :class:`UploadCut` when the client left, stalled,
        or broke the framing. May be called once. An IRoomyConsumer may be written to or have its space filled, as it comes.
        """

    def whole():  # type: ignore[no-untyped-def]
        """The body when all of it has come already, or None: then it is to be delivered, as is an empty one, one of unknown length, and
        one that the client waits to send."""

    def within(seconds: float | None):  # type: ignore[no-untyped-def]
        """How long the whole body may take, from the first wait for it on: ``deliver`` fails with :class:`UploadStalled` after that,
        or soon when that time is over. None for as long as the wire bears."""

    def drain():  # type: ignore[no-untyped-def]
        """The body is not wanted: reads and drops a small rest so that the connection can go on, else closes it after the answer."""


class IRoomyConsumer(Interface):
    """An ``IConsumer`` that has memory for the body delivered to it, so that nothing needs to be copied on the way."""

    def space():  # type: ignore[no-untyped-def]
        """A memoryview that the next bytes may be put into, or None: then they are written."""

    def filled(size: int):  # type: ignore[no-untyped-def]
        """So many of the next bytes are in the beginning of the space asked for last."""


class UploadCut(Exception):  # noqa: N818 - a signal, not an error
    """The body ended before its end: the client left, stalled, or broke the framing."""


class UploadStalled(UploadCut):
    """The client has stopped sending its body, or takes too long over it."""


class IWireRequest(Interface):
    """What ``wire/request.py`` offers beside ``twisted.web.iweb.IRequest``."""

    head = Attribute("the gecko_tw.wire.head.Head")
    upload = Attribute("the IUpload")

    def answer(status: int, headers, body: bytes = b"", lines: bytes = b""):  # type: ignore[no-untyped-def]
        """Sends a whole answer in one write and finishes the request.

        ``headers`` is a list of (name, value) byte pairs. Content-Length is added (unless it is given, as for HEAD), Date and
        Server too. For HEAD, 204 and 304 the body is not sent.

        :param lines: further headers, Content-Length among them, as :meth:`lines` has rendered them.
        """

    def lines(headers):  # type: ignore[no-untyped-def]
        """Headers rendered as bytes, for answers that are given again and again."""

    def answer_spans(status: int, headers, reading, offset: int, length: int, pool, *, lines: bytes = b""):  # type: ignore[no-untyped-def]
        """The same with ``length`` bytes of a Source from ``offset``; blocking reads run in ``pool`` (IPool). Closes ``reading``.

        Returns a Deferred that fires with the number of bytes sent once all is handed over, and fails when the client leaves.
        """

    def answer_slowly(status: int, headers):  # type: ignore[no-untyped-def]
        """Sends the head of a chunked answer now and returns a ``write(data)`` and a ``finish()`` (long Complete: white space first)."""

    def abort():  # type: ignore[no-untyped-def]
        """Drops the connection, so that what was sent of an answer cannot be taken for all of it."""
