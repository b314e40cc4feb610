"""Rows of the catalog and the records they stand for."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from attrs import field, frozen

from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline, visible_name
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.counters import slot_of
from gecko_tw.store.drivers.sqlite.damage import DamagedRow
from gecko_tw.store.drivers.sqlite.notation import (
    blobs_in,
    checksum_of,
    checksum_text,
    parts_of,
    parts_text,
    rest_of,
    spans_of,
    spans_text,
    upload_of,
    version_text,
)
from gecko_tw.store.records import DeleteMarker, KeyHistory, Part, Span, Upload, Version


class Row(NamedTuple):
    """One row of the table ``version``, without its key; ``schema.sql`` says what the columns mean."""

    seq: int
    version_id: str
    marker: int
    etag: str
    size: int
    modified: int
    owner: str
    checksum: str | None
    record: str
    visible: int
    file_size: int | None
    file_mtime: int | None
    files: str
    parts: str | None
    spans: str

    def blobs(self) -> set[str]:
        """Every file of ours that the row needs, the visible one apart."""
        return blobs_in(self.spans).union(self.files.split()) if self.spans or self.files else set()

    @property
    def has_leftover(self) -> bool:
        """Whether the file of an older version may still be at the key's path."""
        return not self.visible and self.file_mtime is not None

    @property
    def fingerprint(self) -> tuple[int, int] | None:
        """Size and modification time of the file that may be at the key's path, this version's or an older one's; None for none."""
        return None if self.file_size is None or self.file_mtime is None else (self.file_size, self.file_mtime)

    @property
    def is_bare(self) -> bool:
        """Whether nothing is known of the version but its bytes and their time."""
        return not self.record and self.parts is None

    def spans_at(self, bucket: str, key: bytes) -> tuple[Span, ...]:
        """Where the bytes are, the file at its key's path included."""
        if not self.visible:
            return spans_of(self.spans, self.size)
        assert self.file_mtime is not None, "a visible file has a time"
        return (Span(visible_name(self.file_mtime, self.size, bucket, key), 0, self.size),)


COLUMNS = ", ".join(Row._fields)
_INSERT = f"INSERT OR REPLACE INTO version (bucket_id, key, {COLUMNS}) VALUES (?, ?{', ?' * len(Row._fields)})"


def needed_by(rows: Iterable[Row]) -> set[str]:
    """Every file of ours that some rows need."""
    return {blob for row in rows for blob in row.blobs()}


@frozen
class Address:
    """A key of a bucket that the catalog knows.

    :ivar slot: of its counter.
    """

    bucket: str
    bucket_id: int
    key: bytes
    slot: int = field(init=False)

    @slot.default
    def _slot(self) -> int:
        return slot_of(self.bucket, self.key)


@frozen
class Placement:
    """Where the bytes of a version are.

    :ivar visible: whether they are the file at the key's path.
    :ivar mtime: that file's modification time; for the pool, of a leftover file at that path, or None.
    :ivar leftover: that leftover's size, or None.
    :ivar spans: in the pool.
    :ivar files: further files of ours, see the column.
    """

    visible: bool
    mtime: int | None = None
    leftover: int | None = None
    spans: tuple[Span, ...] = ()
    files: tuple[str, ...] = ()


def row_of(version: Version | DeleteMarker, seq: int, placed: Placement) -> Row:
    """The row of a version whose bytes are where ``placed`` says."""
    files = " ".join(placed.files)
    if isinstance(version, DeleteMarker):
        fingerprint = (placed.leftover, placed.mtime)
        owned = (version.modified, version.owner, None, "", 0)
        return Row(seq, version.version_id, 1, "", 0, *owned, *fingerprint, files, None, "")
    size = version.size
    return Row(
        seq,
        version.version_id,
        0,
        version.etag,
        size,
        version.modified,
        version.owner,
        checksum_text(version.checksum),
        version_text(version),
        int(placed.visible),
        size if placed.visible else placed.leftover,
        placed.mtime,
        files,
        parts_text(version.parts) if version.parts else None,
        "" if placed.visible else spans_text(placed.spans, size),
    )


def version_of(row: Row, bucket: str, key: bytes) -> Version | DeleteMarker:
    """The record a row stands for. Raises DamagedRow."""
    _, version_id, marker, etag, size, modified, owner, checksum, record, *_, parts, _ = row
    if marker:
        return DeleteMarker(version_id=version_id, modified=modified, owner=owner)
    try:
        return Version(
            version_id=version_id,
            etag=etag,
            size=size,
            modified=modified,
            spans=row.spans_at(bucket, key),
            checksum=None if checksum is None else checksum_of(checksum),
            parts=parts_of(parts) if parts else (),
            owner=owner,
            **rest_of(record),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as problem:
        raise DamagedRow(f"the record of a version of {bucket}/{key!r} cannot be read: {problem}") from problem


def versions_of(transaction: Transaction, address: Address) -> list[Row]:
    """Every row of a key, newest first: not for steps that requests wait for."""
    found = transaction.execute(
        f"SELECT {COLUMNS} FROM version WHERE bucket_id = ? AND key = ? ORDER BY seq DESC",
        (address.bucket_id, address.key),
    )
    return [Row._make(values) for values in found.fetchall()]


def history_of(bucket: str, key: bytes, rows: list[Row]) -> KeyHistory:
    """What some rows of a key stand for, without any upload."""
    return KeyHistory(bucket=bucket, key=key, versions=tuple(version_of(row, bucket, key) for row in rows))


def put_version(transaction: Transaction, address: Address, row: Row) -> None:
    """Writes a row, over the one of the same sequence number if there is one."""
    transaction.outdate(address.slot)
    transaction.execute(_INSERT, (address.bucket_id, address.key, *row))


def drop_version(transaction: Transaction, address: Address, row: Row) -> None:
    """Removes a row."""
    transaction.outdate(address.slot)
    transaction.execute(
        "DELETE FROM version WHERE bucket_id = ? AND key = ? AND seq = ?", (address.bucket_id, address.key, row.seq)
    )


def change_blobs(transaction: Transaction, bucket_id: int, before: set[str], after: set[str]) -> None:
    """Notes which blobs and files of ours are needed now, and in the undo log which are not any more.

    What is in our own pages goes at once, unless a power failure may take the step back: it may when a file has come with it, or with a
    step before it.
    """
    if before != after:
        files = [blob for blob in after - before if not is_inline(blob)]
        for blob in before - after:
            if not is_inline(blob):
                transaction.execute("DELETE FROM span WHERE blob = ?", (blob,))
                transaction.useless.add(blob)
            elif transaction.follows or (files and not transaction.durable):
                transaction.useless.add(blob)
            else:
                transaction.execute("DELETE FROM blob WHERE id = ? AND stamp = ?", inline_parts(blob))
        for blob in files:
            transaction.execute("INSERT OR REPLACE INTO span VALUES (?, ?)", (blob, bucket_id))


UPLOAD_COLUMNS = "id, initiated, revision, record"


def uploads_of(transaction: Transaction, address: Address) -> tuple[Upload, ...]:
    """A key's uploads, oldest first."""
    found = transaction.execute(
        f"SELECT {UPLOAD_COLUMNS} FROM upload WHERE bucket_id = ? AND key = ? ORDER BY seq",
        (address.bucket_id, address.key),
    )
    return tuple(upload_of(*values) for values in found.fetchall())


PART_COLUMNS = "number, etag, size, modified, spans, checksum"


# Any: the columns' values.
def part_of_row(values: tuple[Any, ...]) -> Part:
    """The record a row of the table ``part`` stands for."""
    number, etag, size, modified, spans, checksum = values
    where = spans_of(spans, size)
    kept = sum(span.length for span in where)
    return Part(
        number=number,
        etag=etag,
        size=size,
        modified=modified,
        spans=where,
        checksum=checksum_of(checksum),
        stored=None if kept == size else kept,
    )


def parts_of_upload(transaction: Transaction, address: Address, upload_id: str) -> list[Part]:
    """All parts of an upload, by number."""
    found = transaction.execute(
        f"SELECT {PART_COLUMNS} FROM part WHERE bucket_id = ? AND key = ? AND upload_id = ? ORDER BY number",
        (address.bucket_id, address.key, upload_id),
    )
    return [part_of_row(values) for values in found.fetchall()]
