"""Everything that one driver has, taken to another: buckets, versions with their bytes, unfinished uploads, documents, events that wait.

Nothing of the source is changed. A move that was cut short goes on where it was: the target knows how far it came. What arrived is read
back from there and compared before a record says that it is there.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby, islice
from threading import Lock
from typing import TypeVar

from attrs import define, evolve, field, frozen

from gecko_tw.store.drivers.interfaces import BlobGone, IDriver, Stale
from gecko_tw.store.drivers.layouts import UNDER_WAY
from gecko_tw.store.integrity.comparing import UNKNOWN, WHOLE, StoredBytes, compare
from gecko_tw.store.integrity.pace import Pace
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import (
    BlobNote,
    BucketRecord,
    Change,
    DeleteMarker,
    Json,
    KeyHistory,
    Notice,
    Part,
    Span,
    Upload,
    Version,
)
from gecko_tw.store.requests import Listed
from gecko_tw.store.rules.quarantine import LOST, QUARANTINE, REASONS

log = logging.getLogger(__name__)

_PAGE = 1000
_TOGETHER = 200
"""Keys after which the target is told how far it has come."""

_STEP = 1024 * 1024
_MOST_EVENTS = 1_000_000
_THREADS = 8

Record = TypeVar("Record", Version, Part)


class CannotMove(Exception):  # noqa: N818 - named for what it tells
    """A line for the user: why nothing, or no more, is moved."""


@define
class Moved:
    """What was done.

    :ivar passed_over: versions and parts whose bytes are not what their checksums say, or that cannot be read, with the reasons.
    """

    buckets: int = 0
    versions: int = 0
    parts: int = 0
    bytes: int = 0
    passed_over: dict[str, str] = field(factory=dict)


class _NotWhole(Exception):
    """What lies at the source is no copy of what was once stored."""


@frozen
class Move:
    """From one open driver to another; both are used by nobody else meanwhile.

    :ivar origin: names the source; a target that is half filled from another one is refused.
    :ivar given: changes documents on their way: kind, name and value; None leaves one out.
    :ivar report: called now and then.
    """

    source: IDriver
    target: IDriver
    origin: str
    given: Callable[[str, str, Json], Json] = lambda kind, name, value: value
    report: Callable[[Moved], object] = lambda moved: None
    moved: Moved = field(factory=Moved)
    _counting: Lock = field(factory=Lock)

    def run(self) -> Moved:
        """Moves everything, or what is left of it. Raises CannotMove, and what the drivers raise."""
        begun = self._begin()
        self._documents()
        for record in self._buckets(begun.get("bucket", "")):
            key = bytes.fromhex(begun["key"]) if record.name == begun.get("bucket") else b""
            self._bucket(record, key)
        self._events(begun)
        self.target.documents.change(*UNDER_WAY, lambda _: None)
        self.target.flush()
        return self.moved

    def _begin(self) -> dict[str, Json]:
        """How far an earlier move came. Raises CannotMove."""
        if self.source.documents.get(*UNDER_WAY) is not None:
            raise CannotMove("the source is itself the target of a move that has not ended")
        begun = self.target.documents.get(*UNDER_WAY)
        if begun is None:
            if self.target.catalog.buckets("", "", 1) or self.target.documents.kinds():
                raise CannotMove("the target is not empty: a move needs one that was never used")
            begun = self.target.documents.change(*UNDER_WAY, lambda old: old or {"origin": self.origin})
        if begun["origin"] != self.origin:
            raise CannotMove(f"the target is half filled from another source, {begun['origin']}")
        found: dict[str, Json] = begun
        return found

    def _note(self, **place: Json) -> None:
        """The target is told how far it has come."""
        self.target.documents.change(*UNDER_WAY, lambda _: {"origin": self.origin, **place})
        self.report(self.moved)

    def _documents(self) -> None:
        for kind in self.source.documents.kinds():
            for name, value in self.source.documents.all(kind):
                given = self.given(kind, name, value)
                if given is not None:
                    self.target.documents.change(kind, name, partial(_instead, given))

    def _buckets(self, first: str) -> Iterator[BucketRecord]:
        """From one on; all of an empty name."""
        catalog, after = self.source.catalog, ""
        while records := catalog.buckets("", after, _PAGE):
            after = records[-1].name
            yield from (record for record in records if record.name >= first)

    def _bucket(self, record: BucketRecord, first: bytes) -> None:
        self._add_bucket(record)
        with ThreadPoolExecutor(_THREADS, "geckos3-move") as threads:
            keys = self._keys(record.name, first, "versions")
            while some := list(islice(keys, _TOGETHER)):
                list(threads.map(lambda one: self._key(record.name, *one), some))
                self._note(bucket=record.name, key=some[-1][0].hex())
            for key, ids in self._keys(record.name, b"", "uploads"):
                for upload_id in ids:
                    self._upload(record.name, key, upload_id)
        self.moved.buckets += 1

    def _add_bucket(self, record: BucketRecord) -> None:
        there = self.target.catalog.buckets(record.name, "", 1)
        if not there or there[0].name != record.name:
            self.target.catalog.add_bucket(record)

    def _keys(self, bucket: str, first: bytes, what: str) -> Iterator[tuple[bytes, list[str]]]:
        """Keys from one on, and the ids of their versions or uploads as the listing has them."""
        for key, lines in groupby(self._lines(bucket, first, what), lambda line: line.key):
            yield key, [line.id for line in lines]

    def _lines(self, bucket: str, first: bytes, what: str) -> Iterator[Listed]:
        start, after_id = first, None
        while lines := self.source.catalog.page(bucket, b"", start, _PAGE, what, after_id):
            yield from lines
            start, after_id = lines[-1].key, lines[-1].id

    def _key(self, bucket: str, key: bytes, ids: list[str]) -> None:
        """All versions of a key, the oldest first: each becomes the newest."""
        for version_id in reversed(ids):
            history = reconciled(self.source.catalog.history, bucket, key, version_id)
            found = [one for one in history.versions if one.version_id == version_id]
            if found and not self._has(bucket, key, found[0]):
                self._version(bucket, key, found[0])

    def _has(self, bucket: str, key: bytes, version: Version | DeleteMarker) -> bool:
        """Whether it was moved before. Raises CannotMove."""
        there = reconciled(self.target.catalog.history, bucket, key, version.version_id).versions
        same = [one for one in there if one.version_id == version.version_id]
        if same and _sameness(same[0]) != _sameness(version):
            raise CannotMove(f"somebody else has written {_named(bucket, key)} into the target")
        return bool(same)

    def _version(self, bucket: str, key: bytes, version: Version | DeleteMarker) -> None:
        arrived = version
        if isinstance(version, Version):
            try:
                arrived = version.lying(self._copied(version, BlobNote(bucket=bucket, key=key, record=version)))
            except _NotWhole as why:
                self._pass_over(f"{_named(bucket, key)} (version {version.version_id})", str(why))
                return

        def on_top(_: BucketRecord, history: KeyHistory) -> Change:
            return Change(history.having((arrived, *history.versions)))

        self.target.catalog.change_history(bucket, key, on_top, version.version_id)
        with self._counting:
            self.moved.versions += 1
            self.moved.bytes += sum(span.length for span in getattr(version, "spans", ()))

    def _pass_over(self, name: str, why: str) -> None:
        log.error("%s is not moved: %s", name, why)
        with self._counting:
            self.moved.passed_over[name] = why

    def _copied(self, record: Record, note: BlobNote) -> tuple[Span, ...]:
        """The bytes of a version or part at the target, compared. Raises _NotWhole."""
        spans: list[Span] = []
        digest = hashlib.sha256()
        try:
            spans += (self._copied_span(span, note, digest.update) for span in record.spans)
            self._compare(evolve(record, spans=tuple(spans)), digest.digest())
        except BaseException:
            self.target.blobs.remove([span.blob for span in spans])
            raise
        return tuple(spans)

    def _copied_span(self, span: Span, note: BlobNote, hashed: Callable[[bytes], object]) -> Span:
        writer = self.target.blobs.create()
        try:
            for data in self._stored(span):
                hashed(data)
                writer.write(data)
            return Span(writer.commit(note), 0, span.length)
        finally:
            writer.abort()

    def _stored(self, span: Span) -> Iterator[bytes]:
        """Its bytes at the source. Raises _NotWhole."""
        try:
            reader = reconciled(self.source.blobs.open, span.blob)
        except (BlobGone, Stale):
            raise _NotWhole(REASONS[LOST]) from None
        try:
            offset = 0
            while offset < span.length:
                data = reader.read(span.offset + offset, min(_STEP, span.length - offset))
                if not data:
                    raise _NotWhole(REASONS[LOST])
                yield data
                offset += len(data)
        except BlobGone:
            raise _NotWhole(REASONS[LOST]) from None
        finally:
            reader.close()

    def _compare(self, record: Version | Part, digest: bytes) -> None:
        """What lies at the target is what was read, and what the record says of it. Raises _NotWhole, CannotMove."""
        if _digest(self.target, record.spans) != digest:
            raise CannotMove("what was written to the target is not what it reads back: nothing more is moved")
        if isinstance(record, Version) and QUARANTINE in record.extra:
            return  # it is known not to be whole, and stays as it is
        found, _ = compare(self.target.blobs, record, Pace())
        if found not in (WHOLE, UNKNOWN):
            raise _NotWhole(REASONS[found])

    def _upload(self, bucket: str, key: bytes, upload_id: str) -> None:
        source, target = self.source.catalog, self.target.catalog
        upload = reconciled(source.history, bucket, key, None, False, upload_id).upload(upload_id)
        if upload is None:
            return
        if reconciled(target.history, bucket, key, None, False, upload_id).upload(upload_id) is None:
            target.change_history(bucket, key, _beginning(upload), None, upload_id)
        there = {part.number: part.etag for part in self._parts(self.target, bucket, key, upload_id)}
        for part in self._parts(self.source, bucket, key, upload_id):
            if there.get(part.number) != part.etag:
                self._part(bucket, key, upload_id, part)

    def _parts(self, driver: IDriver, bucket: str, key: bytes, upload_id: str) -> Iterator[Part]:
        after = 0
        while parts := driver.catalog.parts(bucket, key, upload_id, after, _PAGE):
            yield from parts
            after = parts[-1].number

    def _part(self, bucket: str, key: bytes, upload_id: str, part: Part) -> None:
        try:
            spans = self._copied(part, BlobNote(bucket=bucket, key=key, record=part, upload=upload_id))
        except _NotWhole as why:
            self._pass_over(f"{_named(bucket, key)} (upload {upload_id}, part {part.number})", str(why))
            return
        self.target.catalog.add_part(bucket, key, upload_id, evolve(part, spans=spans))
        self.moved.parts += 1
        self.moved.bytes += sum(span.length for span in part.spans)

    def _events(self, begun: dict[str, Json]) -> None:
        """Raises CannotMove."""
        if begun.get("events"):
            return
        notices = self.source.notices
        waiting = [(target, notices.waiting(target, _MOST_EVENTS)) for target in notices.targets()]
        if any(len(events) == _MOST_EVENTS for _, events in waiting):
            raise CannotMove(f"{_MOST_EVENTS} events or more wait for one destination: let them be delivered first")
        self.target.notices.add(_in_order(waiting))
        self._note(events=True)


def _in_order(waiting: Iterable[tuple[str, list[tuple[int, Json]]]]) -> list[Notice]:
    """The events of all destinations as they came."""
    numbered = [(number, target, event) for target, events in waiting for number, event in events]
    return [Notice(target, event) for _, target, event in sorted(numbered, key=lambda one: one[0])]


def _beginning(upload: Upload) -> Callable[[BucketRecord, KeyHistory], Change]:
    """The rule that adds an upload behind the others."""
    return lambda _, history: Change(evolve(history, uploads=(*history.uploads, upload)))


def _instead(value: Json, _before: Json) -> Json:
    return value


def _sameness(version: Version | DeleteMarker) -> tuple[str | None, int]:
    return getattr(version, "etag", None), version.modified


def _digest(driver: IDriver, spans: tuple[Span, ...]) -> bytes:
    """Of what a driver reads there."""
    digest, offset, size = hashlib.sha256(), 0, sum(span.length for span in spans)
    stored = StoredBytes(driver.blobs, spans, Pace())
    try:
        while offset < size and (data := stored.read(offset, _STEP)):
            digest.update(data)
            offset += len(data)
    finally:
        stored.close()
    return digest.digest()


def _named(bucket: str, key: bytes) -> str:
    return f"{bucket}/{key.decode('utf-8', 'backslashreplace')}"
