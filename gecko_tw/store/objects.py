"""The verbs of objects: bytes first, then one atomic step of the catalog, then the old bytes go."""

from collections.abc import Callable, Iterable
from functools import partial

from attrs import field, frozen
from zope.interface import implementer

from gecko_tw.store import copying
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobs, ICatalog, ICommonPrefixes
from gecko_tw.store.encryption.data_keys import DataKeys, Seal
from gecko_tw.store.encryption.reading import SealedReading
from gecko_tw.store.incoming import Incoming, pseudo_etag
from gecko_tw.store.integrity.remembering import WholeLately
from gecko_tw.store.interfaces import IIncoming, IObjects
from gecko_tw.store.reading import Reading
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import (
    Applied,
    BlobNote,
    Checksum,
    Rule,
    Span,
    Version,
    blobs_of,
    stored_size,
)
from gecko_tw.store.refusals import ObjectDamaged
from gecko_tw.store.requests import (
    UNCONDITIONAL,
    Copy,
    Listed,
    ListRequest,
    Page,
    Put,
    Remove,
    Removed,
    Source,
    WriteConditions,
    new_salt,
)
from gecko_tw.store.rules import listing, versions
from gecko_tw.store.rules.amending import Amendment, amend
from gecko_tw.store.rules.conditions import check_write
from gecko_tw.store.rules.finding import find
from gecko_tw.store.rules.names import check_key
from gecko_tw.store.rules.notices import Cause, telling
from gecko_tw.store.rules.quarantine import LOST, REASONS, refuse_quarantined
from gecko_tw.store.rules.quotas import within

DEFAULT_CHECKSUM = "CRC64NVME"
"""What S3 computes when a client sends no checksum (S3 User Guide, "Checking object integrity")."""

_TRIES = 20


@implementer(IObjects)
@frozen
class Objects:
    """See IObjects.

    :ivar hashing: False computes no digest that nobody claimed; ETags are then pseudo ETags.
    :ivar keys: opens and makes the data keys of encrypted objects.
    :ivar whole_lately: which sources of copies were compared a short while ago.
    :ivar cause: what those are told who want to know of a change; None tells nobody.
    """

    catalog: ICatalog
    blobs: IBlobs
    hashing: bool = True
    keys: DataKeys = DataKeys()
    cause: Cause | None = None
    whole_lately: WholeLately = field(factory=WholeLately, eq=False, repr=False)

    def receive(self, algorithms: Iterable[str] = (), sealing: Callable[[], Seal] | None = None) -> Incoming:
        wanted = set(algorithms)
        if self.hashing:
            wanted |= {"MD5", DEFAULT_CHECKSUM}
        return Incoming(self.blobs, wanted, sealing)

    def allow(self, bucket: str, key: bytes, conditions: WriteConditions) -> None:
        check_key(key)
        if conditions is UNCONDITIONAL and not self.catalog.quick:
            self.catalog.bucket(bucket)  # no condition is worth a round trip
        else:
            check_write(self.catalog.history(bucket, key), conditions)

    def put(self, bucket: str, key: bytes, incoming: IIncoming, request: Put) -> Version:
        try:
            check_key(key)
            if request.conditions is not UNCONDITIONAL:
                reconciled(self.allow, bucket, key, request.conditions)  # before a body is hashed and written in vain
            incoming.verify(request.length, request.claims)
            version = self._version(incoming, request)
            blob = incoming.commit(BlobNote(bucket=bucket, key=key, record=version))
        finally:
            incoming.abort()
        return self.put_blob(bucket, key, version, blob, request.conditions)

    def put_blob(self, bucket: str, key: bytes, version: Version, blob: str, conditions: WriteConditions) -> Version:
        """The atomic step of a put: a committed blob becomes the version's bytes, the version the current one."""
        version = version.lying((Span(blob, 0, stored_size(version)),))
        rule = partial(versions.put, version=version, conditions=conditions, salt=new_salt())
        placed = self.place(bucket, key, rule, blob).after.newest
        assert placed is not None
        return placed

    def _version(self, incoming: IIncoming, request: Put) -> Version:
        """The Version that an incoming body becomes; its bytes have no place yet."""
        algorithm = request.checksum or (DEFAULT_CHECKSUM if self.hashing else None)
        return Version(
            etag=self.etag(incoming, request.now),
            size=incoming.size,
            modified=request.now,
            headers=request.headers,
            metadata=request.metadata,
            tags=request.tags,
            checksum=Checksum(algorithm, incoming.digests.value(algorithm)) if algorithm else None,
            owner=request.owner,
            extra=incoming.extra(request.extra),
        )

    def etag(self, incoming: IIncoming, modified: int, claimed: bool = False) -> str:
        """The ETag of an incoming body without quotes.

        :param claimed: where nothing is hashed, an MD5 that was computed because the client claimed one counts.
        """
        if not self.hashing and not (claimed and "MD5" in incoming.digests):
            return pseudo_etag(incoming.size, modified)
        digest = incoming.digests.raw("MD5")
        return digest.hex() if incoming.seal is None else incoming.seal.etag(digest)

    def place(
        self,
        bucket: str,
        key: bytes,
        rule: Rule,
        blob: str | None = None,
        *,
        version_id: str | None = None,
        upload_id: str | None = None,
    ) -> Applied:
        """The atomic step, and after it the dropping of blobs that no version holds any more.

        :param blob: the new blob; dropped when the step is refused.
        :param version_id: of a version that the rule must see; ``upload_id``: of an upload.
        """
        try:
            applied = self.catalog.change_history(bucket, key, within(self._told(rule)), version_id, upload_id)
        except BaseException:
            if blob is not None and not self.catalog.references([blob]):
                self.blobs.remove([blob])
            raise
        dropped = blobs_of(applied.before) - blobs_of(applied.after)
        if dropped:
            self.blobs.release(dropped)
        return applied

    def _told(self, rule: Rule) -> Rule:
        return rule if self.cause is None else telling(rule, self.cause)

    def look(self, bucket: str, key: bytes, version_id: str | None = None) -> Version:
        return find(self.catalog.history(bucket, key, version_id), version_id)

    def open(self, bucket: str, key: bytes, version_id: str | None = None) -> Reading | SealedReading:
        look = partial(self.look, bucket, key, version_id)
        version = find(self.catalog.history(bucket, key, version_id, version_id is None), version_id)
        for _ in range(_TRIES):
            try:
                return self._opened(version, look)
            except BlobGone:
                version = look()  # replaced between the record and the bytes: the newer record is the answer
        raise ObjectDamaged(Reason=REASONS[LOST])

    def _opened(self, version: Version, look: Callable[[], Version]) -> Reading | SealedReading:
        refuse_quarantined(version)
        reading = Reading(self.blobs, version, look)
        return SealedReading(reading, self.keys) if "sse" in reading.version.extra else reading

    def remove(self, bucket: str, key: bytes, request: Remove) -> Removed:
        check_key(key)
        rule = partial(versions.remove, request=request)
        removed: Removed = self.place(bucket, key, rule, version_id=request.version_id).outcome
        return removed

    def amend(self, bucket: str, key: bytes, version_id: str | None, change: Amendment) -> Version:
        check_key(key)
        rule = partial(amend, version_id=version_id, change=change)
        version: Version = self.catalog.change_history(bucket, key, self._told(rule), version_id).outcome
        return version

    def copy(self, source: Source, bucket: str, key: bytes, request: Copy) -> Version:
        return copying.copy(self, source, bucket, key, request)

    def page(self, bucket: str, request: ListRequest, what: str = "objects") -> Page:
        def fetch(start: bytes, limit: int, after_id: str | None) -> list[Listed]:
            if what == "objects" and after_id is not None:
                start, after_id = start + b"\0", None
            return self.catalog.page(bucket, request.prefix, start, limit, what, after_id)

        if request.limit <= 0:
            self.catalog.bucket(bucket)
        folders = ICommonPrefixes(self.catalog, None) if request.delimiter else None
        if folders is None:
            return listing.fold(fetch, request, None)
        return listing.fold(
            fetch, request, lambda start, limit: folders.common_prefixes(bucket, request, start, limit, what)
        )
