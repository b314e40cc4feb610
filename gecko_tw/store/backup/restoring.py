"""Bringing a backup back: through the verbs of any driver, each version compared with what the backup says, and read again."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby

from attrs import define, evolve, field, frozen

from gecko_tw.store.backup.lines import Document, KeyCopy, Line, Stored, lines_of
from gecko_tw.store.backup.repository import Backup, Repository
from gecko_tw.store.backup.targets import BackupError, pieces
from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.interfaces import IBlobs, IDriver
from gecko_tw.store.integrity.comparing import STEP, StoredBytes
from gecko_tw.store.integrity.pace import Pace
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import (
    BlobNote,
    BucketRecord,
    Change,
    DeleteMarker,
    KeyHistory,
    Rule,
    Span,
    Version,
)

_THREADS = 4
_AHEAD = 64
"""Keys that are under way at a time."""


@frozen
class Wanted:
    """What is to be restored.

    :ivar bucket: only this one; empty for everything, documents included.
    :ivar prefix: only keys that begin so.
    :ivar renamed: the name that the bucket gets; empty for its own.
    """

    bucket: str = ""
    prefix: bytes = b""
    renamed: str = ""

    def has(self, line: Line) -> bool:
        """Whether a line is part of it."""
        if not self.bucket:
            return True
        if isinstance(line, Stored):
            return line.bucket == self.bucket and line.key.startswith(self.prefix)
        return isinstance(line, BucketRecord) and line.name == self.bucket

    def place(self, bucket: str) -> str:
        """The name that a bucket gets."""
        return self.renamed or bucket


@define
class Restored:
    """What a restore did.

    :ivar failed: versions that could not be restored, and why.
    :ivar there: versions that were there already, from a restore that was cut short.
    """

    buckets: int = 0
    versions: int = 0
    bytes: int = 0
    there: int = 0
    failed: list[str] = field(factory=list)


@frozen
class Restoring:
    """One restore.

    :ivar driver: of the place where everything comes to; it is open.
    :ivar keep_key: called with the encryption key when it is in the backup and everything is wanted.
    """

    repository: Repository
    backup: Backup
    driver: IDriver
    wanted: Wanted = Wanted()
    keep_key: Callable[[bytes], object] = lambda key: None

    def run(self) -> Restored:
        """Raises BackupError, Refusal, OSError."""
        report = Restored()
        under_way: deque[Future[Restored]] = deque()
        lines = filter(self.wanted.has, lines_of(self.repository, self.backup))
        with ThreadPoolExecutor(_THREADS, "restore") as threads:
            try:
                for _, group in groupby(lines, key=_order):
                    found = list(group)
                    if isinstance(found[0], Stored):
                        under_way.append(threads.submit(self._key, found))
                    else:
                        self._aside(found[0], report)
                    if len(under_way) >= _AHEAD:
                        _add(report, under_way.popleft().result())
                while under_way:
                    _add(report, under_way.popleft().result())
            finally:
                threads.shutdown(cancel_futures=True)
        return report

    def _aside(self, line: Line, report: Restored) -> None:
        if isinstance(line, BucketRecord):
            record = evolve(line, name=self.wanted.place(line.name))
            if all(one.name != record.name for one in self.driver.catalog.buckets(record.name, "", 1)):
                self.driver.catalog.add_bucket(record)
            report.buckets += 1
        elif isinstance(line, Document):
            value = line.value
            self.driver.documents.change(line.kind, line.name, lambda _: value)
        elif isinstance(line, KeyCopy):
            self.keep_key(line.data)

    def _key(self, lines: list[Line]) -> Restored:
        """Restores the versions of a key, the oldest first."""
        report = Restored()
        for line in reversed(lines):
            assert isinstance(line, Stored), "they were grouped by their keys"
            try:
                fresh = self._version(line)
            except BackupError as problem:
                report.failed.append(f"{line.shown}: {problem}")
                continue
            report.versions += 1
            report.bytes += line.size
            report.there += not fresh
        return report

    def _version(self, line: Stored) -> bool:
        """Restores a version; whether it was not there. Raises BackupError, Refusal, OSError."""
        catalog, bucket = self.driver.catalog, self.wanted.place(line.bucket)
        history = reconciled(catalog.history, bucket, line.key, line.record.version_id)
        if any(_is_same(one, line.record) for one in history.versions):
            return False
        if isinstance(line.record, DeleteMarker):
            catalog.change_history(bucket, line.key, _on_top(line.record), line.record.version_id)
            return True
        blob = self._fetched(line, line.record, bucket)
        try:
            version = line.record.lying((Span(blob, 0, line.size),))
            applied = catalog.change_history(bucket, line.key, _on_top(version), version.version_id)
        except BaseException:
            self.driver.blobs.remove([blob])
            raise
        self._compare(line, applied.after)
        return True

    def _fetched(self, line: Stored, version: Version, bucket: str) -> str:
        """Writes the bytes of a version to a blob of its own, and returns its name. Raises BackupError, InsufficientStorage."""
        source = self.repository.open(line.blob)
        if source is None:
            raise BackupError("its bytes are not in the backup any more")
        writer, digest = self.driver.blobs.create(), hashlib.sha256()
        try:
            for data in pieces(source):
                digest.update(data)
                writer.write(data)
            if digest.hexdigest() != line.sha256:
                raise BackupError("its bytes in the backup are damaged")
            return writer.commit(BlobNote(bucket=bucket, key=line.key, record=version))
        finally:
            writer.abort()
            source.close()

    def _compare(self, line: Stored, after: KeyHistory) -> None:
        """Reads again what was written. Raises BackupError."""
        for version in after.versions:
            if isinstance(version, Version) and _is_same(version, line.record):
                if _digest(self.driver.blobs, version.spans) == line.sha256:
                    return
                break
        raise BackupError("what was written is not what is read")


def _order(line: Line) -> tuple[object, ...]:
    return line.order if isinstance(line, Stored) else (id(line),)


def _add(report: Restored, more: Restored) -> None:
    report.versions += more.versions
    report.bytes += more.bytes
    report.there += more.there
    report.failed += more.failed


def _is_same(one: Version | DeleteMarker, other: Version | DeleteMarker) -> bool:
    if isinstance(one, Version) and isinstance(other, Version):
        return one.lying(()) == other.lying(())
    return one == other


def _on_top(version: Version | DeleteMarker) -> Rule:
    """Adds a version as the newest."""

    def rule(bucket: BucketRecord, history: KeyHistory) -> Change:
        others = tuple(one for one in history.versions if one.version_id != version.version_id)
        return Change(history.having((version, *others)))

    return rule


def _digest(blobs: IBlobs, spans: tuple[Span, ...]) -> str:
    stored, digest, at = StoredBytes(blobs, spans, Pace()), hashlib.sha256(), 0
    try:
        while data := stored.read(at, STEP):
            digest.update(data)
            at += len(data)
    finally:
        stored.close()
    return digest.hexdigest()


def newest(repository: Repository, until: int | None = None) -> Backup:
    """The newest backup that is whole, of those up to a moment (nanoseconds). Raises BackupError: there is none, or it is damaged."""
    for backup in backups(repository):
        if until is None or backup.time <= until:
            return backup
    raise BackupError(
        f"{repository.target.name}: there is no backup{'' if until is None else ' of that time or before'}"
    )


def backups(repository: Repository) -> Iterator[Backup]:
    """All that are whole, the newest first. Raises BackupError: one is damaged."""
    return (repository.backup(name) for name in reversed(repository.names()) if repository.is_whole(name))


def check_empty(driver: IDriver, wanted: Wanted) -> None:
    """Raises BackupError: there is something where the restore would write."""
    if not wanted.bucket:
        if driver.catalog.buckets("", "", 1):
            raise BackupError(
                f"{driver.data_dir}: has buckets: restore into an empty directory, or one bucket by --bucket"
            )
        return
    name = wanted.place(wanted.bucket)
    if not is_bucket_name(name):
        raise BackupError(f"{name!r}: no bucket can have that name")
    if any(one.name == name for one in driver.catalog.buckets(name, "", 1)):
        raise BackupError(
            f"{driver.data_dir}: there is a bucket {name} already: give another name with --as, or remove it"
        )
