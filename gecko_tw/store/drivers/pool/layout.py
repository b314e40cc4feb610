"""The catalog's ground where nothing but the catalog says what there is: no file is made, changed or looked at inside a step."""

from gecko_tw.store.drivers.files.paths import is_safe_bucket_name
from gecko_tw.store.drivers.interfaces import Stale
from gecko_tw.store.drivers.pool.blobs import PoolBlobs
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.layout import Layout, Occupant
from gecko_tw.store.drivers.sqlite.marks import Marks
from gecko_tw.store.drivers.sqlite.notation import spans_of
from gecko_tw.store.drivers.sqlite.rows import Address, Placement, Row
from gecko_tw.store.records import BucketRecord, DeleteMarker, Json, Part, Upload, Version
from gecko_tw.store.refusals import InvalidBucketName


class NoWatch:
    """Rows are always true."""

    def agrees(self, bucket: str, key: bytes, row: Row | None) -> bool:
        return True

    def stale(self, bucket: str, key: bytes) -> Stale:
        return Stale(lambda: None)

    def reconcile_bucket(self, bucket: str) -> None:
        return None

    def fingerprint(self, bucket: str, key: bytes) -> tuple[int | None, int | None]:
        return None, None

    def is_pooled(self, blob: str) -> bool:
        return True


class PoolPlaces:
    """Small bodies are written by the step that makes them a version's; files lie in their place before it."""

    def __init__(self, blobs: PoolBlobs) -> None:
        self._blobs = blobs

    def place(self, transaction: Transaction, address: Address, version: Version, occupant: Occupant) -> Placement:
        replaced = None if transaction.follows else occupant.replaced  # its bytes may be needed again
        former = () if replaced is None else spans_of(replaced.spans, replaced.size)
        return Placement(False, spans=tuple([self._blobs.place(transaction, span, former) for span in version.spans]))

    def mark(self, transaction: Transaction, address: Address, marker: DeleteMarker, occupant: Occupant) -> Placement:
        return Placement(False)

    def describe(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        return Placement(False, spans=spans_of(row.spans, row.size))

    def keep(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        return self.describe(transaction, address, version, row)

    def shelve(self, transaction: Transaction, address: Address, version: Version) -> Placement:
        return self.place(transaction, address, version, Occupant())

    def vacate(self, transaction: Transaction, address: Address) -> None:
        """No path is taken."""

    def put_back(self, transaction: Transaction, address: Address, row: Row | None, noted: Marks) -> None:
        """No path is taken."""

    def vacate_leftover(self, transaction: Transaction, address: Address, row: Row) -> None:
        """Nothing is left over."""


class NoDirectories:
    """Buckets are rows."""

    def note(self, transaction: Transaction, record: BucketRecord, fresh: bool) -> None:
        if not is_safe_bucket_name(record.name):
            raise InvalidBucketName()

    def clear(self, transaction: Transaction, name: str) -> None:
        return None

    def exists(self, name: str) -> bool:
        return True

    def record_of(self, name: str) -> None:
        return None


class NoUploadNotes:
    """Uploads are rows, and their parts are in the pool as soon as they are committed."""

    def note(self, transaction: Transaction, address: Address, upload: Upload, wanted: bool) -> None:
        """The row says it."""

    def restore(self, transaction: Transaction, address: Address, uploads: tuple[Upload, ...], noted: Marks) -> None:
        """The rows say it."""

    def restore_part(self, address: Address, upload_id: str, part: Part) -> None:
        """The row says it."""

    def pool_part(self, transaction: Transaction, address: Address, upload_id: str, part: Part) -> None:
        """The file is there."""


def no_note(transaction: Transaction, kind: str, name: str, value: Json) -> None:
    """Documents are rows."""


def layout_over(blobs: PoolBlobs) -> Layout:
    """The whole ground."""
    return Layout(NoWatch(), PoolPlaces(blobs), NoDirectories(), NoUploadNotes())
