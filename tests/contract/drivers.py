"""The drivers that the contract is held against. A driver joins with the three lines of one function here."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import frozen

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.drivers.pool.driver import PoolDriver
from tests.clusters.ceph import place_in, shared_ceph
from tests.clusters.databases import postgresql
from tests.clusters.targets import target_of_folder


@frozen
class Candidate:
    """A driver to be tested.

    :ivar make: makes it over a folder; again over the same folder, as after a restart.
    :ivar lasting: whether what it was told survives a restart.
    :ivar rebuilds: whether its files tell everything that its catalog knows.
    :ivar exact: whether steps that are under way at once never exceed a quota together.
    :ivar only: modules of the contract that are enough for it, because all else is another candidate's; empty for all.
    """

    make: Callable[[Path], Any]
    lasting: bool = True
    rebuilds: bool = False
    exact: bool = True
    only: tuple[str, ...] = ()

    def opened(self, folder: Path) -> Any:
        """The driver, to be used in a ``with`` statement."""
        return closing(self.make(folder))


CANDIDATES: dict[str, Candidate] = {}

_OF_BYTES = ("test_blobs", "test_encrypted", "test_uploads", "test_renaming")
"""Enough for what keeps bytes alone."""


def candidate(
    name: str, *, lasting: bool = True, rebuilds: bool = False, exact: bool = True, only: tuple[str, ...] = ()
) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    """Adds a factory ``folder -> driver``; the driver has ``catalog``, ``blobs`` and ``close()``."""

    def add(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
        CANDIDATES[name] = Candidate(make, lasting, rebuilds, exact, only)
        return make

    return add


@candidate("memory", lasting=False)
def memory(folder: Path) -> MemoryDriver:
    return MemoryDriver()


def files(folder: Path, **options: Any) -> FilesDriver:
    driver = FilesDriver(str(folder), **options)
    driver.open()
    return driver


def pool(folder: Path, **options: Any) -> PoolDriver:
    driver = PoolDriver(str(folder), **options)
    driver.open()
    return driver


@candidate("pool")
def pool_of_files_and_rows(folder: Path) -> PoolDriver:
    return pool(folder)


@candidate("pool-fsync")
def pool_made_durable(folder: Path) -> PoolDriver:
    return pool(folder, fsync=True)


@candidate("files", rebuilds=True)
def files_with_extended_attributes(folder: Path) -> FilesDriver:
    return files(folder)


@candidate("files-sidecar", rebuilds=True)
def files_with_sidecars(folder: Path) -> FilesDriver:
    return files(folder, attributes="sidecar")


@candidate("files-bytes-only")
def files_without_attributes(folder: Path) -> FilesDriver:
    return files(folder, metadata=False)


@candidate("files-fsync", rebuilds=True)
def files_made_durable(folder: Path) -> FilesDriver:
    return files(folder, fsync=True)


@candidate("postgresql", exact=False)
def records_and_bytes_in_postgresql(folder: Path) -> Any:
    return postgresql(folder, "postgresql:")


@candidate(
    "postgresql-files",
    exact=False,
    only=("test_blobs", "test_encrypted", "test_uploads", "test_renaming", "test_model"),
)
def records_in_postgresql_and_bytes_in_files(folder: Path) -> Any:
    (folder / "shared").mkdir(exist_ok=True)
    return postgresql(folder, f"files:{folder / 'shared'}")


@candidate(
    "postgresql-s3",
    exact=False,
    only=_OF_BYTES if os.environ.get("WITH_CLUSTERS") else ("test_blobs", "test_uploads"),
)
def records_in_postgresql_and_bytes_in_another_s3(folder: Path) -> Any:
    return postgresql(folder, "s3:far", s3_target=[target_of_folder(folder)])


if os.environ.get("WITH_CLUSTERS"):

    @candidate("postgresql-rados", exact=False, only=_OF_BYTES)
    def records_in_postgresql_and_bytes_in_ceph(folder: Path) -> Any:
        return postgresql(folder, place_in(shared_ceph(), f"{folder.parent.name}-{folder.name}"))
