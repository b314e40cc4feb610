"""One key's next history as ONE statement, which writes all of it or, when anybody was faster, nothing.

It locks a slot of the bucket, whose revision must be the one that the rule saw, and writes the key's row if that still has the revision
that was read; all else depends on that. Nothing is locked while Python decides.
"""

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from gecko_tw.store.drivers.postgresql.connections import new_revision
from gecko_tw.store.drivers.postgresql.rows import (
    COLUMNS,
    NO_VERSION,
    Found,
    Row,
    made_row,
    spans_in,
    values_of,
)
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.documents import event_text
from gecko_tw.store.drivers.sqlite.notation import blobs_in, upload_text
from gecko_tw.store.drivers.sqlite.rows import version_of
from gecko_tw.store.records import DeleteMarker, KeyHistory, Notice, Span, Upload, Version, usage_of

_GUARD = (
    "guard AS (SELECT 1 FROM slot WHERE bucket_id = %(bucket)s AND slot = %(slot)s AND revision = %(bucket_revision)s"
    " FOR NO KEY UPDATE)"
)
_CLAIMED = "claimed AS (SELECT 1 FROM blob WHERE id = ANY(%(claims)s::uuid[]) AND state < 2 FOR UPDATE)"
_MAY = "(SELECT count(*) FROM guard) = 1"
_ALL_CLAIMED = "(SELECT count(*) FROM claimed) = %(claims_count)s"
_DONE = "(SELECT count(*) FROM put) = 1"
_HERE = "bucket_id = %(bucket)s AND key = %(key)s"
_NAMES = ", ".join(COLUMNS)
_HEAD = ", ".join(f"%({name})s" for name in ("bucket", "key", "new_revision", "older", *COLUMNS))
_SET = ", ".join(f"{name} = %({name})s" for name in COLUMNS)
_SET_OLDER = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
_EMPTY = dict(zip(COLUMNS, (0, "", NO_VERSION, "", 0, 0, "", None, "", None, "", None, None), strict=True))
_TYPES = "bigint text bigint text bigint bigint text text text text text bigint text".split()

Place = Callable[[Span], tuple[Span, bytes | None]]
"""Where a blob's bytes lie from now on: the span, and the bytes when the step itself is to write them."""


@frozen
class DroppedParts:
    """The parts of uploads that a step ends.

    :ivar blobs: which they hold; ``bytes`` is how many bytes they have together.
    """

    blobs: frozenset[str] = frozenset()
    bytes: int = 0


@define
class Writing:
    """What a step writes: filled by :func:`plan`, turned into a statement by :meth:`statement`.

    :ivar rows: the key's versions that the rule saw, as they will be, newest first.
    """

    found: Found
    after: KeyHistory
    rows: list[Row] = field(factory=list)
    bodies: list[tuple[int, bytes]] = field(factory=list)
    dropped: DroppedParts = DroppedParts()
    notices: Sequence[Notice] = ()
    _ctes: list[str] = field(factory=list)
    _values: dict[str, Any] = field(factory=dict)

    @property
    def history(self) -> KeyHistory:
        """The history with the names in force."""
        bucket, key = self.after.bucket, self.after.key
        return self.after.having(
            tuple(
                version
                if isinstance(version, DeleteMarker)
                else version_of(row, bucket, key)
                if version.extra  # what is deep is read again: nobody shares it
                else version.lying(spans_in(row))
                for version, row in zip(self.after.versions, self.rows, strict=True)
            )
        )

    # Any: the columns' values.
    def statement(self, bucket_id: int, slot: int) -> tuple[str, dict[str, Any]]:
        """The statement and its values. It returns one row: 1 when it has written, else 0."""
        self._values = {
            "bucket": bucket_id,
            "key": self.after.key,
            "slot": slot,
            "bucket_revision": self.found.bucket_revision,
            "revision": self.found.revision,
            "new_revision": new_revision(),
        }
        self._ctes = [_GUARD]
        before = set(self.dropped.blobs).union(*(blobs_in(row.spans) for row in self.found.rows))
        after = set[str]().union(*(blobs_in(row.spans) for row in self.rows))
        self._claim([blob for blob in after - before if not is_inline(blob)])
        self._head()
        self._drop(before - after)
        self._older()
        self._uploads()
        self._usage()
        self._notices()
        return f"WITH {', '.join(self._ctes)} SELECT count(*) FROM put", self._values

    def _add(self, name: str, text: str, **values: Any) -> None:
        self._ctes.append(f"{name} AS ({text})")
        self._values.update(values)

    def _claim(self, blobs: list[str]) -> None:
        """The blobs that the step takes are locked first: nobody sweeps them from then on."""
        if blobs:
            self._ctes.append(_CLAIMED)
            self._values.update(claims=blobs, claims_count=len(blobs))

    def _drop(self, blobs: set[str]) -> None:
        """What becomes of bytes."""
        dropped = [blob for blob in blobs if not is_inline(blob)]
        gone = [inline_parts(blob)[1] for blob in blobs if is_inline(blob)]
        if "claims" in self._values:
            self._add(
                "held", f"UPDATE blob SET state = 1, since = now() WHERE id = ANY(%(claims)s::uuid[]) AND {_DONE}"
            )
        if dropped:
            drop = f"UPDATE blob SET state = 2, since = now() WHERE id = ANY(%(dropped)s::uuid[]) AND {_DONE}"
            self._add("let_go", drop, dropped=dropped)
        if gone:
            empty = f"DELETE FROM body WHERE bucket_id = %(bucket)s AND id = ANY(%(gone)s::bigint[]) AND {_DONE}"
            self._add("emptied", empty, gone=gone)
        if self.bodies:
            given = "unnest(%(ids)s::bigint[], %(bodies)s::bytea[]) AS b(id, data)"
            keep = f"INSERT INTO body SELECT %(bucket)s, id, data FROM {given} WHERE {_DONE}"
            self._add("kept", keep, ids=[one for one, _ in self.bodies], bodies=[data for _, data in self.bodies])

    def _head(self) -> None:
        may = f"{_MAY} AND {_ALL_CLAIMED}" if "claims" in self._values else _MAY
        known = self.found.revision is not None
        uploads = bool(self.after.uploads) or self.found.busy
        if self.rows or uploads:
            values = values_of(self.rows[0], self.after.versions[0]) if self.rows else _EMPTY
            older = len(self.rows) > 1 or (self.found.older and len(self.found.rows) > 1)
            if known:
                changed = f"revision = %(new_revision)s, older = %(older)s, {_SET}"
                put = f"UPDATE head SET {changed} WHERE {_HERE} AND revision = %(revision)s AND {may}"
            else:
                into = f"head (bucket_id, key, revision, older, {_NAMES})"
                put = f"INSERT INTO {into} SELECT {_typed()} WHERE {may} ON CONFLICT DO NOTHING"
            self._add("put", f"{put} RETURNING 1", older=older, **values)
        elif known:
            self._add("put", f"DELETE FROM head WHERE {_HERE} AND revision = %(revision)s AND {may} RETURNING 1")
        else:
            self._add("put", f"SELECT 1 WHERE {may} AND NOT EXISTS (SELECT FROM head WHERE {_HERE})")

    def _older(self) -> None:
        had = {row.seq: row for row in self.found.rows[1:]}
        versions = zip(self.rows[1:], self.after.versions[1:], strict=True)
        wanted = [(row, version) for row, version in versions if had.pop(row.seq, None) != row]
        if had:
            self._add(
                "gone_versions",
                f"DELETE FROM version WHERE {_HERE} AND seq = ANY(%(gone_seqs)s::bigint[]) AND {_DONE}",
                gone_seqs=list(had),
            )
        for number, (row, version) in enumerate(wanted):
            values = values_of(row, version)
            places = ", ".join(f"%({name}_{number})s::{kind}" for name, kind in zip(COLUMNS, _TYPES, strict=True))
            self._add(
                f"older_{number}",
                f"INSERT INTO version (bucket_id, key, {_NAMES}) SELECT %(bucket)s, %(key)s, {places} WHERE {_DONE}"
                f" ON CONFLICT (bucket_id, key, seq) DO UPDATE SET {_SET_OLDER}",
                **{f"{name}_{number}": value for name, value in values.items()},
            )

    def _uploads(self) -> None:
        before = {upload.id: upload for upload in self.found.history.uploads}
        kept = {upload.id for upload in self.after.uploads}
        ended = [one for one in before if one not in kept]
        if ended:
            here = f"{_HERE} AND {{}} = ANY(%(ended)s::text[]) AND {_DONE}"
            self._add("ended", f"DELETE FROM upload WHERE {here.format('id')}", ended=ended)
            self._add("forgotten", f"DELETE FROM part WHERE {here.format('upload_id')}")
        for number, upload in enumerate(one for one in self.after.uploads if before.get(one.id) != one):
            self._add(f"upload_{number}", _put_upload(number, upload.id in before), **_upload_values(number, upload))

    def _usage(self) -> None:
        had, has = usage_of(self.found.history), usage_of(self.after)
        more = (has.bytes - had.bytes - self.dropped.bytes, has.objects - had.objects)
        if more != (0, 0):
            change = (
                "UPDATE slot SET bytes = bytes + %(more_bytes)s, objects = objects + %(more_objects)s"
                f" WHERE bucket_id = %(bucket)s AND slot = %(slot)s AND {_DONE}"
            )
            self._add("used", change, more_bytes=more[0], more_objects=more[1])

    def _notices(self) -> None:
        if self.notices:
            tell = (
                "INSERT INTO notice (target, event) SELECT target, event FROM unnest(%(targets)s::text[], %(events)s::text[])"
                f" WITH ORDINALITY AS n(target, event, place) WHERE {_DONE} ORDER BY place"
            )
            events = [event_text(one) for one in self.notices]
            self._add("told", tell, targets=[one.target for one in self.notices], events=events)


def _typed() -> str:
    kinds = ("bigint", "bytea", "bigint", "boolean", *_TYPES)
    return ", ".join(f"{one}::{kind}" for one, kind in zip(_HEAD.split(", "), kinds, strict=True))


def _put_upload(number: int, known: bool) -> str:
    if known:
        return (
            f"UPDATE upload SET initiated = %(initiated_{number})s, revision = %(revision_{number})s, record = %(record_{number})s"
            f" WHERE {_HERE} AND id = %(id_{number})s AND {_DONE}"
        )
    return (
        "INSERT INTO upload (bucket_id, key, seq, id, initiated, revision, record) SELECT %(bucket)s, %(key)s,"
        f" (SELECT coalesce(max(seq), 0) + 1 FROM upload WHERE {_HERE}),"
        f" %(id_{number})s, %(initiated_{number})s, %(revision_{number})s, %(record_{number})s WHERE {_DONE}"
    )


def _upload_values(number: int, upload: Upload) -> dict[str, Any]:
    return {
        f"id_{number}": upload.id,
        f"initiated_{number}": upload.initiated,
        f"revision_{number}": upload.revision,
        f"record_{number}": upload_text(upload),
    }


def plan(found: Found, after: KeyHistory, place: Place) -> Writing:
    """What is to be written to make ``after`` what there is of a key, as far as the rule saw it.

    :param place: says where the bytes of new versions lie.
    :raises ValueError: a version is new that is not the newest.
    """
    writing = Writing(found, after)
    old = {row.version_id: (row, version) for row, version in zip(found.rows, found.history.versions, strict=True)}
    highest = found.rows[0].seq if found.rows else 0
    for index in range(len(after.versions) - 1, -1, -1):
        version = after.versions[index]
        row, former = old.get(version.version_id, (None, None))
        last = writing.rows[-1].seq if writing.rows else 0
        seq = row.seq if row is not None and row.seq > last else max(highest, last) + 1
        if row is not None and version == former:
            made = row
        elif index and row is None:
            raise ValueError("only the newest version may be new")
        else:
            made = made_row(version, seq, _placed(version, place, writing))
        writing.rows.append(made if made.seq == seq else made._replace(seq=seq))
    writing.rows.reverse()
    return writing


def _placed(version: Version | DeleteMarker, place: Place, writing: Writing) -> tuple[Span, ...]:
    spans = []
    for span in version.spans if isinstance(version, Version) else ():
        where, data = place(span)
        if data is not None:
            writing.bodies.append((inline_parts(where.blob)[1], data))
        spans.append(where)
    return tuple(spans)


def unseen_above(found: Found, writing: Writing) -> int | None:
    """The number above which no version may be that the rule did not see; None where none can be."""
    if not found.older or len(found.rows) < 2:
        return None
    newest = writing.rows[0].seq if writing.rows else -1
    return None if newest >= found.rows[1].seq else newest


# Any: the columns' values.
def with_parts(writing: Writing, lines: Sequence[tuple[Any, ...]]) -> None:
    """Notes the parts of uploads that end: lines of ``(size, blobs)``."""
    blobs = frozenset(blob.hex for _, held in lines for blob in held)
    writing.dropped = evolve(writing.dropped, blobs=blobs, bytes=sum(int(size) for size, _ in lines))
