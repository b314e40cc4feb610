"""When an access key was last used: noted in memory at each request, and kept a few times an hour.

Source of the words: IAM API Reference, GetAccessKeyLastUsed, which is as coarse.
"""

from collections.abc import Mapping

from attrs import define, field, frozen

from gecko_tw.callers.accounts.registered import KEY
from gecko_tw.store.drivers.interfaces import IDocuments

KIND = "key-use"
"""Of its documents, which are named as keys are."""

EVERY = 60.0
"""Seconds between two looks at what was used."""

GRAIN = 900.0
"""Seconds for which a use that is kept stands for later ones."""

MOST = 100_000
"""Keys, those of sessions among them, that are noted between two looks; further ones are not."""


@frozen
class LastUse:
    """One use.

    :ivar at: seconds since 1970.
    :ivar service: of AWS, as credential scopes name it.
    """

    at: int
    service: str


@define(eq=False)
class Uses:
    """What one process has seen used since it last looked."""

    _noted: dict[str, str] = field(factory=dict)
    _kept: dict[str, float] = field(factory=dict)

    def note(self, access_key: str, service: str) -> None:
        """A key has proven to be somebody's: on the way of every request."""
        if len(self._noted) < MOST:
            self._noted[access_key] = service

    def keep(self, documents: IDocuments, now: float) -> int:
        """Keeps what was noted and is not kept already; returns of how many keys. Blocks.

        :param now: seconds since 1970.
        """
        noted, self._noted = self._noted, {}
        self._kept = {key: at for key, at in self._kept.items() if now - at < GRAIN}
        new = {key: service for key, service in noted.items() if key not in self._kept}
        found = {key: service for key, service in new.items() if documents.get(KEY, key) is not None}
        for key, service in found.items():
            known = last_use(documents, key)
            if known is None or not 0 <= now - known.at < GRAIN:
                documents.change(KIND, key, lambda _, told={"at": int(now), "service": service}: told)  # type: ignore[misc]
        # Of sessions, too, so that nobody asks for them again.
        self._kept |= dict.fromkeys(new, now)
        if found:
            _forget_removed(documents)
        return len(found)


def _forget_removed(documents: IDocuments) -> None:
    """What is kept of keys that are gone goes with them."""
    for key, _ in documents.all(KIND):
        if documents.get(KEY, key) is None:
            documents.change(KIND, key, lambda _: None)


def last_use(documents: IDocuments, access_key: str) -> LastUse | None:
    """When a key was last used, as far as that is kept; None when it never was. Blocks."""
    return _read(documents.get(KIND, access_key))


def last_uses(documents: IDocuments) -> Mapping[str, LastUse]:
    """The same of all keys. Blocks."""
    return {key: use for key, value in documents.all(KIND) if (use := _read(value)) is not None}


def _read(value: Mapping[str, int | str] | None) -> LastUse | None:
    return None if value is None else LastUse(int(value["at"]), str(value["service"]))
