"""What putting and removing do to a key's history."""

from attrs import evolve

from gecko_tw.store.records import NULL, BucketRecord, Change, KeyHistory, Version
from gecko_tw.store.refusals import NoSuchVersion
from gecko_tw.store.requests import Remove, Removed, WriteConditions
from gecko_tw.store.rules.conditions import check_write


def put(bucket: BucketRecord, history: KeyHistory, version: Version, conditions: WriteConditions) -> Change:
    """The version becomes the current one.

    :raises PreconditionFailed, NoSuchKey: a condition does not hold.
    """
    check_write(history, conditions)
    return Change(evolve(history, versions=(version,)))


def remove(bucket: BucketRecord, history: KeyHistory, request: Remove) -> Change:
    """The key, or one version of it, goes.

    :raises PreconditionFailed, NoSuchKey: a condition does not hold.
    :raises NoSuchVersion: the bucket has no versioning and another version than ``null`` was named.
    """
    if request.version_id not in (None, NULL):
        raise NoSuchVersion(VersionId=request.version_id)
    check_write(history, request.conditions)
    return Change(evolve(history, versions=()), Removed(version_id=request.version_id))


def find(history: KeyHistory, version_id: str | None) -> Version | None:
    """The version of that id, or for None the current one; None when there is none."""
    if version_id is None:
        return history.newest
    for version in history.versions:
        if version.version_id == version_id and isinstance(version, Version):
            return version
    return None
