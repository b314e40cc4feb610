"""A data directory under the default driver, as the life of a process needs it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from gecko_tw.settings import Settings
from gecko_tw.store.drivers.files.adoption import Progress
from gecko_tw.store.drivers.files.disk import InUse
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.connections import CatalogTooNew

TOLD = 10_000
"""Files between two messages about a long scan."""


class CannotOpen(Exception):  # noqa: N818 - named for what it tells
    """The data directory cannot be used now. Its text says why, in one line."""


class DataDir:
    """One data directory; every method blocks.

    :ivar driver: its ``catalog`` and ``blobs`` are there once it is open.
    :ivar fresh: whether the catalog was made when it was opened.
    """

    def __init__(self, settings: Settings) -> None:
        self._catalog = Path(settings.data_dir, ".geckos3", "catalog.sqlite")
        self.fresh = False
        self.driver = FilesDriver(
            str(settings.data_dir), metadata=settings.metadata, fsync=settings.fsync, attributes=settings.attributes
        )

    def open(self) -> None:
        """Raises CannotOpen."""
        self.fresh = not self._catalog.exists()
        try:
            self.driver.open()
        except (OSError, InUse, CatalogTooNew, sqlite3.Error) as problem:
            raise CannotOpen(f"{self.driver.data_dir}: {problem}") from problem

    def adopt(self, report: Callable[[int], object] | None = None, stop: Callable[[], bool] | None = None) -> int:
        """Takes over what others put, changed or removed; returns how many files and unfinished uploads of GeckoS3 that were.

        :param report: called with how many files were looked at, after every 10,000 of them.
        :param stop: asked now and then whether to end early.
        """

        def told(progress: Progress) -> None:
            if report is not None and progress.looked and progress.looked % TOLD == 0:
                report(progress.looked)

        done = self.driver.adopt(told, stop)
        return done.changed + done.uploads

    def rebuild(self) -> None:
        """Makes the catalog anew from the files alone. Raises CannotOpen while anybody else uses the directory."""
        try:
            self.driver.rebuild()
        except InUse as problem:
            raise CannotOpen(str(problem)) from problem

    def close(self) -> None:
        """Harmless when repeated."""
        self.driver.close()
