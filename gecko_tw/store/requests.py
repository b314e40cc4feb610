"""What the verbs of the store are asked: frozen values without any HTTP in them."""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from attrs import field, frozen

from gecko_tw.store.records import STORAGE_CLASS, Checksum, Json, Upload, Version
from gecko_tw.store.refusals import BadDigest, Refusal


def new_salt() -> str:
    """Random hexadecimal digits: what no other version's id has."""
    return os.urandom(8).hex()


@frozen
class Claim:
    """A digest that the client says its bytes have; compared before anything is committed.

    :ivar algorithm: one of the names in :class:`~gecko_tw.store.records.Checksum`.
    :ivar digest: the raw digest.
    :ivar refusal: what is raised when it does not match.
    """

    algorithm: str
    digest: bytes
    refusal: type[Refusal] = BadDigest


@frozen(kw_only=True)
class WriteConditions:
    """Conditions on the current version, decided at commit (S3 User Guide, "Conditional requests").

    ETags are without quotes; ``"*"`` means: any current version. Times in seconds since 1970.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    if_size: int | None = None
    if_modified: int | None = None


UNCONDITIONAL = WriteConditions()
"""What most writes demand, as one object: to be asked for by identity, and another one like it means the same."""


@frozen(kw_only=True)
class Encryption:
    """How something is to be encrypted.

    :ivar kind: ``AES256`` (SSE-S3), ``aws:kms``, or ``C`` with a customer's key.
    :ivar key_id: the key management's name of the key, or None for its default.
    :ivar context: further data that SSE-KMS binds the key to, base64 as it was given.
    :ivar customer_key: 32 bytes, never kept.
    """

    kind: str
    key_id: str | None = None
    context: str | None = None
    bucket_key: bool = False
    customer_key: bytes | None = field(default=None, repr=False)


@frozen(kw_only=True)
class Put:
    """What PutObject stores beside the bytes.

    :ivar length: the number of bytes the client announced, or None when it announced none.
    :ivar claims: digests to verify.
    :ivar checksum: the algorithm whose value is stored with the object, or None for the store's own choice.
    :ivar now: nanoseconds.
    """

    now: int
    length: int | None = None
    claims: tuple[Claim, ...] = ()
    checksum: str | None = None
    headers: Mapping[str, str] = field(factory=dict)
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    conditions: WriteConditions = UNCONDITIONAL
    owner: str = ""
    extra: Mapping[str, Json] = field(factory=dict)


@frozen(kw_only=True)
class Remove:
    """What DeleteObject asks. ``version_id`` None means the key, not one version of it.

    :ivar bypass: whether a retention in governance mode is to be passed over, by somebody who may.
    :ivar salt: random hexadecimal digits for the id of a delete marker.
    """

    now: int
    version_id: str | None = None
    conditions: WriteConditions = UNCONDITIONAL
    owner: str = ""
    bypass: bool = False
    salt: str = field(factory=new_salt)


@frozen(kw_only=True)
class Removed:
    """What DeleteObject did.

    :ivar version_id: the version removed or the delete marker made; None in a bucket without versioning.
    :ivar marker: whether that is a delete marker.
    """

    version_id: str | None = None
    marker: bool = False


@frozen(kw_only=True)
class Source:
    """The object, or a range of it, that CopyObject and UploadPartCopy read.

    :ivar check: called with the source's Version before anything is copied; raises a refusal when a condition fails.
    :ivar first: first byte wanted, or None for the whole object; ``last`` is inclusive.
    :ivar customer_key: what opens it when it was stored with a customer's key.
    :ivar sealing: makes the data_keys.Seal of the part that UploadPartCopy makes; None when it is stored as it is.
    """

    bucket: str
    key: bytes
    version_id: str | None = None
    check: Callable[[Version], None] | None = None
    first: int | None = None
    last: int | None = None
    customer_key: bytes | None = field(default=None, repr=False)
    sealing: Callable[[], Any] | None = None  # a Seal is made of an Encryption


@frozen(kw_only=True)
class Copy:
    """What CopyObject asks. ``headers``, ``metadata`` and ``tags`` are None to keep the source's (directive COPY).

    :ivar sealing: makes the data_keys.Seal of the copy; None to store it as it is.
    """

    now: int
    headers: Mapping[str, str] | None = None
    metadata: Mapping[str, str] | None = None
    tags: Mapping[str, str] | None = None
    checksum: str | None = None
    conditions: WriteConditions = UNCONDITIONAL
    owner: str = ""
    extra: Mapping[str, Json] = field(factory=dict)
    sealing: Callable[[], Any] | None = None  # a Seal is made of an Encryption


@frozen(kw_only=True)
class PutPart:
    """What UploadPart asks.

    :ivar copied: whether the bytes come from the store itself, so that no client vouches for them.
    """

    now: int
    number: int
    length: int | None = None
    claims: tuple[Claim, ...] = ()
    checksum: str | None = None
    copied: bool = False


@frozen
class WantedPart:
    """One entry of the list that CompleteMultipartUpload sends. ``checksum`` is compared when given.

    :ivar etag: None takes the part that is there as it is, for clients that name parts by their numbers alone.
    """

    number: int
    etag: str | None
    checksum: Checksum | None = None


@frozen(kw_only=True)
class Complete:
    """What CompleteMultipartUpload asks.

    :ivar checksum: the whole object's claimed checksum, when the client sent one.
    :ivar checksum_kind: the checksum type the client named, or None.
    :ivar size: the object size the client named (``x-amz-mp-object-size``), or None.
    :ivar customer_key: the key that the client gave, which must be the upload's, or None.
    :ivar salt: random hexadecimal digits for the id of the version.
    """

    now: int
    parts: tuple[WantedPart, ...]
    checksum: Checksum | None = None
    checksum_kind: str | None = None
    size: int | None = None
    conditions: WriteConditions = UNCONDITIONAL
    customer_key: bytes | None = field(default=None, repr=False)
    salt: str = field(factory=new_salt)


def successor(prefix: bytes) -> bytes | None:
    """The smallest byte string behind everything that starts with ``prefix``, or None when nothing can be behind."""
    bare = prefix.rstrip(b"\xff")
    return bare[:-1] + bytes([bare[-1] + 1]) if bare else None


@frozen(kw_only=True)
class ListRequest:
    """A page of keys, versions or uploads.

    :ivar after: list only what sorts behind this key, and behind the common prefix that it is or that stands for it; empty from the
        start.
    :ivar after_id: of the key ``after`` itself, also what sorts behind this version or upload id (versions and uploads only).
    :ivar limit: how many entries and common prefixes together, 0 to 1000.
    """

    prefix: bytes = b""
    delimiter: bytes = b""
    after: bytes = b""
    after_id: str | None = None
    limit: int = 1000


class Listed(NamedTuple):
    """One line of a listing, as flat as a row: a page has a thousand of them.

    :ivar id: version id or upload id.
    :ivar etag: None for a delete marker or an upload.
    :ivar checksum: the text of the version's Checksum.
    :ivar storage_class: as it was stored; empty when it never was.
    """

    key: bytes
    id: str
    modified: int
    owner: str = ""
    etag: str | None = None
    size: int = 0
    checksum: str | None = None
    storage_class: str = ""
    newest: bool = True
    upload: Upload | None = None

    @property
    def version(self) -> Version | None:
        """What the line tells of its version; None for a delete marker or an upload."""
        if self.etag is None:
            return None
        return Version(
            version_id=self.id,
            etag=self.etag,
            size=self.size,
            modified=self.modified,
            headers={STORAGE_CLASS: self.storage_class} if self.storage_class else {},
            checksum=None if self.checksum is None else Checksum.read(self.checksum),
            owner=self.owner,
        )


@frozen(kw_only=True)
class Page:
    """A page of a listing: entries and common prefixes in one byte order.

    :ivar truncated: whether something follows.
    :ivar next_key: the last key or common prefix of this page when truncated: give it as ``after`` for the next one.
    """

    entries: tuple[Listed, ...] = ()
    prefixes: tuple[bytes, ...] = ()
    truncated: bool = False
    next_key: bytes = b""
    next_id: str | None = None
