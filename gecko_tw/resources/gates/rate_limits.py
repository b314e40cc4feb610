"""How many requests an address and a key may make: asked before and after it is known who asks."""

from collections.abc import Callable
from math import ceil
from typing import Any

from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget, Spender, budget_of
from gecko_tw.callers.signatures.proxies import neighbourhood
from gecko_tw.resources.call import Call
from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.refusals import SlowDown

KIND, OVERRIDE = "limits", "override"
"""The document that replaces budgets while the daemon runs: ``{"address": [rate, burst], "key": [rate, burst]}``, each may be missing."""

OFTEN = 1.0
"""Seconds between two looks for it."""


class RateLimits:
    """The budgets in force, and who has spent how much of them.

    :param tally: the table that all processes share.
    :param processes: how many do.
    :param clock: seconds since 1970.
    :param address: the budget of each client address by the settings, or None.
    :param key: that of each access key.
    :param documents: where an override may be, or None.
    """

    def __init__(
        self,
        tally: Tally,
        processes: int,
        clock: Callable[[], float],
        address: Budget | None = None,
        key: Budget | None = None,
        documents: IDocuments | None = None,
    ) -> None:
        self._clock = clock
        self._settings = (address, key)
        self._documents = documents
        self._addresses = Spender(tally, "address ", processes)
        self._keys = Spender(tally, "key ", processes)
        self._address, self._key = address, key
        self._revision: Any = None
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time to look for an override."""
        return self._documents is not None and not self._next - OFTEN <= self._clock() < self._next

    def look(self) -> None:
        """Puts an override in force that was set meanwhile, or the settings when it was cleared. May block."""
        assert self._documents is not None
        self._next = self._clock() + OFTEN
        revision = self._documents.revision()
        if revision != self._revision:
            self._revision = revision
            override = self._documents.get(KIND, OVERRIDE) or {}
            address, key = self._settings
            found = (_budget(override, "address", address), _budget(override, "key", key))
            if found != (self._address, self._key):
                self._address, self._key = found
                self._addresses.forget()
                self._keys.forget()

    def admit_address(self, call: Call) -> None:
        """Counts a request of an address, before anything else is known of it. Raises SlowDown."""
        budget = self._address
        if budget is not None and call.address:
            _admit(self._addresses, neighbourhood(call.address), budget, call)

    def admit_key(self, call: Call) -> None:
        """Counts a request of the caller's access key, once it has proven to be that. Raises SlowDown.

        Sessions spend what the key has that they stand for: there can be any number of them.
        """
        budget = self._key
        if budget is not None:
            identity = call.caller.identity
            _admit(self._keys, identity.parent or identity.access_key, budget, call)


def _budget(override: dict[str, list[float]], name: str, otherwise: Budget | None) -> Budget | None:
    return budget_of(*override[name]) if name in override else otherwise


def _admit(spender: Spender, name: str, budget: Budget, call: Call) -> None:
    wait = spender.wait(name, budget, call.service.clock.seconds())
    if wait:
        raise SlowDown(RetryAfterSeconds=ceil(wait))


def admit_caller(call: Call) -> None:
    """A caller has proven who it is: its key spends a request, and its address starts anew. Raises SlowDown."""
    service = call.service
    if service.logins is not None:
        service.logins.succeeded(call)
    if service.limits is not None:
        service.limits.admit_key(call)
