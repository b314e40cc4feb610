"""What the command ``geckos3 quota`` does: show what a bucket holds, and change what it may hold."""

from typing import Any

from gecko_tw.commands.telling import Told
from gecko_tw.settings.quotas import read_quota
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.interfaces import IUsage
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.rules.quotas import SETTING

NONE = "none"
"""What is written for: not limited."""


def read_limits(most_bytes: str | None, most_objects: str | None) -> dict[str, Any]:
    """The limits that somebody gave: a number, or None for ``none``; those not given are left out.

    :raises ValueError: as :func:`~gecko_tw.settings.quotas.read_quota`.
    """
    given = {"bytes": most_bytes, "objects": most_objects}
    read = read_quota({name: value for name, value in given.items() if value not in (None, NONE)})
    return {name: read.get(name) for name, value in given.items() if value is not None}


def change_quota(catalog: Any, bucket: str, limits: dict[str, Any]) -> str:
    """Changes the limits of a bucket and tells how it stands then.

    :param catalog: an ICatalog that has an IUsage.
    :raises NoSuchBucket: there is no such bucket.
    """

    def rule(record: BucketRecord) -> BucketRecord:
        quota = {**record.settings.get(SETTING, {}), **limits}
        kept = {name: limit for name, limit in quota.items() if limit is not None}
        return record.with_setting(SETTING, kept or None) if SETTING in record.settings or kept else record

    buckets = Buckets(catalog)
    record = buckets.change(bucket, rule) if limits else buckets.get(bucket)
    quota = record.settings.get(SETTING, {})
    held = IUsage(catalog).usage(bucket)
    told = f"{bucket}: {_of(held.bytes, quota.get('bytes'))} bytes, {_of(held.objects, quota.get('objects'))} objects"
    used = {"bytes": held.bytes, "objects": held.objects}
    return Told(told, {"bucket": bucket, "used": used, "quota": {name: quota.get(name) for name in used}})


def _of(used: int, limit: int | None) -> str:
    return f"{used} of {'unlimited' if limit is None else limit}"
