"""A whole check of a data directory."""

import os
import sqlite3
from collections.abc import Iterator

from gecko_tw.store.drivers.checking.differences import Difference
from gecko_tw.store.drivers.checking.files import FilesCheck
from gecko_tw.store.drivers.checking.looking import LookingDisk, Reading
from gecko_tw.store.drivers.checking.records import RecordsCheck
from gecko_tw.store.drivers.layouts import CATALOGS, POOL

Wish = tuple[str, bool]
"""The bucket to look at, or empty for everything, and whether all bytes are read and compared with their checksums."""


def check(data_dir: str, layout: str, wish: Wish, described: bool = True) -> Iterator[Difference]:
    """What is wrong in a data directory. Nothing of it is changed, and a daemon may be at work in it. Raises OSError.

    :param described: as of FilesCheck.
    """
    disk = LookingDisk(data_dir)
    reading = None
    name = CATALOGS[layout]
    try:
        disk.look()
        reading = Reading(disk.inner_path(name))
        if layout == POOL:
            yield from RecordsCheck(disk, reading, *wish).run()
        else:
            yield from FilesCheck(disk, reading, *wish, described=described).run()
    except sqlite3.DatabaseError as problem:
        why = f"it cannot be read: {problem}" if os.path.exists(disk.inner_path(name)) else "it is missing"
        yield Difference("catalog", name, why)
    finally:
        if reading is not None:
            reading.close()
        disk.close()
