"""Adoption: a walk over all buckets that finds what was put, changed or removed behind our back."""

import logging
import os
from collections.abc import Callable, Iterator

from attrs import define, evolve

from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.comparing import differing
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.paths import INNER
from gecko_tw.store.drivers.files.unfinished import adopt_uploads
from gecko_tw.store.drivers.files.watch import Settler
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.takeover import Finding
from gecko_tw.store.refusals import NoSuchBucket

log = logging.getLogger(__name__)

BATCH = 200
_REPORT_EVERY = 1000


@define
class Progress:
    """What an adoption has done so far.

    :ivar bucket: the one it is in.
    :ivar looked: keys compared.
    :ivar changed: keys whose rows were brought in line.
    :ivar uploads: unfinished uploads of GeckoS3 taken over.
    """

    bucket: str = ""
    looked: int = 0
    changed: int = 0
    uploads: int = 0


class Adoption:
    """One walk."""

    def __init__(
        self, disk: Disk, connections: Connections, catalog: SqliteCatalog, blobs: FilesBlobs, settler: Settler
    ) -> None:
        self._disk = disk
        self._connections = connections
        self._catalog = catalog
        self._blobs = blobs
        self._settler = settler
        self._progress = Progress()
        self._pending: list[Finding] = []

    def run(self, report: Callable[[Progress], None], stop: Callable[[], bool]) -> Progress:
        """Walks every bucket; see FilesDriver.adopt."""
        for bucket in self._buckets():
            self._progress.bucket = bucket
            for key in differing(self._disk, self._connections.mine(), bucket):
                self._progress.looked += 1
                if key is not None:
                    self._look(bucket, key)
                if self._progress.looked % _REPORT_EVERY == 0:
                    report(evolve(self._progress))
                if stop():
                    break
            self._flush()
            if stop():
                break
            self._progress.uploads += adopt_uploads(self._disk, self._catalog, self._blobs, bucket)
        report(evolve(self._progress))
        return self._progress

    def _buckets(self) -> Iterator[str]:
        """Every bucket of the catalog, those made by hand included; one whose directory is gone is settled first."""
        with os.scandir(self._disk.data_dir) as found:
            names = sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
        for name in names:
            if name == os.fsdecode(INNER):
                continue
            try:
                self._catalog.bucket(name)
            except NoSuchBucket:
                log.warning("%s is no bucket: its name cannot be one", os.path.join(self._disk.data_dir, name))
        after = ""
        while page := self._catalog.buckets("", after, BATCH):
            for record in page:
                self._settler.settle_bucket(record.name)
                if self._has_bucket(record.name):
                    yield record.name
            after = page[-1].name

    def _has_bucket(self, name: str) -> bool:
        try:
            self._catalog.bucket(name)
        except NoSuchBucket:
            return False
        return True

    def _look(self, bucket: str, key: bytes) -> None:
        try:
            self._pending.append(self._settler.examiner.examine(bucket, key))
        except PermissionError as error:
            log.warning("cannot be read and is passed over: %s", error)
        if len(self._pending) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            outdated = self._settler.take_over(self._pending)
            self._progress.changed += len(self._pending) - len(outdated)
            self._pending = []
