"""ICatalog over one SQLite file: reads on the calling thread in microseconds, writes as steps of a group commit."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from attrs import evolve, frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import ICatalog, ICommonPrefixes, IUsage, Stale
from gecko_tw.store.drivers.sqlite import listing
from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline, is_visible, visible_parts
from gecko_tw.store.drivers.sqlite.buckets import (
    AddBucket,
    AdoptBucket,
    ChangeBucket,
    RemoveBucket,
    StrayFile,
    find,
    recall,
    record_of,
)
from gecko_tw.store.drivers.sqlite.changes import HistoryChange, Written
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.counters import slot_of
from gecko_tw.store.drivers.sqlite.documents import add_notices
from gecko_tw.store.drivers.sqlite.layout import Layout
from gecko_tw.store.drivers.sqlite.lookups import find_upload, named_rows, newest_rows, row_of_upload, shown_rows
from gecko_tw.store.drivers.sqlite.rows import (
    COLUMNS,
    PART_COLUMNS,
    Address,
    Row,
    history_of,
    part_of_row,
    put_version,
    version_of,
)
from gecko_tw.store.drivers.sqlite.stamped_cache import StampedCache
from gecko_tw.store.drivers.sqlite.undo import Former
from gecko_tw.store.drivers.sqlite.uploads import AddPart
from gecko_tw.store.drivers.sqlite.usage import BucketUsage, check_change
from gecko_tw.store.records import Applied, BucketRecord, BucketRule, Check, KeyHistory, Part, Rule
from gecko_tw.store.refusals import BucketNotEmpty, InsufficientStorage, NoSuchBucket, NoSuchUpload, SlowDown
from gecko_tw.store.requests import Listed

log = logging.getLogger(__name__)

MOST_HISTORIES = 2048
"""Keys that a process remembers."""

_ATTEMPTS = 20
"""So often a step starts again because a file was changed behind our back in the meantime."""

_NEWEST = (
    f"SELECT {COLUMNS},"
    " EXISTS (SELECT 1 FROM version AS older WHERE bucket_id = ?1 AND key = ?2 AND older.seq < version.seq)"
    " FROM version WHERE bucket_id = ?1 AND key = ?2 ORDER BY seq DESC LIMIT 1"
)
_SPANNED = (
    "SELECT name, key FROM version JOIN bucket ON bucket.id = bucket_id WHERE instr(spans, '],[') > 0 AND NOT EXISTS"
    " (SELECT 1 FROM version AS newer WHERE newer.bucket_id = version.bucket_id AND newer.key = version.key"
    " AND newer.seq > version.seq) LIMIT ?"
)
_REFERENCES_AT_ONCE = 500
_INLINE = (
    "SELECT 1 FROM blob WHERE id = ?1 AND stamp = ?2 AND NOT EXISTS"
    " (SELECT 1 FROM undo WHERE instr(' ' || useless || ' ', ' @' || ?1 || '.' || ?2 || ' '))"
)


class Newest(NamedTuple):
    """What there is newest of a key.

    :ivar row: its newest row; ``history`` is what that stands for, without any upload.
    :ivar whole: there are no other rows.
    """

    row: Row | None
    history: KeyHistory
    whole: bool


@implementer(ICatalog)
class SqliteCatalog:
    """The catalog of one data directory.

    :param ground: where bytes are.
    :param commits: runs the steps that write.
    """

    quick = True

    def __init__(self, connections: Connections, commits: Commits, layout: Layout) -> None:
        self._connections = connections
        self._commits = commits
        self._histories = commits.new_cache(MOST_HISTORIES)
        self.idle, self.together = commits.idle, commits.together
        self._layout = layout

    def buckets(self, prefix: str, after: str, limit: int) -> list[BucketRecord]:
        self._commits.heal()
        rows = self._connections.mine().execute(
            "SELECT name, record FROM bucket WHERE name > ? AND name >= ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?",
            (after, prefix, len(prefix), prefix, limit),
        )
        found = [record_of(*row) for row in rows.fetchall()]
        absent = [record.name for record in found if not self._layout.directories.exists(record.name)]
        for name in absent:
            self._layout.watch.reconcile_bucket(name)
        return self.buckets(prefix, after, limit) if absent else found

    def bucket(self, name: str, look: bool = True) -> BucketRecord:
        found = self._find(name)[1]
        if not look or self._layout.directories.exists(name):
            return found
        self._layout.watch.reconcile_bucket(name)
        return self._find(name)[1]

    def _find(self, name: str) -> tuple[int, BucketRecord]:
        """Raises NoSuchBucket; takes over a directory that was made by hand."""
        found = recall(self._commits.remembered, self._connections.mine().execute, name)
        if found is None:
            if self._layout.directories.record_of(name) is None:
                raise NoSuchBucket()
            self._commits.run(AdoptBucket(self._layout, name))
            return self._find(name)
        return found

    def add_bucket(self, record: BucketRecord) -> None:
        self._commits.run(AddBucket(self._layout, record))

    def change_bucket(self, name: str, rule: BucketRule) -> BucketRecord:
        self._find(name)
        return self._commits.run(ChangeBucket(self._layout, name, rule))

    def remove_bucket(self, name: str) -> None:
        self._find(name)
        try:
            self._commits.run(RemoveBucket(self._layout, name))
        except StrayFile as stray:
            self._layout.watch.stale(name, stray.key).reconcile()
            raise BucketNotEmpty() from stray

    def history(
        self,
        bucket: str,
        key: bytes,
        version_id: str | None = None,
        opening: bool = False,
        upload_id: str | None = None,
    ) -> KeyHistory:
        for _ in range(2):  # the second time in case a commit came between the row and the look at the disk
            row, newest, _ = self._newest(bucket, key)
            if (opening and row is not None and row.visible) or self._layout.watch.agrees(bucket, key, row):
                if row is None or not row.visible:
                    self.bucket(bucket)  # no file was looked at, whose being there tells that its bucket is, too
                if version_id is not None and row is not None and version_id != row.version_id:
                    newest = self._with_named(newest, version_id)
                return newest if upload_id is None else self._with_upload(newest, upload_id)
        raise self._layout.watch.stale(bucket, key)

    def _newest(self, bucket: str, key: bytes) -> Newest:
        """What there is newest of a key."""
        name, slot = (bucket, key), slot_of(bucket, key)
        known: Newest | None = self._histories.get(name, slot)
        if known is not None:
            return known
        stamp = self._histories.stamp(slot)
        where = (self._find(bucket)[0], key)
        connection = self._connections.mine()
        values = connection.execute(_NEWEST, where).fetchone()
        *columns, has_older = values or (None, False)
        row = None if values is None else Row._make(columns)
        found = Newest(row, history_of(bucket, key, [] if row is None else [row]), not has_older)
        self._histories.keep(stamp, name, found, slot)
        return found

    def _with_named(self, newest: KeyHistory, version_id: str) -> KeyHistory:
        bucket_id = self._find(newest.bucket)[0]
        named = named_rows(self._connections.mine().execute, bucket_id, newest.key, version_id, version_id)
        return newest.having((*newest.versions, *(version_of(row, newest.bucket, newest.key) for row in named)))

    def _with_upload(self, newest: KeyHistory, upload_id: str) -> KeyHistory:
        """With an upload under way, or else with the version that it has become: asked for in this order, one of them is there."""
        execute, where = self._connections.mine().execute, (self._find(newest.bucket)[0], newest.key, upload_id)
        upload = find_upload(execute, *where)
        if upload is not None:
            return evolve(newest, uploads=(upload,))
        row = row_of_upload(execute, *where)
        if row is None or any(row.version_id == one.version_id for one in newest.versions):
            return newest
        return newest.having((*newest.versions, version_of(row, newest.bucket, newest.key)))

    def change_history(
        self, bucket: str, key: bytes, rule: Rule, version_id: str | None = None, upload_id: str | None = None
    ) -> Applied:
        named = (version_id, upload_id)
        step = ChangeHistory(self._layout, self._commits.remembered, self._histories, bucket, key, rule, *named)
        for _ in range(_ATTEMPTS):
            try:
                applied, written, stamp = self._commits.run(step)
            except Stale as stale:
                stale.reconcile()
            except _Untidy:
                self._clear_path(bucket, key)
            except NoSuchBucket:
                self._find(bucket)
            else:
                self._remember(bucket, key, written, stamp)
                self._tidy(bucket, key, written)
                return applied
        raise SlowDown()

    def _remember(self, bucket: str, key: bytes, written: Written, stamp: int) -> None:
        """What was just written is what is asked for next: unless somebody has changed it since, which its stamp tells."""
        after = written.after
        if written.whole and len(after.versions) == 1 and not after.uploads:
            found = Newest(written.top, after, True)
            self._histories.keep(stamp, (bucket, key), found, slot_of(bucket, key))

    def _tidy(self, bucket: str, key: bytes, written: Written) -> None:
        """A file of an older version that is still at the key's path goes, now that the rows are committed."""
        if written.top is not None and written.top.has_leftover:
            try:
                self._clear_path(bucket, key)
            except (OSError, InsufficientStorage) as error:
                # The step is done, and its row says that the file is a leftover.
                log.warning("what %s/%r was before is still at its path: %s", bucket, key, error)

    def _clear_path(self, bucket: str, key: bytes) -> None:
        self._commits.run(ClearPath(self._layout, self._commits.remembered, bucket, key))

    def page(
        self, bucket: str, prefix: bytes, start: bytes, limit: int, what: str, after_id: str | None = None
    ) -> list[Listed]:
        self._commits.heal()
        wanted = listing.wanted_of(self._find(bucket)[0], prefix, start, limit, after_id)
        return _PAGES[what](self._connections.mine(), wanted) if limit > 0 else []

    def add_part(self, bucket: str, key: bytes, upload_id: str, part: Part, check: Check | None = None) -> Part | None:
        found = find(self._connections.mine().execute, bucket)
        if found is None:
            raise NoSuchUpload()
        address = Address(bucket, found[0], key)
        return self._commits.run(AddPart(self._layout, address, upload_id, part, check))

    def parts(self, bucket: str, key: bytes, upload_id: str, after: int, limit: int) -> list[Part]:
        connection = self._connections.mine()
        where = (bucket, key, upload_id)
        at = "bucket_id = (SELECT id FROM bucket WHERE name = ?) AND key = ?"
        rows = connection.execute(
            f"SELECT {PART_COLUMNS} FROM part WHERE {at} AND upload_id = ? AND number > ? ORDER BY number LIMIT ?",
            (*where, after, limit),
        ).fetchall()
        # asked last: an upload that ends meanwhile must not look like one without parts
        if connection.execute(f"SELECT 1 FROM upload WHERE {at} AND id = ?", where).fetchone() is None:
            raise NoSuchUpload()
        return [part_of_row(values) for values in rows]

    def references(self, blobs: Iterable[str]) -> set[str]:
        connection = self._connections.mine()
        held: set[str] = set()
        pooled = []
        for blob in blobs:
            if is_inline(blob):
                held.update(blob for _ in connection.execute(_INLINE, inline_parts(blob)))
            elif not is_visible(blob):
                pooled.append(blob)
            elif self._holds(blob):
                held.add(blob)
        for first in range(0, len(pooled), _REFERENCES_AT_ONCE):
            some = pooled[first : first + _REFERENCES_AT_ONCE]
            query = f"SELECT blob FROM span WHERE blob IN ({', '.join('?' * len(some))})"
            held.update(blob for (blob,) in connection.execute(query, some))
        return held

    def spanned(self, limit: int) -> list[tuple[str, bytes]]:
        return self._connections.mine().execute(_SPANNED, (max(limit, 0),)).fetchall()

    def __conform__(self, interface: object) -> BucketUsage | listing.Folders | None:
        """Its optional powers: ``IUsage(catalog)``, ``ICommonPrefixes(catalog)``."""
        if interface is IUsage:
            return BucketUsage(self._connections, self._commits, self._find)
        return listing.Folders(self._connections, self._find) if interface is ICommonPrefixes else None

    def _holds(self, blob: str) -> bool:
        mtime, _, bucket, key = visible_parts(blob)
        try:
            row, _, _ = self._newest(bucket, key)
        except NoSuchBucket:
            return False
        return row is not None and bool(row.visible) and row.file_mtime == mtime


_PAGES = {"objects": listing.objects, "versions": listing.versions, "uploads": listing.uploads}


class _Untidy(Exception):  # noqa: N818 - a signal, not an error
    """The file of an older version is still at the key's path: ClearPath comes first."""


@frozen
class ChangeHistory:
    """The step that applies a rule to one key."""

    layout: Layout
    remembered: StampedCache
    histories: StampedCache
    bucket: str
    key: bytes
    rule: Rule
    version_id: str | None
    upload_id: str | None

    def __call__(self, transaction: Transaction) -> tuple[Applied, Written, int]:
        """Also returns the stamp that the key will have. Raises NoSuchBucket, Stale, _Untidy, and what the rule raises."""
        found = recall(self.remembered, transaction.execute, self.bucket)
        if found is None:
            raise NoSuchBucket()
        address = Address(self.bucket, found[0], self.key)
        rows, before = self._read(transaction, address)
        top = rows[0] if rows else None
        if not self.layout.watch.agrees(self.bucket, self.key, top):
            raise self.layout.watch.stale(self.bucket, self.key)
        if top is not None and top.has_leftover:
            raise _Untidy
        change = self.rule(found[1], before)
        if change.check is not None:
            check_change(transaction, address, before, change)
        transaction.claim(self.bucket, self.key)
        written = HistoryChange(transaction, self.layout, address, rows, before).write(change.history)
        if change.notices:
            add_notices(transaction, change.notices)
        return Applied(before, written.after, change.outcome), written, self.histories.stamp_to_come(address.slot)

    def _read(self, transaction: Transaction, address: Address) -> tuple[list[Row], KeyHistory]:
        """What the rule sees of the key: what was read before the turn came counts when nobody changed it."""
        execute = transaction.execute
        known = self.histories.get((self.bucket, self.key), address.slot)
        if known is not None and known.whole:
            rows, before = ([] if known.row is None else [known.row]), known.history
        else:
            rows = shown_rows(execute, address, self.version_id)
            before = history_of(self.bucket, self.key, rows)
        if self.upload_id is not None:
            upload = find_upload(execute, address.bucket_id, self.key, self.upload_id)
            before = before if upload is None else evolve(before, uploads=(upload,))
        return rows, before


@frozen
class ClearPath:
    """The step that removes the file that an older version has left at a key's path.

    Nothing else of the key happens in it: of two moves that are cut short together nobody could tell the first from the second.
    """

    layout: Layout
    remembered: StampedCache
    bucket: str
    key: bytes

    def __call__(self, transaction: Transaction) -> None:
        found = recall(self.remembered, transaction.execute, self.bucket)
        if found is None:
            return
        address = Address(self.bucket, found[0], self.key)
        rows = newest_rows(transaction.execute, address, 1)
        if rows and rows[0].has_leftover:
            transaction.claim(self.bucket, self.key)
            self.layout.places.vacate_leftover(transaction, address, rows[0])
            put_version(transaction, address, rows[0]._replace(file_size=None, file_mtime=None))
            transaction.former = Former(address.bucket_id, self.key, [rows[0]], [rows[0].seq])
