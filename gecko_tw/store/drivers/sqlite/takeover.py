"""Rows follow the files: what was found at a key's path becomes its newest version, and what is gone from there is forgotten."""

from attrs import frozen

from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.lookups import find_upload, shown_rows
from gecko_tw.store.drivers.sqlite.notation import spans_of
from gecko_tw.store.drivers.sqlite.rows import (
    Address,
    Placement,
    Row,
    change_blobs,
    drop_version,
    needed_by,
    put_version,
    row_of,
)
from gecko_tw.store.drivers.sqlite.uploads import drop_upload
from gecko_tw.store.records import Version


@frozen
class Observation:
    """What was found at a key's path.

    :ivar size: of the file, in bytes; None when there is no file.
    :ivar version: what the file is, or None when there is none.
    :ivar kept: the pool's name of the bytes that the file replaced, when their version stays.
    :ivar files: further files of ours that hold its attributes.
    :ivar anew: whether the file may be described now and was not when its row was written.
    """

    bucket: str
    key: bytes
    size: int | None = None
    mtime: int | None = None
    version: Version | None = None
    kept: str | None = None
    files: tuple[str, ...] = ()
    anew: bool = False


@frozen
class TakeOver:
    """The step that brings the rows of some keys in line with what was found. A file that changed since then is passed over."""

    layout: Layout
    findings: tuple[Observation, ...]

    def __call__(self, transaction: Transaction) -> list[Observation]:
        """Returns the findings passed over."""
        outdated = []
        for finding in self.findings:
            transaction.claim(finding.bucket, finding.key)
        for finding in self.findings:
            found = find(transaction.execute, finding.bucket)
            if found is not None:
                address = Address(finding.bucket, found[0], finding.key)
                named = None if finding.version is None else finding.version.version_id
                rows = shown_rows(transaction.execute, address, named)
                there = self.layout.watch.fingerprint(finding.bucket, finding.key)
                if _is_true(rows[0] if rows else None, there) and not (finding.anew and rows and rows[0].is_bare):
                    continue
                if there == (finding.size, finding.mtime):
                    self._one(transaction, address, rows, finding)
                else:
                    outdated.append(finding)
        return outdated

    def _one(self, transaction: Transaction, address: Address, rows: list[Row], finding: Observation) -> None:
        after = self._gone(rows) if finding.version is None else self._found(rows, finding, finding.version)
        self._write(transaction, address, rows, after)
        dropped = self._finish_upload(transaction, address, finding.version)
        change_blobs(transaction, address.bucket_id, dropped | needed_by(rows), needed_by(after))

    def _gone(self, rows: list[Row]) -> list[Row]:
        return [row for row in rows if not row.visible]

    def _found(self, rows: list[Row], finding: Observation, version: Version) -> list[Row]:
        after = []
        for row in rows[self._removed_above(rows, version) :]:
            if row.version_id == version.version_id:
                continue
            if not row.visible:
                after.append(row._replace(file_size=None, file_mtime=None))
            elif finding.kept is not None and self.layout.watch.is_pooled(finding.kept):
                after.append(row._replace(visible=0, spans=finding.kept, file_size=None, file_mtime=None))
        seq = max((row.seq for row in rows), default=0) + 1
        return [row_of(version, seq, Placement(True, finding.mtime, files=finding.files)), *after]

    def _removed_above(self, rows: list[Row], version: Version) -> int:
        """How many rows, from the newest on, a step that was cut short has removed: the newest one, or none.

        Bytes leave the pool for the key's path only when everything above their version goes, and a step removes one version.
        """
        for place, row in enumerate(rows[:2]):
            if (row.version_id, row.etag, row.modified) == (version.version_id, version.etag, version.modified):
                spans = spans_of(row.spans, row.size) if not row.visible else ()
                return place if len(spans) == 1 and not self.layout.watch.is_pooled(spans[0].blob) else 0
        return 0

    def _write(self, transaction: Transaction, address: Address, rows: list[Row], after: list[Row]) -> None:
        standing = {row.seq: row for row in after}
        for row in rows:
            if row.seq not in standing:
                drop_version(transaction, address, row)
        for row in after:
            put_version(transaction, address, row)

    def _finish_upload(self, transaction: Transaction, address: Address, version: Version | None) -> set[str]:
        """Forgets the upload that made the file, when its last step was cut short before the rows were committed."""
        if version is None or version.upload is None:
            return set()
        upload = find_upload(transaction.execute, address.bucket_id, address.key, version.upload)
        if upload is None:
            return set()
        self.layout.uploads.note(transaction, address, upload, False)
        return drop_upload(transaction, address, upload.id)


def _is_true(row: Row | None, there: tuple[int | None, int | None]) -> bool:
    """Whether a key's newest row already says what is at its path."""
    if there == (None, None):
        return row is None or not row.visible
    return row is not None and (row.file_size, row.file_mtime) == there
