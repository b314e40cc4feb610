"""Putting a snapshot in the place of a pool's catalog that is lost."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress

from gecko_tw.store.drivers.files.disk import Disk, InUse
from gecko_tw.store.drivers.sqlite.connections import quoted
from gecko_tw.store.drivers.sqlite.kept_snapshots import KeptSnapshots, Snapshot

ASIDE = "former-"
"""What the name of a catalog begins with that a snapshot has taken the place of."""


def roll_back(disk: Disk, path: str, kept: KeptSnapshots, until: int | None) -> Snapshot:
    """Puts the newest sound snapshot, of those up to a moment (nanoseconds), in a catalog's place; that one is set aside.

    :raises InUse: somebody uses the directory.
    :raises ValueError: there is no such snapshot.
    """
    with disk.opening() as alone:
        if not alone:
            raise InUse(f"{disk.data_dir} is in use by another process: stop it first")
        snapshot = kept.newest_sound(until)
        if snapshot is None:
            raise ValueError(
                f"{disk.data_dir}: there is no sound snapshot{'' if until is None else ' of that time or before'}"
            )
        fresh = f"{path}.rolled"
        shutil.copyfile(snapshot.path, fresh)
        with closing(sqlite3.connect(f"file:{quoted(fresh)}?mode=rw", uri=True)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        _flush(fresh)
        _set_aside(disk, path)
        os.rename(fresh, path)
    return snapshot


def _set_aside(disk: Disk, path: str) -> None:
    """The catalog with its log: what was stored last may be in that alone."""
    for suffix in ("-wal", "-shm", ""):
        name = os.path.basename(path) + suffix
        with suppress(FileNotFoundError):
            os.replace(path + suffix, disk.inner_path(ASIDE + name))


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
