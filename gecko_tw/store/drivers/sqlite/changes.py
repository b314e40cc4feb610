"""Turning one history of a key into the next: which rows change, and what happens to the bytes, in which order.

Until the rows are committed everything can be put back: bytes that stay are made safe first, the new visible file changes places with the
old one, and nothing is removed. What is not needed any more goes to the undo log, in the same transaction.
"""

from attrs import frozen

from gecko_tw.store.drivers.sqlite.blobnames import is_inline
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.layout import Layout, Occupant
from gecko_tw.store.drivers.sqlite.lookups import newest_rows
from gecko_tw.store.drivers.sqlite.rows import (
    Address,
    Placement,
    Row,
    change_blobs,
    drop_version,
    needed_by,
    put_version,
    row_of,
    version_of,
)
from gecko_tw.store.drivers.sqlite.undo import Former
from gecko_tw.store.drivers.sqlite.uploads import drop_upload, put_upload
from gecko_tw.store.records import DeleteMarker, KeyHistory, Version, blobs_of


@frozen
class Written:
    """What a step wrote.

    :ivar after: the history with the names in force.
    :ivar top: its newest row, or None.
    :ivar whole: the key has no version that is not in this history.
    """

    after: KeyHistory
    top: Row | None
    whole: bool


class HistoryChange:
    """One key's change inside a transaction. Rows that the rule did not see stay as they are, below the newest.

    :param rows: those that the rule saw, newest first, the newest two among them; ``before`` is what they stand for.
    """

    def __init__(
        self, transaction: Transaction, layout: Layout, address: Address, rows: list[Row], before: KeyHistory
    ) -> None:
        self._transaction = transaction
        self._layout = layout
        self._address = address
        self._rows = rows
        self._before = before
        self._old = {row.version_id: (row, version) for row, version in zip(rows, before.versions, strict=True)}
        self._former = Former(address.bucket_id, address.key, [], [])

    def write(self, after: KeyHistory) -> Written:
        """Makes ``after`` the key's history."""
        _check(after)
        rows = self._new_rows(after)
        self._leave(rows)
        dropped = self._change_uploads(after)
        before, needed = dropped | needed_by(self._rows), needed_by(rows)
        change_blobs(self._transaction, self._address.bucket_id, before, needed)
        if self._transaction.follows or _of_files(self._rows, rows) or self._former.uploads or self._former.begun:
            self._transaction.former = self._former
        return Written(self._in_force(after, rows), rows[0] if rows else None, len(self._rows) < 2)

    def _new_rows(self, after: KeyHistory) -> list[Row]:
        """The rows, newest first; made from the oldest on, so that what stays is safe before the newest is placed."""
        highest = self._rows[0].seq if self._rows else 0
        rows: list[Row] = []
        for index in range(len(after.versions) - 1, -1, -1):
            version = after.versions[index]
            row, former = self._old.get(version.version_id, (None, None))
            last = rows[-1].seq if rows else 0
            seq = row.seq if row is not None and row.seq > last else max(highest, last) + 1
            made = self._older(version, row, former) if index else self._newest(version, row, former)
            rows.append(made if made.seq == seq else made._replace(seq=seq))
        rows.reverse()
        self._check_newest(rows)
        self._write_rows(rows)
        return rows

    def _check_newest(self, rows: list[Row]) -> None:
        """The newest version must be one that the rule saw: only then its bytes are where the newest one's belong."""
        if len(self._rows) < 2 or (rows and rows[0].seq >= self._rows[1].seq):
            return
        found = newest_rows(self._transaction.execute, self._address, len(self._rows) + 1)
        seen = {row.seq for row in self._rows}
        if any(row.seq not in seen and (not rows or row.seq > rows[0].seq) for row in found):
            raise ValueError("a version that the rule did not see would become the newest")

    def _write_rows(self, rows: list[Row]) -> None:
        standing = {row.seq: row for row in self._rows}
        for row in rows:
            former = standing.pop(row.seq, None)
            if former != row:
                put_version(self._transaction, self._address, row)
                self._former.put.append(row.seq)
                if former is not None:
                    self._former.rows.append(former)
        for row in standing.values():
            drop_version(self._transaction, self._address, row)
            self._former.rows.append(row)

    def _older(self, version: Version | DeleteMarker, row: Row | None, former: Version | DeleteMarker | None) -> Row:
        replaced = isinstance(version, Version) and not _same_bytes(version, former)
        if row is None or (replaced and row.visible):
            raise ValueError("only the newest version may be new")
        if replaced and isinstance(version, Version):
            return row_of(version, row.seq, self._layout.places.shelve(self._transaction, self._address, version))
        if row.visible and isinstance(version, Version):
            placed = self._layout.places.keep(self._transaction, self._address, version, row)
            return row_of(version, row.seq, placed)
        if version != former:
            return row_of(version, row.seq, self._described(version, row))
        return row._replace(file_size=None, file_mtime=None)

    def _newest(self, version: Version | DeleteMarker, row: Row | None, former: Version | DeleteMarker | None) -> Row:
        if row is not None and _same_bytes(version, former):
            was_newest = row is self._rows[0]
            if version == former and was_newest:
                return row
            if was_newest or isinstance(version, DeleteMarker):
                return row_of(version, row.seq, self._described(version, row))
        places, standing = self._layout.places, self._occupant(row)
        if isinstance(version, DeleteMarker):
            placed = places.mark(self._transaction, self._address, version, standing)
        else:
            placed = places.place(self._transaction, self._address, version, standing)
        return row_of(version, row.seq if row is not None else 0, placed)

    def _described(self, version: Version | DeleteMarker, row: Row) -> Placement:
        if isinstance(version, DeleteMarker):
            return Placement(False, files=tuple(row.files.split()))
        return self._layout.places.describe(self._transaction, self._address, version, row)

    def _occupant(self, replaced: Row | None) -> Occupant:
        if self._rows and self._rows[0].visible:
            top = self._before.versions[0]
            assert isinstance(top, Version), "a delete marker has no file"
            return Occupant(self._rows[0], top, replaced)
        return Occupant(replaced=replaced)

    def _leave(self, rows: list[Row]) -> None:
        """Empties the path when nothing took it and nothing is to be ignored there."""
        if self._rows and self._rows[0].visible:
            top = rows[0] if rows else None
            if top is None or (not top.visible and top.file_mtime is None):
                self._layout.places.vacate(self._transaction, self._address)

    def _change_uploads(self, after: KeyHistory) -> set[str]:
        """Writes the uploads; returns the blobs of the parts that are forgotten."""
        if after.uploads == self._before.uploads:
            return set()
        before = {upload.id: upload for upload in self._before.uploads}
        wanted = {upload.id for upload in after.uploads}
        dropped: set[str] = set()
        for upload in self._before.uploads:
            if upload.id not in wanted:
                self._layout.uploads.note(self._transaction, self._address, upload, False)
                dropped |= drop_upload(self._transaction, self._address, upload.id, self._former)
        for upload in after.uploads:
            if before.get(upload.id) != upload:
                put_upload(self._transaction, self._address, upload, self._former)
                self._layout.uploads.note(self._transaction, self._address, upload, True)
        return dropped

    def _in_force(self, after: KeyHistory, rows: list[Row]) -> KeyHistory:
        return after.having(tuple(map(self._version, after.versions, rows)))

    def _version(self, version: Version | DeleteMarker, row: Row) -> Version | DeleteMarker:
        """A version as its row says it is now."""
        if isinstance(version, DeleteMarker) or version.extra:  # what is deep is read again: nobody shares it
            return version_of(row, self._address.bucket, self._address.key)
        return version.lying(row.spans_at(self._address.bucket, self._address.key))


def _of_files(before: list[Row], after: list[Row]) -> bool:
    """Whether any of these rows stands for a file: what lies in the catalog's own pages is as old or as new as its row."""
    return any(row.visible or any(not is_inline(blob) for blob in row.blobs()) for row in (*before, *after))


def _check(after: KeyHistory) -> None:
    """A file can lie in one place only, so no two versions may share a blob."""
    if len(after.versions) > 1:
        names = [
            name for version in after.versions for name in blobs_of(KeyHistory(bucket="", key=b"", versions=(version,)))
        ]
        if len(names) != len(set(names)):
            raise ValueError("two versions share a blob")


def _same_bytes(version: Version | DeleteMarker, former: Version | DeleteMarker | None) -> bool:
    if isinstance(version, Version) and isinstance(former, Version):
        return version.spans == former.spans
    return isinstance(version, DeleteMarker) and isinstance(former, DeleteMarker)
