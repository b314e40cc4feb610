"""The reference driver: the whole contract of a catalog and of blobs in memory, one lock around each.

Nothing survives the process. Tests and new drivers are measured against it.
"""

import time
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from threading import Lock
from typing import Any

from attrs import evolve, frozen
from zope.interface import implementer

from gecko_tw.store.drivers import excerpts
from gecko_tw.store.drivers.blob_cache import MemoryReader
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning, IBlobs, IBlobWriter, ICatalog, IUsage
from gecko_tw.store.drivers.memory_documents import MemoryDocuments, MemoryNotices
from gecko_tw.store.drivers.memory_lines import HAS_LINES, LINES, behind
from gecko_tw.store.records import (
    Applied,
    BlobNote,
    BucketRecord,
    BucketRule,
    Check,
    KeyHistory,
    Part,
    Rule,
    Span,
    Usage,
    usage_of,
)
from gecko_tw.store.refusals import BucketAlreadyExists, BucketNotEmpty, NoSuchBucket, NoSuchUpload
from gecko_tw.store.requests import Listed


class MemoryDriver:
    """A catalog and blobs that live as long as this object.

    :param clock: seconds since 1970; the age of blobs is told by it.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.notices = MemoryNotices()
        self.catalog = MemoryCatalog(self.notices)
        self.documents = MemoryDocuments(lambda: self.catalog.buckets_changed)
        self.blobs = MemoryBlobs(clock)

    def flush(self) -> bool:
        """There is no disk."""
        return False

    def close(self) -> None:
        """Nothing is held open."""


class _Bucket:
    """The keys of one bucket. ``sorted`` holds, for each kind of listing, the keys that have a line in it."""

    def __init__(self, record: BucketRecord) -> None:
        self.record = record
        self.histories: dict[bytes, KeyHistory] = {}
        self.parts: dict[tuple[bytes, str], dict[int, Part]] = {}
        self.sorted: dict[str, list[bytes]] = {what: [] for what in LINES}

    def history(self, key: bytes) -> KeyHistory:
        return self.histories.get(key) or KeyHistory(bucket=self.record.name, key=key)

    def keep(self, history: KeyHistory) -> None:
        before = self.history(history.key)
        if history.versions or history.uploads:
            self.histories[history.key] = history
        else:
            self.histories.pop(history.key, None)
        for what, has_lines in HAS_LINES.items():
            keys, was, is_now = self.sorted[what], has_lines(before), has_lines(history)
            if is_now and not was:
                insort(keys, history.key)
            elif was and not is_now:
                del keys[bisect_left(keys, history.key)]

    def parts_of(self, key: bytes, upload_id: str) -> dict[int, Part]:
        if self.history(key).upload(upload_id) is None:
            raise NoSuchUpload(UploadId=upload_id)
        return self.parts.setdefault((key, upload_id), {})

    def usage(self) -> Usage:
        """Everything in it, counted anew: only buckets with a quota pay for it."""
        held = [usage_of(history) for history in self.histories.values()]
        parts = sum(part.size for parts in self.parts.values() for part in parts.values())
        return Usage(sum(one.bytes for one in held) + parts, sum(one.objects for one in held))

    def usage_with(self, held: Usage, before: KeyHistory, after: KeyHistory) -> Usage:
        """What it would hold if one key's history were another."""
        had, has = usage_of(before), usage_of(after)
        dropped = {upload.id for upload in before.uploads} - {upload.id for upload in after.uploads}
        freed = sum(part.size for one in dropped for part in self.parts.get((before.key, one), {}).values())
        return held.changed(has.bytes - had.bytes - freed, has.objects - had.objects)


class _Buckets(dict[str, _Bucket]):
    """Buckets by name."""

    def __missing__(self, name: str) -> _Bucket:
        raise NoSuchBucket(BucketName=name)


class _Holders(Counter[str]):
    """How many spans of versions and parts refer to a blob."""

    def change(self, kept: Iterable[Any], dropped: Iterable[Any]) -> None:
        """Records that are referred to from now on, and those that no longer are."""
        self.update(span.blob for record in kept for span in getattr(record, "spans", ()))
        for record in dropped:
            for span in getattr(record, "spans", ()):
                self[span.blob] -= 1
                if not self[span.blob]:
                    del self[span.blob]


@implementer(ICatalog)
class MemoryCatalog:
    """Records in dictionaries. Rules run under the lock, so they are called once."""

    quick = True
    idle = staticmethod(lambda: True)
    together = staticmethod(lambda verbs: [verb() for verb in verbs])

    def __init__(self, notices: MemoryNotices | None = None) -> None:
        self._lock = Lock()
        self._notices = notices or MemoryNotices()
        self.buckets_changed = 0
        self._buckets = _Buckets()
        self._holders = _Holders()

    def buckets(self, prefix: str, after: str, limit: int) -> list[BucketRecord]:
        with self._lock:
            names = sorted(name for name in self._buckets if name.startswith(prefix) and name > after)
            return [self._buckets[name].record for name in names[: max(limit, 0)]]

    def bucket(self, name: str, look: bool = True) -> BucketRecord:
        with self._lock:
            return self._buckets[name].record

    def add_bucket(self, record: BucketRecord) -> None:
        with self._lock:
            if record.name in self._buckets:
                raise BucketAlreadyExists(BucketName=record.name)
            self._buckets[record.name] = _Bucket(record)
            self.buckets_changed += 1

    def change_bucket(self, name: str, rule: BucketRule) -> BucketRecord:
        with self._lock:
            bucket = self._buckets[name]
            bucket.record = rule(bucket.record)
            self.buckets_changed += 1
            return bucket.record

    def remove_bucket(self, name: str) -> None:
        with self._lock:
            bucket = self._buckets[name]
            if bucket.sorted["versions"]:
                raise BucketNotEmpty(BucketName=name)
            for parts in bucket.parts.values():
                self._holders.change((), parts.values())
            del self._buckets[name]
            self.buckets_changed += 1

    def history(
        self,
        bucket: str,
        key: bytes,
        version_id: str | None = None,
        opening: bool = False,
        upload_id: str | None = None,
    ) -> KeyHistory:
        with self._lock:
            return excerpts.asked(self._buckets[bucket].history(key), version_id, upload_id)

    def change_history(
        self, bucket: str, key: bytes, rule: Rule, version_id: str | None = None, upload_id: str | None = None
    ) -> Applied:
        with self._lock:
            place = self._buckets[bucket]
            whole = place.history(key)
            before = excerpts.shown(whole, version_id, upload_id)
            change = rule(place.record, before)
            after = excerpts.merged(whole, before, change.history)
            if change.check is not None:
                held = place.usage()
                change.check(held, place.usage_with(held, before, change.history))
            place.keep(after)
            self._holders.change(change.history.versions, before.versions)
            for upload in before.uploads:
                if change.history.upload(upload.id) is None:
                    self._holders.change((), place.parts.pop((key, upload.id), {}).values())
            self._notices.add(change.notices)
            return Applied(before, change.history, change.outcome)

    def page(
        self, bucket: str, prefix: bytes, start: bytes, limit: int, what: str, after_id: str | None = None
    ) -> list[Listed]:
        with self._lock:
            place, page = self._buckets[bucket], list[Listed]()
            keys = place.sorted[what]
            at = bisect_left(keys, max(prefix, start))
            while len(page) < limit and at < len(keys) and keys[at].startswith(prefix):
                lines = LINES[what](place.history(keys[at]))
                page += behind(lines, after_id) if after_id is not None and keys[at] == start else lines
                at += 1
            return page[: max(limit, 0)]

    def add_part(self, bucket: str, key: bytes, upload_id: str, part: Part, check: Check | None = None) -> Part | None:
        with self._lock:
            place = self._buckets[bucket]
            parts = place.parts_of(key, upload_id)
            replaced = parts.get(part.number)
            if check is not None:
                held = place.usage()
                check(held, held.changed(part.size - (replaced.size if replaced else 0), 0))
            parts[part.number] = part
            self._holders.change((part,), (replaced,) if replaced else ())
            history = place.history(key)
            uploads = (evolve(u, revision=u.revision + 1) if u.id == upload_id else u for u in history.uploads)
            place.keep(evolve(history, uploads=tuple(uploads)))
            return replaced

    def parts(self, bucket: str, key: bytes, upload_id: str, after: int, limit: int) -> list[Part]:
        with self._lock:
            parts = self._buckets[bucket].parts_of(key, upload_id)
            return [parts[number] for number in sorted(parts) if number > after][: max(limit, 0)]

    def __conform__(self, interface: object) -> "MemoryUsage | None":
        """Its optional power: ``IUsage(catalog)``."""
        return MemoryUsage(self._lock, self._buckets) if interface is IUsage else None

    def references(self, blobs: Iterable[str]) -> set[str]:
        with self._lock:
            return {blob for blob in blobs if blob in self._holders}

    def spanned(self, limit: int) -> list[tuple[str, bytes]]:
        with self._lock:
            found = (
                (name, key)
                for name, bucket in self._buckets.items()
                for key, history in bucket.histories.items()
                if history.newest is not None and len(history.newest.spans) > 1
            )
            return list(islice(found, max(limit, 0)))


@implementer(IUsage)
@frozen
class MemoryUsage:
    """See IUsage. ``lock`` and ``buckets`` are a catalog's."""

    lock: "Lock"
    buckets: _Buckets

    def usage(self, bucket: str) -> Usage:
        with self.lock:
            return self.buckets[bucket].usage()


@implementer(IBlobs, IBlobCloning)
class MemoryBlobs:
    """Bytes in a dictionary. Bodies on their way in have a name too: the sweeper finds those that nobody finishes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._numbers = count(1)
        self._bytes: dict[str, bytes] = {}
        self._touched: dict[str, float] = {}

    def create(self) -> "MemoryWriter":
        with self._lock:
            name = f"blob-{next(self._numbers)}"
            self._touched[name] = self._clock()
        return MemoryWriter(self, name)

    def touch(self, blob: str) -> None:
        """A staged body grows. Raises BlobGone when the sweeper took it."""
        with self._lock:
            if blob not in self._touched:
                raise BlobGone
            self._touched[blob] = self._clock()

    def keep(self, blob: str, data: bytes) -> None:
        """Commits a staged body. Raises BlobGone when the sweeper took it."""
        self.touch(blob)
        with self._lock:
            self._bytes[blob] = data

    def open(self, blob: str) -> MemoryReader:
        with self._lock:
            try:
                return MemoryReader(self._bytes[blob])
            except KeyError:
                raise BlobGone from None

    def remove(self, blobs: Iterable[str]) -> None:
        with self._lock:
            for blob in blobs:
                self._bytes.pop(blob, None)
                self._touched.pop(blob, None)

    def release(self, blobs: Iterable[str]) -> None:
        self.remove(blobs)

    def older_than(self, seconds: float) -> Iterator[str]:
        with self._lock:
            limit = self._clock() - seconds
            return iter([blob for blob, touched in self._touched.items() if touched < limit])

    def clone(self, spans: Iterable[Span], note: BlobNote) -> str:
        writer = self.create()
        try:
            for span in spans:
                writer.write(self.open(span.blob).read(span.offset, span.length))
        except BlobGone:
            writer.abort()
            raise
        return writer.commit(note)


@implementer(IBlobWriter)
class MemoryWriter:
    """A blob on its way in."""

    def __init__(self, blobs: MemoryBlobs, name: str) -> None:
        self._blobs = blobs
        self._name = name
        self._data = bytearray()
        self._open = True

    def write(self, data: bytes | memoryview) -> None:
        self._blobs.touch(self._name)
        self._data += data

    def commit(self, note: BlobNote) -> str:
        """The note is not kept: there is nothing that a catalog could be made again from."""
        self._blobs.keep(self._name, bytes(self._data))
        self._open = False
        return self._name

    def abort(self) -> None:
        if self._open:
            self._open = False
            self._blobs.remove((self._name,))
