"""The drivers of this package, by the layout that each makes of a data directory."""

from collections.abc import Mapping
from importlib import import_module

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IDriver, IDriverFamily
from gecko_tw.store.drivers.layouts import CATALOGS, FILES, POOL


@implementer(IDriverFamily)
@frozen
class BuiltIn:
    """One of them.

    :ivar module: imported when a data directory of that layout is used.
    :ivar factory: what of it is called with the directory's path and, by name, with what the driver takes.
    """

    name: str
    catalog: str
    takes: tuple[str, ...]
    module: str
    factory: str

    def load(self, data_dir: str, settings: Mapping[str, object]) -> IDriver:
        driver: IDriver = getattr(import_module(self.module), self.factory)(data_dir, **settings)
        return driver


DRIVERS = (
    BuiltIn(
        FILES,
        CATALOGS[FILES],
        ("metadata", "fsync", "attributes", "repair"),
        "gecko_tw.store.drivers.files.driver",
        "FilesDriver",
    ),
    BuiltIn(POOL, CATALOGS[POOL], ("fsync",), "gecko_tw.store.drivers.pool.driver", "PoolDriver"),
)

SHARED = BuiltIn(
    "postgresql",
    "",
    ("catalog", "blobs", "s3_target"),
    "gecko_tw.store.drivers.postgresql.driver",
    "PostgresqlDriver",
)
"""That of deployments whose records are in a database: chosen by ``--catalog``, and no layout of a data directory."""
