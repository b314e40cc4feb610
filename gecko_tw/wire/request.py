"""twisted.web's Request on our channel: rendered when its head is in, and answered in one write."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import toChunk
from zope.interface import implementer

from gecko_tw.pools import IPool
from gecko_tw.wire.answer_head import head_bytes, lines_of, may_have_body, refusal
from gecko_tw.wire.buffered import read_whole
from gecko_tw.wire.download import Download, read_now
from gecko_tw.wire.head import Head
from gecko_tw.wire.interfaces import Headers, IWireRequest, Source
from gecko_tw.wire.late import LateRequest
from gecko_tw.wire.output import Output
from gecko_tw.wire.upload import Upload

if TYPE_CHECKING:
    from gecko_tw.wire.site import Site


@implementer(IWireRequest)
class WireRequest(LateRequest):
    """A request.

    :param channel: the connection's Output.
    :param upload: the body; one without a byte when the request has none.
    """

    channel: Output  # type: ignore[assignment]  # Twisted has its own one there
    site: "Site"
    clientproto = b"HTTP/1.1"
    _log = Logger()

    def __init__(self, channel: Output, head: Head, upload: Upload) -> None:
        # Not calling super(): it would make now what hardly any request needs, see LateRequest.
        self.channel = channel
        self.transport = channel.transport
        self.site = channel.site
        self.head = head
        self.upload = upload
        self.method = head.method.encode("ascii")
        self.path = head.path
        self.uri = head.target
        self.notifications = []
        if not channel.modern:
            self.clientproto = b"HTTP/1.0"
        if head.target[:1] != b"/":
            self.uri = head.path + b"?" + head.query if head.query else head.path

    # ---- how it is rendered

    def begin(self) -> None:
        """The head is in: renders the resource, or has the body buffered for it first."""
        try:
            buffering = self._render_or_buffer()
        except BaseException:  # as maybeDeferred, which costs a tenth of answering a small request
            self.processingFailed(Failure())
        else:
            if buffering is not None:
                buffering.addErrback(self.processingFailed)

    def _render_or_buffer(self) -> Deferred[None] | None:
        if self.path != b"*":
            resource = self.site.getResourceFor(self)
            if getattr(resource, "renders_at_head", False):
                self.render(resource)
                return None
        return read_whole(self)

    def processingFailed(self, reason: Failure) -> None:
        """What nobody has foreseen: an internal error, or, when an answer has begun, no connection any more."""
        self._log.failure("{method} {uri} failed", reason, method=self.method, uri=self.path)
        if self.finished or self._disconnected:
            return
        if self.startedWriting:
            self.abort()
        else:
            self.refuse(500, "InternalError", "We encountered an internal error. Please try again.")

    # ---- how it is answered

    @property
    def behind(self) -> bool:
        """See IWireRequest."""
        return not (self._disconnected or self.finished) and self.channel.backlog.full

    @property
    def leaving(self) -> bool:
        """See IWireRequest."""
        return self.site.draining

    def lines(self, headers: Headers) -> bytes:
        """See IWireRequest."""
        return lines_of(headers)

    def answer(
        self, status: int, headers: Headers, body: bytes = b"", lines: bytes = b"", about: object | None = None
    ) -> None:
        """See IWireRequest. Nothing happens when the client has left."""
        if self._disconnected:
            return
        head = self._open_answer(status, headers, None if lines or status in (204, 304) else len(body), lines)
        if body and may_have_body(self.method, status):
            self.sentLength = len(body)
            head += body
        self.channel.send(head)
        self.close_answer()

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answers with S3's error document; for what the wire itself refuses."""
        headers, document = refusal(code, message)
        self.answer(status, headers, document)

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
        if self._disconnected:
            reading.close()
            return fail(ConnectionLost("the client left before it was answered"))
        if length == 0 or not may_have_body(self.method, status):
            reading.close()
            measured = None if lines or status in (204, 304) else length
            self.channel.write(self._open_answer(status, headers, measured, lines))
            self.close_answer()
            return succeed(0)
        data = None
        if length <= self.site.limits.small_answer_bytes:
            data = read_now(reading, offset, length, self.site.scratch)
        head = self._open_answer(status, headers, None if lines else length, lines)
        if data is None or len(data) < length:
            return Download(self, reading, pool).start(head, offset, length)
        reading.close()
        self.sentLength = length
        self.channel.send(head + data)
        self.close_answer()
        return succeed(length)

    def answer_slowly(
        self, status: int, headers: Headers
    ) -> tuple[Callable[[bytes], None], Callable[[object | None], None]]:
        """See IWireRequest. A client of HTTP/1.0 gets the same bytes unchunked, until the connection closes."""
        if self._disconnected:
            return _nothing, _nothing
        chunked = self.channel.modern and may_have_body(self.method, status)
        if chunked:
            headers = [*headers, (b"Transfer-Encoding", b"chunked")]
        else:
            self.channel.keeping = False
        self.channel.write(self._open_answer(status, headers, None))

        def write(data: bytes) -> None:
            if data and not self._disconnected and may_have_body(self.method, status):
                self.sentLength += len(data)
                self.channel.writeSequence(toChunk(data) if chunked else [data])

        def finish(about: object | None) -> None:
            if not self._disconnected:
                if chunked:
                    self.channel.write(b"0\r\n\r\n")
                self.close_answer()

        return write, finish

    def abort(self) -> None:
        """Drops the connection, so that what was sent of an answer cannot be taken for all of it."""
        if not self.finished and self.channel is not None:
            self.channel.abort()

    def close_answer(self) -> None:
        """All of the answer has been handed over."""
        self.finished = 1
        self._cleanup()

    def _open_answer(self, status: int, headers: Headers, length: int | None, lines: bytes = b"") -> bytes:
        if self.startedWriting:
            raise RuntimeError("a request is answered once")
        self.startedWriting = 1
        self.code = status
        return head_bytes(status, headers, self.channel.date_line.get(), length, self.channel.connection_line(), lines)


def _nothing(*_data: Any) -> None:
    """Stands for write and finish when the client has left."""
