"""Adoption: looking through all buckets, or at a few places, for what was put, changed or removed behind our back."""

import logging
import os
from collections.abc import Callable, Iterator

from attrs import define, evolve, field

from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.comparing import differing
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.noticing import Changes
from gecko_tw.store.drivers.files.paths import INNER, file_of
from gecko_tw.store.drivers.files.unfinished import adopt_uploads
from gecko_tw.store.drivers.files.unreadable import Unreadable
from gecko_tw.store.drivers.files.walking import nowhere
from gecko_tw.store.drivers.files.watch import Reconciler
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.notation import version_text
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, Row
from gecko_tw.store.drivers.sqlite.takeover import Observation
from gecko_tw.store.refusals import NoSuchBucket

log = logging.getLogger(__name__)

BATCH = 200
LARGE = 16 * 1024 * 1024
"""Bytes of a file that others do not wait for while it is read."""
_REPORT_EVERY = 1000
_NEWEST = (
    f"SELECT {COLUMNS} FROM version WHERE bucket_id = (SELECT id FROM bucket WHERE name = ?) AND key = ?"
    " ORDER BY seq DESC LIMIT 1"
)


@define
class Progress:
    """What an adoption has done so far.

    :ivar bucket: the one it is in.
    :ivar looked: keys compared.
    :ivar changed: keys whose rows were brought in line.
    :ivar uploads: unfinished uploads of GeckoS3 taken over.
    :ivar large: files that are left for the end because they are large, as paths below the data directory.
    :ivar unreadable: what could not be looked at, with the reasons.
    """

    bucket: str = ""
    looked: int = 0
    changed: int = 0
    uploads: int = 0
    large: list[bytes] = field(factory=list)
    unreadable: dict[str, str] = field(factory=dict)


class Adoption:
    """One look.

    :param entering: called with each directory, below the data directory, before it is looked through.
    """

    def __init__(
        self,
        disk: Disk,
        connections: Connections,
        catalog: SqliteCatalog,
        blobs: FilesBlobs,
        settler: Reconciler,
        *,
        entering: Callable[[bytes], None] = nowhere,
    ) -> None:
        self._disk = disk
        self._connections = connections
        self._catalog = catalog
        self._blobs = blobs
        self._settler = settler
        self._entering = entering
        self._unreadable = Unreadable()
        self._progress = Progress(unreadable=self._unreadable.places)
        self._pending: list[Observation] = []

    def run(self, report: Callable[[Progress], None], stop: Callable[[], bool]) -> Progress:
        """Walks every bucket; see FilesDriver.adopt."""
        for bucket in self._buckets():
            self._progress.bucket = bucket
            self._look_through(bucket, b"", report, stop)
            if stop():
                break
            self._adopt_uploads(bucket)
        self.look_at(self._progress.large, stop)
        report(evolve(self._progress))
        return self._progress

    def _adopt_uploads(self, bucket: str) -> None:
        try:
            self._progress.uploads += adopt_uploads(self._disk, self._catalog, self._blobs, bucket)
        except OSError as error:
            self._unreadable(bucket.encode() + b"/.geckos3-multipart", error)

    def take(self, changes: Changes, stop: Callable[[], bool]) -> Progress:
        """Looks where something may have changed. Large files are left to :meth:`look_at`."""
        trees = set(changes.trees)
        for name in map(os.fsdecode, changes.buckets):
            if self._has_bucket(name):
                self._settler.reconcile_bucket(name)
                trees.add(os.fsencode(name))
            elif self._is_directory(name):
                self._refuse(name)
        for path in sorted(trees):
            if not _is_below_any(path, trees):
                bucket, below = _parted(path)
                self._look_through(bucket, below and below + b"/", _tell_nobody, stop)
        for path in changes.files | changes.described:
            if stop():
                break
            self._look_again(path, path in changes.described)
        self._flush()
        return self._progress

    def look_at(self, files: list[bytes], stop: Callable[[], bool]) -> None:
        """Looks at large files, one after the other."""
        for path in files:
            if stop():
                break
            self._look(*_parted(path), large=True)
            self._flush()

    def _look_through(
        self, bucket: str, below: bytes, report: Callable[[Progress], None], stop: Callable[[], bool]
    ) -> None:
        connection = self._connections.mine()
        for key in differing(self._disk, connection, bucket, below, self._entering, failing=self._unreadable):
            self._progress.looked += 1
            if key is not None:
                self._look(bucket, key)
            if self._progress.looked % _REPORT_EVERY == 0:
                report(evolve(self._progress))
            if stop():
                break
        self._flush()

    def _buckets(self) -> Iterator[str]:
        """Every bucket of the catalog, those made by hand included; one whose directory is gone is settled first."""
        with os.scandir(self._disk.data_dir) as found:
            names = sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
        for name in names:
            if name == os.fsdecode(INNER):
                continue
            if self._has_bucket(name):
                self._entering(os.fsencode(name))
            else:
                self._refuse(name)
        after = ""
        while page := self._catalog.buckets("", after, BATCH):
            for record in page:
                self._settler.reconcile_bucket(record.name)
                if self._has_bucket(record.name):
                    yield record.name
            after = page[-1].name

    def _is_directory(self, name: str) -> bool:
        path = os.path.join(self._disk.data_dir, name)
        return os.path.isdir(path) and not os.path.islink(path)

    def _refuse(self, name: str) -> None:
        path = os.path.join(self._disk.data_dir, name).encode("utf-8", "backslashreplace")
        log.warning("%s is no bucket: its name cannot be one", path.decode())

    def _has_bucket(self, name: str) -> bool:
        try:
            self._catalog.bucket(name)
        except (NoSuchBucket, UnicodeEncodeError):  # a name of arbitrary bytes
            return False
        return True

    def _look_again(self, path: bytes, described: bool) -> None:
        """Looks at a file unless its row is true already.

        :param described: whether what is said of it may have changed without the file.
        """
        bucket, key = _parted(path)
        values = self._connections.mine().execute(_NEWEST, (bucket, key)).fetchone()
        row = None if values is None else Row._make(values)
        watch = self._settler.watch
        try:
            if not watch.agrees(bucket, key, row):
                self._look(bucket, key)
            elif described and row is not None and row.is_bare:
                self._look(bucket, key, anew=True)
        except OSError as error:
            self._unreadable(path, error)

    def _look(self, bucket: str, key: bytes, *, anew: bool = False, large: bool = False) -> None:
        """Finds out what a file is.

        :param anew: whether that matters only if it is described.
        :param large: whether it may be a large one.
        """
        try:
            if not large and (self._settler.watch.fingerprint(bucket, key)[0] or 0) > LARGE:
                self._progress.large.append(file_of(bucket, key))
                return
            finding = self._settler.inspector.inspect(bucket, key)
        except OSError as error:
            self._unreadable(file_of(bucket, key), error)
            return
        if not anew or _is_described(finding):
            self._pending.append(evolve(finding, anew=anew))
        if len(self._pending) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, []
            try:
                self._take_over(pending)
            except OSError:
                for one in pending:
                    try:
                        self._take_over([one])
                    except OSError as error:
                        self._unreadable(file_of(one.bucket, one.key), error)

    def _take_over(self, findings: list[Observation]) -> None:
        outdated = self._settler.take_over(findings)
        self._progress.changed += len(findings) - len(outdated)


def _parted(path: bytes) -> tuple[str, bytes]:
    """A bucket and what is below it."""
    bucket, _, below = path.partition(b"/")
    return os.fsdecode(bucket), below


def _is_below_any(path: bytes, trees: set[bytes]) -> bool:
    above = path.rpartition(b"/")[0]
    while above and above not in trees:
        above = above.rpartition(b"/")[0]
    return bool(above)


def _is_described(finding: Observation) -> bool:
    version = finding.version
    return version is not None and bool(version.parts or version_text(version))


def _tell_nobody(progress: Progress) -> None:
    """Small looks are not told of."""
