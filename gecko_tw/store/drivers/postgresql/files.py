"""Bytes of large blobs as files of a directory that all nodes share (NFS, CephFS): their rows are in the catalog."""

import os
import tempfile
from contextlib import suppress

from zope.interface import implementer

from gecko_tw.store.drivers.files.disk import full_or
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobReader
from gecko_tw.store.drivers.postgresql.blob_rows import BlobRows
from gecko_tw.store.drivers.postgresql.blobs import IBytes

MARK = "geckos3-blobs"
"""A file that says that the directory is one of blobs: where another file system was to be mounted, it is not there."""


class FileWriter:
    """The bytes of one blob on their way in. Their row is there before the file.

    :param fsync: whether they are on the disk before a step makes them a version's.
    """

    def __init__(self, files: "SharedFiles", blob: str) -> None:
        self._files, self._blob = files, blob
        files.rows.begin(blob)
        path = files.path(blob)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except OSError as problem:
            raise full_or(problem) from problem
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Appends. Raises InsufficientStorage."""
        rest = memoryview(data)
        try:
            while rest:
                written = os.write(self._descriptor, rest)
                self._size += written
                rest = rest[written:]
        except OSError as problem:
            raise full_or(problem) from problem

    def commit(self) -> None:
        """Makes the bytes, and the file's name, durable: the record of them will be."""
        try:
            os.fsync(self._descriptor)
            self._files.sync_directory(self._blob)
        except OSError as problem:
            raise full_or(problem) from problem
        self.close()
        self._files.rows.sized(self._blob, self._size)

    def close(self) -> None:
        """Harmless when repeated."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@implementer(IBlobReader)
class FileReader:
    """An opened file."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self.size = descriptor, size

    def fileno(self) -> int:
        return self._descriptor

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@implementer(IBytes)
class SharedFiles:
    """See IBytes.

    :param folder: the directory; it is there, and is not made: a mount that is missing must not be written beneath.
    """

    away = ""

    def __init__(self, rows: BlobRows, folder: str) -> None:
        self.rows, self._folder = rows, folder

    def check(self) -> None:
        """Raises OSError with the path at fault, ValueError with a line for the user."""
        mark = os.path.join(self._folder, MARK)
        if os.path.exists(mark):
            with tempfile.TemporaryFile(dir=self._folder):
                return
        if os.listdir(self._folder) or self.rows.any:
            raise ValueError(
                f"--blobs: {self._folder!r} has no file {MARK}, so it is not the directory that this deployment keeps its bytes in"
            )
        with open(mark, "x", encoding="utf-8") as file:
            file.write("Bytes of GeckoS3's objects. Nothing here may be changed by others.\n")

    def path(self, blob: str) -> str:
        """Where the file of a blob is. Names begin with the time, so that their ends are what spreads them."""
        return os.path.join(self._folder, blob[-2:], blob[-4:-2], blob)

    def sync_directory(self, blob: str) -> None:
        """Makes the name of a blob's file durable."""
        for directory in (os.path.dirname(self.path(blob)), os.path.dirname(os.path.dirname(self.path(blob)))):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def begin(self, blob: str) -> FileWriter:
        return FileWriter(self, blob)

    def open(self, blob: str) -> FileReader:
        size = self.rows.size(blob)
        try:
            descriptor = os.open(self.path(blob), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BlobGone(blob) from None
        return FileReader(descriptor, size)

    def erase(self, blobs: list[str]) -> None:
        for blob in blobs:
            with suppress(FileNotFoundError):
                os.unlink(self.path(blob))
        self.rows.erase(blobs)

    def close(self) -> None:
        """There is nothing to close."""
