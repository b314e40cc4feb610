"""The quarantine: versions whose bytes are damaged are marked there, and leave it whole, replaced or removed.

The mark is in the version itself (:mod:`gecko_tw.store.rules.quarantine`); a document for each makes them quick to list, and what it says
counts only while the version is marked.
"""

from collections.abc import Callable, Iterator
from functools import partial

from attrs import evolve, frozen

from gecko_tw.store.drivers.interfaces import IDocuments, Stale
from gecko_tw.store.integrity.comparing import WHOLE, compare
from gecko_tw.store.integrity.pace import Pace
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, BucketRecord, Change, KeyHistory, Span, Version, stored_size
from gecko_tw.store.refusals import InvalidRequest, NoSuchBucket, NoSuchKey, NoSuchVersion, ObjectDamaged, Refusal
from gecko_tw.store.requests import Remove, Removed, new_salt
from gecko_tw.store.rules import quarantine as rules
from gecko_tw.store.rules.finding import find
from gecko_tw.store.rules.notices import Cause

KIND = "quarantine"
"""Of its documents."""

QUARANTINED, RESTORED = "ObjectIntegrity:Quarantined", "ObjectIntegrity:Restored"
"""Events of ours."""

_PIECE = 1024 * 1024
_TRIES = 5


class Changed(Refusal):
    """The version is not the one that was looked at any more."""


@frozen(kw_only=True)
class QuarantinedVersion:
    """One version in quarantine."""

    bucket: str
    key: bytes
    version: Version

    @property
    def since(self) -> int:
        """When it was found, in nanoseconds."""
        since: int = self.version.extra[rules.QUARANTINE]["since"]
        return since

    @property
    def why(self) -> str:
        """One of :data:`gecko_tw.store.rules.quarantine.REASONS`."""
        why: str = self.version.extra[rules.QUARANTINE]["why"]
        return why


@frozen
class Quarantine:
    """The quarantine of a store. Every method blocks."""

    objects: Objects
    documents: IDocuments

    def condemn(self, bucket: str, key: bytes, version: Version, now: int, found_by: str) -> str:
        """Reads a version once more and quarantines it if its bytes are damaged; returns what was found, as :func:`compare`.

        What others changed since it was looked at is not condemned: the record, and with objects as files the file behind it, are
        compared first, and again in the step that marks it.

        :param found_by: who tells, for events.
        :raises Changed: the version is gone, or another one now.
        """
        found, _ = self._compared(bucket, key, version)
        if found in rules.REASONS:
            change = partial(rules.condemned, why=found, now=now)
            self._amend(bucket, key, version, change, (QUARANTINED, now, found_by))
            self._note(bucket, key, version.version_id, {"since": now, "why": found})
        return found

    def held(self, bucket: str = "") -> Iterator[QuarantinedVersion]:
        """The versions in quarantine by bucket and key; of one bucket, or of all."""
        found = []
        for _, value in self.documents.all(KIND):
            where = value["bucket"], bytes.fromhex(value["key"]), value["version_id"]
            if bucket in ("", where[0]):
                version = self._find(*where)
                if version is None or rules.QUARANTINE not in version.extra:
                    self._note(*where, None)
                else:
                    found.append(QuarantinedVersion(bucket=where[0], key=where[1], version=version))
        return iter(sorted(found, key=lambda one: (one.bucket, one.key)))

    def _find(self, bucket: str, key: bytes, version_id: str) -> Version | None:
        try:
            return find(reconciled(self.objects.catalog.history, bucket, key, version_id), version_id)
        except (NoSuchBucket, NoSuchKey, NoSuchVersion):
            return None

    def get(self, bucket: str, key: bytes, version_id: str | None) -> Version:
        """A version in quarantine.

        :param version_id: None for the current version.
        :raises InvalidRequest: it is not in quarantine.
        :raises NoSuchBucket, NoSuchKey, NoSuchVersion, DeleteMarkerNamed: as IObjects.look.
        """
        version = find(reconciled(self.objects.catalog.history, bucket, key, version_id), version_id)
        if rules.QUARANTINE not in version.extra:
            raise InvalidRequest("This version is not in quarantine.")
        return version

    def revalidate(self, bucket: str, key: bytes, version_id: str | None, now: int) -> bool:
        """Reads a version in quarantine again, and releases it if it is whole; returns whether it was. Raises as :meth:`get`, Changed."""
        version = self.get(bucket, key, version_id)
        found, _ = self._compared(bucket, key, version)
        if found == WHOLE:
            self._amend(bucket, key, version, rules.released, (RESTORED, now, "quarantine"))
            self._note(bucket, key, version.version_id, None)
        return found == WHOLE

    def restore(
        self, bucket: str, key: bytes, version_id: str | None, read: Callable[[int, int], bytes | memoryview], now: int
    ) -> Version:
        """Gives a version in quarantine its bytes back: everything else of it stays, its id, ETag, time and protection.

        :param read: ``read(offset, length)`` gives the bytes as they are stored: of an encrypted version, encrypted.
        :raises ObjectDamaged: they are not the version's own, or nothing in its record tells.
        :raises Changed, InsufficientStorage: and as :meth:`get`.
        """
        version = self.get(bucket, key, version_id)
        clean = rules.released(version)
        blobs = self.objects.blobs
        writer = blobs.create()
        size, at = stored_size(version), 0
        try:
            while at < size and (data := read(at, min(_PIECE, size - at))):
                writer.write(bytes(data))
                at += len(data)
            blob = writer.commit(BlobNote(bucket=bucket, key=key, record=clean.lying(())))
        finally:
            writer.abort()
        whole = clean.lying((Span(blob, 0, size),))
        if at < size or read(size, 1) or compare(blobs, whole, Pace())[0] != WHOLE:
            blobs.remove([blob])
            raise ObjectDamaged("These bytes are not those of the version, or nothing tells whether they are.")
        cause = Cause(event=RESTORED, now=now, principal="quarantine")
        rule = partial(_replaced, former=version, whole=whole)
        evolve(self.objects, cause=cause).place(bucket, key, rule, blob, version_id=version.version_id)
        self._note(bucket, key, version.version_id, None)
        return whole

    def purge(self, bucket: str, key: bytes, version_id: str | None, now: int, *, bypass: bool = False) -> Removed:
        """Removes a version in quarantine for good.

        :param bypass: whether a retention in governance mode is passed over.
        :raises ObjectLocked: a legal hold is on, or a retention is not over. And as :meth:`get`.
        """
        version = self.get(bucket, key, version_id)
        cause = Cause(event="ObjectRemoved:Delete", now=now, principal="quarantine")
        request = Remove(now=now, version_id=version.version_id, bypass=bypass, salt=new_salt())
        removed = evolve(self.objects, cause=cause).remove(bucket, key, request)
        self._note(bucket, key, version.version_id, None)
        return removed

    def _compared(self, bucket: str, key: bytes, version: Version) -> tuple[str, int]:
        """What is found of a version that stands. Raises Changed."""
        for _ in range(_TRIES):
            present = self._find(bucket, key, version.version_id)
            if present is None or not _is_same(present, version):
                raise Changed
            try:
                found = compare(self.objects.blobs, present, Pace())
            except Stale as stale:
                stale.reconcile()
                continue
            # The record is asked for again: bytes that go away, or come, do so with it.
            after = self._find(bucket, key, version.version_id)
            if after is not None and after.spans == present.spans:
                return found
        raise Changed

    def _amend(
        self,
        bucket: str,
        key: bytes,
        version: Version,
        change: Callable[[Version], Version],
        told: tuple[str, int, str],
    ) -> None:
        """Marks a version, or takes its mark away, unless it is another one by now. Raises Changed."""

        def amendment(present: Version, record: BucketRecord) -> Version:
            if not _is_same(present, version):
                raise Changed
            return change(present)

        event, now, principal = told
        objects = evolve(self.objects, cause=Cause(event=event, now=now, principal=principal))
        try:
            objects.amend(bucket, key, version.version_id, amendment)
        except (NoSuchBucket, NoSuchKey, NoSuchVersion) as gone:
            raise Changed from gone

    def _note(self, bucket: str, key: bytes, version_id: str, mark: dict[str, int | str] | None) -> None:
        name = f"{bucket}/{key.hex()}/{version_id}"
        place = {"bucket": bucket, "key": key.hex(), "version_id": version_id}
        self.documents.change(KIND, name, lambda _: None if mark is None else {**place, **mark})


def _is_same(present: Version, version: Version) -> bool:
    """Whether both are one, whatever is kept beside its bytes, and wherever they lie."""
    marks = [(one.etag, one.size, one.modified, one.checksum) for one in (present, version)]
    return marks[0] == marks[1]


def _replaced(bucket: BucketRecord, history: KeyHistory, former: Version, whole: Version) -> Change:
    """The version that was in quarantine has other bytes. Raises Changed."""
    if former not in history.versions:
        raise Changed
    kept = tuple(whole if one == former else one for one in history.versions)
    return Change(history.having(kept), whole)
