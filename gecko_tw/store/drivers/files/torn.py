"""Whether a file's bytes are those that it was described for, asked after a power failure of files that were changed just before it."""

import os
import stat
from functools import partial

from gecko_tw.store.drivers.files.attribute_stores import read_attribute, read_beside
from gecko_tw.store.drivers.files.attributes import Description, description_of
from gecko_tw.store.drivers.files.beneath import ABSENT, open_beneath, open_directory
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.paths import SIDECAR, file_of
from gecko_tw.store.drivers.files.sidecars import read_sidecar
from gecko_tw.store.records import Version
from gecko_tw.store.verifying import is_whole

SLACK = 1_000_000_000
"""Nanoseconds: a file system's clock and ours need not agree exactly."""


def read_of(descriptor: int, offset: int, length: int) -> bytes:
    """As verifying.Read, of an open file."""
    return os.pread(descriptor, length, offset)


class TornFiles:
    """Tells the files that a power failure has torn.

    :param since: what was changed (ctime) before this moment, in nanoseconds, is whole; 0 when nothing is known.
    :param described: whether all our files have descriptions, which they do not with ``--metadata=false``.
    """

    def __init__(self, disk: Disk, since: int, described: bool) -> None:
        self._disk = disk
        self._since = since - SLACK
        self._described = described

    def is_recent(self, found: os.stat_result) -> bool:
        """Whether a file was changed since the last flush."""
        return found.st_ctime_ns >= self._since

    def is_before(self, bucket: str, key: bytes, moment: int) -> bool:
        """Whether the file at a key's path was there, as it is, before a moment (nanoseconds): what was stored then came after it."""
        try:
            found = os.stat(file_of(bucket, key), dir_fd=self._disk.root, follow_symlinks=False)
        except OSError:
            return False
        return found.st_ctime_ns < moment

    def is_described(self, bucket: str, key: bytes) -> bool:
        """Whether the file at a key's path, or something beside it, says what it is."""
        parents, _, leaf = file_of(bucket, key).rpartition(b"/")
        try:
            descriptor = open_beneath(self._disk.root, file_of(bucket, key), os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return read_attribute(self._disk, descriptor)[0] is not None or self._sidecar(parents, leaf) is not None
        finally:
            os.close(descriptor)

    def version(self, bucket: str, key: bytes) -> tuple[bool, Version | None]:
        """Whether the file at a key's path is torn, and the version that its bytes were found to be, if any.

        A file that says nothing of itself is somebody else's and is never torn; with ``--metadata=false`` nobody can tell.
        """
        parents, _, leaf = file_of(bucket, key).rpartition(b"/")
        try:
            directory = open_directory(self._disk.root, parents)
        except OSError as error:
            if error.errno in ABSENT:
                return False, None
            raise
        try:
            descriptor = open_beneath(directory, leaf, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in ABSENT:
                return False, None
            raise
        finally:
            os.close(directory)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or not self.is_recent(found):
                return False, None
            return self._look(descriptor, (parents, leaf))
        finally:
            os.close(descriptor)

    def _look(self, descriptor: int, place: tuple[bytes, bytes]) -> tuple[bool, Version | None]:
        description, _ = read_attribute(self._disk, descriptor)
        if description is not None:
            return self._verified(description, descriptor)
        data = self._sidecar(*place)
        if data is None:
            return not self._described, None
        sidecar = read_sidecar(data)
        ours = sidecar.ours if sidecar is not None else None
        if not isinstance(ours, dict):
            # GeckoS3's own sidecars are not ours; what is none at all was not written to its end.
            return sidecar is None, None
        for name in ("description", "previous"):
            told = description_of(ours[name]) if isinstance(ours.get(name), str) else None
            torn, version = (True, None) if told is None else self._verified(told, descriptor)
            if not torn:
                return False, version
        return True, None

    def is_ours(self, parents: bytes, leaf: bytes) -> bool:
        """Whether the sidecar of a file was written by us, or not to its end; GeckoS3's own are not ours to remove."""
        data = self._sidecar(parents, leaf)
        sidecar = None if data is None else read_sidecar(data)
        return data is not None and (sidecar is None or isinstance(sidecar.ours, dict))

    def _sidecar(self, parents: bytes, leaf: bytes) -> bytes | None:
        directory = open_directory(self._disk.root, parents)
        try:
            if not os.access(leaf + SIDECAR, os.F_OK, dir_fd=directory):
                return None
            return read_beside(directory, leaf) or b""
        finally:
            os.close(directory)

    def _verified(self, description: Description, descriptor: int) -> tuple[bool, Version | None]:
        record = description.record
        if not isinstance(record, Version) or os.fstat(descriptor).st_size != record.size:
            return True, None
        whole = is_whole(record, partial(read_of, descriptor))
        return not whole, record if whole else None
