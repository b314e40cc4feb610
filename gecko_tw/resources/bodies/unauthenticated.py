"""Bodies that must be read before it is known whether the request may be made: few, small and soon in, so that they shut nobody out.

A form carries its own signature, the signature of a request to STS covers its body, and some documents tell what is asked for at all.
"""

from attrs import define, field

from gecko_tw.callers.signatures.proxies import neighbourhood
from gecko_tw.resources.call import Call

LONGEST = 256 * 1024
"""Bytes of such a document."""

PATIENCE = 10.0
"""Seconds for all of it, or for the fields of a form."""


@define(eq=False)
class Waiting:
    """One body that is being read. It is no request under way meanwhile, as it needs nothing but its connection."""

    call: Call
    _among: "Unauthenticated"

    def end(self) -> None:
        """The body is in, or more is known: from now on it is a request like others. May be called again."""
        if self._among.forget(self):
            self.call.service.in_flight += 1
            self.call.request.upload.within(None)

    def give_up(self) -> None:
        """Others are to have the place."""
        self.end()
        self.call.request.upload.within(0)


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

    def begin(self, call: Call) -> Waiting:
        """A body is about to be read."""
        address, waiting = neighbourhood(call.address), Waiting(call, self)
        self._waiting[waiting] = address
        same = self._addresses.setdefault(address, {})
        same[waiting] = None
        call.service.in_flight -= 1
        call.request.upload.within(PATIENCE)
        if len(same) > self.most_of_address or len(self._waiting) > self.most:
            # Most bodies have come already: they are not there any more in a moment, and cost nobody a place.
            call.service.clock.callLater(0, self._trim, address)
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
