"""Parts of uploads under way. A part is added without the key's revision being known: those that come at once only wait for each other."""

from typing import Any

from attrs import frozen

from gecko_tw.store.drivers.postgresql.connections import Connections, new_revision
from gecko_tw.store.drivers.postgresql.rows import findable
from gecko_tw.store.drivers.sqlite.notation import checksum_text, spans_text
from gecko_tw.store.drivers.sqlite.rows import PART_COLUMNS, part_of_row
from gecko_tw.store.records import Part

_HERE = "bucket_id = %(bucket)s AND key = %(key)s"
_UPLOAD = f"SELECT 1 FROM upload WHERE {_HERE} AND id = %(upload)s"
_PART = f"{_HERE} AND upload_id = %(upload)s"
_LIST = (
    f"SELECT {PART_COLUMNS} FROM ({_UPLOAD}) AS upload LEFT JOIN LATERAL (SELECT * FROM part WHERE {_PART} AND number > %(after)s"
    " ORDER BY number LIMIT %(limit)s) AS part ON TRUE ORDER BY number"
)
_FIND = (
    f"SELECT blobs, {PART_COLUMNS} FROM ({_UPLOAD}) AS upload"
    f" LEFT JOIN LATERAL (SELECT * FROM part WHERE {_PART} AND number = %(number)s) AS part ON TRUE"
)
_OF_UPLOADS = f"SELECT size, blobs FROM part WHERE {_HERE} AND upload_id = ANY(%(uploads)s::text[])"

_DONE = "(SELECT count(*) FROM done) = 1"
_MAY = "(SELECT count(*) FROM sent) = 1 AND (SELECT count(*) FROM claimed) = %(claims)s"
# A part that lost a race has changed revisions all the same, which does no harm.
_WRITE = (
    "WITH guard AS (SELECT 1 FROM slot WHERE bucket_id = %(bucket)s AND slot = %(slot)s FOR NO KEY UPDATE),"
    " claimed AS (SELECT 1 FROM blob WHERE id = ANY(%(blobs)s::uuid[]) AND state < 2 FOR UPDATE),"
    # In the order in which steps lock them.
    f" begun AS (UPDATE head SET revision = %(new)s WHERE {_HERE} AND (SELECT count(*) FROM guard) = 1 RETURNING 1),"
    f" sent AS (UPDATE upload SET revision = revision + 1 WHERE {_HERE} AND id = %(upload)s"
    " AND (SELECT count(*) FROM begun) = 1 RETURNING 1),"
    " done AS ({}),"
    f" held AS (UPDATE blob SET state = 1, since = now() WHERE id = ANY(%(blobs)s::uuid[]) AND {_DONE}),"
    f" dropped AS (UPDATE blob SET state = 2, since = now() WHERE id = ANY(%(replaced)s::uuid[]) AND {_DONE}),"
    f" used AS (UPDATE slot SET bytes = bytes + %(more)s WHERE bucket_id = %(bucket)s AND slot = %(slot)s AND {_DONE})"
    " SELECT count(*) FROM done"
)
_ADD = _WRITE.format(
    f"INSERT INTO part (bucket_id, key, upload_id, {PART_COLUMNS}, blobs) SELECT %(bucket)s, %(key)s, %(upload)s, %(number)s,"
    f" %(etag)s, %(size)s, %(modified)s, %(spans)s, %(checksum)s, %(blobs)s::uuid[] WHERE {_MAY} ON CONFLICT DO NOTHING RETURNING 1"
)
_REPLACE = _WRITE.format(
    "UPDATE part SET etag = %(etag)s, size = %(size)s, modified = %(modified)s, spans = %(spans)s, checksum = %(checksum)s,"
    f" blobs = %(blobs)s::uuid[] WHERE {_PART} AND number = %(number)s AND blobs = %(replaced)s::uuid[] AND {_MAY} RETURNING 1"
)


@frozen
class UploadRows:
    """The parts of one upload.

    :ivar bucket: the bucket's id.
    """

    connections: Connections
    bucket: int
    key: bytes
    upload_id: str

    def _values(self, **more: Any) -> dict[str, Any]:
        return {"bucket": self.bucket, "key": self.key, "upload": findable(self.upload_id), **more}

    def parts(self, after: int, limit: int) -> list[Part] | None:
        """As ICatalog.parts; None when there is no such upload."""
        rows = self.connections.read(_LIST, self._values(after=after, limit=max(limit, 0)))
        return [part_of_row(row) for row in rows if row[0] is not None] if rows else None

    def find(self, number: int) -> tuple[Part | None, list[str]] | None:
        """A part, if it is there, and the blobs that it holds; None when there is no such upload."""
        rows = self.connections.read(_FIND, self._values(number=number))
        if not rows:
            return None
        blobs, *columns = rows[0]
        return (None, []) if blobs is None else (part_of_row(tuple(columns)), [blob.hex for blob in blobs])

    def write(self, part: Part, replaced: tuple[Part | None, list[str]], slot: int) -> bool:
        """Adds a part, or replaces that which was found; False when somebody was faster, or the upload is gone."""
        former, dropped = replaced
        blobs = [span.blob for span in part.spans]
        values = self._values(
            slot=slot,
            new=new_revision(),
            blobs=blobs,
            claims=len(blobs),
            replaced=dropped,
            more=part.size - (0 if former is None else former.size),
            number=part.number,
            etag=part.etag,
            size=part.size,
            modified=part.modified,
            spans=spans_text(part.spans, part.size),
            checksum=checksum_text(part.checksum),
        )
        return bool(self.connections.run(_ADD if former is None else _REPLACE, values)[0][0])


# Any: the columns' values.
def parts_of_uploads(connections: Connections, bucket: int, key: bytes, uploads: list[str]) -> list[tuple[Any, ...]]:
    """``(size, blobs)`` of all parts of some uploads of a key."""
    return connections.read(_OF_UPLOADS, {"bucket": bucket, "key": key, "uploads": uploads})
