"""Which changes of a key somebody wants to be told of, and what they are told: AWS's event records. Pure.

Sources: S3 User Guide, "Event message structure" and "Configuring event notifications using object key name filtering".
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import quote_plus

from attrs import evolve, frozen

from gecko_tw.store.records import (
    NULL,
    STORAGE_CLASS,
    BucketRecord,
    Change,
    DeleteMarker,
    Json,
    KeyHistory,
    Notice,
    Rule,
    Version,
)
from gecko_tw.store.rules import listeners
from gecko_tw.store.rules.listeners import covers, listening

SETTING = "notification"
KINDS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
"""The lists of a configuration as it is stored, and under which name each entry has its destination."""

_LATER = ("ObjectTagging", "ObjectAcl", "Lifecycle")
"""Kinds of events that came with version 2.3 of the records."""
_TRANSITION = "LifecycleTransition"


@frozen(kw_only=True)
class Cause:
    """What made a change, for those who are told of it.

    :ivar event: e.g. ``ObjectCreated:Put``. ``Delete`` at the end becomes ``DeleteMarkerCreated`` when one is made.
    :ivar principal: the account that asked; ``address`` is where from.
    :ivar now: nanoseconds.
    """

    event: str
    now: int
    principal: str = ""
    address: str = ""
    request_id: str = ""
    host_id: str = ""
    region: str = ""


def is_told(record: BucketRecord) -> bool:
    """Whether anybody wants to be told of changes in a bucket."""
    return SETTING in record.settings or listeners.SETTING in record.settings


def telling(rule: Rule, cause: Cause) -> Rule:
    """A rule whose changes are told of."""

    def told(record: BucketRecord, history: KeyHistory) -> Change:
        change = rule(record, history)
        if not is_told(record):
            return change
        return evolve(change, notices=tuple(_notices(record, history, change.history, cause)))

    return told


def _notices(record: BucketRecord, before: KeyHistory, after: KeyHistory, cause: Cause) -> Iterator[Notice]:
    for found in _affected(before, after):
        event = cause.event
        if isinstance(found, DeleteMarker) and found not in before.versions:
            event += "MarkerCreated"
        more = evolve(cause, event=event)
        for configuration, target in wanted(record.settings.get(SETTING) or {}, event, after.key):
            yield Notice(target, _event(record, after.key, found, more, configuration))
        for target in listening(record, event, after.key, cause.now):
            yield Notice(target, _event(record, after.key, found, more, ""))


def _affected(before: KeyHistory, after: KeyHistory) -> list[Version | DeleteMarker]:
    """The versions that were made or changed, then those that were removed."""
    made = [version for version in after.versions if version not in before.versions]
    kept = {version.version_id for version in after.versions}
    return made + [version for version in before.versions if version.version_id not in kept]


def wanted(configuration: Mapping[str, Json], event: str, key: bytes) -> Iterator[tuple[str, str]]:
    """The id and the destination of each entry of a stored configuration that wants this event of this key."""
    for kind, arn in KINDS.items():
        for entry in configuration.get(kind, ()):
            if any(covers(pattern, event) for pattern in entry["Events"]) and _passes(entry, key):
                yield entry["Id"], entry[arn]


def _passes(entry: Mapping[str, Json], key: bytes) -> bool:
    for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", ()):
        value = rule["Value"].encode("utf-8", "surrogateescape")
        if not (key.startswith(value) if rule["Name"].lower() == "prefix" else key.endswith(value)):
            return False
    return True


def _event(
    record: BucketRecord, key: bytes, version: Version | DeleteMarker, cause: Cause, configuration: str
) -> dict[str, Json]:
    """One entry of ``Records``; its sequencer is added when its place among all of them is known."""
    item: dict[str, Json] = {"key": quote_plus(key, safe="/")}
    if isinstance(version, Version) and not cause.event.startswith(("ObjectRemoved", "LifecycleExpiration")):
        item |= {"size": version.size, "eTag": version.etag}
    if version.version_id != NULL:
        item["versionId"] = version.version_id
    owner = {"principalId": record.owner}
    found: dict[str, Json] = {
        "eventVersion": "2.3" if cause.event.startswith(_LATER) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": cause.region,
        "eventTime": _time(cause.now),
        "eventName": cause.event,
        "userIdentity": {"principalId": cause.principal},
        "requestParameters": {"sourceIPAddress": cause.address},
        "responseElements": {"x-amz-request-id": cause.request_id, "x-amz-id-2": cause.host_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {"name": record.name, "ownerIdentity": owner, "arn": f"arn:aws:s3:::{record.name}"},
            "object": item,
        },
    }
    if cause.event == _TRANSITION and isinstance(version, Version):
        found["lifecycleEventData"] = {
            "transitionEventData": {"destinationStorageClass": version.headers[STORAGE_CLASS]}
        }
    return found


def first_event(bucket: str, cause: Cause) -> dict[str, Json]:
    """What a destination is told when it is configured (S3 User Guide, "Event message structure")."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _time(cause.now),
        "Bucket": bucket,
        "RequestId": cause.request_id,
        "HostId": cause.host_id,
    }


def _time(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest // 1_000_000:03}Z"
