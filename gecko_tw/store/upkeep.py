"""What the store does by itself, a little at a time: abandoned uploads go, completed uploads are joined, orphaned bytes are swept."""

from collections.abc import Iterator
from functools import partial
from itertools import islice

from attrs import evolve, frozen

from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning, IPurging
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, BucketRecord, Change, KeyHistory, Span, Version, stored_size
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload, Refusal
from gecko_tw.store.requests import Listed, ListRequest
from gecko_tw.store.uploads import Uploads

_PAGE = 1000
_SWEEP = 200


class _Changed(Refusal):
    """The version is not what it was any more."""


def _joined(bucket: BucketRecord, history: KeyHistory, version: Version, span: Span) -> Change:
    """The newest version keeps everything but its spans; the bytes of older ones stay where they are."""
    if history.versions[:1] != (version,):
        raise _Changed
    return Change(history.having((version.lying((span,)), *history.versions[1:])))


@frozen
class Upkeep:
    """The chores of a store. Every method blocks, may be called at any time, and from several processes at once."""

    uploads: Uploads

    def abort_older_than(self, moment: int) -> int:
        """Aborts every multipart upload started before ``moment`` (nanoseconds); returns how many."""
        aborted = 0
        for bucket, entry in self._unfinished():
            if entry.modified < moment:
                try:
                    self.uploads.abort(bucket, entry.key, entry.id)
                    aborted += 1
                except NoSuchUpload:
                    continue  # completed or aborted meanwhile
        return aborted

    def _unfinished(self) -> Iterator[tuple[str, Listed]]:
        catalog = self.uploads.objects.catalog
        after = ""
        while records := catalog.buckets("", after, _PAGE):
            after = records[-1].name
            for record in records:
                yield from ((record.name, entry) for entry in self._unfinished_in(record.name))

    def _unfinished_in(self, bucket: str) -> Iterator[Listed]:
        request = ListRequest(limit=_PAGE)
        while True:
            try:
                page = self.uploads.page(bucket, request)
            except NoSuchBucket:
                return
            yield from page.entries
            if not page.truncated:
                return
            request = evolve(request, after=page.next_key, after_id=page.next_id)

    def join(self, limit: int = 10) -> int:
        """Joins the bytes of completed uploads into one blob each, so that they become ordinary files; returns how many."""
        catalog = self.uploads.objects.catalog
        if not IBlobCloning.providedBy(self.uploads.objects.blobs):
            return 0  # parts stay what they are, and none is looked for in vain
        done = 0
        for bucket, key in catalog.spanned(limit):
            for version in reconciled(catalog.history, bucket, key).versions:
                if isinstance(version, Version) and len(version.spans) > 1:
                    done += self._join_version(bucket, key, version)
        return done

    def _join_version(self, bucket: str, key: bytes, version: Version) -> bool:
        objects = self.uploads.objects
        if not IBlobCloning.providedBy(objects.blobs):
            return False
        note = BlobNote(bucket=bucket, key=key, record=version.lying(()))
        try:
            blob = objects.blobs.clone(version.spans, note)
            rule = partial(_joined, version=version, span=Span(blob, 0, stored_size(version)))
            objects.place(bucket, key, rule, blob, version_id=version.version_id)
        except (BlobGone, _Changed, NoSuchBucket):
            return False  # overwritten or deleted meanwhile
        return True

    def sweep(self, seconds: float) -> int:
        """Drops bytes older than ``seconds`` that no version and no part holds; returns how many blobs went."""
        catalog, blobs = self.uploads.objects.catalog, self.uploads.objects.blobs
        candidates = blobs.older_than(seconds)
        dropped = 0
        while batch := list(islice(candidates, _SWEEP)):
            orphans = set(batch) - catalog.references(batch)
            blobs.remove(orphans)
            dropped += len(orphans)
        purging = IPurging(blobs, None)
        return dropped if purging is None else dropped + purging.purge()
