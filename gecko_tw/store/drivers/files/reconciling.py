"""After a power failure: files and rows are brought together before anybody is answered (docs/decisions/0022-undo-log.md).

The catalog is the truth, as SQLite gives back a state of it that is not older than the last flush. What its last steps wrote is verified,
and taken back where it did not survive; then every file is what its row says, or is put back from where replaced files are kept.
"""

import logging
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any

from attrs import frozen

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.files.attribute_stores import Occupied
from gecko_tw.store.drivers.files.beneath import open_beneath, open_directory
from gecko_tw.store.drivers.files.comparing import differing
from gecko_tw.store.drivers.files.directories import bucket_written, is_written, upload_file, upload_written
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.documents import FilesDocuments
from gecko_tw.store.drivers.files.inspecting import Inspector
from gecko_tw.store.drivers.files.paths import SIDECAR, file_of
from gecko_tw.store.drivers.files.placing import FilesPlaces
from gecko_tw.store.drivers.files.pooling import Pool
from gecko_tw.store.drivers.files.pooling import is_whole as is_whole_blob
from gecko_tw.store.drivers.files.recovery import Recovery
from gecko_tw.store.drivers.files.staging import staging_file
from gecko_tw.store.drivers.files.torn import TornFiles, read_of
from gecko_tw.store.drivers.files.walking import walk_sidecars
from gecko_tw.store.drivers.pooled import PooledFiles
from gecko_tw.store.drivers.sqlite.buckets import AddBucket, find
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.notation import upload_of
from gecko_tw.store.drivers.sqlite.rows import (
    COLUMNS,
    PART_COLUMNS,
    UPLOAD_COLUMNS,
    Address,
    Row,
    part_of_row,
    version_of,
)
from gecko_tw.store.drivers.sqlite.takeover import TakeOver
from gecko_tw.store.drivers.sqlite.taking_back import Recent, take_back
from gecko_tw.store.records import DeleteMarker, Part, Upload, Version
from gecko_tw.store.refusals import BucketNotEmpty
from gecko_tw.store.verifying import is_whole

log = logging.getLogger(__name__)

_NEWEST = f"SELECT {COLUMNS} FROM version WHERE bucket_id = ? AND key = ? ORDER BY seq DESC LIMIT 1"
_NAME = "(SELECT name FROM bucket WHERE bucket.id = bucket_id)"
_ALL_UPLOADS = f"SELECT {_NAME}, key, {UPLOAD_COLUMNS} FROM upload"
_AT_ONCE = 500

Fingerprint = tuple[int, int]


@frozen
class Reconciliation:
    """One reconciliation, by whoever is alone with the directory."""

    disk: Disk
    connections: Connections
    layout: Layout
    places: FilesPlaces
    pool: Pool
    inspector: Inspector
    recovery: Recovery
    torn: TornFiles
    has_sidecars: bool

    def run(self) -> None:
        """Blocks, for about 5 seconds for each million objects. Raises OSError where something of ours cannot be written."""
        staged = self._staged()
        with self._transaction() as transaction:
            for recent in take_back(transaction, self.disk.state.flushed, partial(self._is_whole, staged)):
                self._reconcile(transaction, recent, staged)
        with self._transaction() as transaction:
            self._buckets(transaction)
        for bucket in self._names():
            self._compare(bucket, staged)
        with self._transaction() as transaction:
            self._uploads(transaction)
            FilesDocuments(self.disk).follow(transaction)
            needed = PooledFiles(self.disk, self.connections).drop_orphans(self.torn.is_recent)
            for address, row in self._rows_of(transaction, needed):
                self._guarded(address, self._describe, transaction, address, row)
            for address, upload_id, part in self._parts_of(transaction, needed):
                self._guarded(address, self.layout.uploads.restore_part, address, upload_id, part)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        connection = self.connections.mine()
        connection.execute("BEGIN IMMEDIATE")
        try:
            transaction = Transaction(connection, lambda *note: None, lambda slot: None)
            yield transaction
            transaction.former = None
            transaction.done()
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _staged(self) -> dict[Fingerprint, list[str]]:
        """The files in staging by what they look like: those that steps have replaced are among them."""
        found = defaultdict(list)
        for directory, _, names in os.walk(self.disk.inner_path("staging")):
            for name in names:
                with suppress(OSError):
                    there = os.lstat(os.path.join(directory, name))
                    found[there.st_size, there.st_mtime_ns].append(name)
        return found

    def _names(self) -> list[str]:
        return [name for (name,) in self.connections.mine().execute("SELECT name FROM bucket ORDER BY name").fetchall()]

    def _is_whole(self, staged: dict[Fingerprint, list[str]], recent: Recent) -> bool:
        """Whether all bytes that came since the last flush are there and are what the rows say."""
        address = recent.address
        if not all(self._row_is_whole(address, row, staged) for row in recent.fresh):
            return False
        pooled = PooledFiles(self.disk, self.connections)
        older = [row for row in recent.rows if row not in recent.fresh and not row.visible]
        if not all(pooled.are_there(version_of(row, address.bucket, address.key)) for row in older):
            return False
        return all(pooled.is_whole(part) for _, part in recent.parts)

    def _row_is_whole(self, address: Address, row: Row, staged: dict[Fingerprint, list[str]]) -> bool:
        version = version_of(row, address.bucket, address.key)
        if isinstance(version, DeleteMarker):
            return True
        if not row.visible:
            return PooledFiles(self.disk, self.connections).is_whole(version)
        fingerprint = row.fingerprint
        if self.layout.watch.fingerprint(address.bucket, address.key) == fingerprint:
            return self._file_is_whole(version, self.disk.root, file_of(address.bucket, address.key))
        names = [] if fingerprint is None else staged.get(fingerprint, [])
        return any(self._is_staged(version, name) for name in names)

    def _is_staged(self, version: Version | DeleteMarker, name: str) -> bool:
        """Whether a file in staging is a version's, and whole."""
        path = staging_file(name).encode()
        return isinstance(version, Version) and self._file_is_whole(version, self.disk.inner, path)

    def _file_is_whole(self, version: Version, directory: int, path: bytes) -> bool:
        try:
            descriptor = open_beneath(directory, path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return is_whole(version, partial(read_of, descriptor)) is True
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def _reconcile(self, transaction: Transaction, recent: Recent, staged: dict[Fingerprint, list[str]]) -> None:
        """Puts back the file of a key whose steps are settled, and describes anew what they have described."""
        address, execute = recent.address, transaction.execute
        top = execute(_NEWEST, (address.bucket_id, address.key)).fetchone()
        newest = None if top is None else Row._make(top)
        if newest is not None:
            self._guarded(address, self._return, address, newest, staged)
        self._guarded(address, self._take_away, transaction, recent, newest)
        for row in recent.rows:
            there = self.layout.watch.fingerprint(address.bucket, address.key)
            if not row.visible or there == (row.file_size, row.file_mtime):
                self._guarded(address, self._describe, transaction, address, row)
        for upload_id, part in recent.parts:
            self._guarded(address, self.layout.uploads.restore_part, address, upload_id, part)

    def _take_away(self, transaction: Transaction, recent: Recent, newest: Row | None) -> None:
        """Takes the file from a key's path that a step has taken from there, as the rows say, and the disk does not."""
        there = self.layout.watch.fingerprint(recent.address.bucket, recent.address.key)
        wanted = None if newest is None else (newest.file_size, newest.file_mtime)
        if there in recent.left and there != wanted:
            self.places.take_away(transaction, recent.address)
        elif there == (None, None) and recent.left and not (newest and newest.visible):
            self.places.sweep_path(transaction, recent.address)

    def _describe(self, transaction: Transaction, address: Address, row: Row) -> None:
        """Describes a version's bytes as its row says; what a step that did not survive has said of them is there, perhaps."""
        record = version_of(row, address.bucket, address.key)
        if isinstance(record, DeleteMarker) or (not row.visible and not is_whole_blob(record)):
            self.pool.rewrite(address, record, row)
        else:
            self.recovery.describe(transaction, address, row)

    def _rows_of(self, transaction: Transaction, names: set[str]) -> list[tuple[Address, Row]]:
        """The rows of versions that need some of these files of ours."""
        found = []
        if names:
            rows = transaction.execute(f"SELECT bucket_id, {_NAME}, key, {COLUMNS} FROM version WHERE NOT visible")
            for bucket_id, name, key, *values in rows.fetchall():
                row = Row._make(values)
                if not names.isdisjoint(row.blobs()):
                    found.append((Address(name, bucket_id, key), row))
        return found

    def _parts_of(self, transaction: Transaction, names: set[str]) -> list[tuple[Address, str, Part]]:
        """The parts of uploads under way whose bytes are these."""
        found = []
        if names:
            rows = transaction.execute(f"SELECT bucket_id, {_NAME}, key, upload_id, {PART_COLUMNS} FROM part")
            for bucket_id, name, key, upload_id, *values in rows.fetchall():
                part = part_of_row(tuple(values))
                if not names.isdisjoint(span.blob for span in part.spans):
                    found.append((Address(name, bucket_id, key), upload_id, part))
        return found

    def _return(self, address: Address, row: Row, staged: dict[Fingerprint, list[str]]) -> bool:
        """Whether the file at a key's path is what its newest row says, now."""
        fingerprint = row.fingerprint
        if not row.visible or self.layout.watch.fingerprint(address.bucket, address.key) == fingerprint:
            return bool(row.visible)
        if fingerprint is None:
            return False
        names = staged.get(fingerprint, [])
        if len(names) > 1:  # as long, and of the same time: its bytes tell which it is
            version = version_of(row, address.bucket, address.key)
            names = [name for name in names if self._is_staged(version, name)] or names
        return self.places.return_file(address, fingerprint, names, clearing=True)

    def _guarded(self, address: Address, act: Callable[..., Any], *arguments: object) -> Any:
        """What an error of the disk forbids for one key forbids nothing else."""
        try:
            return act(*arguments)
        except (OSError, Occupied) as error:
            log.error("%s/%r could not be reconciled: %s", address.bucket, address.key, error)

    def _compare(self, bucket: str, staged: dict[Fingerprint, list[str]]) -> None:
        """Reconciles the keys of a bucket whose file, or what is beside it, may not be what the row says."""
        reconcile = partial(self._is_reconciled, staged)
        different = differing(self.disk, self.connections.mine(), bucket, doubted=self.torn.is_recent)
        # What has no row comes last: it may have been in the way of what has one.
        left = list(self._each(bucket, filter(None, different), reconcile))
        deque(self._each(bucket, left, self._take_over), maxlen=0)
        if self.has_sidecars:
            deque(self._each(bucket, self._described(bucket), reconcile), maxlen=0)

    def _described(self, bucket: str) -> Iterator[bytes]:
        """Keys of objects that were described anew just before; what was described and did not survive loses its description."""
        for key, found in walk_sidecars(self.disk.root, bucket):
            if self.torn.is_recent(found) and not self._drop_sidecar(bucket, key):
                yield key

    def _drop_sidecar(self, bucket: str, key: bytes) -> bool:
        """Removes a sidecar that was written for an object that did not survive; whether the object is not there."""
        if self.layout.watch.fingerprint(bucket, key) != (None, None):
            return False
        parents, _, leaf = file_of(bucket, key).rpartition(b"/")
        try:
            directory = open_directory(self.disk.root, parents)
        except FileNotFoundError:  # emptied, and removed with the object
            return True
        try:
            if self.torn.is_ours(parents, leaf):
                self.disk.held.unlink(leaf + SIDECAR, directory)
        finally:
            os.close(directory)
        return True

    def _each(
        self, bucket: str, keys: Iterable[bytes], act: Callable[[Transaction, Address], bool | None]
    ) -> Iterator[bytes]:
        """Does something for some keys, and yields those for which it was false."""
        rest = iter(keys)
        while some := list(islice(rest, _AT_ONCE)):
            left = []
            with self._transaction() as transaction:
                found = find(transaction.execute, bucket)
                for key in some:
                    if found is None:
                        break
                    address = Address(bucket, found[0], key)
                    if self._guarded(address, act, transaction, address) is False:
                        left.append(key)
            yield from left

    def _is_reconciled(self, staged: dict[Fingerprint, list[str]], transaction: Transaction, address: Address) -> bool:
        """Whether the file at a key's path is what the row says, or becomes that."""
        top = transaction.execute(_NEWEST, (address.bucket_id, address.key)).fetchone()
        row = None if top is None else Row._make(top)
        stayed = self.recovery.is_there(address, row)
        if row is None or not row.visible or not (stayed or self._return(address, row, staged)):
            return False
        if not stayed or self.torn.is_described(address.bucket, address.key):  # a file of others is left as it is
            self.recovery.describe(transaction, address, row)
        return True

    def _take_over(self, transaction: Transaction, address: Address) -> None:
        """Makes the row what the file is that is left at a key's path, unless its bytes did not survive."""
        top = transaction.execute(_NEWEST, (address.bucket_id, address.key)).fetchone()
        row = None if top is None else Row._make(top)
        if row is None or not row.visible:
            is_torn, version = self.torn.version(address.bucket, address.key)
            # A version of ours above others would make a state of the key that it never had.
            ours = version is not None and (row is not None or self._is_older(transaction, address, version))
            if is_torn or ours or (row is not None and self.torn.is_before(address.bucket, address.key, row.modified)):
                log.warning("%s/%r: what was stored last did not survive and is set aside", address.bucket, address.key)
                self.places.take_away(transaction, address)
                return
        TakeOver(self.layout, (self.inspector.inspect(address.bucket, address.key),))(transaction)

    def _is_older(self, transaction: Transaction, address: Address, version: Version) -> bool:
        """Whether the catalog is from before the step that put a version's file to its path: its bytes are elsewhere, too."""
        here = "bucket_id = ?1 AND key = ?2"
        held = f"SELECT 1 FROM version WHERE {here} AND version_id = ?3 UNION ALL SELECT 1 FROM upload WHERE {here} AND id = ?4"
        where = (address.bucket_id, address.key, version.version_id, version.upload)
        return transaction.execute(held, where).fetchone() is not None

    def _buckets(self, transaction: Transaction) -> None:
        """Every bucket of the catalog has its directory and its record, and directories made since are buckets."""
        for name in self._names():
            found = find(transaction.execute, name)
            if found is not None:
                self.layout.directories.note(transaction, found[1], not self.layout.directories.exists(name))
        with os.scandir(self.disk.data_dir) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        for name in filter(is_bucket_name, names):
            if find(transaction.execute, name) is None:
                if is_written(self.disk, name) and bucket_written(self.disk, name) is None:
                    with suppress(BucketNotEmpty):  # a bucket that was made last and did not survive
                        self.layout.directories.clear(transaction, name)
                record = self.layout.directories.record_of(name)
                if record is not None:
                    AddBucket(self.layout, record)(transaction)

    def _uploads(self, transaction: Transaction) -> None:
        """The records of uploads are those of the catalog's uploads."""
        standing: dict[str, tuple[Address, Upload]] = {}
        for bucket, key, *values in transaction.execute(_ALL_UPLOADS).fetchall():
            address, upload = Address(bucket, 0, key), upload_of(*values)
            standing[upload_file(address, upload.id)] = (address, upload)
        for name in os.listdir(self.disk.inner_path("uploads")):
            path = f"uploads/{name}"
            if path not in standing:
                self.disk.drop([path])
            else:
                address, upload = standing[path]
                written = upload_written(self.disk.read_whole(path) or b"")
                if written is not None and written[:2] == (address.bucket, address.key) and written[2].id == upload.id:
                    del standing[path]
        for address, upload in standing.values():
            self.layout.uploads.note(transaction, address, upload, True)
