"""The rows of buckets."""

from contextlib import closing
from functools import lru_cache

from attrs import frozen

from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.connections import Execute
from gecko_tw.store.drivers.sqlite.damage import DamagedRow
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.marks import created
from gecko_tw.store.drivers.sqlite.notation import blobs_in, bucket_of, bucket_text
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, Row
from gecko_tw.store.drivers.sqlite.stamped_cache import StampedCache
from gecko_tw.store.records import BucketRecord, BucketRule
from gecko_tw.store.refusals import BucketAlreadyExists, BucketNotEmpty, NoSuchBucket

ID_OF = "SELECT id FROM bucket WHERE name = ?"
_LONG = 8 * 1024
# A bucket's settings may be a megabyte, which takes several to remember: only few such records are.
_short, _long = lru_cache(1024)(bucket_of), lru_cache(32)(bucket_of)


def record_of(name: str, text: str) -> BucketRecord:
    """The record that a row holds: the same one until the row changes, as long as it is remembered. Raises DamagedRow."""
    try:
        return _short(name, text) if len(text) <= _LONG else _long(name, text)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise DamagedRow(f"the record of the bucket {name} cannot be read: {problem}") from problem


def find(execute: Execute, name: str) -> tuple[int, BucketRecord] | None:
    """A bucket's id and record, or None. ``execute`` is a connection's or a transaction's."""
    found = execute("SELECT id, record FROM bucket WHERE name = ?", (name,)).fetchone()
    return None if found is None else (found[0], record_of(name, found[1]))


def recall(remembered: StampedCache, execute: Execute, name: str) -> tuple[int, BucketRecord] | None:
    """The same, read only when buckets have changed since."""
    known: tuple[int, BucketRecord] | None = remembered.get(name)
    if known is not None:
        return known
    stamp = remembered.stamp()
    found = find(execute, name)
    if found is not None:
        remembered.keep(stamp, name, found)
    return found


@frozen
class AddBucket:
    """The step that adds a bucket, and makes its directory."""

    layout: Layout
    record: BucketRecord

    def __call__(self, transaction: Transaction) -> None:
        """Raises BucketAlreadyExists."""
        if find(transaction.execute, self.record.name) is not None:
            raise BucketAlreadyExists()
        made = () if self.layout.directories.exists(self.record.name) else (created(self.record.name),)
        transaction.intend(self.record.name, b"", *made)
        self.layout.directories.note(transaction, self.record, True)
        transaction.execute(
            "INSERT INTO bucket (name, record) VALUES (?, ?)", (self.record.name, bucket_text(self.record))
        )


@frozen
class AdoptBucket:
    """The step that takes over a directory that somebody made."""

    layout: Layout
    name: str

    def __call__(self, transaction: Transaction) -> None:
        """Raises NoSuchBucket when it is gone again."""
        if find(transaction.execute, self.name) is None:
            record = self.layout.directories.record_of(self.name)
            if record is None:
                raise NoSuchBucket()
            AddBucket(self.layout, record)(transaction)


@frozen
class ChangeBucket:
    """The step that changes a bucket's record by a rule."""

    layout: Layout
    name: str
    rule: BucketRule

    def __call__(self, transaction: Transaction) -> BucketRecord:
        """Raises NoSuchBucket and what the rule raises."""
        found = find(transaction.execute, self.name)
        if found is None:
            raise NoSuchBucket()
        record = self.rule(found[1])
        if record != found[1]:
            transaction.intend(self.name, b"")
            self.layout.directories.note(transaction, record, False)
            transaction.execute("UPDATE bucket SET record = ? WHERE id = ?", (bucket_text(record), found[0]))
        return record


class StrayFile(Exception):  # noqa: N818 - a signal, not an error
    """A bucket without rows has a file that may be an object: it must be looked at first."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        super().__init__(key)


@frozen
class RemoveBucket:
    """The step that removes an empty bucket with its uploads and its directory."""

    layout: Layout
    name: str

    def __call__(self, transaction: Transaction) -> None:
        """Raises NoSuchBucket, BucketNotEmpty, StrayFile."""
        found = find(transaction.execute, self.name)
        if found is None:
            raise NoSuchBucket()
        bucket_id = found[0]
        self._refuse_objects(transaction, bucket_id)
        transaction.intend(self.name, b"")
        stray = self.layout.directories.clear(transaction, self.name)
        if stray is not None:
            raise StrayFile(stray)
        drop_bucket(transaction, bucket_id)

    def _refuse_objects(self, transaction: Transaction, bucket_id: int) -> None:
        rows = transaction.execute(
            f"SELECT key, {COLUMNS} FROM version WHERE bucket_id = ? ORDER BY key, seq DESC",
            (bucket_id,),
        )
        # A refusal keeps this frame alive, and a cursor that is not at its end keeps its connection from writing.
        with closing(rows):
            for key, *values in rows:
                row = Row._make(values)
                if not row.visible or self.layout.watch.agrees(self.name, key, row):
                    raise BucketNotEmpty()


def drop_bucket(transaction: Transaction, bucket_id: int) -> None:
    """Removes every row of a bucket; the files of ours that they held are needed no more."""
    held = {blob for (blob,) in transaction.execute("SELECT blob FROM span WHERE bucket_id = ?", (bucket_id,))}
    parts = transaction.execute("SELECT spans FROM part WHERE bucket_id = ?", (bucket_id,)).fetchall()
    held.update(blob for (spans,) in parts for blob in blobs_in(spans))
    for table in ("version", "upload", "part", "span"):
        transaction.execute(f"DELETE FROM {table} WHERE bucket_id = ?", (bucket_id,))
    transaction.execute("DELETE FROM bucket WHERE id = ?", (bucket_id,))
    transaction.useless |= held


@frozen
class ForgetAbsentBucket:
    """The step for a bucket whose directory was removed by hand: it is gone too, unless the pool holds objects of it."""

    layout: Layout
    name: str

    def __call__(self, transaction: Transaction) -> None:
        found = find(transaction.execute, self.name)
        if found is None or self.layout.directories.exists(self.name):
            return
        bucket_id, record = found
        held = "SELECT 1 FROM version WHERE bucket_id = ? AND NOT visible UNION ALL SELECT 1 FROM upload WHERE bucket_id = ?"
        if transaction.execute(held, (bucket_id, bucket_id)).fetchone() is not None:
            self.layout.directories.note(transaction, record, True)
            return
        self.layout.directories.clear(transaction, self.name)
        drop_bucket(transaction, bucket_id)
