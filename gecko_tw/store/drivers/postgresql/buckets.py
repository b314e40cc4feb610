"""Buckets: their records, remembered until somebody changes one, and the statements that change them."""

import random
import time
from collections.abc import Callable
from typing import Any

from attrs import frozen

from gecko_tw.store.drivers.postgresql.connections import RACED, Connections, new_revision
from gecko_tw.store.drivers.postgresql.rows import NO_VERSION, name_bytes
from gecko_tw.store.drivers.postgresql.watch import TELL, Watch
from gecko_tw.store.drivers.sqlite.buckets import record_of
from gecko_tw.store.drivers.sqlite.notation import bucket_text
from gecko_tw.store.records import BucketRecord, BucketRule
from gecko_tw.store.refusals import BucketAlreadyExists, BucketNotEmpty, NoSuchBucket, SlowDown

SLOTS = 32
"""Of each bucket: so many steps of it can be committed at a time."""

ATTEMPTS = 100
"""So often a step begins again because somebody else was faster."""

_FIND = "SELECT id, revision, record FROM bucket WHERE name = %s"
_LIST = (
    "SELECT name, record FROM bucket WHERE name > %(after)s AND name >= %(prefix)s"
    " AND substr(name, 1, length(%(prefix)s)) = %(prefix)s ORDER BY name LIMIT %(limit)s"
)
_COUNTED = "counted AS (UPDATE revision SET value = value + 1 WHERE (SELECT count(*) FROM done) = 1)"
_TOLD = f"SELECT id, {TELL} FROM done"
_ADD = (
    "WITH done AS (INSERT INTO bucket (name, revision, record) VALUES (%(name)s, %(revision)s, %(record)s)"
    " ON CONFLICT DO NOTHING RETURNING id),"
    " slots AS (INSERT INTO slot (bucket_id, slot, revision) SELECT id, number, %(revision)s FROM done,"
    f" generate_series(0, {SLOTS - 1}) AS s(number)), {_COUNTED} {_TOLD}"
)
_CHANGE = (
    "WITH done AS (UPDATE bucket SET record = %(record)s, revision = %(new)s WHERE id = %(id)s AND revision = %(old)s RETURNING id),"
    " slots AS (UPDATE slot SET revision = %(new)s WHERE bucket_id = %(id)s AND (SELECT count(*) FROM done) = 1),"
    f" {_COUNTED} {_TOLD}"
)
_LOCK = "SELECT 1 FROM bucket WHERE id = %(id)s FOR UPDATE"
_LOCK_SLOTS = "SELECT 1 FROM slot WHERE bucket_id = %(id)s ORDER BY slot FOR UPDATE"
_GOES = "WHERE bucket_id = %(id)s AND (SELECT count(*) FROM done) = 1"
_REMOVE = (
    "WITH done AS (DELETE FROM bucket WHERE id = %(id)s AND NOT EXISTS"
    f" (SELECT FROM head WHERE bucket_id = %(id)s AND marker <> {NO_VERSION}) RETURNING id),"
    f" slots AS (DELETE FROM slot {_GOES}), heads AS (DELETE FROM head {_GOES}), uploads AS (DELETE FROM upload {_GOES}),"
    f" parts AS (DELETE FROM part {_GOES} RETURNING blobs),"
    " blobs AS (UPDATE blob SET state = 2, since = now() WHERE id IN (SELECT unnest(blobs) FROM parts)),"
    f" {_COUNTED} {_TOLD}"
)


@frozen
class Bucket:
    """A bucket as it was read.

    :ivar revision: steps are guarded by it.
    """

    id: int
    revision: int
    record: BucketRecord


class BucketRows:
    """The buckets of a deployment."""

    def __init__(self, connections: Connections, watch: Watch) -> None:
        self._connections, self._watch = connections, watch

    def page(self, prefix: str, after: str, limit: int) -> list[BucketRecord]:
        """As ICatalog.buckets."""
        values = {"prefix": name_bytes(prefix), "after": name_bytes(after), "limit": max(limit, 0)}
        rows = self._connections.read(_LIST, values)
        return [record_of(bytes(name).decode("utf-8", "surrogatepass"), text) for name, text in rows]

    def find(self, name: str) -> Bucket:
        """What is remembered, or else read. Raises NoSuchBucket."""
        known: Bucket | None = self._watch.bucket(name)
        return self.read(name) if known is None else known

    def read(self, name: str) -> Bucket:
        """What there is now. Raises NoSuchBucket."""
        last = self._watch.last
        rows = self._connections.read(_FIND, (name_bytes(name),))
        if not rows:
            self._watch.forget(name)
            raise NoSuchBucket(BucketName=name)
        found = Bucket(rows[0][0], rows[0][1], record_of(name, rows[0][2]))
        self._watch.remember(last, name, found)
        return found

    def add(self, record: BucketRecord) -> None:
        """Raises BucketAlreadyExists."""
        values = {"name": name_bytes(record.name), "revision": new_revision(), "record": bucket_text(record)}
        if not self._connections.run(_ADD, values):
            raise BucketAlreadyExists(BucketName=record.name)
        self._watch.pull()

    def change(self, name: str, rule: BucketRule) -> BucketRecord:
        """As ICatalog.change_bucket."""

        def step() -> BucketRecord | None:
            found = self.read(name)
            record = rule(found.record)
            if record == found.record:
                return record
            values = {"id": found.id, "old": found.revision, "new": new_revision(), "record": bucket_text(record)}
            return record if self._connections.run(_CHANGE, values) else None

        changed: BucketRecord = until_done(step)
        self._watch.pull()
        return changed

    def remove(self, name: str) -> None:
        """As ICatalog.remove_bucket."""

        def step() -> bool | None:
            values = {"id": self.read(name).id}
            if self._connections.run_all([(_LOCK, values), (_LOCK_SLOTS, values), (_REMOVE, values)]):
                return True
            self.read(name)  # it was not there any more, or is not empty
            raise BucketNotEmpty(BucketName=name)

        until_done(step)
        self._watch.forget(name)
        self._watch.pull()


# Any: whatever the step returns.
def until_done(step: Callable[[], Any], attempts: int = ATTEMPTS) -> Any:
    """What a step returns that is called again, after a moment, as long as it returns None. Raises SlowDown, and what it raises."""
    for attempt in range(attempts):
        try:
            done = step()
        except RACED:
            done = None
        if done is not None:
            return done
        pause(attempt)
    raise SlowDown


def pause(attempt: int) -> None:
    """Waits a moment of random length, longer after several attempts: those who race would meet again."""
    time.sleep(random.uniform(0, min(0.0005 * 2 ** min(attempt, 6), 0.02)))
