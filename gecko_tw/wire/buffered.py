"""Bodies for ordinary resources, which twisted.web renders when the whole body is in ``request.content``."""

from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.wire.interfaces import UploadCut

if TYPE_CHECKING:
    from gecko_tw.wire.request import WireRequest


@implementer(IConsumer)
class BodyFile:
    """Writes a body to a file, up to a limit.

    :ivar overflown: more came than the limit allows, and the rest was not taken.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._left = limit
        self.overflown = False

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        self._producer = producer

    def unregisterProducer(self) -> None:
        del self._producer

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.overflown = True
            self._producer.stopProducing()
        else:
            self._file.write(data)


def read_whole(request: "WireRequest") -> Deferred[None] | None:
    """Reads the body of ``request``, then lets twisted.web go on as if it had just come; or refuses it."""
    limits = request.site.limits
    length = request.upload.length
    if length == 0 or request.path == b"*":  # the server as a whole has no use for a body
        request.content = BytesIO()
        request.requestReceived(request.method, request.uri, request.clientproto)
        return None
    if length is not None and length > limits.buffered_body_bytes:
        _refuse_size(request)
        return None
    request.content = SpooledTemporaryFile(limits.memory_body_bytes)  # noqa: SIM115 - closed with the request
    file = BodyFile(request.content, limits.buffered_body_bytes)

    def whole(_: None) -> None:
        request.requestReceived(request.method, request.uri, request.clientproto)

    def cut(failure: Failure) -> None:
        failure.trap(UploadCut)
        if file.overflown:
            _refuse_size(request)
        else:
            request.refuse(400, "IncompleteBody", "The request body is not what its header fields announced.")

    return request.upload.deliver(file).addCallbacks(whole, cut)


def _refuse_size(request: "WireRequest") -> None:
    request.refuse(413, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
