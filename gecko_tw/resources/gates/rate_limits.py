"""How many requests an address and a key may make: asked before and after it is known who asks."""

from collections.abc import Callable
from math import ceil

from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.budgets.token_buckets import Budget, Spender, budget_of
from gecko_tw.callers.signatures.proxies import neighbourhood
from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.refusals import SlowDown
from gecko_tw.wire.head import Head

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
        self._revision: int | None = None
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

    def admit_address(self, head: Head) -> None:
        """Counts a request of its client's address, before anything else is known of it. Raises SlowDown."""
        budget = self._address
        if budget is not None and (address := head.address):
            self._admit(self._addresses, neighbourhood(address), budget)

    def admit_key(self, identity: Identity) -> None:
        """Counts a request of an access key, once the caller has proven to have it. Raises SlowDown.

        Sessions spend what the key has that they stand for: there can be any number of them.
        """
        budget = self._key
        if budget is not None:
            self._admit(self._keys, identity.parent or identity.access_key, budget)

    def _admit(self, spender: Spender, name: str, budget: Budget) -> None:
        wait = spender.wait(name, budget, self._clock())
        if wait:
            raise SlowDown(RetryAfterSeconds=ceil(wait))


def _budget(override: dict[str, list[float]], name: str, otherwise: Budget | None) -> Budget | None:
    return budget_of(*override[name]) if name in override else otherwise
