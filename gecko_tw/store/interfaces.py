"""What the store offers to the floors above it; all of it blocks."""

from collections.abc import Callable, Iterable, Mapping

from zope.interface import Attribute, Interface

from gecko_tw.store.checksums import Digests
from gecko_tw.store.encryption.data_keys import DataKeys, Seal
from gecko_tw.store.records import BlobNote, BucketRecord, BucketRule, Json, Part, Upload, Version
from gecko_tw.store.requests import (
    Claim,
    Complete,
    Copy,
    ListRequest,
    Page,
    Put,
    PutPart,
    Remove,
    Removed,
    Source,
    WriteConditions,
)
from gecko_tw.store.rules.amending import Amendment


class IBuckets(Interface):
    """The verbs of buckets. All of them block."""

    def page(prefix: str, after: str, limit: int) -> list[BucketRecord]:
        """A list of BucketRecords by name."""

    def get(name: str, look: bool = True) -> BucketRecord:
        """The BucketRecord. Raises NoSuchBucket, InvalidBucketName (no bucket can have it).

        :param look: as for ICatalog.bucket.
        """

    def create(record: BucketRecord) -> None:
        """Adds it. Raises InvalidBucketName, BucketAlreadyOwnedByYou (same owner), BucketAlreadyExists."""

    def remove(name: str) -> None:
        """Removes it. Raises NoSuchBucket, BucketNotEmpty."""

    def change(name: str, rule: BucketRule) -> BucketRecord:
        """``rule(BucketRecord) -> BucketRecord`` as one atomic step. Raises NoSuchBucket and what the rule raises."""


class IIncoming(Interface):
    """A body on its way into the store. ``push`` never blocks; everything else does."""

    size: int = Attribute("bytes pushed so far")
    pending: int = Attribute("bytes pushed and not yet flushed")

    def push(data: bytes | memoryview) -> None:
        """Takes bytes into memory. What a memoryview shows must not change before it is flushed."""

    def flush() -> None:
        """Hashes and writes what is pending. Raises InsufficientStorage."""

    def tasks(threads: int) -> list[Callable[[], None]]:
        """What ``flush`` would do now, as a list of functions that up to ``threads`` threads may call side by side.

        All have returned before anything else is asked for.
        """

    digests: Digests = Attribute("of the plaintext; their values hold once all is flushed")
    seal: Seal | None = Attribute("what the body is encrypted with, once something was flushed")
    is_sealed: bool = Attribute("whether the body is encrypted")
    stored: int = Attribute("how many bytes the blob has")

    def verify(length: int | None, claims: Iterable[Claim]) -> None:
        """Flushes, and compares what came with what was announced and claimed.

        Raises IncompleteBody, and what a claim says: BadDigest, XAmzContentSHA256Mismatch.
        """

    def extra(asked: Mapping[str, Json]) -> Mapping[str, Json]:
        """The ``extra`` of the version that the body becomes: what was asked, and how it is encrypted."""

    def commit(note: BlobNote) -> str:
        """Commits the blob, after ``verify``, and returns its name."""

    def abort() -> None:
        """Forgets the body. Harmless when repeated, or after put and put_part, which call it themselves when they refuse."""


class IReading(Interface):
    """A version opened for reading. ``read`` and ``run`` block only for the disk."""

    version: Version = Attribute("what is read")

    def read(offset: int, length: int) -> bytes:
        """Bytes of the object; fewer than ``length`` only at its end or at the end of a span, never none before the end.

        Raises ObjectDamaged where it shows that they are not those that were stored."""

    def run(offset: int) -> tuple[int, int, int] | None:
        """``(file descriptor, offset in the file, bytes that follow in that file)``, or None when there is no file to send,
        or the version is gone: ``read`` tells."""

    def ready(offset: int, length: int) -> bytes | None:
        """As ``read``, when the bytes are in memory already; else, and when the version is gone, None: ``read`` tells."""

    def close() -> None:
        """Releases it. Harmless when repeated."""


class IObjects(Interface):
    """The verbs of objects. All of them block; ``look``, ``open`` and ``page`` may also raise Stale."""

    keys: DataKeys = Attribute("of encrypted objects; its methods may block")

    def receive(algorithms: Iterable[str], sealing: Callable[[], Seal] | None = None) -> IIncoming:
        """An IIncoming that computes these digests (names as in records.Checksum; the ETag's MD5 needs no naming).

        ``sealing()`` makes the data_keys.Seal that it is encrypted with; it is called once, by ``flush`` or later.
        """

    def allow(bucket: str, key: bytes, conditions: WriteConditions) -> None:
        """Whether a write may begin: asked before a body is read, and decided again at commit.

        Quick, may raise Stale. Raises NoSuchBucket, KeyTooLongError, PreconditionFailed, NoSuchKey.
        """

    def put(bucket: str, key: bytes, incoming: IIncoming, request: Put) -> Version:
        """Commits a body as an object (requests.Put) and returns its Version.

        Raises NoSuchBucket, KeyTooLongError, IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, PreconditionFailed, NoSuchKey
        (If-Match on a missing key), InsufficientStorage; then the old object is untouched and the body forgotten.
        """

    def look(bucket: str, key: bytes, version_id: str | None = None) -> Version:
        """The current, or the named, Version. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, DeleteMarkerNamed."""

    def open(bucket: str, key: bytes, version_id: str | None = None) -> IReading:
        """The same, opened: an IReading, to be closed by the caller. Raises as ``look``, and ObjectDamaged: it is in quarantine, or
        its bytes are gone."""

    def remove(bucket: str, key: bytes, request: Remove) -> Removed:
        """Deletes (requests.Remove) and returns a requests.Removed; a missing key is fine unless a condition names it.

        Raises NoSuchBucket, PreconditionFailed, NoSuchKey, NoSuchVersion (a condition on a missing version), ObjectLocked.
        """

    def amend(bucket: str, key: bytes, version_id: str | None, change: Amendment) -> Version:
        """Changes what is kept beside the bytes of the current, or the named, version, atomically, and returns the Version.

        ``change(version, bucket_record) -> Version`` is pure and may be called again; only its headers, metadata, tags, owner and
        extra count. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, DeleteMarkerNamed, and what ``change`` raises.
        """

    def copy(source: Source, bucket: str, key: bytes, request: Copy) -> Version:
        """Copies a requests.Source by requests.Copy and returns the new Version. Raises as ``look``, ``put``, ``source.check``."""

    def page(bucket: str, request: ListRequest, what: str = "objects") -> Page:
        """A requests.Page for a requests.ListRequest; ``what`` as in ICatalog.page. Raises NoSuchBucket."""


class IUploads(Interface):
    """The verbs of multipart uploads. All of them block."""

    def create(bucket: str, key: bytes, upload: Upload) -> None:
        """Starts a records.Upload. Raises NoSuchBucket, KeyTooLongError."""

    def get(bucket: str, key: bytes, upload_id: str) -> Upload:
        """The Upload. Raises NoSuchBucket, NoSuchUpload."""

    def put_part(bucket: str, key: bytes, upload_id: str, incoming: IIncoming, request: PutPart) -> Part:
        """Commits a body as a part (requests.PutPart) and returns its Part. Raises NoSuchUpload and as IObjects.put."""

    def copy_part(source: Source, bucket: str, key: bytes, upload_id: str, number: int, now: int) -> Part:
        """Copies (a range of) an object as a part and returns its Part. Raises as IObjects.look and put_part."""

    def parts(bucket: str, key: bytes, upload_id: str, after: int, limit: int) -> list[Part]:
        """Up to ``limit`` Parts with numbers greater than ``after``. Raises NoSuchUpload."""

    def complete(bucket: str, key: bytes, upload_id: str, request: Complete) -> Version:
        """Joins parts to an object (requests.Complete) and returns its Version; repeatable.

        Raises NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest, BadDigest, PreconditionFailed, NoSuchKey.
        """

    def abort(bucket: str, key: bytes, upload_id: str) -> None:
        """Forgets the upload and its parts. Raises NoSuchUpload."""

    def page(bucket: str, request: ListRequest) -> Page:
        """A requests.Page of uploads for a requests.ListRequest. Raises NoSuchBucket."""
