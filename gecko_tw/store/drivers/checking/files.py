"""What can be asked where objects are files: whether rows, files and what is written beside both agree."""

import json
import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.checking.differences import Difference, lasting, named
from gecko_tw.store.drivers.checking.looking import LookingDisk, Reading
from gecko_tw.store.drivers.checking.records import RecordsCheck
from gecko_tw.store.drivers.files.attribute_stores import read_attribute, read_beside
from gecko_tw.store.drivers.files.attributes import Description, description_of
from gecko_tw.store.drivers.files.beneath import open_beneath, open_directory, stat_beneath
from gecko_tw.store.drivers.files.comparing import differing
from gecko_tw.store.drivers.files.directories import bucket_written, upload_file, upload_written
from gecko_tw.store.drivers.files.documents import file_of_document, text_of_document
from gecko_tw.store.drivers.files.paths import file_of
from gecko_tw.store.drivers.files.pool_reading import PoolReader
from gecko_tw.store.drivers.files.sameness import same_description
from gecko_tw.store.drivers.files.sidecars import read_sidecar
from gecko_tw.store.drivers.files.torn import read_of
from gecko_tw.store.drivers.files.unreadable import Unreadable
from gecko_tw.store.drivers.files.watch import FilesWatch
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, UPLOAD_COLUMNS, Address, Row, version_of
from gecko_tw.store.records import BucketRecord, DeleteMarker, Version
from gecko_tw.store.verifying import is_whole

_NEWEST = f"SELECT {COLUMNS} FROM version WHERE bucket_id = ? AND key = ? ORDER BY seq DESC LIMIT 1"
_UPLOADS = f"SELECT (SELECT name FROM bucket WHERE bucket.id = bucket_id), key, {UPLOAD_COLUMNS} FROM upload"


class FilesCheck(RecordsCheck):
    """One check of a directory of files.

    :param described: whether files have descriptions, which they do not with ``--metadata=false``.
    """

    def __init__(
        self, disk: LookingDisk, reading: Reading, only: str, verifying: bool, *, described: bool = True
    ) -> None:
        super().__init__(disk, reading, only, verifying)
        self.unreadable = Unreadable()
        self._described = described
        self._watch = FilesWatch(disk)
        self._pool = PoolReader(disk, self._watch, self.pooled, None, self.unreadable)

    def run(self) -> Iterator[Difference]:
        yield from super().run()
        yield from (Difference("unreadable", place, why) for place, why in sorted(self.unreadable.places.items()))

    def bucket(self, number: int, record: BucketRecord) -> Iterator[Difference]:
        found = lasting(partial(self._of_bucket, number, record.name))
        if found is not None:
            yield Difference("bucket", record.name, found)
        connection = self.reading.mine()
        for key in differing(self.disk, connection, record.name, failing=self.unreadable):
            if key is not None:
                found = lasting(partial(self._of_key, number, record.name, key))
                if found is not None:
                    yield Difference("file", named(record.name, key), found, (record.name, key))

    def _of_bucket(self, number: int, name: str) -> str | None:
        """What is wrong with a bucket's directory or its record."""
        row = self.execute("SELECT record FROM bucket WHERE id = ? AND name = ?", (number, name)).fetchone()
        if row is None:
            return None
        if not os.path.isdir(os.path.join(self.disk.data_dir, name)):
            return "its directory is not there"
        written = bucket_written(self.disk, name, _passed)
        if written is None:
            return "its record is missing, or damaged"
        told = {"created": written.created, "owner": written.owner, "region": written.region}
        same = {**told, "settings": dict(written.settings)} == json.loads(row[0])
        return None if same else "its record is not the catalog's"

    def _of_key(self, number: int, bucket: str, key: bytes) -> str | None:
        """What is wrong with the file at a key's path."""
        values = self.execute(_NEWEST, (number, key)).fetchone()
        row = None if values is None else Row._make(values)
        try:
            if self._watch.agrees(bucket, key, row):
                return None
            there = self._watch.fingerprint(bucket, key)
        except OSError as error:
            self.unreadable(file_of(bucket, key), error)
            return None
        if row is None or not row.visible:
            return "the catalog knows nothing of the file"
        return "the file is not there" if there == (None, None) else "the file was changed"

    def version(self, number: int, key: bytes, row: Row, version: Version | DeleteMarker) -> Iterator[Difference]:
        bucket = self.execute("SELECT name FROM bucket WHERE id = ?", (number,)).fetchone()[0]
        if row.visible and isinstance(version, Version):
            yield from self._visible(number, bucket, key, row, version)
            return
        in_pieces = isinstance(version, Version) and row.spans.startswith("[")
        blob = row.files if in_pieces or isinstance(version, DeleteMarker) else row.spans
        if blob and lasting(partial(self._of_pooled, number, key, row, blob)) is not None:
            text = "what the pool says of it is not so"
            yield Difference("description", named(bucket, key, row.version_id), text, (bucket, key))

    def _of_pooled(self, number: int, key: bytes, row: Row, blob: str) -> str | None:
        told = self._pool.describe(blob)
        wanted = self.record(number, key, row)
        if wanted is None or (told is not None and told.key == key and same_description(told.record, wanted)):
            return None
        return ""

    def record(self, number: int, key: bytes, row: Row) -> Version | DeleteMarker | None:
        """What a row stands for, if it is still there."""
        return version_of(row, "", key) if self.stands(number, key, row) else None

    def _visible(self, number: int, bucket: str, key: bytes, row: Row, version: Version) -> Iterator[Difference]:
        if self._described and lasting(partial(self._of_visible, number, bucket, key, row)) is not None:
            text = "what its file says of it is not so"
            yield Difference("description", named(bucket, key, row.version_id), text, (bucket, key))
        if self.verifying and lasting(partial(self._of_bytes, number, bucket, key, row, version)) is not None:
            yield self._rotten(bucket, key, row)

    def _of_visible(self, number: int, bucket: str, key: bytes, row: Row) -> str | None:
        path = file_of(bucket, key)
        try:
            there = stat_beneath(self.disk.root, path)
            if there is None or (there.st_size, there.st_mtime_ns) != (row.file_size, row.file_mtime):
                return None  # told already
            told = [one for one in self._told(path) if one.fits(there)]
        except OSError as error:
            self.unreadable(path, error)
            return None
        wanted = self.record(number, key, row)
        if wanted is None or any(same_description(one.record, wanted) for one in told):
            return None
        return None if not told and row.is_bare else ""

    def _told(self, path: bytes) -> list[Description]:
        """What describes a file. GeckoS3's own sidecars do not count: they are not ours to compare."""
        descriptor = open_beneath(self.disk.root, path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            description, _ = read_attribute(self.disk, descriptor)
        finally:
            os.close(descriptor)
        if description is not None:
            return [description]
        parents, _, leaf = path.rpartition(b"/")
        directory = open_directory(self.disk.root, parents)
        try:
            data = read_beside(directory, leaf)
        finally:
            os.close(directory)
        sidecar = None if data is None else read_sidecar(data)
        ours: Any = sidecar.ours if sidecar is not None else None
        told = description_of(ours["description"]) if isinstance(ours, dict) and "description" in ours else None
        return [] if told is None else [told]

    def _of_bytes(self, number: int, bucket: str, key: bytes, row: Row, version: Version) -> str | None:
        path = file_of(bucket, key)
        try:
            descriptor = open_beneath(self.disk.root, path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None  # told already
        try:
            found = os.fstat(descriptor)
            if (found.st_size, found.st_mtime_ns) != (row.file_size, row.file_mtime):
                return None
            return "" if is_whole(version, partial(read_of, descriptor)) is False else None
        except OSError as error:
            self.unreadable(path, error)
            return None
        finally:
            os.close(descriptor)

    def apart(self) -> Iterator[Difference]:
        yield from super().apart()
        with os.scandir(self.disk.data_dir) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        for name in filter(is_bucket_name, names):
            if lasting(partial(self._unknown, name)) is not None:
                yield Difference("bucket", name, "the catalog does not know this directory")
        yield from self._uploads()
        yield from self._documents()

    def _unknown(self, name: str) -> str | None:
        known = self.execute("SELECT 1 FROM bucket WHERE name = ?", (name,)).fetchone()
        return "" if known is None and os.path.isdir(os.path.join(self.disk.data_dir, name)) else None

    def _uploads(self) -> Iterator[Difference]:
        standing = self._standing_uploads()
        names = {f"uploads/{name}" for name in os.listdir(self.disk.inner_path("uploads"))}
        for path in sorted(names | set(standing)):
            if self._of_upload(path, standing) is None:
                continue
            found = lasting(partial(self._of_upload_now, path))
            if found is not None:
                yield Difference("upload", f".geckos3/{path}", found)

    def _of_upload_now(self, path: str) -> str | None:
        return self._of_upload(path, self._standing_uploads())

    def _standing_uploads(self) -> dict[str, tuple[str, bytes, str]]:
        rows = self.execute(_UPLOADS).fetchall()
        return {upload_file(Address(bucket, 0, key), row[0]): (bucket, key, row[0]) for bucket, key, *row in rows}

    def _of_upload(self, path: str, uploads: dict[str, tuple[str, bytes, str]]) -> str | None:
        try:
            data = self.disk.read_whole(path)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        standing = uploads.get(path)
        if standing is None:
            return None if data is None else "the catalog knows nothing of it"
        written = upload_written(data or b"")
        if written is None:
            return "it is missing, or damaged"
        return None if (*written[:2], written[2].id) == standing else "it tells of another upload"

    def _documents(self) -> Iterator[Difference]:
        standing = self._standing_documents()
        names = {f"documents/{name}" for name in os.listdir(self.disk.inner_path("documents"))}
        for path in sorted(names | set(standing)):
            if self._of_document(path, standing) is None:
                continue
            found = lasting(partial(self._of_document_now, path))
            if found is not None:
                yield Difference("document", f".geckos3/{path}", found)

    def _of_document_now(self, path: str) -> str | None:
        return self._of_document(path, self._standing_documents())

    def _standing_documents(self) -> dict[str, tuple[str, str, str]]:
        rows = self.execute("SELECT kind, name, value FROM document").fetchall()
        return {file_of_document(*row[:2]): row for row in rows}

    def _of_document(self, path: str, documents: dict[str, tuple[str, str, str]]) -> str | None:
        try:
            data = self.disk.read_whole(path)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        standing = documents.get(path)
        if standing is None:
            return None if data is None else "the catalog knows nothing of it"
        kind, name, value = standing
        return (
            None if data == text_of_document(kind, name, json.loads(value)) else "it is missing, or not the catalog's"
        )


def _passed(path: bytes, why: Exception) -> None:
    """It is told as a difference."""
