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
    """

    address: Address
    rows: list[Row]
    fresh: list[Row]
    parts: list[tuple[str, Part]]


def take_back(transaction: Transaction, is_whole: Callable[[Recent], bool]) -> list[Recent]:
    """Takes steps of each key back, the last ones first, until what the remaining ones have written is whole.

    :param is_whole: whether all fresh bytes are there and are what the rows say.
    :returns: what remains of each key that the log names.
    """
    return [one for group in undo.by_key(transaction.execute) for one in _take_back_key(transaction, group, is_whole)]


def _take_back_key(transaction: Transaction, records: list[Record], is_whole: Callable[[Recent], bool]) -> list[Recent]:
    former = records[0].former
    assert former is not None
    bucket = transaction.execute("SELECT name FROM bucket WHERE id = ?", (former.bucket_id,)).fetchone()
    if bucket is None:  # it was removed by a later step
        return []
    address = Address(bucket[0], former.bucket_id, former.key)
    steps = [one.former for one in records if one.former is not None]
    numbers = [one.id for one in records]
    changed = {row[0] for one in steps for row in one.rows}.union(*(one.put for one in steps))
    for taken, step in enumerate([*steps, None]):
        recent = _recent(transaction, address, steps[taken:], changed)
        if step is None or is_whole(recent):
            if taken:
                log.warning("%s/%r: the last %d changes did not survive and are taken back", *bucket, former.key, taken)
            return [recent]
        _apply(transaction, address, step)
        # What it called worthless is needed again.
        transaction.execute("DELETE FROM undo WHERE id = ?", (numbers[taken],))
    raise AssertionError("unreachable")


def _recent(transaction: Transaction, address: Address, steps: list[Former], changed: set[int]) -> Recent:
    where = (address.bucket_id, address.key)
    fresh: set[int] = set()
    standing: set[tuple[object, ...]] = set()
    for step in reversed(steps):
        standing |= {_identity(Row._make(row)) for row in step.rows if row[0] not in fresh}
        fresh |= set(step.put)
    found = [transaction.execute(_ROW, (*where, seq)).fetchone() for seq in sorted(changed)]
    rows = [Row._make(values) for values in found if values is not None]
    parts = []
    for upload_id, number in {tuple(one) for step in steps for one in step.added}:
        values = transaction.execute(_PART, (*where, upload_id, number)).fetchone()
        if values is not None:
            parts.append((upload_id, part_of_row(values)))
    return Recent(address, rows, [row for row in rows if row.seq in fresh and _identity(row) not in standing], parts)


def _identity(row: Row) -> tuple[object, ...]:
    """What tells the bytes of one version from those of another."""
    return row.version_id, row.etag, row.size, row.modified, row.marker


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
