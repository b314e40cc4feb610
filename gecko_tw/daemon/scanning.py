"""Looking through the data directory for what others put there: at start, and whenever a job says so."""

import threading
from typing import Any

from twisted.internet.defer import DeferredList
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.pools import IPool

TIMEOUT = 2.0
"""Seconds that the scan at start may take before requests are answered all the same."""


class Scan:
    """The scans of one data directory. Calling it scans, blocks, and returns how many files were adopted.

    :param pool: where the scan at start runs.
    """

    log = Logger()

    def __init__(self, reactor: Any, data: DataDir, pool: IPool) -> None:
        self._reactor, self._data, self._pool = reactor, data, pool
        self._leave = threading.Event()

    def __call__(self) -> int:
        return self._data.adopt(self._progress, self._leave.is_set) if self._data.has_files else 0

    async def first(self) -> None:
        """All files before a new catalog's first request; else for as long as a start can wait, and on in the background."""
        scanning = self._pool.run(self).addCallbacks(self._done, self._failed)
        if self._data.fresh:
            await scanning
            return
        patience = deferLater(self._reactor, TIMEOUT)
        await DeferredList([scanning, patience], fireOnOneCallback=True, consumeErrors=True)
        if not patience.called:
            patience.cancel()

    def leave(self) -> None:
        """Ends scans under way soon."""
        self._leave.set()

    def _progress(self, count: int) -> None:
        """Called in a thread."""
        self._reactor.callFromThread(self.log.info, "{count} files are looked at", count=count)

    def _done(self, count: int) -> None:
        if count:
            self.log.info("{count} files put there by others are adopted", count=count)

    def _failed(self, failure: Failure) -> None:
        self.log.failure("the data directory could not be scanned", failure)
