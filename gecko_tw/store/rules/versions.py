"""What putting and removing do to a key's history (S3 User Guide, "Working with objects in a versioning-enabled bucket", and
"... versioning-suspended bucket").

The versions of a key can be told apart by age from themselves alone (``store.version_ids.order_of``): a rebuild relies on it.

The setting ``versioning`` of a bucket is ``Enabled``, ``Suspended`` or absent. Where it is not enabled, a key has one version of the
id ``null`` at most, which every put replaces; versions with other ids stay from when it was.
"""

from attrs import evolve

from gecko_tw.store.records import NULL, BucketRecord, Change, DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import NoSuchVersion
from gecko_tw.store.requests import UNCONDITIONAL, Remove, Removed, WriteConditions
from gecko_tw.store.rules.conditions import check_version, check_write
from gecko_tw.store.rules.locks import check_removal, protected
from gecko_tw.store.version_ids import later, new_id

SETTING = "versioning"
ENABLED, SUSPENDED = "Enabled", "Suspended"


def put(
    bucket: BucketRecord, history: KeyHistory, version: Version, conditions: WriteConditions, salt: str = ""
) -> Change:
    """The version becomes the current one.

    :param salt: as in :func:`~gecko_tw.store.version_ids.new_id`.
    :raises PreconditionFailed, NoSuchKey: a condition does not hold.
    :raises InvalidRequest, ObjectLocked: as :func:`added`.
    """
    check_write(history, conditions)
    return Change(added(bucket, history, version, salt))


def added(bucket: BucketRecord, history: KeyHistory, version: Version, salt: str) -> KeyHistory:
    """The history with one more version, or with another null version.

    :raises InvalidRequest: the version has a protection, and the bucket no Object Lock.
    :raises ObjectLocked: the null version that it would replace is protected.
    """
    version = protected(bucket, version)
    if bucket.settings.get(SETTING) == ENABLED:
        version = evolve(version, version_id=new_id(history, version.modified, salt))
        return history.having((version, *history.versions))
    below = _without_null(history, version.modified)
    if below:
        version = evolve(version, modified=later(below, version.modified))
    return history.having((version, *below))


def _without_null(history: KeyHistory, now: int) -> tuple[Version | DeleteMarker, ...]:
    """The versions that stay when the null version is replaced. Raises ObjectLocked."""
    kept = []
    for version in history.versions:
        if version.version_id == NULL:
            check_removal(version, now)
        else:
            kept.append(version)
    return tuple(kept)


def remove(bucket: BucketRecord, history: KeyHistory, request: Remove) -> Change:
    """The key, or one version of it, goes; the outcome is a Removed.

    Without a version id nothing is lost in a bucket with versioning: a delete marker comes on top, even when there is nothing
    below. A version id removes that version for good; one that is not there is removed already.

    :raises PreconditionFailed, NoSuchKey, NoSuchVersion: a condition does not hold.
    :raises ObjectLocked: a version that would go is protected.
    """
    if request.version_id is not None:
        return _remove_version(history, request)
    check_write(history, request.conditions)
    versioning = bucket.settings.get(SETTING)
    marker_id, below, modified = NULL, history.versions, request.now
    if versioning == ENABLED:
        marker_id = new_id(history, modified, request.salt)
    else:
        below = _without_null(history, modified)
        if versioning is None and not below:
            return Change(history.having(()), Removed())
        modified = later(below, modified)
    marker = DeleteMarker(version_id=marker_id, modified=modified, owner=request.owner)
    return Change(history.having((marker, *below)), Removed(version_id=marker_id, marker=True))


def _remove_version(history: KeyHistory, request: Remove) -> Change:
    wanted = request.version_id
    version = next((version for version in history.versions if version.version_id == wanted), None)
    if version is None:
        if request.conditions != UNCONDITIONAL:
            raise NoSuchVersion(Key=history.key.decode("utf-8", "replace"), VersionId=wanted)
        return Change(history, Removed(version_id=wanted))
    check_version(version, request.conditions)
    check_removal(version, request.now, request.bypass)
    kept = tuple(other for other in history.versions if other is not version)
    removed = Removed(version_id=wanted, marker=isinstance(version, DeleteMarker))
    return Change(history.having(kept), removed)
