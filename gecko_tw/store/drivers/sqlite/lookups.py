"""The few rows of a key that a step or an answer needs, found without looking through the others (``lookups.sql``).

``execute`` is a connection's or a transaction's.
"""

from gecko_tw.store.drivers.sqlite.connections import Execute
from gecko_tw.store.drivers.sqlite.notation import upload_of
from gecko_tw.store.drivers.sqlite.rows import COLUMNS, UPLOAD_COLUMNS, Address, Row
from gecko_tw.store.records import NULL, Upload

_HERE = "bucket_id = ?1 AND key = ?2"
_NEWEST = f"SELECT {COLUMNS} FROM version WHERE {_HERE} ORDER BY seq DESC LIMIT ?3"
# Indexes are named because the planner would rather walk along the primary key. This one has no row of the number 1.
_BY_ID = (
    f"SELECT {{0}} FROM version WHERE {_HERE} AND seq = 1 AND version_id {{1}}"
    f" UNION ALL SELECT {{0}} FROM version INDEXED BY version_by_id WHERE {_HERE} AND seq > 1 AND version_id {{1}}"
)
_NAMED = _BY_ID.format(COLUMNS, "IN (?3, ?4)")
SEQ_OF_VERSION = _BY_ID.format("seq", "= ?3")
"""The number of a version: of a bucket's id, a key and the version's id."""

_BY_UPLOAD = (
    f"SELECT {COLUMNS} FROM version INDEXED BY version_by_upload WHERE {_HERE} AND parts IS NOT NULL"
    " AND CASE WHEN json_valid(record) THEN json_extract(record, '$.upload') END = ?3 ORDER BY seq DESC LIMIT 1"
)
_UPLOAD = f"SELECT {{}} FROM upload INDEXED BY upload_by_id WHERE {_HERE} AND id = ?3"
UPLOAD_ROW = _UPLOAD.format(f"seq, {UPLOAD_COLUMNS}")
"""The row of an upload: of a bucket's id, a key and the upload's id."""
SEQ_OF_UPLOAD = _UPLOAD.format("seq")


def newest_rows(execute: Execute, address: Address, limit: int) -> list[Row]:
    """Up to ``limit`` rows of a key, newest first."""
    found = execute(_NEWEST, (address.bucket_id, address.key, limit))
    return [Row._make(values) for values in found.fetchall()]


def named_rows(execute: Execute, bucket_id: int, key: bytes, version_id: str, other: str) -> list[Row]:
    """The rows of two versions, as far as they are there, newest first."""
    found = execute(_NAMED, (bucket_id, key, version_id, other)).fetchall()
    return sorted(map(Row._make, found), reverse=True)


def shown_rows(execute: Execute, address: Address, version_id: str | None) -> list[Row]:
    """The rows of a key that a rule sees, newest first: the newest two, the null version, and the named one."""
    rows = newest_rows(execute, address, 2)
    if len(rows) == 2:
        named = named_rows(execute, address.bucket_id, address.key, NULL, version_id or NULL)
        rows += [row for row in named if row.seq < rows[1].seq]
    return rows


def row_of_upload(execute: Execute, bucket_id: int, key: bytes, upload_id: str) -> Row | None:
    """The row of the version that an upload has become."""
    found = execute(_BY_UPLOAD, (bucket_id, key, upload_id)).fetchone()
    return None if found is None else Row._make(found)


def find_upload(execute: Execute, bucket_id: int, key: bytes, upload_id: str) -> Upload | None:
    """An upload under way."""
    found = execute(UPLOAD_ROW, (bucket_id, key, upload_id)).fetchone()
    return None if found is None else upload_of(*found[1:])
