"""The scrub: every version and every part is read again and compared; what is damaged comes into quarantine.

It goes through buckets and keys in order, writes down now and then where it is, and goes on from there after a stop, a kill or a restart.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from random import random
from typing import Any

from attrs import asdict, define, evolve, field, frozen

from gecko_tw.store.drivers.interfaces import Stale
from gecko_tw.store.integrity.comparing import UNKNOWN, WHOLE, compare
from gecko_tw.store.integrity.lease import Lease
from gecko_tw.store.integrity.pace import Ended, Pace, Rest, unattended
from gecko_tw.store.integrity.quarantine import Changed, Quarantine, QuarantinedVersion
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import Json, Part
from gecko_tw.store.refusals import NoSuchBucket, NoSuchKey, NoSuchUpload, NoSuchVersion
from gecko_tw.store.requests import Listed, ListRequest
from gecko_tw.store.rules.finding import find
from gecko_tw.store.rules.multipart import mark_damaged
from gecko_tw.store.rules.quarantine import QUARANTINE, REASONS
from gecko_tw.store.uploads import Uploads

log = logging.getLogger(__name__)

KIND = "scrub"
"""Of its documents."""
TOTALS, LAST, LEASE = "totals", "last", "lease"
SAVED = 10 * 10**9
"""Nanoseconds between two notes of where it is: so much is done again after a kill."""
_PAGE = 100
_NAMED = 1000


@frozen(kw_only=True)
class Wish:
    """What is to be scrubbed.

    :ivar who: whose progress it is: passes of others go on apart.
    :ivar bucket: one bucket; empty for all.
    :ivar rate: the share of versions and parts that are read, 1 for all.
    :ivar most: so many are read in one run, and the next run goes on; 0 for no limit.
    :ivar bytes_per_second: 0 for as fast as it goes.
    :ivar attended: as of Lease.
    """

    who: str
    bucket: str = ""
    rate: float = 1.0
    most: int = 0
    bytes_per_second: int = 0
    attended: bool = False

    @property
    def name(self) -> str:
        """Of the document of its progress."""
        return f"{self.who}/{self.bucket}/{self.rate}"


@define
class Report:
    """What a pass has found so far.

    :ivar read: versions and parts that were read, in ``bytes``; of them ``whole`` are, and nothing tells of ``unknown``.
    :ivar held: versions that were in quarantine already; ``changed`` are those that others changed or removed meanwhile.
    :ivar unread: what could not be read for a reason that is not the disk's.
    :ivar parts: damaged parts of unfinished uploads, by name.
    """

    read: int = 0
    bytes: int = 0
    whole: int = 0
    unknown: int = 0
    damaged: int = 0
    held: int = 0
    changed: int = 0
    unread: int = 0
    parts: list[str] = field(factory=list)


Look = Callable[[Report, Pace], None]
"""Looks at one version, or at the parts of one upload."""


@define
class _Pass:
    """A pass under way, as its document has it.

    :ivar place: the last thing that is done: bucket, listing, key in hex and id; empty at the beginning.
    :ivar told: what of the report is in the totals already.
    """

    began: int
    place: list[str] = field(factory=list)
    report: Report = field(factory=Report)
    told: dict[str, int] = field(factory=dict)


@frozen
class Outcome:
    """What a run did.

    :ivar finished: whether its pass is at its end; else the next run goes on.
    :ivar resumed: whether it went on where another one had stopped.
    :ivar damaged: what this pass has brought into quarantine.
    """

    report: Report
    finished: bool
    resumed: bool
    damaged: tuple[QuarantinedVersion, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.report.damaged)


@define(eq=False)
class Scrub:
    """The scrub of a store. Blocks; may be cut short anywhere.

    :ivar now: nanoseconds.
    :ivar rest: waits, and tells when to end.
    :ivar chance: from 0 to 1.
    """

    quarantine: Quarantine
    uploads: Uploads
    now: Callable[[], int]
    rest: Rest = unattended
    chance: Callable[[], float] = random

    def run(self, wish: Wish) -> Outcome:
        """Reads on until the pass is at its end, the run has read enough, or it is told to end. Raises Busy, NoSuchBucket."""
        documents = self.quarantine.documents
        if wish.bucket:
            self.uploads.objects.catalog.bucket(wish.bucket)
        lease = Lease(documents, KIND, LEASE, wish.attended)
        lease.take(self.now())
        stored = documents.get(KIND, wish.name)
        one = _Pass(began=self.now()) if stored is None else _read(stored)
        finished = False
        try:
            finished = self._go_on(wish, one, lease)
        except Ended:
            pass  # told so, or somebody who waits has taken the lease
        finally:
            self._save(wish, one, finished)
            lease.give_back()
        damaged = tuple(held for held in self.quarantine.held(wish.bucket) if held.since >= one.began)
        return Outcome(one.report, finished, stored is not None, damaged)

    def _go_on(self, wish: Wish, one: _Pass, lease: Lease) -> bool:
        """Whether the pass is at its end. Raises Ended."""
        pace = Pace(wish.bytes_per_second, self.rest)
        saved, read = self.now(), 0
        for place, look in self._places(wish, one.place):
            if self.chance() < wish.rate:
                _try(look, one.report, pace, place)
                read += 1
            one.place = place
            if self.now() - saved >= SAVED:
                lease.renew(self.now())
                self._save(wish, one, False)
                saved = self.now()
            if wish.most and read >= wish.most:
                return False
        return True

    def _save(self, wish: Wish, one: _Pass, finished: bool) -> None:
        documents = self.quarantine.documents
        report = {name: value for name, value in asdict(one.report).items() if isinstance(value, int)}
        more = {name: value - one.told.get(name, 0) for name, value in report.items()}
        one.told = report

        def add(value: Json) -> Json:
            totals = value or {}
            return {name: totals.get(name, 0) + number for name, number in more.items()}

        if any(more.values()):
            documents.change(KIND, TOTALS, add)
        documents.change(KIND, wish.name, lambda _: None if finished else asdict(one))
        if finished:
            last = {
                "who": wish.who,
                "bucket": wish.bucket,
                "began": one.began,
                "ended": self.now(),
                **asdict(one.report),
            }
            documents.change(KIND, f"{LAST}/{wish.who}", lambda _: last)

    def _places(self, wish: Wish, done: list[str]) -> Iterator[tuple[list[str], Look]]:
        """What comes behind the last thing that is done: its place, and what looks at it."""
        for bucket in self._buckets(wish.bucket, done[0] if done else ""):
            here = done if done and done[0] == bucket else []
            try:
                if not here or here[1] == "versions":
                    for entry in self._entries(bucket, "versions", here):
                        place = [bucket, "versions", entry.key.hex(), entry.id]
                        yield place, partial(self._version, bucket, entry)
                    here = []
                for entry in self._entries(bucket, "uploads", here):
                    yield [bucket, "uploads", entry.key.hex(), entry.id], partial(self._parts, bucket, entry)
            except NoSuchBucket:
                continue  # removed meanwhile

    def _buckets(self, only: str, first: str) -> Iterator[str]:
        catalog = self.uploads.objects.catalog
        after = ""
        while records := catalog.buckets(only, after, _PAGE):
            after = records[-1].name
            yield from (record.name for record in records if only in ("", record.name) and record.name >= first)

    def _entries(self, bucket: str, what: str, here: list[str]) -> Iterator[Listed]:
        request = ListRequest(limit=_PAGE)
        if here:
            request = evolve(request, after=bytes.fromhex(here[2]), after_id=here[3])
        while True:
            page = reconciled(self.uploads.objects.page, bucket, request, what)
            yield from page.entries
            if not page.truncated:
                return
            request = evolve(request, after=page.next_key, after_id=page.next_id)

    def _version(self, bucket: str, entry: Listed, report: Report, pace: Pace) -> None:
        if entry.version is None:
            return  # a delete marker has no bytes
        objects = self.uploads.objects
        version = find(reconciled(objects.catalog.history, bucket, entry.key, entry.id), entry.id)
        if QUARANTINE in version.extra:
            report.held += 1
            return
        found, size = compare(objects.blobs, version, pace)
        self._count(report, found, size)
        if found in REASONS:
            found = self.quarantine.condemn(bucket, entry.key, version, self.now(), "scrub")
            if found in REASONS:
                report.damaged += 1
                _tell(f"{_named(bucket, entry.key)} (version {entry.id})", found)

    def _parts(self, bucket: str, entry: Listed, report: Report, pace: Pace) -> None:
        catalog, after = self.uploads.objects.catalog, 0
        while parts := catalog.parts(bucket, entry.key, entry.id, after, _PAGE):
            after = parts[-1].number
            for part in parts:
                self._part(bucket, entry, part, report, pace)

    def _part(self, bucket: str, entry: Listed, part: Part, report: Report, pace: Pace) -> None:
        catalog = self.uploads.objects.catalog
        found, size = compare(self.uploads.objects.blobs, part, pace)
        self._count(report, found, size)
        if found not in REASONS:
            return
        if part not in catalog.parts(bucket, entry.key, entry.id, part.number - 1, 1):
            report.changed += 1
            return
        rule = partial(mark_damaged, upload_id=entry.id, part=part)
        catalog.change_history(bucket, entry.key, rule, upload_id=entry.id)
        name = f"{_named(bucket, entry.key)} (upload {entry.id}, part {part.number})"
        report.damaged += 1
        report.parts = [*report.parts, name][:_NAMED]
        _tell(name, found)

    def _count(self, report: Report, found: str, size: int) -> None:
        report.read += 1
        report.bytes += size
        report.whole += found == WHOLE
        report.unknown += found == UNKNOWN


def _try(look: Look, report: Report, pace: Pace, place: list[str]) -> None:
    """Looks, and counts what others changed or removed meanwhile, and what cannot be read."""
    try:
        look(report, pace)
    except (Changed, Stale, NoSuchKey, NoSuchVersion, NoSuchUpload):
        report.changed += 1
    except OSError as error:
        report.unread += 1
        log.error("%s (%s) cannot be read: %s", _named(place[0], bytes.fromhex(place[2])), place[3], error)


def _named(bucket: str, key: bytes) -> str:
    return f"{bucket}/{key.decode('utf-8', 'backslashreplace')}"


def _tell(name: str, found: str) -> None:
    log.error("%s is damaged: %s", name, REASONS[found])


def _read(stored: dict[str, Any]) -> _Pass:
    """A pass from its document."""
    return _Pass(stored["began"], stored["place"], Report(**stored["report"]), stored["told"])
