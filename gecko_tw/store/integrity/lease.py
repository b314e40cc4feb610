"""One at a time, on whichever machine: a lease in a document, which whoever is killed loses by itself."""

import os
import secrets
import socket

from attrs import field, frozen

from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.integrity.pace import Ended
from gecko_tw.store.records import Json

LASTS = 60 * 10**9
"""Nanoseconds that a lease holds without being renewed."""


class Busy(Exception):  # noqa: N818 - a signal, not an error
    """Somebody else has the lease. Its text says who."""


@frozen
class Lease:
    """A lease, not yet taken.

    :ivar kind: of the document; ``name`` is its name.
    :ivar attended: whether a person waits: such a lease is taken from whoever works for nobody, who then ends.
    """

    documents: IDocuments
    kind: str
    name: str
    attended: bool = False
    _holder: str = field(factory=lambda: secrets.token_hex(8))

    def take(self, now: int) -> None:
        """Raises Busy."""
        mine = {"holder": self._holder, "host": socket.gethostname(), "pid": os.getpid(), "attended": self.attended}

        def rule(value: Json) -> Json:
            if (
                value is not None
                and value["until"] > now
                and not _is_dead(value)
                and (value["attended"] or not self.attended)
            ):
                raise Busy(f"process {value['pid']} on {value['host']}")
            return {**mine, "until": now + LASTS}

        self.documents.change(self.kind, self.name, rule)

    def renew(self, now: int) -> None:
        """Raises Ended: somebody else has taken it."""

        def rule(value: Json) -> Json:
            if value is None or value["holder"] != self._holder:
                raise Ended
            return {**value, "until": now + LASTS}

        self.documents.change(self.kind, self.name, rule)

    def give_back(self) -> None:
        """Harmless when somebody else has it."""
        self.documents.change(
            self.kind, self.name, lambda value: None if value and value["holder"] == self._holder else value
        )


def _is_dead(value: Json) -> bool:
    """Whether the holder was a process of this machine that is there no more."""
    if value["host"] != socket.gethostname():
        return False
    try:
        os.kill(value["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # somebody else's
    return False
