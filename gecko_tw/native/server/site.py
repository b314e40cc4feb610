"""The factory of the binary protocol's connections."""

from collections.abc import Callable

from attrs import evolve
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.resource import Resource

from gecko_tw.native.frames import DRAINED
from gecko_tw.native.server.channel import NativeChannel
from gecko_tw.native.server.request import Descriptions
from gecko_tw.resources.service import Service
from gecko_tw.wire.limits import Limits
from gecko_tw.wire.site import Site

MOST_CONNECTIONS = 1000
"""Connections of one process; further ones are closed without an answer."""


def native_limits(limits: Limits) -> Limits:
    """The limits of the binary protocol, where it has its own."""
    return evolve(limits, idle_seconds=60, drain_bytes=DRAINED, drain_seconds=30)


class NativeSite(Site):
    """A Site that speaks the binary protocol; what its frames ask for is answered by the same service.

    :param service: what answers.
    :ivar descriptions: metadata of objects that were told before.
    """

    def __init__(
        self,
        service: Service,
        reactor: IReactorTime,
        limits: Limits | None = None,
        neighbourhood: Callable[[str], str] = str,
    ) -> None:
        super().__init__(Resource(), reactor, native_limits(limits or Limits()), neighbourhood)
        self.service = service
        self.descriptions = Descriptions()

    @property
    def full(self) -> bool:
        """Whether there are more connections than there may be, the newest one counted."""
        return len(self.channels) > MOST_CONNECTIONS

    def buildProtocol(self, addr: IAddress | None) -> NativeChannel:  # type: ignore[override]  # as Site's
        return NativeChannel(self)

    def acceptableProtocols(self) -> list[bytes]:
        """None of those that TLS can negotiate."""
        return []
