"""Bodies that must be read before it is known whether the request may be made: few, small and soon in, so that they shut nobody out.

A form carries its own signature, the signature of a request to STS covers its body, and some documents tell what is asked for at all.
"""

from typing import Protocol

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from gecko_tw.callers.signatures.proxies import neighbourhood
from gecko_tw.wire.interfaces import IUpload

LONGEST = 256 * 1024
"""Bytes of such a document."""

BODY_TIMEOUT = 10.0
"""Seconds for all of it, or for the fields of a form."""


class Busy(Protocol):
    """What counts the requests under way: the Service."""

    in_flight: int
    clock: IReactorTime


@define(eq=False)
class Waiting:
    """One body that is being read. It is no request under way meanwhile, as it needs nothing but its connection."""

    _upload: IUpload
    _busy: Busy
    _among: "Unauthenticated"

    def end(self) -> None:
        """The body is in, or more is known: from now on it is a request like others. May be called again."""
        if self._among.forget(self):
            self._busy.in_flight += 1
            self._upload.within(None)

    def give_up(self) -> None:
        """Others are to have the place."""
        self.end()
        self._upload.within(0)


@define(eq=False)
class Unauthenticated:
    """All such bodies of a process.

    When there are too many, of one address or together, the one that has waited longest gives up: whoever sends what there is to send
    has ended long before.

    :ivar most: of them at a time; ``most_of_address`` of one address, or IPv6 network.
    """

    most: int = 128
    most_of_address: int = 16
    _waiting: dict[Waiting, str] = field(factory=dict)
    _addresses: dict[str, dict[Waiting, None]] = field(factory=dict)

    def begin(self, address: str, upload: IUpload, busy: Busy) -> Waiting:
        """A body is about to be read.

        :param address: who sends it.
        :param busy: counts the request as one under way.
        """
        address, waiting = neighbourhood(address), Waiting(upload, busy, self)
        self._waiting[waiting] = address
        same = self._addresses.setdefault(address, {})
        same[waiting] = None
        busy.in_flight -= 1
        upload.within(BODY_TIMEOUT)
        if len(same) > self.most_of_address or len(self._waiting) > self.most:
            # Most bodies have come already: they are not there any more in a moment, and cost nobody a place.
            busy.clock.callLater(0, self._trim, address)
        return waiting

    def forget(self, waiting: Waiting) -> bool:
        """Whether it was there until now."""
        address = self._waiting.pop(waiting, None)
        if address is None:
            return False
        same = self._addresses[address]
        del same[waiting]
        if not same:
            del self._addresses[address]
        return True

    def _trim(self, address: str) -> None:
        same = self._addresses.get(address, {})
        if len(same) > self.most_of_address:
            next(iter(same)).give_up()
        elif len(self._waiting) > self.most:
            next(iter(self._waiting)).give_up()
