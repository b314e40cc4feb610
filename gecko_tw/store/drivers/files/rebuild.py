"""Making the catalog anew from the files alone: visible files first, then what the pool says, key by key."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from itertools import groupby

from attrs import evolve, frozen

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.files.attributes import Description, description_of
from gecko_tw.store.drivers.files.carriers import read_attribute
from gecko_tw.store.drivers.files.directories import upload_written
from gecko_tw.store.drivers.files.disk import Disk, description_file, pool_file
from gecko_tw.store.drivers.files.documents import FilesDocuments
from gecko_tw.store.drivers.files.examining import Examiner
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.files.walking import walk_files
from gecko_tw.store.drivers.sqlite import connections
from gecko_tw.store.drivers.sqlite.blobnames import is_pooled
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections, quoted
from gecko_tw.store.drivers.sqlite.ground import Watch
from gecko_tw.store.drivers.sqlite.notation import bucket_of, bucket_text
from gecko_tw.store.drivers.sqlite.rows import Address, Placed, change_blobs, put_version, row_of
from gecko_tw.store.drivers.sqlite.takeover import Finding
from gecko_tw.store.drivers.sqlite.uploads import put_part, put_upload
from gecko_tw.store.records import BucketRecord, DeleteMarker, Part, Span, Upload, Version, stored_size
from gecko_tw.store.version_ids import order_of

log = logging.getLogger(__name__)

_FOUND = """
CREATE TEMP TABLE found (bucket TEXT, key BLOB, visible INTEGER, modified INTEGER, changed INTEGER, blob TEXT)
"""


@frozen
class _Pooled:
    """A version that the pool says."""

    description: Description
    spans: tuple[Span, ...]
    files: tuple[str, ...]


class Rebuild:
    """One rebuild."""

    def __init__(self, disk: Disk, examiner: Examiner, watch: Watch) -> None:
        self._disk = disk
        self._examiner = examiner
        self._watch = watch
        self._ids: dict[str, int] = {}

    def run(self, catalog: Connections) -> None:
        """Writes a new catalog beside the old one and puts it in its place."""
        path = self._disk.inner_path("catalog.sqlite")
        fresh = f"{path}.new"
        for leftover in (fresh, f"{fresh}-wal", f"{fresh}-shm"):
            _remove(leftover)
        connections.write_empty(fresh)
        connection = connections.connect(fresh)
        try:
            if not carry_over(connection, path):
                FilesDocuments(self._disk).restore(connection)
            connection.execute("BEGIN IMMEDIATE")
            self._fill(Transaction(connection, lambda bucket, key: None, lambda slot: None))
            connection.execute("COMMIT")
        finally:
            connection.close()
        catalog.close()
        _replace(fresh, path)
        self._disk.sync([INNER])

    def _fill(self, transaction: Transaction) -> None:
        transaction.execute(_FOUND)
        transaction.execute("CREATE INDEX temp.found_by_key ON found (bucket, key)")
        written = self._bucket_records()
        self._note_visible(transaction, written)
        parts = list(self._note_pooled(transaction, written))
        finished = self._add_keys(transaction)
        self._add_uploads(transaction, finished, parts)

    def _bucket_records(self) -> dict[str, BucketRecord]:
        """What is written down of buckets, by name."""
        records = {}
        for name in os.listdir(self._disk.inner_path("buckets")):
            text = self._disk.read_whole(f"buckets/{name}")
            if name.endswith(".json") and text is not None:
                bucket = name.removesuffix(".json")
                records[bucket] = bucket_of(bucket, text.decode("ascii"))
        return records

    def _add_bucket(self, transaction: Transaction, record: BucketRecord) -> None:
        added = transaction.execute(
            "INSERT INTO bucket (name, record) VALUES (?, ?)", (record.name, bucket_text(record))
        )
        self._ids[record.name] = added.lastrowid  # type: ignore[assignment]

    def _note_visible(self, transaction: Transaction, written: dict[str, BucketRecord]) -> None:
        with os.scandir(self._disk.data_dir) as found:
            directories = sorted((entry.name, entry.stat().st_mtime_ns) for entry in found if _is_directory(entry))
        for name, mtime in directories:
            if name not in written and (not is_bucket_name(name) or os.fsencode(name) == INNER):
                continue
            self._add_bucket(transaction, written.get(name) or BucketRecord(name=name, created=mtime))
            for key, _ in walk_files(self._disk.root, name, self._disk.folding):
                transaction.execute("INSERT INTO found VALUES (?, ?, 1, 0, 0, '')", (name, key))

    def _note_pooled(
        self, transaction: Transaction, written: dict[str, BucketRecord]
    ) -> Iterator[tuple[Description, str]]:
        """Notes what the pool holds of versions; yields the parts with their blobs."""
        for directory, _, names in os.walk(self._disk.inner_path("pool")):
            for name in names:
                blob = name.removesuffix(".json")
                description = self._describe(blob) if is_pooled(blob) else None
                if description is None or (name != blob and self._watch.is_pooled(blob)):
                    continue  # nobody's, or described by a file of its own
                if isinstance(description.record, Part):
                    yield description, blob
                    continue
                if description.bucket in written and description.bucket not in self._ids:
                    os.makedirs(os.path.join(self._disk.data_dir, description.bucket), exist_ok=True)
                    self._add_bucket(transaction, written[description.bucket])
                changed = os.lstat(os.path.join(directory, name)).st_ctime_ns
                values = (description.bucket, description.key, order_of(description.record), changed, blob)
                transaction.execute("INSERT INTO found VALUES (?, ?, 0, ?, ?, ?)", values)

    def _describe(self, blob: str) -> Description | None:
        """What a blob of the pool, or a list in it, says of itself."""
        text = self._disk.read_whole(description_file(blob))
        if text is not None:
            return description_of(text)
        if not self._watch.is_pooled(blob):
            return None
        description, spill = read_attribute(self._disk, self._disk.inner_path(pool_file(blob)))
        return None if description is None else evolve(description, spill=spill)

    def _add_keys(self, transaction: Transaction) -> set[str]:
        """Writes the histories; returns the ids of the uploads that are objects now."""
        finished: set[str] = set()
        rows = transaction.execute("SELECT * FROM found ORDER BY bucket, key, modified DESC, changed DESC")
        for (bucket, key), group in groupby(rows.fetchall(), key=lambda row: row[:2]):
            if bucket not in self._ids:
                continue
            address = Address(bucket, self._ids[bucket], key)
            visible, pooled = None, []
            for _, _, is_visible, _, _, blob in group:
                if is_visible:
                    visible = self._examiner.examine(bucket, key)
                else:
                    pooled += self._whole(blob)
            self._add_key(transaction, address, visible, pooled)
            versions = [one.description.record for one in pooled]
            versions += [visible.version] if visible is not None and visible.version is not None else []
            finished |= {one.upload for one in versions if isinstance(one, Version) and one.upload is not None}
        return finished

    def _whole(self, blob: str) -> list[_Pooled]:
        """What the pool says under a name, if all its bytes are there."""
        description = self._describe(blob)
        if description is None or isinstance(description.record, Part):
            return []
        record = description.record
        if isinstance(record, DeleteMarker):
            return [_Pooled(description, (), (blob,))]
        if description.spans is None:
            files = () if description.spill is None else (description.spill,)
            return [_Pooled(description, (Span(blob, 0, stored_size(record)),), files)]
        if all(self._watch.is_pooled(span.blob) for span in description.spans):
            return [_Pooled(description, description.spans, (blob,))]
        return []

    def _add_key(
        self, transaction: Transaction, address: Address, visible: Finding | None, pooled: list[_Pooled]
    ) -> None:
        rows = []
        leftover: tuple[int | None, int | None] = (None, None)
        seen = set()
        if visible is not None and visible.version is not None:
            fingerprint = (visible.size, visible.mtime)
            if any(one.description.replaces == fingerprint for one in pooled):
                leftover = fingerprint
            else:
                seen.add(visible.version.version_id)
                rows.append((visible.version, Placed(True, visible.mtime, files=visible.files)))
        for one in pooled:
            record = one.description.record
            if record.version_id not in seen:  # type: ignore[union-attr]
                seen.add(record.version_id)  # type: ignore[union-attr]
                size, mtime = leftover if not rows else (None, None)
                rows.append((record, Placed(False, mtime, size, one.spans, one.files)))
        for seq, (record, placed) in enumerate(reversed(rows), 1):
            row = row_of(record, seq, placed)  # type: ignore[arg-type]
            put_version(transaction, address, row)
            change_blobs(transaction, address.bucket_id, set(), row.blobs())

    def _add_uploads(self, transaction: Transaction, finished: set[str], parts: list[tuple[Description, str]]) -> None:
        known: dict[tuple[str, bytes, str], Upload] = {}
        for name in sorted(os.listdir(self._disk.inner_path("uploads"))):
            data = self._disk.read_whole(f"uploads/{name}")
            written = None if data is None else upload_written(data)
            if written is None:
                log.warning("uploads/%s is damaged and is passed over", name)
            elif written[2].id in finished:
                _remove(self._disk.inner_path("uploads", name))
            elif written[0] in self._ids:
                known[written[0], written[1], written[2].id] = written[2]
        for (bucket, key, _), upload in sorted(known.items(), key=lambda item: (item[1].initiated, item[1].id)):
            put_upload(transaction, Address(bucket, self._ids[bucket], key), upload)
        for description, blob in sorted(parts, key=lambda found: found[0].record.modified):
            if (description.bucket, description.key, description.upload) in known:
                self._add_part(transaction, description, blob)

    def _add_part(self, transaction: Transaction, description: Description, blob: str) -> None:
        address = Address(description.bucket, self._ids[description.bucket], description.key)
        record = description.record
        assert isinstance(record, Part)
        part = evolve(record, spans=(Span(blob, 0, stored_size(record)),))
        put_part(transaction, address, description.upload or "", part)
        change_blobs(transaction, address.bucket_id, set(), {blob})


def _is_directory(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def carry_over(connection: sqlite3.Connection, old: str) -> bool:
    """Copies documents, and events that wait, from the old catalog; False when there is none that can be read."""
    try:
        connection.execute("ATTACH ? AS old", (f"file:{quoted(old)}?mode=ro",))
    except sqlite3.DatabaseError as problem:
        log.warning("events that waited in the old catalog cannot be read: %s", problem)
        return False
    try:
        for table in ("document", "notice"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")
        connection.execute("UPDATE revision SET value = 1 + (SELECT value FROM old.revision)")
        return True
    except sqlite3.DatabaseError as problem:
        log.warning("events that waited in the old catalog cannot be read: %s", problem)
        return False
    finally:
        connection.execute("DETACH old")


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
