"""What both layouts can be asked: whether the catalog can be read, its bytes are there, and no bytes are there in vain."""

import os
import sqlite3
from collections.abc import Iterator
from functools import partial

from gecko_tw.store.drivers.checking.differences import Difference, lasting, named
from gecko_tw.store.drivers.checking.looking import LookingDisk, Reading
from gecko_tw.store.drivers.pooled import PooledFiles
from gecko_tw.store.drivers.sqlite.blobnames import inline_name, is_pooled
from gecko_tw.store.drivers.sqlite.damage import DamagedRow
from gecko_tw.store.drivers.sqlite.notation import bucket_of, upload_of
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, PART_COLUMNS, UPLOAD_COLUMNS, Row, part_of_row, version_of
from gecko_tw.store.records import BucketRecord, DeleteMarker, Part, Version

MALFORMED = (DamagedRow, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
"""What a record says that cannot be read."""
_PAGE = 500
_ROWS = (
    f"SELECT key, {COLUMNS} FROM version WHERE bucket_id = ?1 AND key >= ?2 AND (key > ?2 OR seq < ?3)"
    " ORDER BY key, seq DESC LIMIT ?4"
)
_ROW = f"SELECT {COLUMNS} FROM version WHERE bucket_id = ? AND key = ? AND seq = ?"
_PARTS = f"SELECT key, upload_id, {PART_COLUMNS} FROM part WHERE bucket_id = ?"
_UPLOADS = f"SELECT key, {UPLOAD_COLUMNS} FROM upload WHERE bucket_id = ?"
_INLINE = "SELECT spans FROM version WHERE spans GLOB '@*' UNION ALL SELECT spans FROM part WHERE spans GLOB '@*'"
_HELD = (
    "SELECT 1 FROM version WHERE spans = ?1 UNION ALL SELECT 1 FROM part WHERE spans = ?1"
    " UNION ALL SELECT 1 FROM undo WHERE instr(useless, ?1) > 0"
)
_MOST_PROBLEMS = 20


class RecordsCheck:
    """One check of the records of a catalog.

    :param only: the bucket to look at; empty for all, and for what belongs to none.
    :param verifying: whether all bytes are read and compared with their checksums.
    """

    def __init__(self, disk: LookingDisk, reading: Reading, only: str, verifying: bool) -> None:
        self.disk, self.reading, self.only, self.verifying = disk, reading, only, verifying
        self.pooled = PooledFiles(disk, reading)

    def run(self) -> Iterator[Difference]:
        """What is wrong. Raises sqlite3.DatabaseError when no more can be read of the catalog."""
        problems = self.execute(f"PRAGMA quick_check({_MOST_PROBLEMS})").fetchall()
        yield from (Difference("catalog", "catalog", problem) for (problem,) in problems if problem != "ok")
        for number, name, text in self.execute("SELECT id, name, record FROM bucket ORDER BY name").fetchall():
            if self.only in ("", name):
                yield from self._bucket(number, name, text)
        if not self.only:
            yield from self.apart()

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """SQL."""
        return self.reading.mine().execute(statement, values)

    def _bucket(self, number: int, name: str, text: str) -> Iterator[Difference]:
        try:
            record = bucket_of(name, text)
        except MALFORMED as error:
            yield Difference("row", name, f"the bucket's record cannot be read: {error}")
        else:
            yield from self.bucket(number, record)
        for key, row in self.rows(number):
            yield from self._row(number, name, key, row)
        yield from self._parts(number, name)

    def bucket(self, number: int, record: BucketRecord) -> Iterator[Difference]:
        """What else there is to be seen of a bucket."""
        return iter(())

    def apart(self) -> Iterator[Difference]:
        """What belongs to no bucket."""
        yield from self._orphans()
        if self.execute("SELECT 1 FROM sqlite_master WHERE name = 'blob'").fetchone() is not None:
            yield from self._orphaned_rows()

    def rows(self, number: int) -> Iterator[tuple[bytes, Row]]:
        """Every version of a bucket, the newest of each key first."""
        key, seq = b"", 2**62
        while page := self.execute(_ROWS, (number, key, seq, _PAGE)).fetchall():
            for key, *values in page:
                yield key, Row._make(values)
            seq = page[-1][1]

    def _row(self, number: int, bucket: str, key: bytes, row: Row) -> Iterator[Difference]:
        try:
            version = version_of(row, bucket, key)
            spans = () if isinstance(version, DeleteMarker) or row.visible else version.spans
        except MALFORMED as error:
            yield Difference("row", named(bucket, key, row.version_id), f"its record cannot be read: {error}")
            return
        if spans and not self.pooled.are_there(version):
            again = partial(self._still, number, key, row, version)
            if lasting(again) is not None:
                yield Difference("lost", named(bucket, key, row.version_id), "not all of its bytes are there")
            return
        yield from self.version(number, key, row, version)
        rotten = self.verifying and isinstance(version, Version) and spans and self.is_whole(version) is False
        if rotten and self.stands(number, key, row):
            yield self._rotten(bucket, key, row)

    def _rotten(self, bucket: str, key: bytes, row: Row) -> Difference:
        return Difference("rotten", named(bucket, key, row.version_id), f"its bytes are not those of {row.etag}")

    def is_whole(self, record: Version | Part) -> bool | None:
        """Whether bytes in the pool are a record's own; None when nothing tells."""
        return self.pooled.verified(record)

    def version(self, number: int, key: bytes, row: Row, version: Version | DeleteMarker) -> Iterator[Difference]:
        """What else there is to be seen of a version whose bytes, in the pool, are there."""
        return iter(())

    def stands(self, number: int, key: bytes, row: Row) -> bool:
        """Whether a row is still the same."""
        values = self.execute(_ROW, (number, key, row.seq)).fetchone()
        return values is not None and Row._make(values) == row

    def _still(self, number: int, key: bytes, row: Row, version: Version | DeleteMarker) -> str | None:
        return "" if self.stands(number, key, row) and not self.pooled.are_there(version) else None

    def _parts(self, number: int, bucket: str) -> Iterator[Difference]:
        for key, upload_id, *values in self.execute(_PARTS, (number,)).fetchall():
            place = f"{named(bucket, key)} (upload {upload_id}, part {values[0]})"
            try:
                part = part_of_row(tuple(values))
            except MALFORMED as error:
                yield Difference("row", place, f"its record cannot be read: {error}")
                continue
            again = partial(self._part_still, number, key, upload_id, part)
            if not self.pooled.are_there(part) and lasting(again) is not None:
                yield Difference("lost", place, "not all of its bytes are there")
            elif self.verifying and self.is_whole(part) is False:
                yield Difference("rotten", place, f"its bytes are not those of {part.etag}")
        for key, *values in self.execute(_UPLOADS, (number,)).fetchall():
            try:
                upload_of(*values)
            except MALFORMED as error:
                place = f"{named(bucket, key)} (upload {values[0]})"
                yield Difference("row", place, f"its record cannot be read: {error}")

    def _part_still(self, number: int, key: bytes, upload_id: str, part: Part) -> str | None:
        where = (number, key, upload_id, part.number, part.etag)
        found = self.execute(
            "SELECT 1 FROM part WHERE bucket_id = ? AND key = ? AND upload_id = ? AND number = ? AND etag = ?", where
        )
        return "" if found.fetchone() is not None and not self.pooled.are_there(part) else None

    def _orphans(self) -> Iterator[Difference]:
        """Files in the pool, and beside it, that no row and no step that may be taken back needs."""
        for room in ("pool", "attributes"):
            for directory, _, names in os.walk(self.disk.inner_path(room)):
                for name in names:
                    blob = name.removesuffix(".json")
                    path = os.path.join(directory, name)
                    if is_pooled(blob) and lasting(partial(self.in_vain, blob, path)) is not None:
                        yield Difference("orphan", os.path.relpath(path, self.disk.data_dir), "nothing needs it")

    def in_vain(self, blob: str, path: str) -> str | None:
        """A text when nothing needs a file that is there."""
        if self.execute("SELECT 1 FROM span WHERE blob = ?", (blob,)).fetchone() is not None:
            return None
        if self.execute("SELECT 1 FROM undo WHERE instr(useless, ?) > 0", (blob,)).fetchone() is not None:
            return None
        return "" if os.path.lexists(path) else None

    def _orphaned_rows(self) -> Iterator[Difference]:
        """Bytes in the catalog's own pages, likewise."""
        held = {spans for (spans,) in self.execute(_INLINE)}
        names = {inline_name(*row) for row in self.execute("SELECT id, stamp FROM blob")}
        for name in sorted(names - held):
            if lasting(partial(self._row_in_vain, name)) is not None:
                yield Difference("orphan", f"row {name[1:]} of blob", "nothing needs these bytes in the catalog")

    def _row_in_vain(self, name: str) -> str | None:
        return None if self.execute(_HELD, (name,)).fetchone() is not None else ""
