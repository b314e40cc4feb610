"""Reading and changing one setting of a bucket: what the rows of every bucket configuration have in common."""

from gecko_tw.resources.call import Call
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import Refusal


async def read_setting(call: Call, name: str, missing: type[Refusal] | None = None) -> Json:
    """The value of a setting of the addressed bucket.

    :param missing: raised, naming the bucket, when it was never set; without it None is returned then.
    :raises NoSuchBucket: there is no such bucket.
    """
    record = await call.service.read(call.service.buckets.get, call.bucket)
    value = record.settings.get(name)
    if value is None and missing is not None:
        raise missing(BucketName=call.bucket)
    return value


async def change_setting(call: Call, name: str, value: Json) -> None:
    """Replaces a setting of the addressed bucket; None removes it. Raises NoSuchBucket."""

    def rule(record: BucketRecord) -> BucketRecord:
        return record if record.settings.get(name) == value else record.with_setting(name, value)

    await call.service.write(call.service.buckets.change, call.bucket, rule)
