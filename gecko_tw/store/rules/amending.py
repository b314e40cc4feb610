"""What changes of a version that stays: what is kept beside its bytes, never the bytes."""

from collections.abc import Callable

from attrs import evolve

from gecko_tw.store.records import BucketRecord, Change, KeyHistory, Version
from gecko_tw.store.rules.finding import find_described

Amendment = Callable[[Version, BucketRecord], Version]
"""``change(version, bucket) -> version``; pure, may be called again, and refuses by raising."""


def amend(bucket: BucketRecord, history: KeyHistory, version_id: str | None, change: Amendment) -> Change:
    """The current, or the named, version becomes ``change(version, bucket)``; the outcome is the version as it is then.

    Whatever the change says, the version keeps its id, bytes, size, ETag, checksum and time.

    :raises NoSuchKey, NoSuchVersion, DeleteMarkerNamed: as :func:`~gecko_tw.store.rules.finding.find_described`.
    :raises: what the change raises.
    """
    version = find_described(history, version_id)
    wanted = change(version, bucket)
    amended = evolve(
        version,
        headers=wanted.headers,
        metadata=wanted.metadata,
        tags=wanted.tags,
        owner=wanted.owner,
        extra=wanted.extra,
    )
    if amended == version:
        return Change(history, version)
    kept = tuple(amended if other is version else other for other in history.versions)
    return Change(history.having(kept), amended)
