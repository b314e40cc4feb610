"""How much each bucket holds, counted by the database itself with every row that comes and goes.

The table and its triggers are made when the first quota is looked at, and a bucket is counted from then on: nobody else pays.
"""

from collections.abc import Callable

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IUsage
from gecko_tw.store.drivers.sqlite.buckets import find
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections, Execute
from gecko_tw.store.drivers.sqlite.rows import Address
from gecko_tw.store.records import BucketRecord, Change, Check, KeyHistory, Usage, usage_of
from gecko_tw.store.refusals import NoSuchBucket

_HERE = "WHERE bucket_id = new.bucket_id AND key = new.key"
_SAME_VERSION = f"FROM version {_HERE} AND seq = new.seq"
_SAME_PART = f"FROM part {_HERE} AND upload_id = new.upload_id AND number = new.number"

_TABLE = "CREATE TABLE usage (bucket_id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, objects INTEGER NOT NULL)"

# A row is replaced without its DELETE being told, so what it replaces is taken away before it comes.
_TRIGGERS = (
    "CREATE TRIGGER usage_version_comes BEFORE INSERT ON version BEGIN UPDATE usage SET"
    f" bytes = bytes + new.size - coalesce((SELECT size {_SAME_VERSION}), 0),"
    f" objects = objects + (NOT new.marker) - coalesce((SELECT NOT marker {_SAME_VERSION}), 0)"
    " WHERE bucket_id = new.bucket_id; END",
    "CREATE TRIGGER usage_version_goes AFTER DELETE ON version BEGIN UPDATE usage SET"
    " bytes = bytes - old.size, objects = objects - (NOT old.marker) WHERE bucket_id = old.bucket_id; END",
    "CREATE TRIGGER usage_part_comes BEFORE INSERT ON part BEGIN UPDATE usage SET"
    f" bytes = bytes + new.size - coalesce((SELECT size {_SAME_PART}), 0) WHERE bucket_id = new.bucket_id; END",
    "CREATE TRIGGER usage_part_goes AFTER DELETE ON part BEGIN UPDATE usage SET"
    " bytes = bytes - old.size WHERE bucket_id = old.bucket_id; END",
    "CREATE TRIGGER usage_bucket_goes AFTER DELETE ON bucket BEGIN DELETE FROM usage WHERE bucket_id = old.id; END",
)
_IS_MADE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'usage'"
_READ = "SELECT bytes, objects FROM usage WHERE bucket_id = ?"
_COUNT = (
    "INSERT INTO usage SELECT ?1, (SELECT coalesce(sum(size), 0) FROM version WHERE bucket_id = ?1)"
    " + (SELECT coalesce(sum(size), 0) FROM part WHERE bucket_id = ?1),"
    " (SELECT count(*) FROM version WHERE bucket_id = ?1 AND NOT marker)"
)
_PARTS = "SELECT coalesce(sum(size), 0) FROM part WHERE bucket_id = ? AND key = ? AND upload_id = ?"
_SIZE_OF_PART = "SELECT size FROM part WHERE bucket_id = ? AND key = ? AND upload_id = ? AND number = ?"


def known_usage(execute: Execute, bucket_id: int) -> Usage | None:
    """What a bucket holds, or None when it has not been counted. ``execute`` is a connection's or a transaction's."""
    if execute(_IS_MADE).fetchone() is None:
        return None
    found = execute(_READ, (bucket_id,)).fetchone()
    return None if found is None else Usage(*found)


def counted(transaction: Transaction, bucket_id: int) -> Usage:
    """What a bucket holds now; the first time all of its rows are looked at."""
    found = known_usage(transaction.execute, bucket_id)
    if found is not None:
        return found
    if transaction.execute(_IS_MADE).fetchone() is None:
        for statement in (_TABLE, *_TRIGGERS):
            transaction.execute(statement)
    transaction.execute(_COUNT, (bucket_id,))
    return Usage(*transaction.execute(_READ, (bucket_id,)).fetchone())


@frozen
class Count:
    """The step that counts what a bucket holds."""

    name: str

    def __call__(self, transaction: Transaction) -> Usage:
        """Raises NoSuchBucket."""
        found = find(transaction.execute, self.name)
        if found is None:
            raise NoSuchBucket()
        return counted(transaction, found[0])


@implementer(IUsage)
@frozen
class BucketUsage:
    """See IUsage.

    :ivar find: the catalog's way to a bucket's id and record; raises NoSuchBucket.
    """

    connections: Connections
    commits: Commits
    find: Callable[[str], tuple[int, BucketRecord]]

    def usage(self, bucket: str) -> Usage:
        found = known_usage(self.connections.mine().execute, self.find(bucket)[0])
        return self.commits.run(Count(bucket)) if found is None else found


def check_change(transaction: Transaction, address: Address, before: KeyHistory, change: Change) -> None:
    """Asks a change's check whether the bucket may hold what it would then. Raises what the check raises."""
    assert change.check is not None
    held, had, has = counted(transaction, address.bucket_id), usage_of(before), usage_of(change.history)
    kept = {upload.id for upload in change.history.uploads}
    dropped = [upload.id for upload in before.uploads if upload.id not in kept]
    freed = sum(transaction.execute(_PARTS, (address.bucket_id, address.key, one)).fetchone()[0] for one in dropped)
    change.check(held, held.changed(has.bytes - had.bytes - freed, has.objects - had.objects))


def check_part(
    transaction: Transaction, address: Address, upload_id: str, number: int, size: int, check: Check
) -> None:
    """The same for a part of ``size`` bytes, which may replace one."""
    held = counted(transaction, address.bucket_id)
    replaced = transaction.execute(_SIZE_OF_PART, (address.bucket_id, address.key, upload_id, number)).fetchone()
    check(held, held.changed(size - (0 if replaced is None else replaced[0]), 0))
