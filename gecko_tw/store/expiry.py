"""The lifecycle of objects: what the rules of buckets let go of goes, key by key."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any

from attrs import define, evolve, field

from gecko_tw.store.records import BucketRecord, DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload, SlowDown
from gecko_tw.store.requests import Listed, ListRequest, new_salt
from gecko_tw.store.rules import lifecycle
from gecko_tw.store.rules.lifecycle import DAY, Calendar, NothingDue, Rule
from gecko_tw.store.rules.notices import Cause
from gecko_tw.store.settling import settled
from gecko_tw.store.uploads import Uploads

_PAGE = 1000


class _Stopping(Exception):  # noqa: N818 - a signal, not an error
    """Somebody waits for the run to end."""


@define
class Tally:
    """What a run did; true when it did anything."""

    expired: int = 0
    removed: int = 0
    aborted: int = 0
    busy: int = 0

    def __bool__(self) -> bool:
        return bool(self.expired or self.removed or self.aborted)

    def __str__(self) -> str:
        return (
            f"{self.expired} objects expired, {self.removed} old versions and delete markers removed,"
            f" {self.aborted} multipart uploads aborted"
        )


@define(eq=False)
class Expiry:
    """Applies the lifecycle rules of all buckets. Blocks; may be cut short anywhere and be repeated at any time.

    With days of 24 hours everything becomes due at midnight UTC, so a bucket is looked through once a day, and again when its
    rules change: see docs/decisions/0008.

    :ivar day: a day's length in seconds.
    :ivar stopping: when it becomes true, a run under way ends at its next page; what is left is for the next run.
    """

    uploads: Uploads
    day: float = 86_400.0
    stopping: bool = False
    _seen: dict[str, tuple[Any, int]] = field(factory=dict)

    def run(self, now: int) -> Tally:
        """Removes what is due at ``now`` (nanoseconds)."""
        calendar = Calendar(now, int(self.day * 10**9))
        tally = Tally()
        for record in self._buckets():
            seen = (record.settings[lifecycle.SETTING], now // DAY)
            if calendar.day == DAY and self._seen.get(record.name) == seen:
                continue
            busy = tally.busy
            try:
                self._expire(record, calendar, tally)
            except NoSuchBucket:
                continue  # removed meanwhile
            except _Stopping:
                break
            if tally.busy == busy:
                self._seen[record.name] = seen
        return tally

    def _buckets(self) -> Iterator[BucketRecord]:
        """The buckets that have rules."""
        after, names = "", set()
        while records := self.uploads.objects.catalog.buckets("", after, _PAGE):
            after = records[-1].name
            for record in records:
                if lifecycle.SETTING in record.settings:
                    names.add(record.name)
                    yield record
        for gone in self._seen.keys() - names:
            del self._seen[gone]

    def _expire(self, record: BucketRecord, calendar: Calendar, tally: Tally) -> None:
        rules = lifecycle.rules_of(record.settings[lifecycle.SETTING])
        concerned = [rule for rule in rules if rule.concerns_versions]
        for prefix in lifecycle.prefixes(concerned):
            entries = self._entries(record.name, prefix, "versions")
            for key, group in groupby(entries, lambda entry: entry.key):
                if self._is_due(concerned, _history(record.name, key, group), calendar):
                    self._expire_key(record.name, key, calendar, tally)
        aborting = [rule for rule in rules if rule.abort_days is not None]
        for prefix in lifecycle.prefixes(aborting):
            for entry in self._entries(record.name, prefix, "uploads"):
                found = lifecycle.aborting(aborting, entry.key, entry.modified, calendar)
                if found is not None and found[0] <= calendar.now:
                    tally.aborted += self._abort(record.name, entry)

    def _entries(self, bucket: str, prefix: bytes, what: str) -> Iterator[Listed]:
        """All entries, a page at a time. Raises NoSuchBucket, _Stopping."""
        request = ListRequest(prefix=prefix, limit=_PAGE)
        while True:
            if self.stopping:
                raise _Stopping
            page = settled(self.uploads.objects.page, bucket, request, what)
            yield from page.entries
            if not page.truncated:
                return
            request = evolve(request, after=page.next_key, after_id=page.next_id)

    def _is_due(self, rules: list[Rule], history: KeyHistory, calendar: Calendar) -> bool:
        """Whether something of a key is due, by what a listing tells and, where tags decide, by the versions themselves."""
        found = set(lifecycle.due(lifecycle.without_tags(rules), history, calendar))
        if not found or not any(rule.tags for rule in rules):
            return bool(found)
        if None in found:
            found.add(history.versions[0].version_id)
        whole = tuple(self._whole(history, one) if one.version_id in found else one for one in history.versions)
        return any(True for _ in lifecycle.due(rules, history.having(whole), calendar))

    def _whole(self, history: KeyHistory, version: Version | DeleteMarker) -> Version | DeleteMarker:
        """A listed version with everything that is known of it."""
        known = settled(self.uploads.objects.catalog.history, history.bucket, history.key, version.version_id)
        return next((one for one in known.versions if one.version_id == version.version_id), version)

    def _expire_key(self, bucket: str, key: bytes, calendar: Calendar, tally: Tally) -> None:
        """The atomic step: what is due is decided again there."""
        try:
            rule = partial(lifecycle.expire, calendar=calendar, salt=new_salt())
            cause = Cause(event="LifecycleExpiration:Delete", now=calendar.now, principal="lifecycle")
            done = evolve(self.uploads.objects, cause=cause).place(bucket, key, rule).outcome
        except NothingDue:
            return  # another version came meanwhile, or a lock holds
        except SlowDown:
            tally.busy += 1
            return
        tally.expired += done.expired
        tally.removed += done.removed

    def _abort(self, bucket: str, entry: Listed) -> bool:
        try:
            self.uploads.abort(bucket, entry.key, entry.id)
        except NoSuchUpload:
            return False  # completed or aborted meanwhile
        return True


def _history(bucket: str, key: bytes, entries: Iterator[Listed]) -> KeyHistory:
    """What a listing tells of a key."""
    versions = tuple(
        entry.version or DeleteMarker(version_id=entry.id, modified=entry.modified, owner=entry.owner)
        for entry in entries
    )
    return KeyHistory(bucket=bucket, key=key, versions=versions)
