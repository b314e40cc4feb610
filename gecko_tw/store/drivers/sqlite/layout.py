"""The ground under the catalog: what it asks of whoever keeps the bytes, mostly inside its atomic step.

A step may be cut short anywhere: what is done here must leave files from which the old or the new state can be read. Methods that
take a transaction run while no other process changes anything.
"""

from typing import Protocol

from attrs import frozen

from gecko_tw.store.drivers.interfaces import Stale
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.marks import Marks
from gecko_tw.store.drivers.sqlite.rows import Address, Placement, Row
from gecko_tw.store.records import BucketRecord, DeleteMarker, Part, Upload, Version


@frozen
class Occupant:
    """What stands at a key's path while a new newest version is placed.

    :ivar row: of the version whose bytes are the file at the path, or None when there is no such file.
    :ivar version: the same version's record.
    :ivar replaced: the row of the version that the new one takes the id and the place of: its bytes are needed no longer.
    """

    row: Row | None = None
    version: Version | None = None
    replaced: Row | None = None


class Watch(Protocol):
    """Comparing rows with files."""

    def agrees(self, bucket: str, key: bytes, row: Row | None) -> bool:
        """Whether the disk is as a key's newest row says. Takes microseconds."""

    def stale(self, bucket: str, key: bytes) -> Stale:
        """What to raise when it is not."""

    def reconcile_bucket(self, bucket: str) -> None:
        """Brings a bucket whose directory is not there to agree: it is gone, too, or its directory is made again. Blocks."""

    def fingerprint(self, bucket: str, key: bytes) -> tuple[int | None, int | None]:
        """Size and modification time of the file at a key's path; (None, None) when no object is there."""

    def is_pooled(self, blob: str) -> bool:
        """Whether the pool has the bytes of that name."""


class Places(Protocol):
    """Moving the bytes of versions."""

    def place(self, transaction: Transaction, address: Address, version: Version, occupant: Occupant) -> Placement:
        """Puts the bytes of a new newest version in their place, over what stands there if they become the visible file."""

    def mark(self, transaction: Transaction, address: Address, marker: DeleteMarker, occupant: Occupant) -> Placement:
        """Notes a delete marker where a rebuild finds it."""

    def describe(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        """Changes the description of bytes that stay where they are."""

    def keep(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        """Gives a visible file a second name in the pool, because its version is becoming an older one."""

    def shelve(self, transaction: Transaction, address: Address, version: Version) -> Placement:
        """Gives an older version other bytes, which were committed before."""

    def vacate(self, transaction: Transaction, address: Address) -> None:
        """Removes the visible file: its version is gone and nothing took its place."""

    def put_back(self, transaction: Transaction, address: Address, row: Row | None, noted: Marks) -> None:
        """Makes the file at a key's path as its newest row says after a step of the key was cut short.

        :param noted: what the step was about to do.
        """

    def vacate_leftover(self, transaction: Transaction, address: Address, row: Row) -> None:
        """Removes the leftover file that a committed row says is to be ignored, if it is still that file."""


class BucketDirectories(Protocol):
    """The directories of buckets, and what is written down of each."""

    def note(self, transaction: Transaction, record: BucketRecord, fresh: bool) -> None:
        """Writes down a bucket's record, and makes its directory. Raises InvalidBucketName, BucketAlreadyExists."""

    def clear(self, transaction: Transaction, name: str) -> bytes | None:
        """Removes a bucket's directory, or returns the key of a file in it that may be an object. Raises BucketNotEmpty."""

    def exists(self, name: str) -> bool:
        """Whether anything stands where a bucket's directory is."""

    def record_of(self, name: str) -> BucketRecord | None:
        """The record of a directory that can be a bucket, or None."""


class UploadNotes(Protocol):
    """Multipart uploads, written down where a rebuild finds them."""

    def note(self, transaction: Transaction, address: Address, upload: Upload, wanted: bool) -> None:
        """Writes down, or forgets, an upload under way."""

    def restore(self, transaction: Transaction, address: Address, uploads: tuple[Upload, ...], noted: Marks) -> None:
        """Makes the files of uploads of a key that ``noted`` names say that these are under way, and no others."""

    def restore_part(self, address: Address, upload_id: str, part: Part) -> None:
        """Describes a part in the pool again."""

    def pool_part(self, transaction: Transaction, address: Address, upload_id: str, part: Part) -> None:
        """Puts the bytes of a part into the pool."""


@frozen
class Layout:
    """All of them."""

    watch: Watch
    places: Places
    directories: BucketDirectories
    uploads: UploadNotes
