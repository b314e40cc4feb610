"""The lifecycle of objects: what the rules of buckets let go of goes, and what they move is moved, key by key."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any

from attrs import define, evolve, field

from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BucketRecord, DeleteMarker, KeyHistory, Rule, Version
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload, SlowDown
from gecko_tw.store.requests import Listed, ListRequest, new_salt
from gecko_tw.store.rules import lifecycle
from gecko_tw.store.rules.due import Due, NothingDue, confirmed, due, expire, move
from gecko_tw.store.rules.lifecycle import DAY, Calendar
from gecko_tw.store.rules.notices import Cause
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
    moved: int = 0
    busy: int = 0

    def __bool__(self) -> bool:
        return bool(self.expired or self.removed or self.aborted or self.moved)

    def __str__(self) -> str:
        return (
            f"{self.expired} objects expired, {self.removed} old versions and delete markers removed,"
            f" {self.aborted} multipart uploads aborted, {self.moved} versions moved to another storage class"
        )


@define(eq=False)
class Expiry:
    """Applies the lifecycle rules of all buckets. Blocks; may be cut short anywhere and be repeated at any time.

    With days of 24 hours everything becomes due at midnight UTC, so a bucket is looked through once a day, and again when its
    rules change: see docs/decisions/0008.

    :ivar day: a day's length in seconds.
    :ivar smallest: bytes below which a version is moved only by rules that choose by size.
    :ivar stopping: when it becomes true, a run under way ends at its next page or step; what is left is for the next run.
    """

    uploads: Uploads
    day: float = 86_400.0
    smallest: int = lifecycle.SMALLEST
    stopping: bool = False
    _seen: dict[str, tuple[Any, int]] = field(factory=dict)

    def run(self, now: int) -> Tally:
        """Removes, and moves, what is due at ``now`` (nanoseconds)."""
        calendar = Calendar(now, int(self.day * 10**9), self.smallest)
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
            for (_, key), walk in groupby(_walks(entries), lambda line: (line[0], line[1].key)):
                for one in self._due(concerned, record.name, key, walk, calendar):
                    self._let_go(record.name, key, one, calendar, tally)
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
            page = reconciled(self.uploads.objects.page, bucket, request, what)
            yield from page.entries
            if not page.truncated:
                return
            request = evolve(request, after=page.next_key, after_id=page.next_id)

    def _due(
        self,
        rules: list[lifecycle.Rule],
        bucket: str,
        key: bytes,
        walk: Iterator[tuple[int, Listed]],
        calendar: Calendar,
    ) -> list[Due]:
        """What is due of one key. The oldest first: what is left when a run is cut short is no younger for it."""
        versions = (_version(entry) for _, entry in walk)
        found = [*due(lifecycle.without_tags(rules), key, versions, calendar)]
        if any(rule.tags for rule in rules):
            looked = (confirmed(rules, self._known(bucket, key, one), one, calendar) for one in found)
            found = [one for one in looked if one is not None]
        noncurrent = [one for one in found if one.since is not None]
        return [*reversed(noncurrent), *found[len(noncurrent) :]]

    def _known(self, bucket: str, key: bytes, one: Due) -> KeyHistory:
        """A listed version with everything that is known of it."""
        return reconciled(self.uploads.objects.catalog.history, bucket, key, one.version_id)

    def _let_go(self, bucket: str, key: bytes, one: Due, calendar: Calendar, tally: Tally) -> None:
        """The atomic step: whether it is due is decided again there."""
        if self.stopping:
            raise _Stopping
        try:
            rule, event = _step(one, calendar)
            cause = Cause(event=event, now=calendar.now, principal="lifecycle")
            evolve(self.uploads.objects, cause=cause).place(bucket, key, rule, version_id=one.version_id)
        except NothingDue:  # another version came meanwhile, or a lock holds, which hinders no move
            if one.since is not None and not one.moves:
                self._let_go(bucket, key, evolve(one, moves=True), calendar, tally)
            return
        except SlowDown:
            tally.busy += 1
            return
        if one.moves:
            tally.moved += 1
        elif one.version_id is None:
            tally.expired += 1
        else:
            tally.removed += 1

    def _abort(self, bucket: str, entry: Listed) -> bool:
        try:
            self.uploads.abort(bucket, entry.key, entry.id)
        except NoSuchUpload:
            return False  # completed or aborted meanwhile
        return True


def _step(one: Due, calendar: Calendar) -> tuple[Rule, str]:
    """The atomic step for what is due, and the event that it makes."""
    if one.moves:
        return partial(move, calendar=calendar, one=one), "LifecycleTransition"
    step = partial(expire, calendar=calendar, salt=new_salt(), one=one)
    return step, "LifecycleExpiration:Delete"


def _walks(entries: Iterator[Listed]) -> Iterator[tuple[int, Listed]]:
    """Lines with a number for each walk through a key: a key is begun again when the version that a page ended with is gone."""
    number = 0
    for entry in entries:
        number += entry.newest
        yield number, entry


def _version(entry: Listed) -> Version | DeleteMarker:
    """What a listing tells of a version."""
    return entry.version or DeleteMarker(version_id=entry.id, modified=entry.modified, owner=entry.owner)
