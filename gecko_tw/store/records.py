"""What the store remembers: frozen values, the same for every driver.

Keys are ``bytes`` everywhere below ``resources/``: S3 orders listings by the bytes of UTF-8 and treats keys as opaque.
Times are integers, nanoseconds since 1970 UTC. ETags are kept without quotes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, field, frozen

NULL = "null"
"""The version id of an object in a bucket that never had versioning (S3 User Guide, "Working with S3 Versioning")."""

STORAGE_CLASS = "x-amz-storage-class"
"""The header that a version's storage class is kept in."""

Json = Any
"""A value of JSON. Not spelled out, because whoever reads one would have to take it apart step by step: it was validated when it came."""


def now_of(seconds: float) -> int:
    """Nanoseconds from a clock's seconds."""
    return int(seconds * 1_000_000_000)


@frozen
class Span:
    """A run of bytes of one blob.

    :ivar blob: the driver's own opaque name of the blob.
    """

    blob: str
    offset: int
    length: int


@frozen
class Checksum:
    """A stored flexible checksum.

    :ivar algorithm: S3's name: CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128.
    :ivar value: base64 of the big-endian digest; a composite one ends in ``-<parts>``.
    :ivar kind: ``FULL_OBJECT`` or ``COMPOSITE``.
    """

    algorithm: str
    value: str
    kind: str = "FULL_OBJECT"

    @property
    def text(self) -> str:
        """All of it in one line: ``algorithm value kind``."""
        return f"{self.algorithm} {self.value} {self.kind}"

    @classmethod
    def read(cls, text: str) -> "Checksum":
        """The reverse of :attr:`text`."""
        return cls(*text.split(" "))


@frozen
class PartSize:
    """What is remembered of one part of a completed multipart upload (for ``partNumber`` and GetObjectAttributes)."""

    number: int
    size: int
    checksum: str | None = None


@frozen(kw_only=True)
class Version:
    """One version of an object.

    :ivar modified: Last-Modified, nanoseconds.
    :ivar size: bytes that a client reads.
    :ivar spans: where the bytes are, in order; their lengths add up to :func:`stored_size`.
    :ivar headers: stored system headers, lower-case names: content-type, cache-control, content-disposition, content-encoding,
        content-language, expires, x-amz-website-redirect-location, x-amz-storage-class.
    :ivar metadata: user metadata, names lower-case without ``x-amz-meta-``.
    :ivar parts: sizes of the parts when it came from a multipart upload, else empty.
    :ivar upload: id of the multipart upload that made it, so that a repeated Complete can be answered.
    :ivar extra: JSON values of features beyond these (ACL, retention, …), by feature name.
    """

    version_id: str = NULL
    etag: str
    size: int
    modified: int
    spans: tuple[Span, ...] = ()
    headers: Mapping[str, str] = field(factory=dict)
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    checksum: Checksum | None = None
    parts: tuple[PartSize, ...] = ()
    upload: str | None = None
    owner: str = ""
    extra: Mapping[str, Json] = field(factory=dict)

    def lying(self, spans: tuple[Span, ...]) -> "Version":
        """The same with its bytes elsewhere."""
        return Version(
            version_id=self.version_id,
            etag=self.etag,
            size=self.size,
            modified=self.modified,
            spans=spans,
            headers=self.headers,
            metadata=self.metadata,
            tags=self.tags,
            checksum=self.checksum,
            parts=self.parts,
            upload=self.upload,
            owner=self.owner,
            extra=self.extra,
        )


@frozen(kw_only=True)
class DeleteMarker:
    """A version that says: deleted here."""

    version_id: str
    modified: int
    owner: str = ""


@frozen(kw_only=True)
class Upload:
    """A multipart upload under way.

    :ivar revision: changed by the driver whenever one of its parts changes, so that Complete can notice a race.
    """

    id: str
    initiated: int
    headers: Mapping[str, str] = field(factory=dict)
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    checksum_algorithm: str | None = None
    checksum_kind: str | None = None
    owner: str = ""
    extra: Mapping[str, Json] = field(factory=dict)
    revision: int = 0


@frozen(kw_only=True)
class Part:
    """One uploaded part. Its ETag is the MD5 of its bytes in hex, unless it is encrypted with a key that hides it.

    :ivar stored: how many bytes are kept when that is not ``size``: the part is encrypted.
    """

    number: int
    etag: str
    size: int
    modified: int
    spans: tuple[Span, ...]
    checksum: Checksum | None = None
    stored: int | None = None


def stored_size(record: Version | Part) -> int:
    """How many bytes a version or part keeps: more than ``size`` when it is encrypted."""
    if isinstance(record, Part):
        return record.size if record.stored is None else record.stored
    return record.extra["sse"]["stored"] if "sse" in record.extra else record.size


def with_seal(extra: Mapping[str, Json], record: Mapping[str, Json], stored: int) -> dict[str, Json]:
    """The ``extra`` of a version that is encrypted as ``record`` says, in ``stored`` bytes."""
    return {**extra, "sse": {**record, "stored": stored}}


@frozen(kw_only=True)
class KeyHistory:
    """What there is of one key: the unit of atomicity. Of a large one catalogs hand out a part, see ICatalog.

    :ivar versions: newest first.
    :ivar uploads: multipart uploads under way, oldest first.
    """

    bucket: str
    key: bytes
    versions: tuple[Version | DeleteMarker, ...] = ()
    uploads: tuple[Upload, ...] = ()

    @property
    def newest(self) -> Version | None:
        """The current version, or None when the key is absent or its newest version is a delete marker."""
        if self.versions and isinstance(self.versions[0], Version):
            return self.versions[0]
        return None

    def having(self, versions: tuple[Version | DeleteMarker, ...]) -> "KeyHistory":
        """The same with other versions."""
        return KeyHistory(bucket=self.bucket, key=self.key, versions=versions, uploads=self.uploads)

    def upload(self, upload_id: str) -> Upload | None:
        """The upload of that id, or None."""
        return next((upload for upload in self.uploads if upload.id == upload_id), None)


@frozen(kw_only=True)
class BucketRecord:
    """One bucket.

    :ivar settings: JSON values by S3's name of the setting, e.g. ``cors``; absent means never set.
    """

    name: str
    created: int
    owner: str = ""
    region: str = ""
    settings: Mapping[str, Json] = field(factory=dict)

    def with_setting(self, name: str, value: Json) -> "BucketRecord":
        """The same bucket with one setting changed; ``None`` removes it."""
        settings = {**self.settings, name: value}
        if value is None:
            del settings[name]
        return evolve(self, settings=settings)


@frozen
class Notice:
    """One event that somebody wants to be told of.

    :ivar target: the destination's ARN.
    :ivar event: AWS's event record, JSON.
    """

    target: str
    event: Mapping[str, Json]


@frozen
class Usage:
    """What a bucket, or one key, holds: bytes as they were sent, and versions that are no delete markers."""

    bytes: int = 0
    objects: int = 0

    def changed(self, more_bytes: int, more_objects: int) -> "Usage":
        """With so much more, or less."""
        return Usage(self.bytes + more_bytes, self.objects + more_objects)


def usage_of(history: KeyHistory) -> Usage:
    """What a key's versions take; parts of its uploads are not known here."""
    sizes = [version.size for version in history.versions if isinstance(version, Version)]
    return Usage(sum(sizes), len(sizes))


Check = Callable[[Usage, Usage], None]
"""Is told what a bucket holds and what it would hold; refuses by raising."""


@frozen
class Change:
    """What a rule decided: the key's new history, the outcome to hand to whoever asked, and what others are told.

    :ivar notices: kept by the driver in the same atomic step, until they are delivered.
    :ivar check: called by a catalog that has an IUsage, within the step and before anything is changed, with what the bucket holds
        and what it would hold. None, as a rule: nobody need count.
    """

    history: KeyHistory
    outcome: Any = None  # between a rule and who gave it to the catalog, which hands it on unseen
    notices: tuple[Notice, ...] = ()
    check: Check | None = None


Rule = Callable[[BucketRecord, KeyHistory], Change]
"""Decides one atomic step on a key. Pure: it may be called again."""

BucketRule = Callable[[BucketRecord], BucketRecord]
"""The same for a bucket's record."""


def blobs_of(history: KeyHistory) -> set[str]:
    """The names of all blobs that a history's versions hold."""
    return {span.blob for version in history.versions if isinstance(version, Version) for span in version.spans}


@frozen
class Applied:
    """What a driver did with a Change: the history before and after it, and the rule's outcome."""

    before: KeyHistory
    after: KeyHistory
    outcome: Any = None  # as in Change


@frozen(kw_only=True)
class BlobNote:
    """What travels with a blob's bytes, so that a catalog can be made again from the blobs alone.

    :ivar record: the Version or Part these bytes are; its spans are not yet known.
    :ivar upload: for a Part, its upload's id.
    """

    bucket: str
    key: bytes
    record: Version | Part
    upload: str | None = None
