"""The lifecycle of a bucket's objects: its configuration."""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MissingRequestBodyError, NoSuchLifecycleConfiguration
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents.bucket_settings import read_setting
from gecko_tw.resources.documents.lifecycle import Rule, read_lifecycle, write_lifecycle
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import InvalidRequest
from gecko_tw.store.rules.lifecycle import SETTING

_MINIMUM = "lifecycle-minimum-size"
_MINIMUM_HEADER = b"x-amz-transition-default-minimum-object-size"
_DEFAULT_MINIMUM = "all_storage_classes_128K"
_MINIMA = (_DEFAULT_MINIMUM, "varies_by_storage_class")
_LIMIT = 1024 * 1024


@operation("GetBucketLifecycleConfiguration", GET, BUCKET, "lifecycle", needs="s3:GetLifecycleConfiguration")
async def get_bucket_lifecycle_configuration(call: Call) -> Answer:
    """The rules, and with them the deprecated GetBucketLifecycle. Source: S3 API Reference, GetBucketLifecycleConfiguration."""
    rules = await read_setting(call, SETTING, NoSuchLifecycleConfiguration)
    minimum = await read_setting(call, _MINIMUM) or _DEFAULT_MINIMUM
    return xml(write_lifecycle(rules), headers=[(_MINIMUM_HEADER, minimum.encode())])


@operation(
    "PutBucketLifecycleConfiguration",
    PUT,
    BUCKET,
    "lifecycle",
    needs="s3:PutLifecycleConfiguration",
    body=Document(_LIMIT, vouched=True),
)
async def put_bucket_lifecycle_configuration(call: Call, document: bytes) -> Answer:
    """Replaces the rules; also the deprecated PutBucketLifecycle. Source: S3 API Reference, PutBucketLifecycleConfiguration."""
    if not document:
        raise MissingRequestBodyError
    minimum = call.header(_MINIMUM_HEADER) or _DEFAULT_MINIMUM
    if minimum not in _MINIMA:
        raise InvalidRequest(f"Invalid TransitionDefaultMinimumObjectSize found: {minimum}")
    await _change(call, read_lifecycle(document), None if minimum == _DEFAULT_MINIMUM else minimum)
    return Answer(200, [(_MINIMUM_HEADER, minimum.encode())])


@operation("DeleteBucketLifecycle", DELETE, BUCKET, "lifecycle", needs="s3:PutLifecycleConfiguration")
async def delete_bucket_lifecycle(call: Call) -> Answer:
    """Source: S3 API Reference, DeleteBucketLifecycle."""
    await _change(call, None, None)
    return Answer(204)


async def _change(call: Call, rules: list[Rule] | None, minimum: str | None) -> None:
    def rule(record: BucketRecord) -> BucketRecord:
        if (record.settings.get(SETTING), record.settings.get(_MINIMUM)) == (rules, minimum):
            return record
        return record.with_setting(SETTING, rules).with_setting(_MINIMUM, minimum)

    await call.service.write(call.service.buckets.change, call.bucket, rule)
