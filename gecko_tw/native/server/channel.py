"""The binary protocol on one connection: a handshake, then frames, one at a time."""

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.callers.signatures.authenticate import Proven
from gecko_tw.native import frames
from gecko_tw.native.server.asking import Asked, asked
from gecko_tw.native.server.request import NOTHING, NativeRequest, Told
from gecko_tw.native.server.telling import error, refused
from gecko_tw.resources.gates.logins import FAILURES
from gecko_tw.store.refusals import InvalidArgument, Refusal, SlowDown
from gecko_tw.wire.channel import HEAD, Channel
from gecko_tw.wire.head import Head, head_of
from gecko_tw.wire.heads import Opening
from gecko_tw.wire.upload import Upload

if TYPE_CHECKING:
    from gecko_tw.native.server.site import NativeSite

FRAME_SECONDS = 30.0
"""From the first byte of a frame to the end of its metadata."""

LEAST_SECONDS, LEAST_RATE = 30.0, 1024 * 1024
"""A body may take so many seconds, or as long as it takes at so many bytes a second."""

_OPENING = Opening(head_of("HANDSHAKE", b"/"), 0, True, False, True)
"""Each frame begins as a request that keeps its connection."""

_log = Logger()


class NativeChannel(Channel):
    """One connection. How it reads, waits, is held back and ends is as over HTTP: see Channel.

    :ivar proven: who the handshake proved to be; None before.
    """

    site: "NativeSite"

    def __init__(self, site: "NativeSite") -> None:
        super().__init__(site)
        self.proven: Proven | None = None
        self._waiting: IDelayedCall | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        if self.site.full:
            _log.warn("{peer}: there are {count} connections already", peer=self.peer, count=len(self.site.channels))
            self.closing.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        super().connectionLost(reason)

    # ---- the handshake

    def _begin_next(self) -> bool:
        if self._waiting is not None:
            self._intake.take()  # it will be turned away: nothing that it says counts
            return False
        return self._greet() if self.proven is None else self._next_frame()

    def _greet(self) -> bool:
        data = self._intake.data
        magic = frames.MAGIC.to_bytes(4, "big") + bytes((frames.VERSION,))
        if not data.startswith(magic[: len(data)]):
            self._turn_away(frames.OTHER_VERSION)
            return False
        if len(data) < frames.GREETING.size:
            return False
        length = frames.GREETING.unpack_from(data)[3]
        end = frames.GREETING.size + length
        if not length:
            self._turn_away(frames.OTHER_VERSION)
            return False
        if len(data) < end:
            return False
        pair = self._intake.cut(end)[frames.GREETING.size :]
        access_key, colon, secret = pair.decode("utf-8", "replace").partition(":")
        try:
            if not colon:
                raise InvalidArgument("no key pair")
            self._prove(access_key, secret)
        except Refusal as refusal:
            self._disprove(refusal)
            return False
        self.output.send(frames.answer(frames.WELCOME))
        self._rest()
        return True

    def _prove(self, access_key: str, secret: str) -> None:
        service, head = self.site.service, self._bare_head("HANDSHAKE")
        if service.limits is not None:
            service.limits.admit_address(head)
        self.proven = service.authenticator.authenticate_connection(access_key, secret)
        if service.logins is not None and self.proven.caller.identity is not None:
            service.logins.succeeded(head)

    def _disprove(self, refusal: Refusal) -> None:
        """Whoever fails again and again waits longer and longer, as over HTTP."""
        if isinstance(refusal, SlowDown):
            self.closing.close()  # as when there are too many connections: no status says that
            return
        service, delay = self.site.service, 0.0
        if service.logins is not None and isinstance(refusal, FAILURES):
            head = self._bare_head("HANDSHAKE")
            delay = service.logins.failed(service.new_request_id(), self.address, head, refusal)
        self._waiting = self.site.reactor.callLater(delay, self._refuse_pair)

    def _refuse_pair(self) -> None:
        self._waiting = None
        self._intake.take()
        self._turn_away(frames.NOT_PROVEN)

    def _turn_away(self, status: int) -> None:
        self.transport.write(frames.answer(status))
        self.closing.linger()

    # ---- frames

    def _next_frame(self) -> bool:
        data = self._intake.data
        if len(data) < frames.HEADER.size:
            self._await_frame()
            return False
        operation, stream, meta_length, length = frames.HEADER.unpack_from(data)
        end = frames.HEADER.size + meta_length
        if meta_length > frames.MAX_META or length > frames.MAX_DATA:
            _log.info("{peer}: a frame that is too large", peer=self.peer)
            self.closing.close()
            return False
        if len(data) < end:
            self._await_frame()
            return False
        meta = self._intake.cut(end)[frames.HEADER.size :]
        self.deadline.clear()
        self._ask(operation, stream, meta, length)
        return True

    def _await_frame(self) -> None:
        if self.deadline.what != HEAD:
            self.deadline.set(FRAME_SECONDS, HEAD)

    def _ask(self, operation: int, stream: int, meta: bytes, length: int) -> None:
        what = asked(operation, meta)
        body: Upload | Told = NOTHING
        if length or (what is not None and what.carries):
            body = upload = Upload(self, length)
            if length:
                upload.within(max(LEAST_SECONDS, length / LEAST_RATE + 1))
                self.upload = upload
        if what is None:
            self._answer_here(operation, stream)
            return
        if not what.carries:
            body = Told(what.document) if what.document else NOTHING
        self.output.open(_OPENING)
        head = self._head(what, length)
        request = NativeRequest(self.output, head, body, operation=operation, stream=stream, asked=what)
        self.site.in_flight += 1
        self.request = request
        request.begin()

    def _head(self, what: Asked, length: int) -> Head:
        headers = what.headers
        if what.carries:
            headers[b"content-length"] = b"%d" % length
        return Head(what.method, what.target, what.path, what.query, headers, self.peer, self.secure, None, self.proven)

    def _answer_here(self, operation: int, stream: int) -> None:
        """A ping, or what nobody knows: no operation of S3's."""
        status, meta = error(frames.BAD_REQUEST, "UnknownOp", "unknown operation")
        if operation == frames.PING:
            status, meta = self._ping()
        if self.upload is not None:
            self.upload.drain()
        self.output.connection_line()
        self.output.send(frames.frame(status, meta, stream))
        self._answered()

    def _ping(self) -> tuple[int, bytes]:
        """Whether the key pair is still what it was."""
        try:
            self.site.service.authenticator.authenticate(self._bare_head("PING"))
        except Refusal as refusal:
            self.output.keeping = False
            return refused(refusal)
        return frames.OK, b""

    def _bare_head(self, method: str) -> Head:
        """That of what is no request."""
        return Head(method, b"/", b"/", b"", {}, self.peer, self.secure, None, self.proven)

    # ---- how it ends

    def _cut_short(self) -> None:
        if self.proven is None and self._waiting is None:
            self._turn_away(frames.OTHER_VERSION)
        else:
            self.closing.close()

    def _too_late(self) -> None:
        self._cut_short()
