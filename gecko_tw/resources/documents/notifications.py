"""Notification configurations of buckets, read, checked and written. Pure.

Sources: S3 API Reference, NotificationConfiguration; S3 User Guide, "Supported event types for SQS, SNS, and Lambda".
"""

import secrets
from itertools import combinations

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, text, texts
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules.notices import KINDS

MAX_ENTRIES = 100
_LONGEST_ARN = 1024

_OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."

Configuration = dict[str, Json]
"""A configuration as it is stored: the JSON that AWS's tools show, with an id in every entry."""

_ELEMENTS = {
    "TopicConfiguration": ("TopicConfigurations", "Topic"),
    "QueueConfiguration": ("QueueConfigurations", "Queue"),
    "CloudFunctionConfiguration": ("LambdaFunctionConfigurations", "CloudFunction"),
}
EVENTS = frozenset(
    {
        "s3:ObjectCreated:*",
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectTagging:*",
        "s3:ObjectTagging:Put",
        "s3:ObjectTagging:Delete",
        "s3:ObjectAcl:Put",
        "s3:LifecycleExpiration:*",
        "s3:LifecycleExpiration:Delete",
        "s3:LifecycleExpiration:DeleteMarkerCreated",
        "s3:LifecycleTransition",
        "s3:ObjectIntegrity:*",
        "s3:ObjectIntegrity:Quarantined",
        "s3:ObjectIntegrity:Restored",
    }
)
"""What happens here; those of integrity are our own. AWS's other events never do (restores, replication, archives), so nobody may wait
for them."""


def read_configuration(body: bytes) -> Configuration:
    """The configuration of a NotificationConfiguration document; an empty one wants nothing.

    :raises MalformedXML, InvalidArgument: as S3 does. Destinations are not looked at.
    """
    root = markup.read(body, "NotificationConfiguration").only((*_ELEMENTS, "EventBridgeConfiguration"))
    if root.all("EventBridgeConfiguration"):
        raise InvalidArgument(
            "There is no EventBridge here; name a destination.", ArgumentName="EventBridgeConfiguration"
        )
    found: Configuration = {}
    for name, (listed, destination) in _ELEMENTS.items():
        entries = [_read_entry(node, KINDS[listed], destination) for node in root.all(name)]
        if entries:
            found[listed] = entries
    ids = [entry["Id"] for entries in found.values() for entry in entries]
    if len(ids) > MAX_ENTRIES:
        raise InvalidArgument(f"A bucket can have {MAX_ENTRIES} event notification configurations.", ArgumentName="Id")
    if len(set(ids)) != len(ids):
        raise InvalidArgument("Same ID used for multiple configurations. IDs must be unique", ArgumentName="Id")
    _refuse_overlaps([entry for entries in found.values() for entry in entries])
    return found


def _refuse_overlaps(entries: list[dict[str, Json]]) -> None:
    """Raises InvalidArgument when one event of one key would be told by two entries, whatever their destinations."""
    reaches = [(_events_of(entry), _affixes_of(entry)) for entry in entries]
    for (events, (prefix, suffix)), (others, (other_prefix, other_suffix)) in combinations(reaches, 2):
        if (
            not events.isdisjoint(others)
            and (prefix.startswith(other_prefix) or other_prefix.startswith(prefix))
            and (suffix.endswith(other_suffix) or other_suffix.endswith(suffix))
        ):
            raise InvalidArgument(_OVERLAP, ArgumentName="Event")


def _events_of(entry: dict[str, Json]) -> set[str]:
    """The events that an entry wants, each by itself."""
    kinds = tuple(wanted[:-1] for wanted in entry["Events"] if wanted.endswith("*"))
    return {event for event in EVENTS if event in entry["Events"] or event.startswith(kinds)}


def _affixes_of(entry: dict[str, Json]) -> tuple[str, str]:
    """What the keys that an entry is about begin with, and end with."""
    rules = {rule["Name"].lower(): rule["Value"] for rule in _rules_of(entry)}
    return rules.get("prefix", ""), rules.get("suffix", "")


def _rules_of(entry: dict[str, Json]) -> list[dict[str, str]]:
    rules: list[dict[str, str]] = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return rules


def _read_entry(node: Element, arn: str, destination: str) -> dict[str, Json]:
    node.only(("Id", destination, "Event", "Filter", "InvocationRole"))
    events = [event.text.strip() for event in node.all("Event")]
    if not events:
        raise MalformedXML
    for event in events:
        if event not in EVENTS:
            raise InvalidArgument(
                "The event is not supported for notifications", ArgumentName="Event", ArgumentValue=event
            )
    target = node.need(destination).strip()
    if not target.startswith("arn:") or not target.isprintable() or len(target) > _LONGEST_ARN:
        raise InvalidArgument("The ARN could not be parsed", ArgumentName=destination, ArgumentValue=target)
    entry: dict[str, Json] = {"Id": node.get("Id") or secrets.token_urlsafe(12), arn: target}
    entry["Events"] = events
    rules = [_read_rule(rule) for place in node.all("Filter") for key in place.only(("S3Key",)) for rule in key]
    if rules:
        if len({rule["Name"].lower() for rule in rules}) != len(rules):
            raise InvalidArgument(
                "Cannot specify more than one prefix or suffix rule in a filter.", ArgumentName="filter"
            )
        entry["Filter"] = {"Key": {"FilterRules": rules}}
    return entry


def _read_rule(node: Element) -> dict[str, str]:
    if node.name != "FilterRule":
        raise MalformedXML
    name, value = node.need("Name"), node.need("Value")
    if name.lower() not in ("prefix", "suffix"):
        raise InvalidArgument(
            "filter rule name must be either prefix or suffix", ArgumentName="FilterRule.Name", ArgumentValue=name
        )
    if len(value.encode()) > 1024:
        raise InvalidArgument("filter rule value cannot exceed 1024 bytes", ArgumentName="FilterRule.Value")
    return {"Name": name, "Value": value}


def destinations(configuration: Configuration) -> list[str]:
    """The destinations that a configuration names, in its order, each once."""
    return list(dict.fromkeys(entry[KINDS[listed]] for listed, entries in configuration.items() for entry in entries))


def write_configuration(configuration: Configuration) -> bytes:
    """The document of a stored configuration."""
    parts = [
        element(name, _write_entry(entry, KINDS[listed], destination))
        for name, (listed, destination) in _ELEMENTS.items()
        for entry in configuration.get(listed, ())
    ]
    return markup.document("NotificationConfiguration", "".join(parts))


def _write_entry(entry: dict[str, Json], arn: str, destination: str) -> str:
    events = "".join(text("Event", event) for event in entry["Events"])
    rules = "".join(element("FilterRule", texts(rule)) for rule in _rules_of(entry))
    return (
        texts({"Id": entry["Id"], destination: entry[arn]})
        + events
        + (element("Filter", element("S3Key", rules)) if rules else "")
    )
