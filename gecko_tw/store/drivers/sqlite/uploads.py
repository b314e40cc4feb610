"""The rows of uploads under way and of their parts."""

from collections.abc import Callable

from attrs import frozen

from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.lookups import UPLOAD_ROW
from gecko_tw.store.drivers.sqlite.notation import blobs_in, checksum_text, spans_text, upload_text
from gecko_tw.store.drivers.sqlite.rows import (
    PART_COLUMNS,
    UPLOAD_COLUMNS,
    Address,
    change_blobs,
    part_of_row,
)
from gecko_tw.store.drivers.sqlite.undo import Former
from gecko_tw.store.drivers.sqlite.usage import check_part
from gecko_tw.store.records import Part, Upload, Usage
from gecko_tw.store.refusals import NoSuchUpload

_ONE = "bucket_id = ? AND key = ? AND upload_id = ?"
_SPANS = PART_COLUMNS.split(", ").index("spans")


def put_upload(transaction: Transaction, address: Address, upload: Upload, former: Former | None = None) -> None:
    """Changes an upload's row, or adds it behind the others of its key; ``former`` is told what was there."""
    transaction.outdate(address.slot)
    if former is not None:
        former.uploads = [
            *former.uploads,
            *transaction.execute(UPLOAD_ROW, (address.bucket_id, address.key, upload.id)),
        ]
        former.begun = [*former.begun, upload.id]
    values = (upload.initiated, upload.revision, upload_text(upload))
    where = (address.bucket_id, address.key)
    changed = transaction.execute(
        "UPDATE upload SET initiated = ?, revision = ?, record = ? WHERE bucket_id = ? AND key = ? AND id = ?",
        (*values, *where, upload.id),
    )
    if changed.rowcount == 0:
        transaction.execute(
            f"INSERT INTO upload (bucket_id, key, seq, {UPLOAD_COLUMNS}) SELECT ?1, ?2,"
            " (SELECT coalesce(max(seq), 0) + 1 FROM upload WHERE bucket_id = ?1 AND key = ?2), ?3, ?4, ?5, ?6",
            (*where, upload.id, *values),
        )


def drop_upload(transaction: Transaction, address: Address, upload_id: str, former: Former | None = None) -> set[str]:
    """Removes an upload and its parts; returns the blobs that those held. ``former`` is told what was there."""
    where = (address.bucket_id, address.key, upload_id)
    parts = transaction.execute(f"SELECT {PART_COLUMNS} FROM part WHERE {_ONE}", where).fetchall()
    if former is not None:
        former.uploads = [*former.uploads, *transaction.execute(UPLOAD_ROW, where)]
        former.parts = [*former.parts, *((upload_id, *part) for part in parts)]
    transaction.execute(f"DELETE FROM part WHERE {_ONE}", where)
    transaction.execute("DELETE FROM upload WHERE bucket_id = ? AND key = ? AND id = ?", where)
    return {blob for part in parts for blob in blobs_in(part[_SPANS])}


@frozen
class AddPart:
    """The step that adds or replaces a part."""

    layout: Layout
    address: Address
    upload_id: str
    part: Part
    check: Callable[[Usage, Usage], None] | None = None

    def __call__(self, transaction: Transaction) -> Part | None:
        """Returns the part it replaced. Raises NoSuchUpload, and what the check raises."""
        where = (self.address.bucket_id, self.address.key, self.upload_id)
        raised = transaction.execute(
            "UPDATE upload SET revision = revision + 1 WHERE bucket_id = ? AND key = ? AND id = ?", where
        )
        if raised.rowcount == 0:
            raise NoSuchUpload()
        if self.check is not None:
            check_part(transaction, self.address, self.upload_id, self.part.number, self.part.size, self.check)
        former = transaction.execute(
            f"SELECT {PART_COLUMNS} FROM part WHERE {_ONE} AND number = ?",
            (*where, self.part.number),
        ).fetchone()
        replaced = None if former is None else part_of_row(former)
        transaction.claim(self.address.bucket, self.address.key)
        self.layout.uploads.pool_part(transaction, self.address, self.upload_id, self.part)
        put_part(transaction, self.address, self.upload_id, self.part)
        before = set() if replaced is None else {span.blob for span in replaced.spans}
        change_blobs(transaction, self.address.bucket_id, before, {span.blob for span in self.part.spans})
        parts = [] if former is None else [(self.upload_id, *former)]
        added = [(self.upload_id, self.part.number)]
        transaction.former = Former(self.address.bucket_id, self.address.key, [], [], parts=parts, added=added)
        return replaced


def put_part(transaction: Transaction, address: Address, upload_id: str, part: Part) -> None:
    """Writes a part's row, over the one of the same number if there is one."""
    spans = spans_text(part.spans, part.size)
    values = (part.number, part.etag, part.size, part.modified, spans, checksum_text(part.checksum))
    transaction.execute(
        f"INSERT OR REPLACE INTO part (bucket_id, key, upload_id, {PART_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (address.bucket_id, address.key, upload_id, *values),
    )
