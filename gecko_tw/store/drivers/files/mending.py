"""Mending what a check has found, by steps like any others: a daemon may be at work beside."""

import os
from collections.abc import Callable, Iterable
from functools import partial

from attrs import frozen

from gecko_tw.store.drivers.checking.differences import Difference
from gecko_tw.store.drivers.files.attributes import Description, text_of
from gecko_tw.store.drivers.files.directories import upload_file
from gecko_tw.store.drivers.files.disk import Disk, description_file
from gecko_tw.store.drivers.files.documents import FilesDocuments
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.files.recovery import Recovery
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.notation import upload_of
from gecko_tw.store.drivers.sqlite.rows import UPLOAD_COLUMNS, Address, Row, version_of, versions_of
from gecko_tw.store.records import DeleteMarker

_UPLOADS = f"SELECT (SELECT name FROM bucket WHERE bucket.id = bucket_id), key, {UPLOAD_COLUMNS} FROM upload"


@frozen
class Mending:
    """Mends one data directory of files.

    :ivar adopt: looks through all buckets and takes over what differs.
    :ivar settle_bucket: as Watch.settle_bucket.
    """

    disk: Disk
    commits: Commits
    layout: Layout
    recovery: Recovery
    adopt: Callable[[], object]
    reconcile_bucket: Callable[[str], None]

    def run(self, found: Iterable[Difference]) -> None:
        """Mends what can be mended. Raises OSError where the disk refuses."""
        kinds: dict[str, list[Difference]] = {}
        for one in found:
            kinds.setdefault(one.kind, []).append(one)
        for one in kinds.get("bucket", ()):
            self.reconcile_bucket(one.place)
            self.commits.run(partial(self._bucket, one.place))
        if "file" in kinds or "bucket" in kinds:
            self.adopt()
        for one in kinds.get("description", ()):
            if one.subject is not None:
                self.commits.run(partial(self._describe, *one.subject))
        if "upload" in kinds:
            self.commits.run(self._uploads)
        if "document" in kinds:
            self.commits.run(FilesDocuments(self.disk).follow)
        drop_orphans(self.disk, self.commits, kinds.get("orphan", ()))

    def _bucket(self, name: str, transaction: Transaction) -> None:
        found = find(transaction.execute, name)
        if found is not None:
            self.layout.directories.note(transaction, found[1], not self.layout.directories.exists(name))

    def _describe(self, bucket: str, key: bytes, transaction: Transaction) -> None:
        """Describes every version of a key anew, as its row says."""
        found = find(transaction.execute, bucket)
        if found is None:
            return
        address = Address(bucket, found[0], key)
        transaction.claim(bucket, key)
        for row in versions_of(transaction, address):
            version = version_of(row, bucket, key)
            if isinstance(version, DeleteMarker):
                self._mark(transaction, address, row, version)
            elif self._is_there(address, row):
                self.recovery.describe(transaction, address, row)

    def _is_there(self, address: Address, row: Row) -> bool:
        if not row.visible:
            return True
        return self.layout.watch.fingerprint(address.bucket, address.key) == (row.file_size, row.file_mtime)

    def _mark(self, transaction: Transaction, address: Address, row: Row, marker: DeleteMarker) -> None:
        leftover = None if row.file_mtime is None or row.file_size is None else (row.file_size, row.file_mtime)
        description = Description(bucket=address.bucket, key=address.key, record=marker, replaces=leftover)
        for name in row.files.split():
            data = text_of(description).encode("ascii")
            transaction.touched.add(self.disk.write_whole(description_file(name), data))

    def _uploads(self, transaction: Transaction) -> None:
        standing = set()
        for bucket, key, *values in transaction.execute(_UPLOADS).fetchall():
            address, upload = Address(bucket, 0, key), upload_of(*values)
            standing.add(upload_file(address, upload.id))
            self.layout.uploads.note(transaction, address, upload, True)
        self.disk.drop({f"uploads/{name}" for name in os.listdir(self.disk.inner_path("uploads"))} - standing)


def drop_orphans(disk: Disk, commits: Commits, found: Iterable[Difference]) -> None:
    """Removes bytes that nothing needs, if that is so still."""
    places = [one.place for one in found]
    if places:
        commits.run(lambda transaction: _drop(disk, transaction, places))


def _name(place: str) -> str:
    """The blob that an orphan is."""
    words = place.split()
    return f"@{words[1]}" if len(words) > 1 else os.path.basename(place).removesuffix(".json")


def _drop(disk: Disk, transaction: Transaction, places: list[str]) -> None:
    for place in places:
        name = _name(place)
        if transaction.execute("SELECT 1 FROM undo WHERE instr(useless, ?) > 0", (name,)).fetchone() is not None:
            continue
        if is_inline(name):
            held = "SELECT 1 FROM version WHERE spans = ?1 UNION ALL SELECT 1 FROM part WHERE spans = ?1"
            if transaction.execute(held, (name,)).fetchone() is None:
                transaction.execute("DELETE FROM blob WHERE id = ? AND stamp = ?", inline_parts(name))
        elif transaction.execute("SELECT 1 FROM span WHERE blob = ?", (name,)).fetchone() is None:
            disk.drop([os.path.relpath(place, os.fsdecode(INNER))])
