"""A body that was read already and says something else now: in place of the one that came."""

from base64 import b64encode
from hashlib import md5
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from zope.interface import implementer

from gecko_tw.wire.interfaces import IUpload, IWireRequest


@implementer(IUpload)
class Told:
    """A body that is there whole.

    :ivar headers: what says how long it is, and vouches for it.
    """

    framing = None

    def __init__(self, document: bytes) -> None:
        self._document = document
        self.length = len(document)
        digest = b64encode(md5(document, usedforsecurity=False).digest())
        self.headers = {b"content-length": b"%d" % self.length, b"content-md5": digest} if document else {}

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


def retold(request: IWireRequest, upload: Told) -> IWireRequest:
    """The same request with another body."""
    return cast(IWireRequest, _Retold(request, upload))


class _Retold:
    """All but the body is the other request's."""

    def __init__(self, request: IWireRequest, upload: Told) -> None:
        self._request, self.upload = request, upload

    # Any: whatever the request has of that name.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)
