"""Whether a bucket's quota has room for a body: asked before the body is read, and decided again when it is committed."""

from gecko_tw.store.drivers.interfaces import ICatalog, IUsage
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import NULL, BucketRecord, Version
from gecko_tw.store.rules.quotas import check_of


def check_object(catalog: ICatalog, bucket: BucketRecord, key: bytes, size: int) -> None:
    """Refuses an object of ``size`` bytes that would certainly not fit.

    :raises NoSuchBucket, QuotaExceeded:
    """
    check, counts = check_of(bucket), IUsage(catalog, None)
    if check is None or counts is None:
        return
    held = counts.usage(bucket.name)
    freed = None
    if bucket.settings.get("versioning") != "Enabled":  # the version without an id is replaced
        versions = reconciled(catalog.history, bucket.name, key, NULL).versions
        freed = next((one for one in versions if isinstance(one, Version) and one.version_id == NULL), None)
    check(held, held.changed(size, 1) if freed is None else held.changed(size - freed.size, 0))


def check_part(catalog: ICatalog, bucket: BucketRecord, key: bytes, upload_id: str, number: int, size: int) -> None:
    """The same for a part, which may replace one.

    :raises NoSuchBucket, NoSuchUpload, QuotaExceeded:
    """
    check, counts = check_of(bucket), IUsage(catalog, None)
    if check is None or counts is None:
        return
    held = counts.usage(bucket.name)
    stored = catalog.parts(bucket.name, key, upload_id, number - 1, 1)
    freed = sum(part.size for part in stored if part.number == number)
    check(held, held.changed(size - freed, 0))
