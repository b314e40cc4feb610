"""ICatalog on PostgreSQL. A step reads a key in one statement and writes it in one; who was slower than another begins again."""

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import ICatalog, ICommonPrefixes, IUsage
from gecko_tw.store.drivers.postgresql import listing
from gecko_tw.store.drivers.postgresql.blobs import PostgresqlBlobs
from gecko_tw.store.drivers.postgresql.buckets import ATTEMPTS, SLOTS, Bucket, BucketRows, pause
from gecko_tw.store.drivers.postgresql.connections import RACED, Connections
from gecko_tw.store.drivers.postgresql.rows import SHOWN, SHOWN_NEWEST, Found, asked, findable, found_of, spans_in
from gecko_tw.store.drivers.postgresql.steps import Writing, plan, unseen_above, with_parts
from gecko_tw.store.drivers.postgresql.uploads import UploadRows, parts_of_uploads
from gecko_tw.store.drivers.sqlite.listing import wanted_of
from gecko_tw.store.records import (
    NULL,
    Applied,
    BucketRecord,
    BucketRule,
    Change,
    Check,
    KeyHistory,
    Part,
    Rule,
    Usage,
    usage_of,
)
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload, SlowDown
from gecko_tw.store.requests import Listed

_SPANNED = (
    "SELECT bucket.name, head.key FROM head JOIN bucket ON bucket.id = head.bucket_id"
    " WHERE position('],[' IN head.spans) > 0 AND head.marker = 0 LIMIT %s"
)
_USAGE = "SELECT sum(bytes)::bigint, sum(objects)::bigint FROM slot WHERE bucket_id = %s"
_NEWEST_SEQS = (
    "SELECT seq FROM version WHERE bucket_id = %s AND key = %s AND seq > %s AND seq <> ALL(%s::bigint[]) LIMIT 1"
)
_AT_A_TIME = 8
"""So many verbs that are called together wait for the database at a time."""


class SideBySide:
    """Calls verbs together: each waits for the database by itself."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_A_TIME, "geckos3-together")

    # Any: as ICatalog says of ``together``.
    def __call__(self, verbs: Sequence[Callable[[], Any]]) -> list[Any]:
        return [verbs[0]()] if len(verbs) == 1 else list(self._threads.map(lambda verb: verb(), verbs))

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown()


@implementer(ICatalog)
class PostgresqlCatalog:
    """The catalog of a deployment.

    :param blobs: small bodies come from there.
    :ivar together: see ICatalog.
    """

    quick = False
    idle = staticmethod(lambda: False)

    def __init__(
        self, connections: Connections, buckets: BucketRows, blobs: PostgresqlBlobs, together: "SideBySide"
    ) -> None:
        self._connections, self._buckets, self._blobs = connections, buckets, blobs
        self.together = together

    def buckets(self, prefix: str, after: str, limit: int) -> list[BucketRecord]:
        return self._buckets.page(prefix, after, limit)

    def bucket(self, name: str, look: bool = True) -> BucketRecord:
        return self._buckets.find(name).record

    def add_bucket(self, record: BucketRecord) -> None:
        self._buckets.add(record)

    def change_bucket(self, name: str, rule: BucketRule) -> BucketRecord:
        return self._buckets.change(name, rule)

    def remove_bucket(self, name: str) -> None:
        self._buckets.remove(name)

    def _found(
        self, bucket: str, key: bytes, statement: str, versions: list[str], upload_id: str | None
    ) -> tuple[Bucket, Found]:
        """A bucket as it is, and what there is of a key, as of one moment. Raises NoSuchBucket."""
        known = self._buckets.find(bucket)
        for _ in range(ATTEMPTS):
            values = {"bucket": known.id, "key": key, "versions": versions, "upload": findable(upload_id)}
            found = found_of(bucket, key, self._connections.read(statement, values))
            if found.bucket_revision == known.revision:
                return known, found
            known = self._buckets.read(bucket)  # what was remembered of the bucket was too old
        raise SlowDown

    def history(
        self,
        bucket: str,
        key: bytes,
        version_id: str | None = None,
        opening: bool = False,
        upload_id: str | None = None,
    ) -> KeyHistory:
        statement = asked(version_id, upload_id, opening)
        _, found = self._found(bucket, key, statement, [findable(version_id)], upload_id)
        if found.data is not None:
            self._blobs.hold(spans_in(found.rows[0])[0].blob, found.data)
        return found.history

    def change_history(
        self, bucket: str, key: bytes, rule: Rule, version_id: str | None = None, upload_id: str | None = None
    ) -> Applied:
        named = [NULL, findable(version_id)]
        for attempt in range(ATTEMPTS):
            known, found = self._shown(bucket, key, named, upload_id)
            change = rule(known.record, found.history)
            try:
                writing = self._write(known, found, change)
            except RACED:
                writing = None
            if writing is not None:
                return Applied(found.history, writing.history, change.outcome)
            pause(attempt)
        raise SlowDown

    def _shown(self, bucket: str, key: bytes, versions: list[str], upload_id: str | None) -> tuple[Bucket, Found]:
        """What a rule sees. A bucket that never had versioning has no older versions: one that has them all the same is read again."""
        if "versioning" not in self.bucket(bucket).settings:
            known, found = self._found(bucket, key, SHOWN_NEWEST, versions, upload_id)
            if not found.older:
                return known, found
        return self._found(bucket, key, SHOWN, versions, upload_id)

    def _write(self, known: Bucket, found: Found, change: Change) -> Writing | None:
        """What was written; None when somebody was faster."""
        after, before = change.history, found.history
        writing = plan(found, after, lambda span: self._blobs.place(known.id, span))
        writing.notices = change.notices
        kept = {upload.id for upload in after.uploads}
        ended = [upload.id for upload in before.uploads if upload.id not in kept]
        if ended:
            with_parts(writing, parts_of_uploads(self._connections, known.id, after.key, ended))
        if change.check is not None:
            held, had, has = self._usage(known), usage_of(before), usage_of(after)
            more = has.bytes - had.bytes - writing.dropped.bytes
            change.check(held, held.changed(more, has.objects - had.objects))
        self._refuse_unseen(known, found, writing)
        if writing.rows == found.rows and after.uploads == before.uploads and not change.notices:
            return writing
        statement, values = writing.statement(known.id, random.randrange(SLOTS))
        if not self._connections.run(statement, values)[0][0]:
            return None
        self._blobs.placed(span.blob for version in after.versions for span in getattr(version, "spans", ()))
        return writing

    def _refuse_unseen(self, known: Bucket, found: Found, writing: Writing) -> None:
        """The newest version must be one that the rule saw. Raises ValueError."""
        above = unseen_above(found, writing)
        if above is None:
            return
        seen = [row.seq for row in found.rows]
        if self._connections.read(_NEWEST_SEQS, (known.id, writing.after.key, above, seen)):
            raise ValueError("a version that the rule did not see would become the newest")

    def page(
        self, bucket: str, prefix: bytes, start: bytes, limit: int, what: str, after_id: str | None = None
    ) -> list[Listed]:
        wanted = wanted_of(self._buckets.find(bucket).id, prefix, start, limit, after_id)
        return listing.page(self._connections, wanted, what) if limit > 0 else []

    def _upload(self, bucket: str, key: bytes, upload_id: str) -> UploadRows:
        """Raises NoSuchUpload."""
        try:
            return UploadRows(self._connections, self._buckets.find(bucket).id, key, upload_id)
        except NoSuchBucket:
            raise NoSuchUpload(UploadId=upload_id) from None

    def add_part(self, bucket: str, key: bytes, upload_id: str, part: Part, check: Check | None = None) -> Part | None:
        upload = self._upload(bucket, key, upload_id)
        for attempt in range(ATTEMPTS):
            replaced = upload.find(part.number)
            if replaced is None:
                raise NoSuchUpload(UploadId=upload_id)
            if check is not None:
                held = self._usage(self._buckets.find(bucket))
                check(held, held.changed(part.size - (replaced[0].size if replaced[0] else 0), 0))
            with suppress(*RACED):
                if upload.write(part, replaced, random.randrange(SLOTS)):
                    return replaced[0]
            pause(attempt)
        raise SlowDown

    def parts(self, bucket: str, key: bytes, upload_id: str, after: int, limit: int) -> list[Part]:
        found = self._upload(bucket, key, upload_id).parts(after, limit)
        if found is None:
            raise NoSuchUpload(UploadId=upload_id)
        return found

    def references(self, blobs: Iterable[str]) -> set[str]:
        return self._blobs.references(blobs)

    def spanned(self, limit: int) -> list[tuple[str, bytes]]:
        rows = self._connections.read(_SPANNED, (max(limit, 0),))
        return [(bytes(name).decode("utf-8", "surrogatepass"), key) for name, key in rows]

    def _usage(self, known: Bucket) -> Usage:
        bytes_held, objects = self._connections.read(_USAGE, (known.id,))[0]
        return Usage(bytes_held or 0, objects or 0)

    def __conform__(self, interface: object) -> "BucketUsage | listing.Folders | None":
        """Its optional powers: ``IUsage(catalog)``, ``ICommonPrefixes(catalog)``."""
        if interface is IUsage:
            return BucketUsage(self._buckets.find, self._usage)
        return listing.Folders(self._connections, self._buckets.find) if interface is ICommonPrefixes else None


@implementer(IUsage)
class BucketUsage:
    """See IUsage: slots that are added up. Steps that are under way at once do not see each other, and may exceed a quota together."""

    def __init__(self, find: Callable[[str], Bucket], count: Callable[[Bucket], Usage]) -> None:
        self._find, self._count = find, count

    def usage(self, bucket: str) -> Usage:
        return self._count(self._find(bucket))
