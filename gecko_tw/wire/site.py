"""The factory of the site's connections: twisted.web's Site on our channel, which can also be emptied before a stop."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web import server
from twisted.web.resource import IResource, getChildForRequest

from gecko_tw.wire.answer_head import DateLine
from gecko_tw.wire.channel import Channel
from gecko_tw.wire.download import STEP_BYTES
from gecko_tw.wire.limits import Limits
from gecko_tw.wire.request import WireRequest

_IDLE_CLOSE_SECONDS = 2


class Site(server.Site):
    """A web site on HTTP/1.1.

    A resource with the attribute ``renders_at_head = True`` is rendered when the head of a request is in; every other one, as
    twisted.web does it, when its body is. A root with a method ``named(head)`` is asked which resource a head names before the path
    is split; None leaves it to ``getChild``.

    :param resource: the root of the resources.
    :param reactor: its seconds are those of the wall clock.
    :param neighbourhood: of an address: which others count as the same.
    :param hsts: seconds that browsers are to use TLS alone for this host, told over TLS only (RFC 6797, 7.2); 0 to say nothing.
    :ivar scratch: where the reactor thread reads small amounts into.
    :ivar in_flight: requests begun and not yet answered.
    :ivar draining: no connection is kept alive any more.
    """

    noisy = False
    requestFactory: type[WireRequest]

    def __init__(
        self,
        resource: IResource,
        reactor: IReactorTime,
        limits: Limits | None = None,
        neighbourhood: Callable[[str], str] = str,
        hsts: float = 0,
        **more: Any,  # what Twisted's own Site takes
    ) -> None:
        super().__init__(resource, WireRequest, reactor=reactor, **more)
        self._named = getattr(resource, "named", None)
        self.limits = limits if limits is not None else Limits()
        self.date_line = DateLine(reactor)
        told = b"Strict-Transport-Security: max-age=%d\r\n" % hsts if hsts else b""
        self.secure_date_line = DateLine(reactor, told)
        self.scratch = bytearray(max(STEP_BYTES, self.limits.small_answer_bytes))
        self.channels: set[Channel] = set()
        self._neighbourhood = neighbourhood
        self._connections: Counter[str] = Counter()
        self.in_flight = 0
        self.draining = False
        self._emptied: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Channel:  # type: ignore[override]  # Twisted has its own one
        return Channel(self)

    def startFactory(self) -> None:
        """twisted.web's access log is kept only when a path was given; each S3 operation logs itself."""
        if self.logPath is not None:
            super().startFactory()

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]

    def getResourceFor(self, request: WireRequest) -> IResource:
        request.site = self
        request.sitepath = []
        # Splitting the path is no work for a root that takes all of it, or that can tell by the head what is addressed.
        root: IResource = self.resource
        if root.isLeaf:
            return root
        found: IResource | None = None if self._named is None else self._named(request.head)
        if found is None:
            found = getChildForRequest(root, request)
        return found

    def drain(self) -> Deferred[None]:
        """Lets no connection outlive its current request, and closes the idle ones.

        Returns a Deferred that fires when no request is in flight and every answer has left.
        """
        self.draining = True
        for channel in list(self.channels):
            if channel.request is None:
                channel.closing.close(_IDLE_CLOSE_SECONDS)
        if not self.channels:
            return succeed(None)
        emptied: Deferred[None] = Deferred()
        self._emptied.append(emptied)
        return emptied

    def admits(self, address: str) -> bool:
        """Whether an address, without its port, may have one more connection; a socket without addresses may have any number."""
        most = self.limits.connections_per_address
        return not most or not address or self._connections[self._neighbourhood(address)] < most

    def remember(self, channel: Channel) -> None:
        """A connection is there."""
        self.channels.add(channel)
        if self.limits.connections_per_address:
            self._connections[self._neighbourhood(channel.address)] += 1

    def forget(self, channel: Channel) -> None:
        """A connection is gone."""
        if channel in self.channels and self.limits.connections_per_address:
            address = self._neighbourhood(channel.address)
            self._connections[address] -= 1
            if not self._connections[address]:
                del self._connections[address]
        self.channels.discard(channel)
        if not self.channels:
            emptied, self._emptied = self._emptied, []
            for each in emptied:
                each.callback(None)
