"""Object Lock: the bucket's configuration, the retention and legal hold of versions, and the headers that ask for and tell of them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.answers.refusals import NoSuchObjectLockConfiguration, ObjectLockConfigurationNotFoundError
from gecko_tw.resources.bodies.claims import Claims
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, OBJECT, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import read_setting
from gecko_tw.resources.documents.locks import (
    read_configuration,
    read_hold,
    read_retention,
    retention_of,
    until_text,
    write_configuration,
)
from gecko_tw.resources.documents.markup import texts
from gecko_tw.resources.families.versioning import version_id
from gecko_tw.resources.gates.permits import permit
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.refusals import InvalidArgument, InvalidBucketState, InvalidRequest
from gecko_tw.store.rules import locks, versions

_DOCUMENT = Document(64 * 1024, vouched=True)
_MODE, _UNTIL = b"x-amz-object-lock-mode", b"x-amz-object-lock-retain-until-date"
_HOLD = b"x-amz-object-lock-legal-hold"
_BYPASS = b"x-amz-bypass-governance-retention"


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


@operation("PutObjectRetention", PUT, OBJECT, "retention", needs="s3:PutObjectRetention", body=_DOCUMENT)
async def put_object_retention(call: Call, document: bytes) -> Answer:
    """Protects a version, longer or otherwise than before where that is allowed. Source: S3 API Reference, PutObjectRetention."""
    now = call.service.now()
    wanted = read_retention(document, now)
    known = {} if wanted is None else {_MODE: wanted["mode"], _UNTIL: until_text(wanted["until"])}
    await _permit_knowing(call, "s3:PutObjectRetention", known)
    bypass = await may_bypass(call)
    await _amend(call, partial(locks.with_retention, wanted=wanted, now=now, bypass=bypass))
    return Answer(200)


@operation("GetObjectLegalHold", GET, OBJECT, "legal-hold", needs="s3:GetObjectLegalHold")
async def get_object_legal_hold(call: Call) -> Answer:
    """Whether a legal hold is on. Source: S3 API Reference, GetObjectLegalHold."""
    hold = await _protection_of(call, locks.HOLD)
    return xml(markup.document("LegalHold", texts({"Status": _on_off(hold)})))


@operation("PutObjectLegalHold", PUT, OBJECT, "legal-hold", needs="s3:PutObjectLegalHold", body=_DOCUMENT)
async def put_object_legal_hold(call: Call, document: bytes) -> Answer:
    """Turns a version's legal hold on or off. Source: S3 API Reference, PutObjectLegalHold."""
    on = read_hold(document)
    await _permit_knowing(call, "s3:PutObjectLegalHold", {_HOLD: _on_off(on)})
    await _amend(call, partial(locks.with_hold, on=on))
    return Answer(200)


async def _protection_of(call: Call, name: str) -> Any:
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


def wants_bypass(call: Call) -> bool:
    """Whether the caller wants to pass over a retention in governance mode."""
    return call.headers.get(_BYPASS, b"").lower() == b"true"


def refuse_bypass(call: Call) -> None:
    """Whoever deletes and speaks of passing over a retention, in a bucket that has none, means another bucket.

    :raises InvalidArgument: naming the header, whatever it says.
    """
    if _BYPASS in call.headers and call.record is not None and locks.SETTING not in call.record.settings:
        raise InvalidArgument(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            ArgumentName=_BYPASS.decode(),
        )


async def may_bypass(call: Call) -> bool:
    """Whether the caller wants to pass over a retention in governance mode, and may."""
    if not wants_bypass(call):
        return False
    try:
        await permit(call, "s3:BypassGovernanceRetention")
    except AccessDenied:
        return False  # only what is not protected goes then
    return True


def asked_protection(headers: Mapping[bytes, bytes], now: int) -> dict[str, Any]:
    """The entries of ``Version.extra`` that headers ask for.

    :param headers: a request's, or those that a form's fields stand for.
    :param now: nanoseconds.
    :raises InvalidArgument: half a retention, one in the past, or something unknown.
    """
    if _MODE not in headers and _UNTIL not in headers and _HOLD not in headers:
        return {}
    found: dict[str, Any] = {}
    if _MODE in headers or _UNTIL in headers:
        mode, until = headers.get(_MODE), headers.get(_UNTIL)
        if mode is None or until is None:
            raise InvalidArgument(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
                ArgumentName=(_UNTIL if until is None else _MODE).decode(),
            )
        found[locks.RETENTION] = retention_of(mode.decode("latin-1"), until.decode("latin-1"), now)
    if _HOLD in headers:
        found[locks.HOLD] = _read_hold(headers[_HOLD])
    return found


def check_vouched(record: BucketRecord | None, extra: Mapping[str, Any], claims: Claims, what: str = "Object") -> None:
    """What nobody may take back is not taken on trust.

    :param extra: of the version or upload that the body becomes, or becomes part of.
    :raises InvalidRequest: it will have a retention, its own or its bucket's, and neither Content-MD5 nor a checksum comes with it.
    """
    default = None if record is None else record.settings.get(locks.SETTING)
    if default is not None and (default or locks.RETENTION in extra) and not claims.vouched:
        raise InvalidRequest(
            f"Content-MD5 OR x-amz-checksum- HTTP header is required for Put {what} requests with Object Lock parameters"
        )


def _read_hold(value: bytes) -> bool:
    if value not in (b"ON", b"OFF"):
        raise InvalidArgument(
            "Legal Hold must be either of 'ON' or 'OFF'",
            ArgumentName=_HOLD.decode(),
            ArgumentValue=value.decode("latin-1"),
        )
    return value == b"ON"


def protection_headers(extra: Mapping[str, Any]) -> Headers:
    """The headers that tell of a version's protection."""
    found: Headers = []
    if locks.RETENTION in extra:
        retention = extra[locks.RETENTION]
        found += [(_MODE, retention["mode"].encode()), (_UNTIL, until_text(retention["until"]).encode())]
    if locks.HOLD in extra:
        found.append((_HOLD, _on_off(extra[locks.HOLD]).encode()))
    return found


def _on_off(hold: bool) -> str:
    return "ON" if hold else "OFF"
