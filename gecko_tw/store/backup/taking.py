"""Making a backup: what has changed since the last one is copied, and all records are written."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

from attrs import define, field, frozen

from gecko_tw.store.backup.lines import Document, Former, KeyCopy, Lines, Stored, check, lines_of, lines_of_part
from gecko_tw.store.backup.repository import BACKUPS, Backup, Repository, name_of
from gecko_tw.store.backup.targets import BackupError
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobs, IMoment, Stale
from gecko_tw.store.integrity.comparing import STEP, StoredBytes
from gecko_tw.store.integrity.pace import Pace
from gecko_tw.store.records import DeleteMarker, Span, Version, stored_size
from gecko_tw.store.verifying import is_whole

_THREADS = 4
_AHEAD = 64
"""Versions that are under way at a time."""
_ROUNDS = 5
_CLONED = 64 * 1024
"""Objects of so many bytes and more are not copied where the disk can share them."""

GONE = "its file was changed or removed by others than this store"
DAMAGED = "its bytes are not those that were stored"


class _LeftOut(Exception):  # noqa: N818 - a signal, not an error
    """A version cannot be in the backup. Its text says why."""


@define
class Report:
    """What a backup did.

    :ivar copied: versions whose bytes were copied, of ``copied_bytes``; all others were in the target already.
    :ivar left_out: versions that are not in it, and why.
    """

    name: str
    time: int
    buckets: int = 0
    versions: int = 0
    bytes: int = 0
    copied: int = 0
    copied_bytes: int = 0
    left_out: list[str] = field(factory=list)
    distrusted: list[str] = field(factory=list)


@frozen
class Taking:
    """One backup to be made.

    :ivar moment: what is backed up. Whoever made it closes it.
    :ivar key: the encryption key's file, to be in the backup; empty for not.
    """

    repository: Repository
    moment: IMoment
    key: bytes = b""
    _clones: list[bool] = field(factory=lambda: [True], init=False)
    """Whether the target may be able to make files without copying."""

    def run(self) -> Report:
        """Raises BackupError, OSError; then the target has the backups that it had before."""
        repository, moment = self.repository, self.moment
        report = Report(name_of(moment.time), moment.time)
        formers, parts = self._formers(report)
        lines = Lines(repository, report.name)
        if self.key:
            lines.add(KeyCopy(self.key))
        for document in moment.documents():
            lines.add(Document(*document))
        for bucket in moment.buckets():
            report.buckets += 1
            lines.add(bucket)
            self._bucket(bucket.name, formers, lines, report)
        lines.flush()
        counts = {"buckets": report.buckets, "versions": report.versions, "bytes": report.bytes}
        left_out = tuple(report.left_out)
        repository.end(
            Backup(name=report.name, time=report.time, segments=tuple(lines.segments), counts=counts, left_out=left_out)
        )
        for name in parts:
            remove(repository, name)
        return report

    def _formers(self, report: Report) -> tuple[list[Former], list[str]]:
        """The last backup that is whole, and what was cut short since; the names of all that were cut short."""
        repository = self.repository
        formers: list[Former] = []
        for name in reversed(repository.names()):
            if not repository.is_whole(name):
                if not formers:
                    formers.append(Former(lines_of_part(repository, name)))
                continue
            try:
                backup = repository.backup(name)
                check(repository, backup)
            except BackupError as damaged:
                report.distrusted.append(str(damaged))
                continue
            formers.append(Former(lines_of(repository, backup)))
            break
        return formers, [name for name in repository.names() if not repository.is_whole(name)]

    def _bucket(self, bucket: str, formers: list[Former], lines: Lines, report: Report) -> None:
        """Writes the lines of a bucket's versions in their order, while threads copy those that come next."""
        under_way: deque[tuple[Stored, Future[Stored] | None]] = deque()

        def write() -> None:
            line, copied = under_way.popleft()
            try:
                if copied is not None:
                    line = copied.result()
                    report.copied += 1
                    report.copied_bytes += line.size
            except _LeftOut as why:
                report.left_out.append(f"{line.shown}: {why}")
                return
            lines.add(line)
            report.versions += 1
            report.bytes += line.size

        with ThreadPoolExecutor(_THREADS, "backup") as threads:
            try:
                for key, record in self.moment.versions(bucket):
                    line, known = self._known(bucket, key, record, formers)
                    under_way.append((line, None if known else threads.submit(self._copied, line)))
                    if len(under_way) >= _AHEAD:
                        write()
                while under_way:
                    write()
            finally:
                threads.shutdown(cancel_futures=True)

    def _known(
        self, bucket: str, key: bytes, record: Version | DeleteMarker, formers: list[Former]
    ) -> tuple[Stored, bool]:
        """The line of a version, and whether its bytes are in the target already."""
        if isinstance(record, DeleteMarker):
            return Stored(bucket, key, record), True
        blob = self.repository.blob(bucket, key, record)
        for former in formers:
            known = former.of(bucket, key).get(blob)
            if known is not None and self.repository.holds(known.blob, known.size):
                return Stored(bucket, key, record, blob, known.size, known.sha256), True
        return Stored(bucket, key, record, blob), False

    def _copied(self, line: Stored) -> Stored:
        """Raises _LeftOut, BackupError, OSError."""
        assert isinstance(line.record, Version), "a delete marker has no bytes"
        why = GONE
        for number in range(_ROUNDS):
            for spans in self.moment.places(line.bucket, line.key, line.record):
                try:
                    return self._copy(line, line.record, spans)
                except (BlobGone, Stale):
                    continue
                except _LeftOut as damaged:
                    why = str(damaged)
            time.sleep(0.01 * number)
        raise _LeftOut(why)

    def _copy(self, line: Stored, version: Version, spans: tuple[Span, ...]) -> Stored:
        cloning = self._clones[0] and version.size >= _CLONED and len(spans) == 1
        stored = StoredBytes(cast(IBlobs, self.moment), spans, Pace())
        sink = _NOWHERE if cloning else self.repository.create(line.blob)
        try:
            copy = _Copy(stored, sink.write)
            whole = is_whole(version, copy.read)
            copy.finish()
            if whole is False or copy.size != stored_size(version):
                raise _LeftOut(DAMAGED)
            sink.commit()
        finally:
            sink.abort()
            stored.close()
        if cloning and not self._cloned(line.blob, spans[0]):
            self._clones[0] = False  # nor can it with the next one
            return self._copy(line, version, spans)
        return Stored(line.bucket, line.key, version, line.blob, copy.size, copy.sha256)

    def _cloned(self, name: str, span: Span) -> bool:
        """Makes a file of the target of one of the store without copying, where that can be."""
        reader = self.moment.reread(span.blob)
        try:
            descriptor = reader.fileno()
            whole = span.offset == 0 and span.length == reader.size
            return whole and descriptor is not None and self.repository.clone(name, descriptor, self.moment.unchanging)
        finally:
            reader.close()


class _Nowhere:
    """A Sink for what is only compared."""

    def write(self, data: bytes | memoryview) -> None:
        """Forgets it."""

    def commit(self) -> None:
        """There is nothing."""

    def abort(self) -> None:
        """There is nothing."""


_NOWHERE = _Nowhere()


class _Copy:
    """Copies bytes while they are read in order by whoever compares them.

    :ivar size: how many there were.
    """

    def __init__(self, stored: StoredBytes, write: Callable[[bytes | memoryview], None]) -> None:
        self._stored, self._write = stored, write
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, offset: int, length: int) -> bytes | memoryview:
        """As StoredBytes."""
        data = self._stored.read(offset, length)
        if offset <= self.size < offset + len(data):
            fresh = data[self.size - offset :]
            self._digest.update(fresh)
            self._write(fresh)
            self.size += len(fresh)
        return data

    def finish(self) -> None:
        """Copies what nobody has read."""
        while self.read(self.size, STEP):
            pass

    @property
    def sha256(self) -> str:
        """Of all bytes."""
        return self._digest.hexdigest()


def remove(repository: Repository, name: str) -> None:
    """Removes the records of a backup, from when on it is none."""
    directory = f"{BACKUPS}/{name}"
    for file in sorted(repository.target.listed(directory), key=lambda file: file != "end"):
        repository.target.remove(f"{directory}/{file}")


def files_of(repository: Repository, backup: Backup) -> Iterator[str]:
    """The files that a backup's versions are in."""
    for line in lines_of(repository, backup):
        if isinstance(line, Stored) and line.blob:
            yield line.blob
