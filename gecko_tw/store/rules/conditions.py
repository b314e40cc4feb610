"""Conditions on writes, decided against the key's history at commit (S3 User Guide, "Add preconditions to S3 operations")."""

from gecko_tw.store.records import DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import NoSuchKey, PreconditionFailed
from gecko_tw.store.requests import UNCONDITIONAL, WriteConditions


def check_write(history: KeyHistory, conditions: WriteConditions) -> None:
    """Refuses a write whose conditions the current version does not meet.

    :raises PreconditionFailed: naming the condition.
    :raises NoSuchKey: If-Match, or a size or time, on a key that has no current version.
    """
    if conditions is UNCONDITIONAL:
        return
    current = history.newest
    if conditions.if_none_match is not None and current is not None and _matches(current, conditions.if_none_match):
        raise PreconditionFailed(Condition="If-None-Match")
    wanted = (conditions.if_match, conditions.if_size, conditions.if_modified)
    if current is None:
        if wanted != (None, None, None):
            raise NoSuchKey(Key=history.key.decode("utf-8", "replace"))
        return
    _check(current, conditions)


def check_version(version: Version | DeleteMarker, conditions: WriteConditions) -> None:
    """Refuses to remove one version when it does not meet the conditions. Raises PreconditionFailed."""
    if conditions == UNCONDITIONAL:
        return
    if isinstance(version, DeleteMarker):
        raise PreconditionFailed(Condition="If-Match")
    _check(version, conditions)


def _check(current: Version, conditions: WriteConditions) -> None:
    if conditions.if_match is not None and not _matches(current, conditions.if_match):
        raise PreconditionFailed(Condition="If-Match")
    if conditions.if_size is not None and conditions.if_size != current.size:
        raise PreconditionFailed(Condition="x-amz-if-match-size")
    if conditions.if_modified is not None and conditions.if_modified != current.modified // 1_000_000_000:
        raise PreconditionFailed(Condition="x-amz-if-match-last-modified-time")


def _matches(version: Version, etag: str) -> bool:
    return etag in ("*", version.etag)
