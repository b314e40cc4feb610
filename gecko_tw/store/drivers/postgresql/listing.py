"""Pages of keys, versions and uploads in byte order: each is one statement that begins at a key, however much is before it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import ICommonPrefixes
from gecko_tw.store.drivers.postgresql.buckets import Bucket
from gecko_tw.store.drivers.postgresql.connections import Connections, Row
from gecko_tw.store.drivers.postgresql.rows import NO_VERSION, findable
from gecko_tw.store.drivers.sqlite.listing import Wanted, wanted_of
from gecko_tw.store.drivers.sqlite.notation import upload_of
from gecko_tw.store.records import STORAGE_CLASS
from gecko_tw.store.requests import Listed, ListRequest, successor

_listed: Callable[[Row], Listed] = partial(tuple.__new__, Listed)
"""A row of as many columns as a line."""

# In the order of Listed. Few objects have a storage class, so that their JSON is not parsed.
_COLUMNS = (
    "key, version_id, modified, owner, CASE marker WHEN 0 THEN etag END, size, checksum,"
    f" CASE WHEN position('{STORAGE_CLASS}' IN record) > 0"
    f" THEN coalesce(record::jsonb -> 'headers' ->> '{STORAGE_CLASS}', '') ELSE '' END"
)
_RANGE = "bucket_id = %(bucket)s AND key >= %(start)s AND key < %(end)s"
_HERE = "bucket_id = %(bucket)s AND key = %(start)s"
_OBJECTS = f"SELECT {_COLUMNS}, TRUE, NULL FROM head WHERE {_RANGE} AND marker = 0 ORDER BY key LIMIT %(limit)s"
# What comes before the last line of the page before, when that is known: a version that is gone hides nothing.
_GOING_ON = (
    "WITH at AS (SELECT coalesce("
    f"(SELECT seq FROM head WHERE {_HERE} AND version_id = %(after_id)s),"
    f" (SELECT seq FROM version WHERE {_HERE} AND version_id = %(after_id)s LIMIT 1), {2**62}) AS seq) "
)
_NOT_SEEN = "AND (key > %(start)s OR seq < (SELECT seq FROM at))"


def _versions(begin: str, unseen: str) -> str:
    newest = (
        f"SELECT {_COLUMNS}, TRUE AS newest, seq FROM head WHERE {_RANGE} {unseen} AND marker <> {NO_VERSION}"
        " ORDER BY key LIMIT %(limit)s"
    )
    older = f"SELECT {_COLUMNS}, FALSE, seq FROM version WHERE {_RANGE} {unseen} ORDER BY key, seq DESC LIMIT %(limit)s"
    return f"{begin}({newest}) UNION ALL ({older}) ORDER BY key, seq DESC LIMIT %(limit)s"


_VERSIONS, _VERSIONS_GOING_ON = _versions("", ""), _versions(_GOING_ON, _NOT_SEEN)
_UPLOADS = (
    f"SELECT key, id, initiated, revision, record FROM upload WHERE {_RANGE} {{}} ORDER BY key, seq LIMIT %(limit)s"
)
_UPLOADS_GOING_ON = _UPLOADS.format(
    f"AND (key > %(start)s OR seq > (SELECT coalesce((SELECT seq FROM upload WHERE {_HERE} AND id = %(after_id)s), 0)))"
)


def _folders(table: str, shown: str) -> str:
    """One step down the index for each folder, up to the first key that is in none."""

    def first(start: str) -> str:
        rest = "substring(key FROM %(skip)s::int + 1)"
        place = f"nullif(position(%(delimiter)s::bytea IN {rest}), 0)"
        name = (
            f"substring(key FROM 1 FOR %(skip)s::int + {place} + length(%(delimiter)s::bytea) - 1)"  # NULL: it has none
        )
        return (
            f"SELECT {name} AS name FROM {table} WHERE bucket_id = %(bucket)s AND key >= {start} AND key < %(end)s {shown}"
            " ORDER BY key LIMIT 1"
        )

    behind = first(
        "(substring(folder.name FROM 1 FOR length(folder.name) - length(%(delimiter)s::bytea)) || %(following)s::bytea)"
    )
    return (
        f"WITH RECURSIVE folder (name, count) AS ((SELECT name, 1 FROM ({first('%(start)s')}) AS one)"
        f" UNION ALL SELECT ({behind}), count + 1 FROM folder WHERE name IS NOT NULL AND count < %(limit)s)"
        " SELECT name FROM folder WHERE name IS NOT NULL"
    )


_FOLDERS = {
    "objects": _folders("head", "AND marker = 0"),
    "versions": _folders("head", f"AND marker <> {NO_VERSION}"),
    "uploads": _folders("upload", ""),
}


def page(connections: Connections, wanted: Wanted, what: str) -> list[Listed]:
    """See ICatalog.page."""
    values = _values(wanted)
    if what == "objects":
        return [_listed(row) for row in connections.read(_OBJECTS, values)]
    goes_on = bool(values["after_id"])
    if what == "versions":
        rows = connections.read(_VERSIONS_GOING_ON if goes_on else _VERSIONS, values)
        return [_listed((*row[:-1], None)) for row in rows]
    found = []
    for key, *fields in connections.read(_UPLOADS_GOING_ON if goes_on else _UPLOADS.format(""), values):
        upload = upload_of(*fields)
        found.append(Listed(key=key, id=upload.id, modified=upload.initiated, upload=upload, owner=upload.owner))
    return found


def _values(wanted: Wanted) -> dict[str, Any]:
    return {
        "bucket": wanted.bucket_id,
        "start": wanted.start,
        "end": wanted.end,
        "limit": wanted.limit,
        "after_id": findable(wanted.after_id),
    }


@implementer(ICommonPrefixes)
@frozen
class Folders:
    """Common prefixes in the catalog.

    :ivar find: a bucket by its name; raises NoSuchBucket.
    """

    connections: Connections
    find: Callable[[str], Bucket]

    def common_prefixes(self, bucket: str, request: ListRequest, start: bytes, limit: int, what: str) -> list[bytes]:
        wanted = wanted_of(self.find(bucket).id, request.prefix, start, limit)
        following = successor(request.delimiter)
        if following is None or limit <= 0:
            return []
        more = {"skip": len(request.prefix), "delimiter": request.delimiter, "following": following}
        return [name for (name,) in self.connections.read(_FOLDERS[what], {**_values(wanted), **more})]
