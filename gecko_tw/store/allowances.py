"""What a bucket holds and what it may hold: looked at, and changed."""

from collections.abc import Callable, Mapping

from attrs import frozen

from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.interfaces import IUsage
from gecko_tw.store.records import BucketRecord, Usage
from gecko_tw.store.rules.quotas import SETTING

NAMES = ("bytes", "objects")
"""What may be limited."""


@frozen
class Allowance:
    """How a bucket stands.

    :ivar used: None where the driver does not count.
    :ivar quota: a number, or None for no limit, for each of NAMES.
    """

    bucket: str
    used: Usage | None
    quota: Mapping[str, int | None]


def allowance_of(buckets: Buckets, record: BucketRecord) -> Allowance:
    """How a bucket stands. Raises NoSuchBucket."""
    usage = IUsage(buckets.catalog, None)
    quota = record.settings.get(SETTING) or {}
    used = None if usage is None else usage.usage(record.name)
    return Allowance(record.name, used, {name: quota.get(name) for name in NAMES})


def nothing(allowance: object) -> None:
    """Refuses nothing."""


def change_quota(
    buckets: Buckets,
    bucket: str,
    limits: Mapping[str, int | None],
    seen: Callable[[BucketRecord], object] = nothing,
) -> Allowance:
    """Changes some limits of a bucket, and tells how it stands then.

    :param limits: by name, None for no limit; those that are absent stay as they are.
    :param seen: called with the record that is there, within the step; may refuse.
    :raises NoSuchBucket: there is no such bucket.
    """

    def rule(record: BucketRecord) -> BucketRecord:
        seen(record)
        quota = {**(record.settings.get(SETTING) or {}), **limits}
        kept = {name: limit for name, limit in quota.items() if limit is not None}
        return record.with_setting(SETTING, kept or None) if SETTING in record.settings or kept else record

    return allowance_of(buckets, buckets.change(bucket, rule) if limits else buckets.get(bucket))
