"""A server of one's own for tests: ``with Server() as server: …``, with any runner.

Fixtures for pytest are in :mod:`gecko_tw.testing.pytest_plugin`, a server within the test's own reactor is in
:mod:`gecko_tw.testing.in_process`. pytest imports this room in every project that has the distribution: it takes nothing but the
standard library until it is used.
"""

from gecko_tw.testing.endpoint import CannotStart, Endpoint
from gecko_tw.testing.server import Server

__all__ = ["CannotStart", "Endpoint", "Server"]
