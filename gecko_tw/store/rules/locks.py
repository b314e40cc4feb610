"""Object Lock: which versions cannot be removed, and how their protection may change (S3 User Guide, "How S3 Object Lock works").

A bucket has it when the setting ``object-lock`` is there: ``{}``, or the retention that new versions get, ``{"mode": "GOVERNANCE",
"days": 1}`` (or ``"years"``). A version has it in ``extra``: ``"retention": {"mode": ..., "until": nanoseconds}``, ``"legal-hold": bool``.
"""

from collections.abc import Mapping

from attrs import evolve

from gecko_tw.store.records import BucketRecord, DeleteMarker, Json, Version
from gecko_tw.store.refusals import InvalidRequest, ObjectLocked

SETTING = "object-lock"
RETENTION = "retention"
HOLD = "legal-hold"
GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"

_DAY = 86_400 * 1_000_000_000
_YEAR = 365 * _DAY


def check_has_locks(bucket: BucketRecord) -> None:
    """Refuses protection in a bucket without Object Lock, where nothing would enforce it. Raises InvalidRequest."""
    if SETTING not in bucket.settings:
        raise InvalidRequest("Bucket is missing Object Lock Configuration")


def protected(bucket: BucketRecord, version: Version) -> Version:
    """A new version with the protection that it was given, or else with the bucket's default retention.

    :raises InvalidRequest: it was given some, and the bucket has no Object Lock.
    """
    default = bucket.settings.get(SETTING)
    if default is None:
        if RETENTION in version.extra or HOLD in version.extra:
            check_has_locks(bucket)
        return version
    if not default or RETENTION in version.extra:
        return version
    period = default["days"] * _DAY if "days" in default else default["years"] * _YEAR
    retention = {"mode": default["mode"], "until": version.modified + period}
    return evolve(version, extra={**version.extra, RETENTION: retention})


def check_removal(version: Version | DeleteMarker, now: int, bypass: bool = False) -> None:
    """Refuses what would remove a protected version.

    :param now: nanoseconds.
    :param bypass: whether a retention in governance mode is to be passed over, by somebody who may.
    :raises ObjectLocked: a legal hold is on, or a retention is not over.
    """
    if isinstance(version, DeleteMarker):
        return
    if version.extra.get(HOLD):
        raise ObjectLocked
    retention = standing(version, now)
    if retention is not None and not (bypass and retention["mode"] == GOVERNANCE):
        raise ObjectLocked


def standing(version: Version, now: int) -> Mapping[str, Json] | None:
    """The retention of a version, or None when it has none or it is over."""
    retention = version.extra.get(RETENTION)
    return retention if retention is not None and retention["until"] > now else None


def with_retention(
    version: Version, bucket: BucketRecord, wanted: Mapping[str, Json] | None, now: int, bypass: bool
) -> Version:
    """The version with another retention, or with none.

    A retention that is not over may become longer. Anything else needs ``bypass`` in governance mode, and cannot be in compliance
    mode.

    :raises InvalidRequest: the bucket has no Object Lock.
    :raises ObjectLocked: the retention that stands does not allow it.
    """
    check_has_locks(bucket)
    present = standing(version, now)
    if present is not None and not _extends(present, wanted) and not (bypass and present["mode"] == GOVERNANCE):
        raise ObjectLocked
    extra = {name: value for name, value in version.extra.items() if name != RETENTION}
    if wanted is not None:
        extra[RETENTION] = dict(wanted)
    return evolve(version, extra=extra)


def _extends(present: Mapping[str, Json], wanted: Mapping[str, Json] | None) -> bool:
    return wanted is not None and wanted["mode"] == present["mode"] and wanted["until"] >= present["until"]


def with_hold(version: Version, bucket: BucketRecord, on: bool) -> Version:
    """The version with its legal hold on or off. Raises InvalidRequest when the bucket has no Object Lock."""
    check_has_locks(bucket)
    return evolve(version, extra={**version.extra, HOLD: on})
