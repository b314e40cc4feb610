"""The lifecycle of a bucket's objects: its configuration, and the headers that tell when an object or an upload will go."""

from urllib.parse import quote

from gecko_tw.resources.answers import Answer, Headers, xml
from gecko_tw.resources.bucket_settings import read_setting
from gecko_tw.resources.call import Call
from gecko_tw.resources.headers import http_date
from gecko_tw.resources.lifecycle_rules import Rule, read_lifecycle, write_lifecycle
from gecko_tw.resources.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.refusals import MissingRequestBodyError, NoSuchLifecycleConfiguration
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.refusals import InvalidRequest
from gecko_tw.store.rules import lifecycle
from gecko_tw.store.rules.lifecycle import SETTING, Calendar

_MINIMUM = "lifecycle-minimum-size"
_MINIMUM_HEADER = b"x-amz-transition-default-minimum-object-size"
_DEFAULT_MINIMUM = "all_storage_classes_128K"
_MINIMA = (_DEFAULT_MINIMUM, "varies_by_storage_class")
_LIMIT = 1024 * 1024
_LAST_DATE = 253_402_214_400
"""The last midnight that a date can name, in seconds since 1970."""


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


def expiration_headers(record: BucketRecord | None, key: bytes, version: Version) -> Headers:
    """``x-amz-expiration`` of a current version; nothing for a bucket without rules or an object that they keep.

    Days are those of a calendar, however short ``--lifecycle-day`` makes them.
    """
    if record is None or SETTING not in record.settings:
        return []
    found = lifecycle.expiry(lifecycle.rules_of(record.settings[SETTING]), key, version, Calendar(0))
    return [] if found is None else [(b"x-amz-expiration", b'expiry-date="%b", rule-id="%b"' % _told(found))]


def abort_headers(record: BucketRecord | None, key: bytes, initiated: int) -> Headers:
    """``x-amz-abort-date`` and ``x-amz-abort-rule-id`` of a multipart upload that a rule will abort."""
    if record is None or SETTING not in record.settings:
        return []
    found = lifecycle.aborting(lifecycle.rules_of(record.settings[SETTING]), key, initiated, Calendar(0))
    if found is None:
        return []
    return list(zip((b"x-amz-abort-date", b"x-amz-abort-rule-id"), _told(found), strict=True))


def _told(found: tuple[int, str]) -> tuple[bytes, bytes]:
    return http_date(min(found[0] // 1_000_000_000, _LAST_DATE)), quote(found[1], safe="").encode()
