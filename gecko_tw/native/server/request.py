"""One frame of a client as a request that the operations answer, and their answer as a frame."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IConsumer
from zope.interface import implementer

from gecko_tw.native.frames import GET_OBJECT, OK, frame
from gecko_tw.native.server.asking import Asked
from gecko_tw.native.server.telling import object_info, told
from gecko_tw.pools import IPool
from gecko_tw.resources.gates.logins import FAILURES
from gecko_tw.resources.pipeline import serve
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.records import Version
from gecko_tw.wire.head import Head
from gecko_tw.wire.interfaces import Headers, IUpload, IWireRequest, Source
from gecko_tw.wire.output import Output
from gecko_tw.wire.request import WireRequest
from gecko_tw.wire.upload import Upload

if TYPE_CHECKING:
    from gecko_tw.native.server.site import NativeSite

_MOST_DESCRIBED = 2048


class Descriptions:
    """The metadata of objects that were asked for last: rendering it takes longest in answering a small one.

    An entry is right for as long as the store gives the same Version again, which it does for what nobody has changed.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Version, bytes]] = {}

    def of(self, path: bytes, version: Version) -> bytes:
        """The metadata of the version at a path."""
        known = self._known.get(path)
        if known is not None and known[0] is version:
            return known[1]
        described = object_info(version)
        if len(self._known) >= _MOST_DESCRIBED:
            self._known = {}
        self._known[path] = version, described
        return described


@implementer(IUpload)
class Told:
    """A body that the metadata of a frame tells: all of it is there."""

    __slots__ = ("_document", "length")
    framing = None

    def __init__(self, document: bytes) -> None:
        self._document = document
        self.length = len(document)

    def deliver(self, consumer: IConsumer) -> Deferred[None]:
        """See IUpload."""
        if self._document:
            consumer.write(self._document)
        return succeed(None)

    def whole(self) -> bytes | None:
        """See IUpload."""
        return self._document

    def within(self, seconds: float | None) -> None:
        """It takes no time."""

    def drain(self) -> None:
        """Nothing is left."""


NOTHING = Told(b"")


@implementer(IWireRequest)
class NativeRequest(WireRequest):
    """A request.

    :param stream: what the reply repeats.
    """

    site: "NativeSite"

    def __init__(
        self, channel: Output, head: Head, upload: "Upload | Told", *, operation: int, stream: int, asked: Asked
    ) -> None:
        super().__init__(channel, head, upload)  # type: ignore[arg-type]  # a Told is an IUpload, too
        self._operation = operation
        self._stream = stream
        self._asked = asked
        self._opening = b""

    def _render_or_buffer(self) -> None:
        serve(self.site.service, self, self._asked.address)

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answers an error that nobody has foreseen."""
        self.answer(status, [])

    def answer(
        self, status: int, headers: Headers, body: bytes = b"", lines: bytes = b"", about: object | None = None
    ) -> None:
        """See IWireRequest. What it is about is told; nobody reads headers or documents here."""
        if self._disconnected:
            return
        told_status, meta = told(self.site.service, self._operation, status, about)
        self._opening = frame(told_status, meta, self._stream)
        opening = self._open_answer(status, headers, None)
        if isinstance(about, FAILURES):
            self.channel.keeping = False  # it proves nothing any more
        self.channel.send(opening)
        self.close_answer()

    def answer_spans(
        self,
        status: int,
        headers: Headers,
        reading: Source,
        offset: int,
        length: int,
        pool: IPool,
        *,
        lines: bytes = b"",
    ) -> Deferred[int]:
        """See IWireRequest."""
        if self._operation != GET_OBJECT or status != 200:
            reading.close()
            self.answer(500, [])
            return fail(ConnectionLost("only an object is answered with bytes"))
        meta = self.site.descriptions.of(self.path, cast(IReading, reading).version)
        self._opening = frame(OK, meta, self._stream, length)
        return super().answer_spans(status, headers, reading, offset, length, pool, lines=lines)

    def answer_slowly(
        self, status: int, headers: Headers
    ) -> tuple[Callable[[bytes], None], Callable[[object | None], None]]:
        """See IWireRequest. Nothing keeps a client alive here but its own patience: all is told at the end."""

        def finish(about: object | None) -> None:
            self.answer(status, headers, about=about)

        return _nothing, finish

    def _open_answer(self, status: int, headers: Headers, length: int | None, lines: bytes = b"") -> bytes:
        if self.startedWriting:
            raise RuntimeError("a request is answered once")
        self.startedWriting = 1
        self.code = status
        self.channel.connection_line()  # decides whether the connection goes on
        return self._opening


def _nothing(_data: bytes) -> None:
    """White space has no place in a frame."""
