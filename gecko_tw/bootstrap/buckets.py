"""What a configuration file says about a bucket, as the settings that the requests for it would store.

Each setting is made the document of its Put operation and read by that operation's own reader, so the same is allowed here and there.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import field, frozen

from gecko_tw.bootstrap import shapes
from gecko_tw.callers.access.acl import Grant, Parties, canned, kept
from gecko_tw.callers.access.acl import is_public as is_public_list
from gecko_tw.callers.access.policies import is_public, read_bucket_policy
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.cors import read_rules
from gecko_tw.resources.documents.encryption import read_configuration as read_encryption
from gecko_tw.resources.documents.lifecycle import read_lifecycle
from gecko_tw.resources.documents.locks import read_configuration as read_lock
from gecko_tw.resources.documents.public_access import read_block
from gecko_tw.resources.documents.website import read_website
from gecko_tw.resources.gates.access_settings import (
    BLOCK,
    BLOCK_ACLS,
    BLOCK_POLICY,
    ENFORCED,
    OWNERSHIP,
    OWNERSHIPS,
    POLICY,
)
from gecko_tw.settings import BadSetting
from gecko_tw.settings.entries import Entry
from gecko_tw.settings.kinds import REGION
from gecko_tw.settings.quotas import read_quota
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import Refusal
from gecko_tw.store.rules.names import check_bucket_name
from gecko_tw.store.rules.quotas import SETTING as QUOTA
from gecko_tw.store.rules.tags import OF_BUCKET, check_tags

VERSIONING, LOCK = "versioning", "object-lock"
ENABLED = "Enabled"

T = TypeVar("T")


@frozen(kw_only=True)
class DeclaredBucket:
    """A bucket that is to be there.

    :ivar place: ``FILE:LINE`` and its key.
    :ivar owner: an account's id; None when the file does not say.
    :ivar acl: the name of a canned list; None when the file does not say.
    :ivar settings: values by the setting's name; what is not named stays as it is.
    """

    name: str
    place: str
    owner: str | None = None
    region: str | None = None
    acl: str | None = None
    settings: Mapping[str, Json] = field(factory=dict)


def read_buckets(entry: Entry) -> list[DeclaredBucket]:
    """The buckets of a section: a list of names, or a mapping of names to what is said about them.

    :raises BadSetting: for whatever a request would refuse, too; names file and line.
    """
    if isinstance(entry.value, tuple):
        return [_bucket(one.text(), one, {}) for one in entry.items()]
    return [_bucket(name, one, one.keys(*KEYS)) for name, one in entry.named().items()]


def _bucket(name: str, entry: Entry, given: dict[str, Entry]) -> DeclaredBucket:
    accepted(entry, lambda: check_bucket_name(name))
    settings: dict[str, Any] = {}
    for key, one in given.items():
        if key in _SETTINGS:
            settings |= _SETTINGS[key](one, name)
    owner, region, acl = given.get("owner"), given.get("region"), given.get("acl")
    if acl is not None:
        accepted(acl, lambda: canned_list(acl.text(), ""))
    _refuse_contradictions(name, given, settings)
    return DeclaredBucket(
        name=name,
        place=f"{entry.place}: {entry.path}",
        owner=owner.text() if owner else None,
        region=_region(region) if region else None,
        acl=acl.text() if acl else None,
        settings=settings,
    )


def _region(entry: Entry) -> str:
    try:
        region: str = REGION.read(entry.text())
        return region
    except ValueError:
        raise entry.refusal(f"must be {REGION.allowed}") from None


def canned_list(name: str, owner: str) -> tuple[Grant, ...]:
    """The grants of a bucket's canned list. Raises InvalidArgument."""
    return canned(name, Parties(owner, None, lambda account: False, lambda email: None))


def _refuse_contradictions(bucket: str, given: Mapping[str, Entry], settings: dict[str, Any]) -> None:
    """What requests could not set one after the other cannot be declared together. Raises BadSetting."""
    if LOCK in settings and settings.setdefault(VERSIONING, ENABLED) != ENABLED:
        raise given["versioning"].refusal("must be enabled in a bucket with object-lock")
    grants = canned_list(given["acl"].text(), "") if "acl" in given else ()
    if settings.get(OWNERSHIP) == ENFORCED and kept(grants, "") is not None and "acl" in given:
        raise given["acl"].refusal("must be private where ownership is BucketOwnerEnforced")
    block = settings.get(BLOCK, {})
    if block.get(BLOCK_ACLS) and is_public_list(grants):
        raise given["acl"].refusal("is public, which public-access-block forbids")
    if block.get(BLOCK_POLICY) and "policy" in given and is_public(read_bucket_policy(settings[POLICY], bucket)):
        raise given["policy"].refusal("is public, which public-access-block forbids")


def accepted(entry: Entry, read: Callable[[], T]) -> T:
    """What ``read`` returns; its refusal becomes a BadSetting that names the entry."""
    try:
        return read()
    except BadSetting:
        raise
    except Refusal as refusal:
        # A message may quote the entry.
        message = type(refusal)().message if entry.confidential else refusal.message
        raise entry.refusal(f"{refusal.code}: {message}") from None


def json_text(entry: Entry) -> str:
    """A JSON document: written as text, or as YAML. Raises BadSetting."""
    return entry.value if isinstance(entry.value, str) else json.dumps(entry.plain(), separators=(",", ":"))


def _from_document(
    name: str, root: str, shape: shapes.Shape, read: Callable[[bytes], Any]
) -> Callable[[Entry, str], dict[str, Any]]:
    def setting(entry: Entry, bucket: str) -> dict[str, Any]:
        document = shapes.written(root, shape, entry)
        return {name: accepted(entry, lambda: read(document))}

    return setting


def _versioning(entry: Entry, bucket: str) -> dict[str, Any]:
    return {VERSIONING: entry.word(ENABLED, "Suspended")}


def _lock(entry: Entry, bucket: str) -> dict[str, Any]:
    given = entry.keys("enabled", "default")
    if "enabled" not in given or not given["enabled"].flag():
        raise entry.refusal("must have enabled: true; leave object-lock out where there is none")
    content = markup.text("ObjectLockEnabled", ENABLED)
    if "default" in given:
        default = given["default"].keys("mode", "days", "years")
        period = {unit.title(): default[unit].whole(1) for unit in ("days", "years") if unit in default}
        if len(period) != 1 or "mode" not in default:
            raise given["default"].refusal("must have a mode, and either days or years")
        mode = markup.text("Mode", default["mode"].word("GOVERNANCE", "COMPLIANCE"))
        retention = mode + "".join(markup.text(unit, number) for unit, number in period.items())
        content += markup.element("Rule", markup.element("DefaultRetention", retention))
    document = markup.document("ObjectLockConfiguration", content)
    return {LOCK: accepted(entry, lambda: read_lock(document))}


def _quota(entry: Entry, bucket: str) -> dict[str, Any]:
    try:
        return {QUOTA: read_quota(entry.plain()) or None}
    except ValueError as bad:
        raise entry.refusal(str(bad)) from None


def _ownership(entry: Entry, bucket: str) -> dict[str, Any]:
    return {OWNERSHIP: entry.word(*OWNERSHIPS)}


def _tags(entry: Entry, bucket: str) -> dict[str, Any]:
    pairs = [(key, one.text()) for key, one in entry.named().items()]
    return {"tagging": accepted(entry, lambda: check_tags(pairs, OF_BUCKET)) or None}


def _policy(entry: Entry, bucket: str) -> dict[str, Any]:
    return {POLICY: accepted(entry, lambda: read_bucket_policy(json_text(entry), bucket)).text}


_SETTINGS: dict[str, Callable[[Entry, str], dict[str, Any]]] = {
    "versioning": _versioning,
    "object-lock": _lock,
    "tags": _tags,
    "quota": _quota,
    "ownership": _ownership,
    "policy": _policy,
    "cors": _from_document("cors", "CORSConfiguration", shapes.CORS, read_rules),
    "lifecycle": _from_document("lifecycle", "LifecycleConfiguration", shapes.LIFECYCLE, read_lifecycle),
    "encryption": _from_document("encryption", "ServerSideEncryptionConfiguration", shapes.ENCRYPTION, read_encryption),
    "public-access-block": _from_document(
        BLOCK, "PublicAccessBlockConfiguration", shapes.PUBLIC_ACCESS_BLOCK, read_block
    ),
    "website": _from_document("website", "WebsiteConfiguration", shapes.WEBSITE, read_website),
}
KEYS = ("owner", "region", "acl", *_SETTINGS)
