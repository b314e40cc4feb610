"""The undo log: how each step since the last flush is taken back, and what it has made worthless (docs/decisions/0022-undo-log.md).

A step writes its record in its own transaction, so that the log says of exactly those steps that the catalog has. What a record names
as worthless is removed once the step is durable, and not before: until then a power failure may need it.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from attrs import define, frozen

from gecko_tw.store.drivers.sqlite.connections import Execute
from gecko_tw.store.drivers.sqlite.notation import decode, encode

ADD_UNDO = "INSERT INTO undo (bucket_id, key, former, useless, replaced) VALUES (?, ?, ?, ?, ?)"
_NEWEST = "SELECT coalesce(max(id), 0) FROM undo"
_GARBAGE = (
    "SELECT id, former IS NOT NULL OR useless <> '' OR replaced <> '', useless, replaced FROM undo"
    " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
)
_BY_KEY = (
    "SELECT id, bucket_id, key, former FROM undo WHERE former IS NOT NULL AND id > ? ORDER BY bucket_id, key, id DESC"
)
_SINCE = "SELECT id, bucket_id, key, former FROM undo WHERE former IS NOT NULL AND id >= ? ORDER BY id DESC"
_REPLACED = "SELECT id, replaced FROM undo WHERE id > ? AND replaced <> '' ORDER BY id"
_DROP = "DELETE FROM undo WHERE id <= ?"
_EMPTY = "UPDATE undo SET bucket_id = NULL, key = NULL, former = NULL, useless = '', replaced = '' WHERE id = ?"


@define(slots=True)
class Former:
    """What a step's rows were.

    :ivar rows: those of ``version`` that it changed or removed, as they were.
    :ivar put: the sequence numbers of those that it wrote.
    :ivar uploads: rows of ``upload`` that it changed or removed; ``begun`` are the ids of those that it wrote.
    :ivar parts: rows of ``part`` that it changed or removed, with the upload's id before them; ``added`` are those that it wrote: the
        upload's id and the number.
    """

    bucket_id: int
    key: bytes
    rows: list[Any]  # of values, as in all of these
    put: list[int]
    uploads: list[Any] = []  # noqa: RUF012 - never changed in place
    begun: list[str] = []  # noqa: RUF012
    parts: list[Any] = []  # noqa: RUF012
    added: list[Any] = []  # noqa: RUF012


@frozen
class Record:
    """How one record of the log takes its step back."""

    id: int
    former: Former


class Garbage(NamedTuple):
    """What one record of the log names as worthless.

    :ivar says: whether the record says anything at all.
    :ivar useless: names of ours; those of rows in the catalog's own pages begin with "@".
    :ivar replaced: names in staging.
    """

    id: int
    says: bool
    useless: tuple[str, ...]
    replaced: tuple[str, ...]


# Any: the columns' values.
def undo_row(former: Former | None, useless: set[str], replaced: set[str]) -> tuple[Any, ...]:
    """The values of a record's row."""
    names = " ".join(useless), " ".join(replaced)
    if former is None:
        return (None, None, None, *names)
    text = encode([former.rows, former.put])
    if former.uploads or former.begun or former.parts or former.added:
        text = encode([former.rows, former.put, former.uploads, former.begun, former.parts, former.added])
    return (former.bucket_id, former.key, text, *names)


def _record(row: tuple[Any, ...]) -> Record:
    number, bucket_id, key, former = row
    return Record(number, Former(bucket_id, key, *decode(former)))


def newest(execute: Execute) -> int:
    """The number of the last record, 0 when there was never one. ``execute`` is a connection's or a transaction's."""
    number: int = execute(_NEWEST).fetchone()[0]
    return number


def garbage(execute: Execute, last: int, after: int = 0, most: int = -1) -> list[Garbage]:
    """What the records up to a number, and behind another one, name as worthless, oldest first.

    :param most: so many records at most; -1 for all.
    """
    found = execute(_GARBAGE, (after, last, most)).fetchall()
    return [
        Garbage(number, says, tuple(useless.split()), tuple(replaced.split()))
        for number, says, useless, replaced in found
    ]


def replaced(execute: Execute, after: int) -> tuple[int, list[str]]:
    """The number of the last record behind another one, and the names in staging of files that those took from their paths."""
    found = execute(_REPLACED, (after,)).fetchall()
    return (found[-1][0] if found else after), [name for _, names in found for name in names.split()]


def since(execute: Execute, first: int) -> list[Record]:
    """What can be taken back from a number on, the last one first."""
    return [_record(row) for row in execute(_SINCE, (first,)).fetchall()]


def by_key(execute: Execute, flushed: int) -> Iterator[list[Record]]:
    """What can be taken back of each key, the last one first, without the records up to a number."""
    found = (_record(row) for row in execute(_BY_KEY, (flushed,)).fetchall())
    for _, group in groupby(found, key=_key_of):
        yield list(group)


def _key_of(record: Record) -> tuple[int, bytes]:
    return record.former.bucket_id, record.former.key


def drop(execute: Execute, last: int) -> None:
    """Forgets the records up to a number. The very last one only loses what it says: the next one's number is to be higher."""
    if last >= newest(execute):
        execute(_EMPTY, (last,))
        last -= 1
    execute(_DROP, (last,))
