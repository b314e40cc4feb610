"""How much a bucket may hold: its setting ``quota``, and what is refused because of it.

Everything that takes room is counted, as it was sent: every version of every object, old ones included, and every part of an
unfinished upload. Objects are counted as versions that are no delete markers. S3 has no quotas; the code is the one of Ceph's gateway.
"""

from collections.abc import Mapping
from functools import partial

from attrs import evolve

from gecko_tw.store.records import BucketRecord, Change, Check, KeyHistory, Rule, Usage
from gecko_tw.store.refusals import QuotaExceeded

SETTING = "quota"
"""The setting of a bucket: ``{"bytes": number, "objects": number}``; what is absent is not limited."""


def within(rule: Rule) -> Rule:
    """The same rule, with a check added to its changes where the bucket has a quota."""

    def limited(bucket: BucketRecord, history: KeyHistory) -> Change:
        change, found = rule(bucket, history), check_of(bucket)
        return change if found is None else evolve(change, check=found)

    return limited


def check_of(bucket: BucketRecord) -> Check | None:
    """What is to be asked of changes in a bucket; None when it has no quota."""
    quota = bucket.settings.get(SETTING)
    return partial(check, quota) if quota else None


def check(quota: Mapping[str, int], before: Usage, after: Usage) -> None:
    """Refuses what takes more room than the quota has; what takes none, or gives some back, is never refused.

    :raises QuotaExceeded: naming what is exceeded.
    """
    for name, had, has in (("bytes", before.bytes, after.bytes), ("objects", before.objects, after.objects)):
        limit = quota.get(name)
        if limit is not None and has > limit and has > had:
            raise QuotaExceeded(
                f"The bucket's quota of {limit} {name} does not allow this: {had} are in use and {has - had} more are needed.",
                Quota=limit,
                Used=had,
                Needed=has - had,
            )
