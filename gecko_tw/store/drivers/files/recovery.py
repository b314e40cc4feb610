"""After a step that was cut short, or that failed: files are put back as the rows say, which were never committed."""

import logging
from contextlib import suppress

from gecko_tw.store.drivers.files.attribute_stores import Occupied
from gecko_tw.store.drivers.files.disk import Disk, remove_files
from gecko_tw.store.drivers.files.inspecting import Inspector
from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.journal import Note
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.marks import Marks, marks_of
from gecko_tw.store.drivers.sqlite.rows import (
    COLUMNS,
    PART_COLUMNS,
    Address,
    Row,
    change_blobs,
    part_of_row,
    put_version,
    row_of,
    uploads_of,
    version_of,
)
from gecko_tw.store.drivers.sqlite.takeover import TakeOver
from gecko_tw.store.records import Version
from gecko_tw.store.refusals import BucketNotEmpty, InsufficientStorage

log = logging.getLogger(__name__)

_HERE = "bucket_id = ? AND key = ?"
_NEWEST = f"SELECT {COLUMNS} FROM version WHERE {_HERE} ORDER BY seq DESC LIMIT 1"
_OF_BLOB = f"SELECT {COLUMNS} FROM version WHERE {_HERE} AND spans = ?"
_PART_OF_BLOB = f"SELECT upload_id, {PART_COLUMNS} FROM part WHERE {_HERE} AND spans = ?"


class Recovery:
    """The step that makes the files of the keys in a journal what their rows say."""

    def __init__(self, disk: Disk, layout: Layout, inspector: Inspector) -> None:
        self._disk = disk
        self._layout = layout
        self._inspector = inspector

    def __call__(self, transaction: Transaction, notes: list[Note]) -> list[Note]:
        """Returns the notes of keys where an error of the disk forbids it."""
        texts: dict[tuple[str, bytes], list[bytes]] = {}
        for note in notes:
            texts.setdefault((note.bucket, note.key), []).append(note.text)
        failed = set()
        for (bucket, key), noted in texts.items():
            try:
                self._one(transaction, bucket, key, marks_of(noted))
            except (OSError, Occupied, InsufficientStorage) as error:
                failed.add((bucket, key))
                log.error("what a cut step has left of %s/%r cannot be put back now: %s", bucket, key, error)
        return [note for note in notes if (note.bucket, note.key) in failed]

    def _one(self, transaction: Transaction, bucket: str, key: bytes, noted: Marks) -> None:
        found = find(transaction.execute, bucket)
        if not key:
            self._bucket(transaction, bucket, noted)
        elif noted == Marks():  # noted by an older version, which took the file for the truth
            TakeOver(self._layout, (self._inspector.inspect(bucket, key),))(transaction)
        elif found is not None:
            self._key(transaction, Address(bucket, found[0], key), noted)

    def _key(self, transaction: Transaction, address: Address, noted: Marks) -> None:
        top = transaction.execute(_NEWEST, (address.bucket_id, address.key)).fetchone()
        row = None if top is None else Row._make(top)
        self._layout.places.put_back(transaction, address, row, noted)
        if row is not None and (noted.described or noted.kept) and self.is_there(address, row):
            with suppress(PermissionError):  # the step was not allowed to change the description either
                self.describe(transaction, address, row)
        for blob in filter(None, noted.described):
            self._describe_blob(transaction, address, blob)
        if noted.uploads:
            self._layout.uploads.restore(transaction, address, uploads_of(transaction, address), noted)
        for name in noted.created:
            if transaction.execute("SELECT 1 FROM span WHERE blob = ?", (name,)).fetchone() is None:
                remove_files(self._disk, name)

    def is_there(self, address: Address, row: Row | None) -> bool:
        """Whether the file at a key's path is the one that its newest row says."""
        if row is None or not row.visible:
            return False
        return self._layout.watch.fingerprint(address.bucket, address.key) == (row.file_size, row.file_mtime)

    def _describe_blob(self, transaction: Transaction, address: Address, blob: str) -> None:
        where = (address.bucket_id, address.key, blob)
        for values in transaction.execute(_OF_BLOB, where).fetchall():
            self.describe(transaction, address, Row._make(values))
        for upload_id, *values in transaction.execute(_PART_OF_BLOB, where).fetchall():
            self._layout.uploads.restore_part(address, upload_id, part_of_row(tuple(values)))

    def describe(self, transaction: Transaction, address: Address, row: Row) -> None:
        """Describes bytes again as their row says."""
        version = version_of(row, address.bucket, address.key)
        if not isinstance(version, Version):
            return
        restored = row_of(version, row.seq, self._layout.places.describe(transaction, address, version, row))
        if restored != row:
            put_version(transaction, address, restored)
            change_blobs(transaction, address.bucket_id, row.blobs(), restored.blobs())

    def _bucket(self, transaction: Transaction, name: str, noted: Marks) -> None:
        """The row decides whether the bucket is there; a directory that was there before it stays."""
        found = find(transaction.execute, name)
        if found is not None:
            self._layout.directories.note(transaction, found[1], not self._layout.directories.exists(name))
        elif noted.created:
            with suppress(BucketNotEmpty):  # somebody has put files into it since: then it is a bucket
                self._layout.directories.clear(transaction, name)
