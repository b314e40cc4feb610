"""Taking back the last steps of keys whose bytes did not survive a power failure, by the undo log."""

import logging
from collections.abc import Callable

from attrs import frozen

from gecko_tw.store.drivers.sqlite import undo
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.rows import (
    COLUMNS,
    PART_COLUMNS,
    UPLOAD_COLUMNS,
    Address,
    Row,
    change_blobs,
    needed_by,
    part_of_row,
    put_version,
)
from gecko_tw.store.drivers.sqlite.undo import Former, Record
from gecko_tw.store.drivers.sqlite.uploads import put_part
from gecko_tw.store.records import Part

log = logging.getLogger(__name__)

_HERE = "bucket_id = ? AND key = ?"
_ROW = f"SELECT {COLUMNS} FROM version WHERE {_HERE} AND seq = ?"
_PART = f"SELECT {PART_COLUMNS} FROM part WHERE {_HERE} AND upload_id = ? AND number = ?"


@frozen
class Recent:
    """What the steps since the last flush have written of a key, as far as it is still there.

    :ivar rows: of versions; ``fresh`` are those whose bytes came with these steps.
    :ivar parts: with the id of their upload.
    :ivar left: size and time of the files that have left the key's path with these steps.
    """

    address: Address
    rows: list[Row]
    fresh: list[Row]
    parts: list[tuple[str, Part]]
    left: frozenset[tuple[int | None, int | None]]

    @property
    def identity(self) -> object:
        """What tells it from what was asked about before."""
        parts = tuple((upload_id, part.number, part.etag, part.spans) for upload_id, part in self.parts)
        return self.address.bucket_id, self.address.key, tuple(self.rows), tuple(self.fresh), parts


def take_back(transaction: Transaction, flushed: int, is_whole: Callable[[Recent], bool]) -> list[Recent]:
    """Takes steps back, the very last ones first, until what all the remaining ones have written is whole.

    So the catalog is in a state that it once had: no step survives one that came before it, and what was moved from one key to another is
    under one of them.

    :param flushed: records of the log up to this number are of steps that are on the disk.
    :param is_whole: whether all fresh bytes of a key are there and are what the rows say.
    :returns: what remains of each key that the log names.
    """
    known: dict[object, bool] = {}
    taken = 0
    while True:
        recents, worst = [], 0
        for records in undo.by_key(transaction.execute, flushed):
            recent = _recent(transaction, records)
            if recent is None:  # its bucket was removed by a later step
                continue
            recents.append(recent)
            good = known.get(recent.identity)
            if good is None:
                good = known[recent.identity] = is_whole(recent)
            if not good:
                worst = min(worst or records[0].id, records[0].id)
        if not worst:
            break
        taken += _take_back_from(transaction, worst)
    if taken:
        log.warning("the last %d changes did not survive and are taken back", taken)
    return recents


def _take_back_from(transaction: Transaction, first: int) -> int:
    """Takes back all steps from a number on; returns how many."""
    records = undo.since(transaction.execute, first)
    for record in records:
        address = _address(transaction, record.former)
        if address is not None:
            _apply(transaction, address, record.former)
        # What it called worthless is needed again.
        transaction.execute("DELETE FROM undo WHERE id = ?", (record.id,))
    return len(records)


def _address(transaction: Transaction, former: Former) -> Address | None:
    bucket = transaction.execute("SELECT name FROM bucket WHERE id = ?", (former.bucket_id,)).fetchone()
    return None if bucket is None else Address(bucket[0], former.bucket_id, former.key)


def _recent(transaction: Transaction, records: list[Record]) -> Recent | None:
    """What the steps of one key, the last one first, have written of it."""
    steps = [record.former for record in records]
    address = _address(transaction, steps[0])
    if address is None:
        return None
    where = (address.bucket_id, address.key)
    fresh: set[int] = set()
    standing: set[tuple[object, ...]] = set()
    for step in reversed(steps):
        standing |= {_identity(Row._make(row)) for row in step.rows if row[0] not in fresh}
        fresh |= set(step.put)
    changed = fresh | {row[0] for step in steps for row in step.rows}
    found = [transaction.execute(_ROW, (*where, seq)).fetchone() for seq in sorted(changed)]
    rows = [Row._make(values) for values in found if values is not None]
    parts = []
    for upload_id, number in sorted({tuple(one) for step in steps for one in step.added}):
        values = transaction.execute(_PART, (*where, upload_id, number)).fetchone()
        if values is not None:
            parts.append((upload_id, part_of_row(values)))
    former = [Row._make(row) for step in steps for row in step.rows]
    left = frozenset((row.file_size, row.file_mtime) for row in former if row.file_size is not None)
    return Recent(
        address, rows, [row for row in rows if row.seq in fresh and _identity(row) not in standing], parts, left
    )


def _identity(row: Row) -> tuple[object, ...]:
    """What tells the bytes of one version, and where they are, from those of another."""
    place = row.file_mtime if row.visible else row.spans
    return row.version_id, row.etag, row.size, row.modified, row.marker, row.visible, place


def _apply(transaction: Transaction, address: Address, step: Former) -> None:
    """Makes a key's rows what they were before a step."""
    where = (address.bucket_id, address.key)
    gone: set[str] = set()
    for seq in step.put:
        values = transaction.execute(_ROW, (*where, seq)).fetchone()
        if values is not None:
            gone |= Row._make(values).blobs()
            transaction.execute(f"DELETE FROM version WHERE {_HERE} AND seq = ?", (*where, seq))
    rows = [Row._make(row) for row in step.rows]
    for row in rows:
        put_version(transaction, address, row)
    for upload_id in step.begun:
        transaction.execute(f"DELETE FROM upload WHERE {_HERE} AND id = ?", (*where, upload_id))
    for upload in step.uploads:
        transaction.execute(
            f"INSERT OR REPLACE INTO upload (bucket_id, key, seq, {UPLOAD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*where, *upload),
        )
    for upload_id, number in step.added:
        values = transaction.execute(_PART, (*where, upload_id, number)).fetchone()
        if values is not None:
            gone |= {span.blob for span in part_of_row(values).spans}
            transaction.execute(
                f"DELETE FROM part WHERE {_HERE} AND upload_id = ? AND number = ?", (*where, upload_id, number)
            )
    back: set[str] = set()
    for upload_id, *values in step.parts:
        part = part_of_row(tuple(values))
        put_part(transaction, address, upload_id, part)
        back |= {span.blob for span in part.spans}
    change_blobs(transaction, address.bucket_id, gone, needed_by(rows) | back)
