"""Making the catalog anew from the files alone: visible files first, then what the pool says, key by key."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from itertools import groupby

from attrs import evolve

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.files.attributes import Description
from gecko_tw.store.drivers.files.directories import bucket_written, upload_written
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.documents import FilesDocuments
from gecko_tw.store.drivers.files.former import FormerCatalog
from gecko_tw.store.drivers.files.inspecting import Inspector
from gecko_tw.store.drivers.files.paths import INNER, file_of
from gecko_tw.store.drivers.files.placing import FilesPlaces
from gecko_tw.store.drivers.files.pool_reading import Pooled, PoolReader
from gecko_tw.store.drivers.files.torn import TornFiles
from gecko_tw.store.drivers.files.unreadable import Unreadable
from gecko_tw.store.drivers.files.walking import walk_files
from gecko_tw.store.drivers.pooled import PooledFiles
from gecko_tw.store.drivers.sqlite import connections
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.layout import Watch
from gecko_tw.store.drivers.sqlite.notation import bucket_text
from gecko_tw.store.drivers.sqlite.rows import Address, Placement, change_blobs, put_version, row_of
from gecko_tw.store.drivers.sqlite.takeover import Observation
from gecko_tw.store.drivers.sqlite.uploads import put_part, put_upload
from gecko_tw.store.records import BucketRecord, DeleteMarker, Part, Span, Upload, Version, stored_size
from gecko_tw.store.version_ids import order_of

log = logging.getLogger(__name__)

_FOUND = """
CREATE TEMP TABLE found (bucket TEXT, key BLOB, visible INTEGER, modified INTEGER, changed INTEGER, blob TEXT)
"""


class Rebuild:
    """One rebuild, by whoever is alone with the directory.

    :param torn: what a power failure may have torn, or None when there was none.
    :param sound: whether nothing wrong was found in the rows of the old catalog.
    :param snapshot: of the catalog, for what only the old one knew and does not tell any more; None when there is none.
    :ivar unreadable: what was passed over.
    """

    def __init__(
        self,
        disk: Disk,
        inspector: Inspector,
        places: FilesPlaces,
        watch: Watch,
        torn: TornFiles | None,
        *,
        sound: bool,
        snapshot: str | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._disk = disk
        self._inspector = inspector
        self._places = places
        self._watch = watch
        self._torn = torn
        self._sound = sound
        self._ids: dict[str, int] = {}
        self.unreadable = Unreadable()

    def run(self, catalog: Connections) -> None:
        """Writes a new catalog beside the old one and puts it in its place."""
        path = self._disk.inner_path("catalog.sqlite")
        fresh = f"{path}.new"
        for leftover in (fresh, f"{fresh}-wal", f"{fresh}-shm"):
            _remove(leftover)
        connections.write_empty(fresh)
        self._former = FormerCatalog(path, self._sound)
        # For files alone: identities and keys of then would be in force again.
        snapshot = self._snapshot if self._former.is_lost else None
        self._older = None if snapshot is None else FormerCatalog(snapshot, True)
        self._pool = PoolReader(self._disk, self._watch, PooledFiles(self._disk, catalog), self._torn, self.unreadable)
        connection = connections.connect(fresh)
        try:
            self._carry_over(connection)
            connection.execute("BEGIN IMMEDIATE")
            self._fill(Transaction(connection, lambda bucket, key, text: None, lambda slot: None))
            connection.execute("COMMIT")
        finally:
            connection.close()
            self._former.close()
            if self._older is not None:
                self._older.close()
        catalog.close()
        _replace(fresh, path)
        self._disk.sync([INNER])

    def _carry_over(self, connection: sqlite3.Connection) -> None:
        """Documents, and events that wait: from the old catalog if that can be read, else documents from their files."""
        former = self._former
        if former.documents is None:
            FilesDocuments(self._disk).restore(connection, self.unreadable)
        else:
            connection.executemany("INSERT INTO document (kind, name, value) VALUES (?, ?, ?)", former.documents)
        connection.executemany("INSERT INTO notice (number, target, event) VALUES (?, ?, ?)", former.notices)
        connection.execute("UPDATE revision SET value = 1 + max(value, ?)", (former.revision,))

    def _fill(self, transaction: Transaction) -> None:
        transaction.execute(_FOUND)
        transaction.execute("CREATE INDEX temp.found_by_key ON found (bucket, key)")
        written = self._bucket_records()
        self._note_visible(transaction, written)
        parts = list(self._note_pooled(transaction, written))
        finished = self._add_keys(transaction)
        self._add_uploads(transaction, finished, parts)

    def _bucket_records(self) -> dict[str, BucketRecord]:
        """What is written down of buckets, by name; what is damaged there is taken from the old catalog."""
        records = {}
        for name in self._listed("buckets"):
            bucket = name.removesuffix(".json")
            if bucket != name:
                record = bucket_written(self._disk, bucket, self.unreadable) or self._former.bucket(bucket)
                if record is not None:
                    records[bucket] = record
        return records

    def _listed(self, room: str) -> list[str]:
        """What one of our directories holds."""
        try:
            return sorted(os.listdir(self._disk.inner_path(room)))
        except OSError as error:
            self.unreadable(INNER + b"/" + room.encode(), error)
            return []

    def _add_bucket(self, transaction: Transaction, record: BucketRecord) -> None:
        added = transaction.execute(
            "INSERT INTO bucket (name, record) VALUES (?, ?)", (record.name, bucket_text(record))
        )
        assert added.lastrowid is not None, "an INSERT has a row"
        self._ids[record.name] = added.lastrowid

    def _note_visible(self, transaction: Transaction, written: dict[str, BucketRecord]) -> None:
        with os.scandir(self._disk.data_dir) as found:
            directories = sorted((entry.name, entry.stat().st_mtime_ns) for entry in found if _is_directory(entry))
        for name, mtime in directories:
            if name not in written and (not is_bucket_name(name) or os.fsencode(name) == INNER):
                continue
            self._add_bucket(transaction, written.get(name) or BucketRecord(name=name, created=mtime))
            walked = walk_files(self._disk.root, name, self._disk.folding, failing=self.unreadable)
            for key, _ in walked:
                transaction.execute("INSERT INTO found VALUES (?, ?, 1, 0, 0, '')", (name, key))

    def _note_pooled(
        self, transaction: Transaction, written: dict[str, BucketRecord]
    ) -> Iterator[tuple[Description, str]]:
        """Notes what the pool holds of versions; yields the parts with their blobs."""
        for blob, description, changed in self._pool.described():
            if isinstance(description.record, Part):
                yield description, blob
                continue
            if description.bucket in written and description.bucket not in self._ids:
                os.makedirs(os.path.join(self._disk.data_dir, description.bucket), exist_ok=True)
                self._add_bucket(transaction, written[description.bucket])
            values = (description.bucket, description.key, order_of(description.record), changed, blob)
            transaction.execute("INSERT INTO found VALUES (?, ?, 0, ?, ?, ?)", values)

    def _add_keys(self, transaction: Transaction) -> set[str]:
        """Writes the histories; returns the ids of the uploads that are objects now."""
        finished: set[str] = set()
        rows = transaction.execute("SELECT * FROM found ORDER BY bucket, key, modified DESC, changed DESC")
        for (bucket, key), group in groupby(rows.fetchall(), key=lambda row: row[:2]):
            if bucket not in self._ids:
                continue
            address = Address(bucket, self._ids[bucket], key)
            visible: Observation | None = None
            pooled: list[Pooled] = []
            for _, _, is_visible, _, _, blob in group:
                if is_visible:
                    visible = self._look(transaction, address)
                else:
                    pooled += filter(None, [self._pool.whole(blob)])
            self._add_key(transaction, address, visible, pooled)
            versions = [one.record for one in pooled]
            versions += [visible.version] if visible is not None and visible.version is not None else []
            finished |= {one.upload for one in versions if isinstance(one, Version) and one.upload is not None}
        return finished

    def _look(self, transaction: Transaction, address: Address) -> Observation | None:
        """What is at a key's path; what a power failure has torn is set aside."""
        try:
            if self._torn is not None and self._torn.version(address.bucket, address.key)[0]:
                log.warning("%s/%r: what was stored last did not survive and is set aside", address.bucket, address.key)
                self._places.take_away(transaction, address)
                return None
            known = self._known(address)
            return self._inspector.inspect(address.bucket, address.key, known=known)
        except OSError as error:
            self.unreadable(file_of(address.bucket, address.key), error)
            return self._unread(address)

    def _known(self, address: Address) -> Description | None:
        """What the old catalog, or else a snapshot of it, says of the file at a key's path."""
        known = self._former.at_path(address.bucket, address.key)
        return known if known is not None or self._older is None else self._older.at_path(address.bucket, address.key)

    def _unread(self, address: Address) -> Observation | None:
        """A file that cannot be read just now, by what the old catalog says of it."""
        known = self._known(address)
        try:
            size, mtime = self._watch.fingerprint(address.bucket, address.key)
        except OSError:
            return None
        if known is None or not isinstance(known.record, Version) or (known.record.size, known.mtime) != (size, mtime):
            return None
        return Observation(address.bucket, address.key, size, mtime, known.record)

    def _add_key(
        self, transaction: Transaction, address: Address, visible: Observation | None, pooled: list[Pooled]
    ) -> None:
        rows: list[tuple[Version | DeleteMarker, Placement]] = []
        leftover: tuple[int | None, int | None] = (None, None)
        seen = set()
        if visible is not None and visible.version is not None:
            fingerprint = (visible.size, visible.mtime)
            if any(one.description.replaces == fingerprint for one in pooled):
                leftover = fingerprint
            else:
                seen.add(visible.version.version_id)
                rows.append((visible.version, Placement(True, visible.mtime, files=visible.files)))
        for one in pooled:
            record = one.record
            if record.version_id not in seen:
                seen.add(record.version_id)
                size, mtime = leftover if not rows else (None, None)
                rows.append((record, Placement(False, mtime, size, one.spans, one.files)))
        for seq, (record, placed) in enumerate(reversed(rows), 1):
            row = row_of(record, seq, placed)
            put_version(transaction, address, row)
            change_blobs(transaction, address.bucket_id, set(), row.blobs())

    def _add_uploads(self, transaction: Transaction, finished: set[str], parts: list[tuple[Description, str]]) -> None:
        known: dict[tuple[str, bytes, str], Upload] = {}
        for name in self._listed("uploads"):
            written = self._upload_written(f"uploads/{name}")
            if written is None:
                continue
            if written[2].id in finished:
                _remove(self._disk.inner_path("uploads", name))
            elif written[0] in self._ids:
                known[written[0], written[1], written[2].id] = written[2]
        for (bucket, key, _), upload in sorted(known.items(), key=lambda item: (item[1].initiated, item[1].id)):
            put_upload(transaction, Address(bucket, self._ids[bucket], key), upload)
        for description, blob in sorted(parts, key=lambda found: found[0].record.modified):
            if (description.bucket, description.key, description.upload) in known:
                self._add_part(transaction, description, blob)

    def _upload_written(self, path: str) -> tuple[str, bytes, Upload] | None:
        try:
            written = upload_written(self._disk.read_whole(path) or b"")
            why: object = "it is damaged"
        except OSError as error:
            written, why = None, error
        if written is None:
            self.unreadable(INNER + b"/" + os.fsencode(path), why)
        return written

    def _add_part(self, transaction: Transaction, description: Description, blob: str) -> None:
        address = Address(description.bucket, self._ids[description.bucket], description.key)
        record = description.record
        assert isinstance(record, Part)
        part = evolve(record, spans=(Span(blob, 0, stored_size(record)),))
        if not self._pool.holds(part, part.spans):
            return
        put_part(transaction, address, description.upload or "", part)
        change_blobs(transaction, address.bucket_id, set(), {blob})


def _is_directory(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _replace(fresh: str, path: str) -> None:
    """Puts the new catalog in the old one's place; the old one's log must not outlive it."""
    if os.path.exists(path):
        try:
            connections.connect(path).close()  # folds the log into the file
        except sqlite3.DatabaseError:
            log.warning("%s is damaged", path)
    for suffix in ("", "-wal", "-shm"):
        _remove(path + suffix)
    os.rename(fresh, path)
