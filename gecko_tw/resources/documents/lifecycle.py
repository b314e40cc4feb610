"""The document of a lifecycle configuration: read, checked as S3 checks it, and written. Pure.

Sources: S3 API Reference, PutBucketLifecycleConfiguration and LifecycleRule; S3 User Guide, "Lifecycle configuration elements".
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, time
from hashlib import sha256

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, text, texts
from gecko_tw.resources.documents.transitions import check_transitions
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest
from gecko_tw.store.rules.storage_classes import AT_HAND, TARGETS

MAX_RULES = 1000
MAX_ID = 255
MAX_PREFIX = 1024
MAX_KEPT = 100

Rule = dict[str, Json]
"""One rule as it is stored: the JSON that AWS's tools show, e.g. ``{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "log/"},
"Expiration": {"Days": 30}}``."""

_ACTIONS = ("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
_TRANSITIONS = {"Transition": "Transitions", "NoncurrentVersionTransition": "NoncurrentVersionTransitions"}
"""The elements of a rule, and under which name the JSON has all of one kind."""
_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
_LARGEST = 2**31 - 1


def read_lifecycle(document: bytes) -> list[Rule]:
    """The rules of a LifecycleConfiguration, in the present and in the deprecated shape (``Prefix`` in the rule itself).

    A rule without an ID gets one that is made of its content, so that the same document always gives the same rules.

    :raises MalformedXML, InvalidArgument, InvalidRequest: as S3 does.
    :raises NotImplemented_: a rule moves objects to a class that is read only after RestoreObject, which there is not.
    """
    rules = [_read_rule(node) for node in markup.read(document, "LifecycleConfiguration").only(("Rule",))]
    if not rules:
        raise MalformedXML
    if len(rules) > MAX_RULES:
        raise InvalidRequest(f"The number of lifecycle rules must not exceed the allowed limit of {MAX_RULES} rules.")
    for index, rule in enumerate(rules):
        if not rule["ID"]:
            rule["ID"] = _made_id(index, rule)
    if len({rule["ID"] for rule in rules}) < len(rules):
        raise InvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
    return rules


def _made_id(index: int, rule: Rule) -> str:
    content = json.dumps([index, rule], sort_keys=True).encode()
    return urlsafe_b64encode(sha256(content).digest()[:24]).decode()


def _read_rule(node: Element) -> Rule:
    node.only(("ID", "Prefix", "Filter", "Status", *_ACTIONS, *_TRANSITIONS))
    rule: Rule = {"ID": node.get("ID") or "", "Status": node.need("Status").strip()}
    if len(rule["ID"]) > MAX_ID:
        raise InvalidArgument(f"ID length should not exceed allowed limit of {MAX_ID}")
    if rule["Status"] not in ("Enabled", "Disabled"):
        raise MalformedXML
    prefix, filters = node.get("Prefix"), _only_child(node, "Filter")
    if (prefix is None) == (filters is None):
        raise MalformedXML
    if prefix is not None:
        rule["Prefix"] = _prefix(prefix)
    if filters is not None:
        rule["Filter"] = _read_filter(filters)
    for name, read in zip(_ACTIONS, (_read_expiration, _read_noncurrent, _read_abort), strict=True):
        found = _only_child(node, name)
        if found is not None:
            rule[name] = read(found)
    for name, read in zip(_TRANSITIONS, (_read_transition, _read_noncurrent_transition), strict=True):
        transitions = [read(one) for one in node.all(name)]
        if transitions:
            rule[_TRANSITIONS[name]] = transitions
    _check(rule)
    check_transitions(rule)
    return rule


def _only_child(node: Element, name: str) -> Element | None:
    found = node.all(name)
    if len(found) > 1:
        raise MalformedXML
    return found[0] if found else None


def _prefix(value: str) -> str:
    if len(value.encode("utf-8", "surrogateescape")) > MAX_PREFIX:
        raise InvalidRequest(f"The maximum size of a prefix is {MAX_PREFIX}.")
    return value


def _read_filter(node: Element) -> dict[str, Json]:
    """At most one predicate, or several in ``And``."""
    node.only(("Prefix", "Tag", *_SIZES, "And"))
    if len(list(node)) > 1:
        raise MalformedXML
    both = _only_child(node, "And")
    if both is None:
        return _predicates(node, False)
    found = _predicates(both.only(("Prefix", "Tag", *_SIZES)), True)
    if sum(len(value) if name == "Tags" else 1 for name, value in found.items()) < 2:
        raise MalformedXML
    return {"And": found}


def _predicates(node: Element, several: bool) -> dict[str, Json]:
    found: dict[str, Json] = {}
    prefix = node.get("Prefix")
    if prefix is not None:
        found["Prefix"] = _prefix(prefix)
    tags = [_read_tag(tag) for tag in node.all("Tag")]
    if len({tag["Key"] for tag in tags}) < len(tags):
        raise InvalidRequest("Duplicate Tag Keys are not allowed.")
    if tags:
        found.update({"Tags": tags} if several else {"Tag": tags[0]})
    for name in _SIZES:
        value = node.get(name)
        if value is not None:
            found[name] = _number(name, value, 2**63 - 1)
            if found[name] < 0:
                raise InvalidRequest(f"'{name}' should be a positive integer.")
    if all(name in found for name in _SIZES) and found[_SIZES[0]] >= found[_SIZES[1]]:
        raise InvalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
    return found


def _read_tag(node: Element) -> dict[str, str]:
    tag = {"Key": node.only(("Key", "Value")).need("Key"), "Value": node.need("Value")}
    if not 1 <= len(tag["Key"]) <= 128 or len(tag["Value"]) > 256:
        raise InvalidRequest(
            "The tag of a lifecycle filter needs a key of 1 to 128 and a value of up to 256 characters."
        )
    return tag


def _read_expiration(node: Element) -> dict[str, Json]:
    node.only(("Days", "Date", "ExpiredObjectDeleteMarker"))
    found: dict[str, Json] = {}
    days, date, markers = node.get("Days"), node.get("Date"), node.get("ExpiredObjectDeleteMarker")
    if days is not None:
        found["Days"] = _positive("Days", "Expiration", days)
    if date is not None:
        found["Date"] = _midnight(date)
    if markers is not None:
        if markers.strip().lower() not in ("true", "false"):
            raise MalformedXML
        if markers.strip().lower() == "true" or not found:
            found["ExpiredObjectDeleteMarker"] = markers.strip().lower() == "true"
    if len(found) != 1:
        raise MalformedXML
    return found


def _read_noncurrent(node: Element) -> dict[str, Json]:
    node.only(("NoncurrentDays", "NewerNoncurrentVersions"))
    action = "NoncurrentVersionExpiration"
    found = {"NoncurrentDays": _positive("NoncurrentDays", action, node.need("NoncurrentDays"))}
    return found | _read_kept(node, action)


def _read_kept(node: Element, action: str) -> dict[str, Json]:
    """``NewerNoncurrentVersions``, where it is."""
    value = node.get("NewerNoncurrentVersions")
    if value is None:
        return {}
    kept = _positive("NewerNoncurrentVersions", action, value)
    if kept > MAX_KEPT:
        raise InvalidArgument(f"'NewerNoncurrentVersions' for {action} action must be at most {MAX_KEPT}")
    return {"NewerNoncurrentVersions": kept}


def _read_abort(node: Element) -> dict[str, Json]:
    days = node.only(("DaysAfterInitiation",)).need("DaysAfterInitiation")
    return {"DaysAfterInitiation": _positive("DaysAfterInitiation", "AbortIncompleteMultipartUpload", days)}


def _read_transition(node: Element) -> dict[str, Json]:
    node.only(("Days", "Date", "StorageClass"))
    found: dict[str, Json] = {}
    days, date = node.get("Days"), node.get("Date")
    if days is not None:
        found["Days"] = _nonnegative("Days", "Transition", days)
    if date is not None:
        found["Date"] = _midnight(date)
    if len(found) != 1:
        raise MalformedXML
    return {**found, "StorageClass": _target(node)}


def _read_noncurrent_transition(node: Element) -> dict[str, Json]:
    node.only(("NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"))
    action = "NoncurrentVersionTransition"
    days = _nonnegative("NoncurrentDays", action, node.need("NoncurrentDays"))
    return {"NoncurrentDays": days, **_read_kept(node, action), "StorageClass": _target(node)}


def _target(node: Element) -> str:
    name = node.need("StorageClass").strip()
    if name in TARGETS:
        return name
    if name in AT_HAND:
        raise InvalidArgument(
            "Invalid target Storage class for Transition action", ArgumentName="StorageClass", ArgumentValue=name
        )
    raise MalformedXML(ElementName="StorageClass")


def _check(rule: Rule) -> None:
    """What elements mean together."""
    if not any(name in rule for name in (*_ACTIONS, *_TRANSITIONS.values())):
        raise InvalidRequest("At least one action needs to be specified in a rule")
    predicates = rule.get("Filter", {})
    predicates = predicates.get("And", predicates)
    aged = (rule.get("NoncurrentVersionExpiration", {}), *rule.get("NoncurrentVersionTransitions", ()))
    if "Prefix" in rule and any("NewerNoncurrentVersions" in one for one in aged):
        raise InvalidRequest("NewerNoncurrentVersions element can only be used in Lifecycle V2.")
    refused = {"Tags": {"Tag", "Tags"} & predicates.keys(), "Object Size": set(_SIZES) & predicates.keys()}
    for what, found in refused.items():
        if found and "AbortIncompleteMultipartUpload" in rule:
            raise InvalidRequest(f"AbortIncompleteMultipartUpload cannot be specified with {what}.")
        if found and "ExpiredObjectDeleteMarker" in rule.get("Expiration", ()):
            raise InvalidRequest(f"ExpiredObjectDeleteMarker cannot be specified with {what}.")


def _number(name: str, value: str, largest: int = _LARGEST) -> int:
    """A whole number. Raises MalformedXML for anything else."""
    digits = value.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 19) or int(digits) > largest:
        raise MalformedXML(ElementName=name)
    return int(value)


def _positive(name: str, action: str, value: str) -> int:
    number = _number(name, value)
    if number < 1:
        raise InvalidArgument(
            f"'{name}' for {action} action must be a positive integer", ArgumentName=name, ArgumentValue=number
        )
    return number


def _nonnegative(name: str, action: str, value: str) -> int:
    number = _number(name, value)
    if number < 0:
        raise InvalidArgument(
            f"'{name}' in {action} action must be nonnegative", ArgumentName=name, ArgumentValue=number
        )
    return number


def _midnight(value: str) -> str:
    """A date as it is stored. Raises MalformedXML for what is none, InvalidArgument for another time than midnight UTC."""
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise MalformedXML from None
    if moment.time() != time():
        raise InvalidArgument("'Date' must be at midnight GMT", ArgumentName="Date", ArgumentValue=value)
    return f"{moment.year:04}-{moment:%m-%d}T00:00:00.000Z"


def write_lifecycle(rules: Iterable[Rule]) -> bytes:
    """The LifecycleConfiguration document of stored rules."""
    return markup.document("LifecycleConfiguration", "".join(element("Rule", _write_rule(rule)) for rule in rules))


def _write_rule(rule: Rule) -> str:
    parts = [text("ID", rule["ID"]), texts({"Prefix": rule.get("Prefix")})]
    if "Filter" in rule:
        parts.append(element("Filter", _write_predicates(rule["Filter"])))
    parts.append(text("Status", rule["Status"]))
    parts += [element(name, texts(one)) for name, several in _TRANSITIONS.items() for one in rule.get(several, ())]
    parts += [element(name, texts(rule[name])) for name in _ACTIONS if name in rule]
    return "".join(parts)


def _write_predicates(predicates: dict[str, Json]) -> str:
    if "And" in predicates:
        return element("And", _write_predicates(predicates["And"]))
    tags = predicates.get("Tags", [predicates["Tag"]] if "Tag" in predicates else [])
    written = [texts({"Prefix": predicates.get("Prefix")}), *(element("Tag", texts(tag)) for tag in tags)]
    return "".join([*written, texts({name: predicates.get(name) for name in _SIZES})])
