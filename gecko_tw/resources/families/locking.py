"""Object Lock: the bucket's configuration, and the retention and legal hold of versions."""

from collections.abc import Callable, Mapping
from functools import partial

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import NoSuchObjectLockConfiguration, ObjectLockConfigurationNotFoundError
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, OBJECT, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import read_setting
from gecko_tw.resources.documents.locks import (
    read_configuration,
    read_hold,
    read_retention,
    until_text,
    write_configuration,
)
from gecko_tw.resources.documents.markup import texts
from gecko_tw.resources.gates.bypass import may_bypass
from gecko_tw.resources.gates.permits import permit
from gecko_tw.resources.headers.locks import HOLD, MODE, UNTIL, on_off
from gecko_tw.resources.headers.versions import version_id
from gecko_tw.store.records import BucketRecord, Json, Version
from gecko_tw.store.refusals import InvalidBucketState
from gecko_tw.store.rules import locks, versions

_DOCUMENT = Document(64 * 1024, vouched=True)


@operation("GetObjectLockConfiguration", GET, BUCKET, "object-lock", needs="s3:GetBucketObjectLockConfiguration")
async def get_object_lock_configuration(call: Call) -> Answer:
    """Whether the bucket has Object Lock, and its default retention. Source: S3 API Reference, GetObjectLockConfiguration."""
    setting = await read_setting(call, locks.SETTING, ObjectLockConfigurationNotFoundError)
    return xml(markup.document("ObjectLockConfiguration", write_configuration(setting)))


@operation(
    "PutObjectLockConfiguration",
    PUT,
    BUCKET,
    "object-lock",
    needs="s3:PutBucketObjectLockConfiguration",
    body=_DOCUMENT,
)
async def put_object_lock_configuration(call: Call, document: bytes) -> Answer:
    """Turns Object Lock on, for good, and sets or drops the default retention. Source: S3 API Reference, PutObjectLockConfiguration."""
    setting = read_configuration(document)

    def rule(record: BucketRecord) -> BucketRecord:
        if record.settings.get(versions.SETTING) != versions.ENABLED:
            raise InvalidBucketState("Versioning must be 'Enabled' on the bucket to apply an Object Lock configuration")
        return record if record.settings.get(locks.SETTING) == setting else record.with_setting(locks.SETTING, setting)

    await call.service.write(call.service.buckets.change, call.bucket, rule)
    return Answer(200)


@operation("GetObjectRetention", GET, OBJECT, "retention", needs="s3:GetObjectRetention")
async def get_object_retention(call: Call) -> Answer:
    """The retention of the current, or the named, version. Source: S3 API Reference, GetObjectRetention."""
    retention = await _protection_of(call, locks.RETENTION)
    told = texts({"Mode": retention["mode"], "RetainUntilDate": until_text(retention["until"])})
    return xml(markup.document("Retention", told))


@operation(
    "PutObjectRetention",
    PUT,
    OBJECT,
    "retention",
    needs="s3:PutObjectRetention",
    body=_DOCUMENT,
    document_keys=("s3:object-lock-",),
)
async def put_object_retention(call: Call, document: bytes) -> Answer:
    """Protects a version, longer or otherwise than before where that is allowed. Source: S3 API Reference, PutObjectRetention."""
    now = call.service.now()
    wanted = read_retention(document, now)
    known = {} if wanted is None else {MODE: wanted["mode"], UNTIL: until_text(wanted["until"])}
    await _permit_knowing(call, "s3:PutObjectRetention", known)
    bypass = await may_bypass(call)
    await _amend(call, partial(locks.with_retention, wanted=wanted, now=now, bypass=bypass))
    return Answer(200)


@operation("GetObjectLegalHold", GET, OBJECT, "legal-hold", needs="s3:GetObjectLegalHold")
async def get_object_legal_hold(call: Call) -> Answer:
    """Whether a legal hold is on. Source: S3 API Reference, GetObjectLegalHold."""
    hold = await _protection_of(call, locks.HOLD)
    return xml(markup.document("LegalHold", texts({"Status": on_off(hold)})))


@operation(
    "PutObjectLegalHold",
    PUT,
    OBJECT,
    "legal-hold",
    needs="s3:PutObjectLegalHold",
    body=_DOCUMENT,
    document_keys=("s3:object-lock-",),
)
async def put_object_legal_hold(call: Call, document: bytes) -> Answer:
    """Turns a version's legal hold on or off. Source: S3 API Reference, PutObjectLegalHold."""
    on = read_hold(document)
    await _permit_knowing(call, "s3:PutObjectLegalHold", {HOLD: on_off(on)})
    await _amend(call, partial(locks.with_hold, on=on))
    return Answer(200)


async def _protection_of(call: Call, name: str) -> Json:
    """What a version has of ``retention`` or ``legal-hold``.

    :raises InvalidRequest: the bucket has no Object Lock.
    :raises NoSuchObjectLockConfiguration: the version has none.
    """
    service = call.service
    locks.check_has_locks(await service.read(service.buckets.get, call.bucket))
    version = await service.read(service.objects.look, call.bucket, call.key, version_id(call))
    if name not in version.extra:
        raise NoSuchObjectLockConfiguration(Key=call.key.decode("utf-8", "replace"))
    return version.extra[name]


async def _permit_knowing(call: Call, action: str, known: Mapping[bytes, str]) -> None:
    """Asks again where a policy looks at what only the document tells. Raises AccessDenied.

    :param known: what the document says, by the header that says it of a new object.
    """
    await permit(call, action, {f"s3:{name.decode().removeprefix('x-amz-')}": value for name, value in known.items()})


async def _amend(call: Call, change: Callable[[Version, BucketRecord], Version]) -> None:
    service = call.service
    await service.commit(0, service.objects.amend, call.bucket, call.key, version_id(call), change)
