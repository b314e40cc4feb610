"""Where a bucket's server access log goes: GetBucketLogging and PutBucketLogging.

Sources: S3 API Reference, PutBucketLogging; S3 User Guide, "Enabling Amazon S3 server access logging".
"""

from gecko_tw.callers.access.acl import FULL_CONTROL, READ, WRITE, Grant, checked, grantee, grants_of
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.jobs.access_log_delivery import SETTING
from gecko_tw.resources.access_logs.objects import DELIVERY_TIME, EVENT_TIME, SIMPLE, is_denied, key_of
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import (
    AccessControlListNotSupported,
    CrossLocationLoggingProhibited,
    InvalidTargetBucketForLogging,
    MalformedXML,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.acl import read_grant, write_grant
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.markup import Element, element, text, texts
from gecko_tw.resources.gates.access_settings import ENFORCED, IGNORE, bucket_owner, ownership_of
from gecko_tw.resources.gates.authorization import is_owners
from gecko_tw.resources.gates.permits import permit_log
from gecko_tw.resources.headers.acl import display_name_of, parties_of
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import InvalidBucketName, KeyTooLongError, NoSuchBucket
from gecko_tw.store.rules import locks
from gecko_tw.store.rules.names import check_key

_PERMISSIONS = frozenset((FULL_CONTROL, READ, WRITE))
_PARTITIONED = (EVENT_TIME, DELIVERY_TIME)


@operation("GetBucketLogging", GET, BUCKET, "logging", needs="s3:GetBucketLogging")
async def get_bucket_logging(call: Call) -> Answer:
    """Never set: an empty document. Source: S3 API Reference, GetBucketLogging.

    :raises AccessDenied: the bucket is another account's.
    """
    _refuse_other_accounts(call)
    setting = await read_setting(call, SETTING)
    return xml(markup.document("BucketLoggingStatus", "" if setting is None else _written(call, setting)))


@operation("PutBucketLogging", PUT, BUCKET, "logging", needs="s3:PutBucketLogging", body=Document(128 * 1024))
async def put_bucket_logging(call: Call, document: bytes) -> Answer:
    """Begins, changes or, with an empty document, ends the log. Source: S3 API Reference, PutBucketLogging.

    :raises InvalidTargetBucketForLogging: there is no such target, it is another account's, or cannot take logs.
    :raises AccessDenied: the bucket is another account's, or the caller may not write into the target.
    :raises CrossLocationLoggingProhibited: the target is in another region.
    :raises AccessControlListNotSupported: grants, and the target has no access control lists.
    """
    _refuse_other_accounts(call)
    root = markup.read(document, "BucketLoggingStatus").only(("LoggingEnabled",))
    enabled = root.all("LoggingEnabled")
    if len(enabled) > 1:
        raise MalformedXML
    setting = await _checked(call, enabled[0]) if enabled else None
    await change_setting(call, SETTING, setting)
    return Answer(200)


def _refuse_other_accounts(call: Call) -> None:
    """Raises AccessDenied: a log is its bucket's owner's, whatever the policy of the bucket says."""
    if not is_owners(call):
        raise AccessDenied


async def _checked(call: Call, node: Element) -> dict[str, Json]:
    """The setting that a LoggingEnabled asks for. Raises as :func:`put_bucket_logging`."""
    node.only(("TargetBucket", "TargetPrefix", "TargetGrants", "TargetObjectKeyFormat"))
    setting: dict[str, Json] = {"bucket": node.need("TargetBucket"), "prefix": node.need("TargetPrefix")}
    form = _read_format(node)
    if form is not None:
        setting["format"] = form
    service = call.service
    source = await service.read(service.buckets.get, call.bucket)
    try:
        target = await service.read(service.buckets.get, setting["bucket"])
    except (NoSuchBucket, InvalidBucketName):
        raise _unfit("The target bucket for logging does not exist", setting) from None
    owner = bucket_owner(service, source)
    if owner != bucket_owner(service, target):
        raise _unfit("The owner for the bucket to be logged and the target bucket must be the same.", setting)
    _check_place(call, source.with_setting(SETTING, setting), target)
    grants = _read_grants(call, node, owner)
    if grants and service.acl != IGNORE:
        if ownership_of(service, target) == ENFORCED:
            raise AccessControlListNotSupported(
                "TargetGrants cannot be used: the target bucket has no access control lists.", BucketName=target.name
            )
        setting["grants"] = [[grant.kind, grant.to, grant.permission] for grant in grants]
    return setting


def _check_place(call: Call, source: BucketRecord, target: BucketRecord) -> None:
    """Refuses a bucket that cannot take the log of another one; ``source`` has the wished setting already."""
    service, setting = call.service, source.settings[SETTING]
    if (source.region or service.region) != (target.region or service.region):
        raise CrossLocationLoggingProhibited(TargetBucketLocation=target.region or service.region)
    if target.settings.get(locks.SETTING):
        raise _unfit("The target bucket for logging must not have a default retention", setting)
    key = key_of(service, source, 0, "0" * 16)
    try:
        check_key(key)
    except KeyTooLongError:
        raise KeyTooLongError("TargetPrefix leaves no room for the names of log objects.") from None
    if is_denied(service, source, target, key):
        raise _unfit("The policy of the target bucket denies the delivery of logs to it", setting)
    permit_log(call, target, key)


def _unfit(message: str, setting: dict[str, Json]) -> InvalidTargetBucketForLogging:
    return InvalidTargetBucketForLogging(message, TargetBucket=setting["bucket"])


def _read_format(node: Element) -> str | None:
    """How keys shall be made, or None when nothing is said. Raises MalformedXML."""
    formats = node.all("TargetObjectKeyFormat")
    if not formats:
        return None
    kinds = list(formats[0].only((SIMPLE, "PartitionedPrefix")))
    if len(formats) != 1 or len(kinds) != 1:
        raise MalformedXML
    if kinds[0].name == SIMPLE:
        kinds[0].only(())
        return SIMPLE
    source = kinds[0].only(("PartitionDateSource",)).get("PartitionDateSource") or DELIVERY_TIME
    if source not in _PARTITIONED:
        raise MalformedXML
    return source


def _read_grants(call: Call, node: Element, owner: str) -> tuple[Grant, ...]:
    """The grants on log objects. Raises MalformedXML, InvalidArgument, UnresolvableGrantByEmailAddress."""
    lists = node.all("TargetGrants")
    if len(lists) > 1:
        raise MalformedXML
    named = [read_grant(one, _PERMISSIONS) for one in (lists[0].only(("Grant",)) if lists else ())]
    parties = parties_of(call, owner, owner)
    return checked(grantee(kind, value, permission, parties) for kind, value, permission in named)


def _written(call: Call, setting: dict[str, Json]) -> str:
    """The LoggingEnabled of a setting."""
    content = texts({"TargetBucket": setting["bucket"], "TargetPrefix": setting["prefix"]})
    if "grants" in setting:
        name = display_name_of(call)
        content += element(
            "TargetGrants", "".join(write_grant(grant, name) for grant in grants_of(setting["grants"], ""))
        )
    form = setting.get("format")
    if form == SIMPLE:
        content += element("TargetObjectKeyFormat", element(SIMPLE, ""))
    elif form is not None:
        partitioned = element("PartitionedPrefix", text("PartitionDateSource", form))
        content += element("TargetObjectKeyFormat", partitioned)
    return element("LoggingEnabled", content)
