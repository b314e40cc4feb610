"""Rows of the tables ``head`` and ``version`` and the records they stand for: those of the SQLite catalog without what tells of files."""

from collections.abc import Iterable
from typing import Any

from attrs import evolve, field, frozen

from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline
from gecko_tw.store.drivers.sqlite.notation import spans_of, upload_of
from gecko_tw.store.drivers.sqlite.rows import Placement, Row, row_of, version_of
from gecko_tw.store.records import DeleteMarker, KeyHistory, Span, Upload, Version

__all__ = [
    "COLUMNS",
    "NO_VERSION",
    "Found",
    "Row",
    "body_of",
    "findable",
    "found_of",
    "made_row",
    "name_bytes",
    "values_of",
]

COLUMNS = "seq version_id marker etag size modified owner checksum record parts spans body made_by".split()
"""What both tables have, beside the key."""

_TYPES = "bigint text smallint text bigint bigint text text text text text bigint text".split()
_BUCKET, _HEAD, _VERSION, _UPLOAD = range(4)
NO_VERSION = 2
"""The marker of a key that has only uploads."""

_NOTHING = ", ".join(f"NULL::{kind}" for kind in _TYPES)
_ALL = ", ".join(COLUMNS)
_HERE = "bucket_id = %(bucket)s AND key = %(key)s"

# Each row begins with what it is, a revision, whether there may be older versions, and whether there are other uploads.
_OF_BUCKET = f"SELECT {_BUCKET} AS kind, revision, FALSE AS older, FALSE AS busy, {_NOTHING}, NULL::bytea FROM bucket WHERE id = %(bucket)s"
_OTHERS = f"EXISTS (SELECT FROM upload WHERE {_HERE} AND id <> %(upload)s)"
_OF_HEAD = f"SELECT {_HEAD}, revision, older, {_OTHERS}, {_ALL}, NULL FROM head WHERE {_HERE}"
_OF_HEAD_OPENED = (
    f"SELECT {_HEAD}, revision, older, FALSE, {_ALL}, (SELECT data FROM body WHERE bucket_id = %(bucket)s AND id = head.body)"
    f" FROM head WHERE {_HERE}"
)
_OF_HEAD_ALONE = f"SELECT {_HEAD}, revision, older, FALSE, {_ALL}, NULL FROM head WHERE {_HERE}"
_OF_VERSION = f"SELECT {_VERSION}, 0, FALSE, FALSE, {_ALL}, NULL FROM version WHERE {_HERE}"
_SECOND = f"({_OF_VERSION} ORDER BY seq DESC LIMIT 1)"
_NAMED = f"{_OF_VERSION} AND version_id = ANY(%(versions)s)"
_MADE_BY = f"{_OF_VERSION} AND made_by = %(upload)s"
_OF_UPLOAD = (
    f"SELECT {_UPLOAD}, revision, FALSE, FALSE, seq, id, 0, '', 0, initiated, '', NULL, record, NULL, '', NULL, NULL, NULL"
    f" FROM upload WHERE {_HERE} AND id = %(upload)s"
)
_UNION = " UNION ALL "

SHOWN = _UNION.join((_OF_BUCKET, _OF_HEAD, _SECOND, _NAMED, _OF_UPLOAD))
"""What a rule sees of a key: of a bucket, a key, ids of versions, and the id of an upload."""

SHOWN_NEWEST = _UNION.join((_OF_BUCKET, _OF_HEAD, _OF_UPLOAD))
"""The same of a key that has no older versions: half the work, because most of a statement's time goes into its plan."""


def asked(version_id: str | None, upload_id: str | None, opening: bool) -> str:
    """The statement for a part of a history: see ICatalog.history. It fetches a few bytes that are opened next, too."""
    parts = [_OF_BUCKET, _OF_HEAD_OPENED if opening else _OF_HEAD_ALONE]
    if version_id is not None:
        parts.append(_NAMED)
    if upload_id is not None:
        parts += [_OF_UPLOAD, _MADE_BY]
    return _UNION.join(parts)


def findable(text: str | None) -> str:
    """A text to be looked for: what no column can hold, and None, become the empty one, which no id is."""
    return text if text is not None and text.isprintable() else ""


def name_bytes(name: str) -> bytes:
    """A name as it is stored: what came with a request may be no UTF-8."""
    return name.encode("utf-8", "surrogatepass")


# Any: the columns' values.
def _row(values: tuple[Any, ...]) -> Row:
    *first, parts, spans, _body, _made_by = values
    return Row._make((*first, 0, None, None, "", parts, spans))


@frozen
class Found:
    """What one statement has found of a key.

    :ivar bucket_revision: the bucket's; None when it is gone.
    :ivar revision: the key's; None when there is no row of it.
    :ivar rows: versions, newest first.
    :ivar busy: whether the key has uploads beside those in ``history``.
    :ivar data: the newest version's bytes, where they were asked for and are few.
    """

    history: KeyHistory
    bucket_revision: int | None = None
    revision: int | None = None
    older: bool = False
    busy: bool = False
    rows: list[Row] = field(factory=list)
    data: bytes | None = None


# Any: the columns' values.
def found_of(bucket: str, key: bytes, lines: Iterable[tuple[Any, ...]]) -> Found:
    """What the lines of a statement of this module stand for. Raises DamagedRow."""
    found = Found(KeyHistory(bucket=bucket, key=key))
    rows: dict[int, Row] = {}
    uploads: list[Upload] = []
    for kind, revision, older, busy, *values, data in lines:
        if kind == _BUCKET:
            found = evolve(found, bucket_revision=revision)
            continue
        if kind == _UPLOAD:
            uploads.append(upload_of(values[1], values[5], revision, values[8]))
            continue
        if kind == _HEAD:
            found = evolve(found, revision=revision, older=older, busy=busy, data=data)
        if values[2] != NO_VERSION:
            row = _row(tuple(values))
            rows[row.seq] = row
    ordered = [rows[seq] for seq in sorted(rows, reverse=True)]
    versions = tuple(version_of(row, bucket, key) for row in ordered)
    return evolve(
        found, rows=ordered, history=KeyHistory(bucket=bucket, key=key, versions=versions, uploads=tuple(uploads))
    )


def made_row(version: Version | DeleteMarker, seq: int, spans: tuple[Span, ...]) -> Row:
    """The row of a version whose bytes are in these spans."""
    return row_of(version, seq, Placement(False, spans=spans))


def body_of(row: Row) -> int | None:
    """The row of ``body`` that has all of a version's bytes, if there is one."""
    spans = spans_in(row)
    return inline_parts(spans[0].blob)[1] if len(spans) == 1 and is_inline(spans[0].blob) else None


# Any: the columns' values.
def values_of(row: Row, version: Version | DeleteMarker) -> dict[str, Any]:
    """What the columns hold, by their names."""
    values = {name: getattr(row, name) for name in COLUMNS[:-2]}
    made_by = version.upload if isinstance(version, Version) else None
    return {**values, "body": body_of(row), "made_by": made_by}


def spans_in(row: Row) -> tuple[Span, ...]:
    """Where a version's bytes are."""
    return spans_of(row.spans, row.size)
