"""Comparing the catalog's rows with the files, and settling where they differ."""

import os
import stat
from collections.abc import Callable

from gecko_tw.store.drivers.files.beneath import ABSENT, stat_beneath
from gecko_tw.store.drivers.files.disk import Disk, pool_file
from gecko_tw.store.drivers.files.inspecting import Inspector
from gecko_tw.store.drivers.files.paths import file_of, has_path
from gecko_tw.store.drivers.interfaces import Stale
from gecko_tw.store.drivers.sqlite.buckets import ForgetAbsentBucket
from gecko_tw.store.drivers.sqlite.commits import Commits
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.rows import Row
from gecko_tw.store.drivers.sqlite.takeover import Observation, TakeOver

_HASHED_LOOKS = 2
"""So often a file that changes while it is hashed is hashed again."""


class FilesWatch:
    """One look at the disk tells whether a row is true.

    :ivar reconcile: called with bucket and key where it is not; ``reconcile_bucket`` with a bucket whose directory is not there.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.reconcile: Callable[[str, bytes], None] = _only_looking
        self.reconcile_bucket: Callable[[str], None] = _only_looking

    def agrees(self, bucket: str, key: bytes, row: Row | None) -> bool:
        if (row is None or not row.visible) and not has_path(key, self._disk.folding):
            return True
        path = file_of(bucket, key)
        try:
            found = os.stat(path, dir_fd=self._disk.root, follow_symlinks=False)
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            return row is None or not row.visible
        if not stat.S_ISREG(found.st_mode):
            return row is None or not row.visible
        if row is not None and row.file_mtime == found.st_mtime_ns and row.file_size == found.st_size:
            return True
        # perhaps it was seen through a symbolic link on the way, which is not ours to follow
        return (row is None or not row.visible) and stat_beneath(self._disk.root, path) is None

    def stale(self, bucket: str, key: bytes) -> Stale:
        return Stale(lambda: self.reconcile(bucket, key))

    def fingerprint(self, bucket: str, key: bytes) -> tuple[int | None, int | None]:
        found = stat_beneath(self._disk.root, file_of(bucket, key)) if has_path(key) else None
        return (None, None) if found is None else (found.st_size, found.st_mtime_ns)

    def is_pooled(self, blob: str) -> bool:
        return os.path.lexists(self._disk.inner_path(pool_file(blob)))


def _only_looking(*_place: object) -> None:
    raise RuntimeError("whoever only looks brings nothing in line")


class Reconciler:
    """Brings rows in line with the files."""

    def __init__(self, disk: Disk, commits: Commits, layout: Layout, inspector: Inspector) -> None:
        self._disk = disk
        self._commits = commits
        self._layout = layout
        self.watch, self.inspector = layout.watch, inspector

    def reconcile(self, bucket: str, key: bytes) -> None:
        """Looks at a key's file, hashing it where it must, and writes down what it is. Blocks."""
        self.reconcile_bucket(bucket)
        for attempt in range(_HASHED_LOOKS + 1):
            if not self.take_over([self.inspector.inspect(bucket, key, attempt < _HASHED_LOOKS)]):
                return

    def reconcile_bucket(self, bucket: str) -> None:
        """Forgets a bucket whose directory was removed by hand, or makes the directory again when the pool holds its objects."""
        if not self._layout.directories.exists(bucket):
            self._commits.run(ForgetAbsentBucket(self._layout, bucket))

    def take_over(self, findings: list[Observation]) -> list[Observation]:
        """Writes down what was found; returns the findings that are not true any more."""
        return self._commits.run(TakeOver(self._layout, tuple(findings)))
