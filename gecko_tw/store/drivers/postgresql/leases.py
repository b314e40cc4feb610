"""The lease of what one node at a time does for all: who has it says so every few seconds, and who is silent for too long loses it."""

import secrets
import time
from collections.abc import Callable
from threading import Lock

from gecko_tw.store.drivers.postgresql.connections import Connections

LASTS = 10.0
"""Seconds that a lease lasts from when it was asked for."""

RENEWED = 3.0
"""Seconds after which it is renewed."""

# The database's clock alone counts: those of nodes may differ.
_TAKE = (
    "INSERT INTO lease (name, holder, until) VALUES (%(name)s, %(holder)s, now() + make_interval(secs => %(lasts)s))"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
    " WHERE lease.holder = excluded.holder OR lease.until < now() RETURNING 1"
)
_LEAVE = "DELETE FROM lease WHERE name = %s AND holder = %s"


class Lease:
    """A lease by its name, for one process.

    A process that was stopped for a while does not believe that it still has it: its own clock went on.

    :param clock: seconds, of any beginning.
    """

    def __init__(self, connections: Connections, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._connections, self._name, self._clock = connections, name, clock
        self._holder = secrets.token_hex(16)
        self._lock = Lock()
        self._until = self._asked = float("-inf")

    def holds(self) -> bool:
        """Whether this process has it; it is taken, or renewed, where that is due. Blocks. Raises ServiceUnavailable."""
        with self._lock:
            now = self._clock()
            if now - self._asked >= RENEWED:
                values = {"name": self._name, "holder": self._holder, "lasts": LASTS}
                self._until = now + LASTS if self._connections.run(_TAKE, values) else float("-inf")
                self._asked = now
            return self._clock() < self._until

    def leave(self) -> None:
        """Gives it up. Raises ServiceUnavailable."""
        with self._lock:
            if self._clock() < self._until:
                self._connections.run(_LEAVE, (self._name, self._holder))
            self._until = self._asked = float("-inf")
