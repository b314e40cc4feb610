"""Buckets: listed with what they hold, made, changed, emptied and deleted."""

from collections.abc import Mapping

from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import ANYTHING, BOOLEAN, TIME, answer, listed, maybe, members, named, one_of, text, whole
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.dispatch.operations import POST, PUT
from gecko_tw.resources.documents.markup import iso_time
from gecko_tw.resources.gates.emptying import empty_for
from gecko_tw.settings.quotas import read_quota
from gecko_tw.store.allowances import NAMES, Allowance, allowance_of, change_quota
from gecko_tw.store.records import BucketRecord, Json, now_of
from gecko_tw.store.refusals import InvalidArgument, InvalidBucketState
from gecko_tw.store.rules import locks, quotas, versions
from gecko_tw.store.rules.tags import OF_BUCKET, check_tags

PATCH = "PATCH"
MOST = 1000

_LIMIT = {"anyOf": [whole(), {"type": "null"}, text(24, least=1)]}
QUOTA = members(bytes=_LIMIT, objects=_LIMIT)
_USED = maybe(answer(bytes=whole(), objects=whole()))
_ALLOWED = answer(bytes=maybe(whole()), objects=maybe(whole()))
ALLOWANCE = answer(bucket={"type": "string"}, used=_USED, quota=_ALLOWED)
_BUCKET = {
    "bucket": {"type": "string"},
    "created": TIME,
    "owner": {"type": "string"},
    "region": {"type": "string"},
}
LISTED = answer(**_BUCKET, used=_USED, quota=_ALLOWED)
SETTINGS = answer(**_BUCKET, settings=named(ANYTHING))
_TAGS = {"type": "object", "additionalProperties": text(256), "maxProperties": 50}
_VERSIONING = one_of(versions.ENABLED, versions.SUSPENDED)
_KEPT = listed(answer(key={"type": "string"}, version_id={"type": "string"}, code={"type": "string"}))


def _told(asked: Asked, record: BucketRecord) -> dict[str, Json]:
    return {
        "bucket": record.name,
        "created": iso_time(record.created),
        "owner": record.owner or ROOT_ACCOUNT,
        "region": record.region or asked.ground.settings.region or "us-east-1",
    }


def _document(asked: Asked, record: BucketRecord) -> dict[str, Json]:
    return {**_told(asked, record), "settings": dict(record.settings)}


def told(allowance: Allowance) -> dict[str, Json]:
    """How a bucket stands, for programs."""
    used = allowance.used
    counted = None if used is None else {"bytes": used.bytes, "objects": used.objects}
    return {"bucket": allowance.bucket, "used": counted, "quota": dict(allowance.quota)}


def _quota(given: Mapping[str, Json], place: str) -> dict[str, int | None]:
    """Limits as they were given. Raises InvalidArgument."""
    try:
        read = read_quota(given)
    except ValueError as wrong:
        raise InvalidArgument(f"{place}: {wrong}", Field=place) from None
    return {name: read.get(name) for name in NAMES if name in given}


def _tags(given: Mapping[str, str]) -> dict[str, str]:
    return dict(check_tags(list(given.items()), OF_BUCKET))


@row(
    "ListBuckets",
    GET,
    "/buckets",
    needs="admin:DataUsageInfo",
    query=members(prefix=text(63), after=text(63), limit=whole(1, MOST), owner=text(128, least=1)),
    answer=answer(buckets=listed(LISTED), next=maybe({"type": "string"})),
)
def list_buckets(asked: Asked) -> Json:
    """Buckets by name with what they hold, which costs no scan; `next` is the `after` of the next page."""
    query, buckets = asked.query, asked.ground.store.buckets
    limit = int(query.get("limit", MOST))
    page = buckets.page(query.get("prefix", ""), query.get("after", ""), limit + 1)
    found = []
    for record in page[:limit]:
        if query.get("owner") in (None, record.owner or ROOT_ACCOUNT):
            stands = told(allowance_of(buckets, record))
            found.append({**_told(asked, record), "used": stands["used"], "quota": stands["quota"]})
    return {"buckets": found, "next": page[limit - 1].name if len(page) > limit else None}


@row(
    "CreateBucket",
    POST,
    "/buckets",
    needs="admin:CreateBucket",
    body=members(
        ["name"],
        name=text(63, least=1),
        owner=text(128, least=1),
        region=text(64),
        versioning=_VERSIONING,
        object_lock=BOOLEAN,
        quota=QUOTA,
        tags=_TAGS,
    ),
    answer=SETTINGS,
    status=201,
)
def create_bucket(asked: Asked) -> Json:
    """Makes a bucket with all that it is to have, in one step."""
    ground, given = asked.ground, asked.given
    owner = given("owner") or ROOT_ACCOUNT
    if owner != ROOT_ACCOUNT and ground.registry.account(owner) is None:
        raise NoSuchEntity(f"There is no account {owner!r}.")
    if given("object_lock") and given("versioning", versions.ENABLED) != versions.ENABLED:
        raise InvalidArgument("body.versioning: must be Enabled in a bucket with object_lock", Field="body.versioning")
    settings: dict[str, Json] = {versions.SETTING: given("versioning")} if given("versioning") else {}
    if given("object_lock"):
        settings |= {versions.SETTING: versions.ENABLED, locks.SETTING: {}}
    limits = {name: limit for name, limit in _quota(given("quota", {}), "body.quota").items() if limit is not None}
    settings |= {quotas.SETTING: limits} if limits else {}
    settings |= {"tagging": _tags(given("tags"))} if given("tags") else {}
    record = BucketRecord(
        name=given("name"),
        created=now_of(ground.clock()),
        owner=owner,
        region=given("region", ""),
        settings=settings,
    )
    ground.store.buckets.create(record)
    return _document(asked, record)


@row("GetBucket", GET, "/buckets/{bucket}", needs="admin:ExportBucketMetadata", answer=SETTINGS, document=True)
def get_bucket(asked: Asked) -> Json:
    """A bucket with all its settings in one document, as they are kept."""
    return _document(asked, asked.ground.store.buckets.get(asked.path["bucket"]))


@row(
    "UpdateBucket",
    PATCH,
    "/buckets/{bucket}",
    needs="admin:ImportBucketMetadata",
    body=members(versioning=_VERSIONING, quota=QUOTA, tags=_TAGS),
    answer=SETTINGS,
    document=True,
)
def update_bucket(asked: Asked) -> Json:
    """Changes some settings of a bucket in one step; the others are changed by the requests of S3 for them."""
    given = asked.given
    limits, tags = _quota(given("quota", {}), "body.quota"), _tags(given("tags", {}))

    def rule(record: BucketRecord) -> BucketRecord:
        asked.check(_document(asked, record))
        versioning = given("versioning")
        if versioning:
            if locks.SETTING in record.settings and versioning != versions.ENABLED:
                raise InvalidBucketState("Versioning must stay enabled in a bucket with Object Lock.")
            record = record.with_setting(versions.SETTING, versioning)
        if limits:
            quota = {**(record.settings.get(quotas.SETTING) or {}), **limits}
            kept = {name: limit for name, limit in quota.items() if limit is not None}
            record = _with(record, quotas.SETTING, kept)
        return _with(record, "tagging", tags) if "tags" in asked.body else record

    return _document(asked, asked.ground.store.buckets.change(asked.path["bucket"], rule))


def _with(record: BucketRecord, name: str, value: Mapping[str, Json]) -> BucketRecord:
    """A bucket with a setting, or without it when there is nothing in it."""
    return record.with_setting(name, value or None) if value or name in record.settings else record


@row("GetBucketQuota", GET, "/buckets/{bucket}/quota", needs="admin:GetBucketQuota", answer=ALLOWANCE)
def get_quota(asked: Asked) -> Json:
    """What a bucket holds, and what it may hold."""
    buckets = asked.ground.store.buckets
    return told(allowance_of(buckets, buckets.get(asked.path["bucket"])))


@row(
    "SetBucketQuota",
    PUT,
    "/buckets/{bucket}/quota",
    needs="admin:SetBucketQuota",
    body=QUOTA,
    answer=ALLOWANCE,
)
def set_quota(asked: Asked) -> Json:
    """Changes what a bucket may hold: a number, a text such as `10GiB`, or null for no limit; what is left out stays."""
    return told(change_quota(asked.ground.store.buckets, asked.path["bucket"], _quota(asked.body, "body")))


@row(
    "EmptyBucket",
    POST,
    "/buckets/{bucket}/empty",
    needs="admin:EmptyBucket",
    body=members(["confirm"], confirm=text(63, least=1), bypass_governance=BOOLEAN),
    answer=answer(removed=whole(), kept=whole(), why=_KEPT),
)
def empty_bucket(asked: Asked) -> Json:
    """Removes all objects with all their versions, each as a request would: locks hold. `confirm` is the bucket's name."""
    return _emptied(asked)


def _emptied(asked: Asked) -> dict[str, Json]:
    name, call = asked.path["bucket"], asked.call
    if asked.given("confirm") != name:
        raise InvalidArgument("body.confirm: allowed is the name of the bucket", Field="body.confirm")
    if call is None:
        raise NotImplemented_(Resource="emptying a bucket without a daemon")
    done = empty_for(call, asked.ground.store.buckets.get(name), bool(asked.given("bypass_governance")))
    why = [{"key": key.decode("utf-8", "replace"), "version_id": id_, "code": code} for key, id_, code in done.why]
    return {"removed": done.removed, "kept": done.kept, "why": why}


@row("DeleteBucket", DELETE, "/buckets/{bucket}", needs="admin:DeleteBucket", document=True)
def delete_bucket(asked: Asked) -> Json:
    """Removes an empty bucket."""
    buckets, name = asked.ground.store.buckets, asked.path["bucket"]
    if asked.if_match is not None:
        asked.check(_document(asked, buckets.get(name)))
    buckets.remove(name)


@row(
    "ForceDeleteBucket",
    POST,
    "/buckets/{bucket}/delete",
    needs="admin:ForceDeleteBucket",
    body=members(["confirm"], confirm=text(63, least=1), bypass_governance=BOOLEAN),
    answer=answer(removed=whole(), kept=whole(), why=_KEPT, deleted=BOOLEAN),
)
def force_delete_bucket(asked: Asked) -> Json:
    """Empties a bucket as EmptyBucket does, and removes it where nothing was kept."""
    done = _emptied(asked)
    if not done["kept"]:
        asked.ground.store.buckets.remove(asked.path["bucket"])
    return {**done, "deleted": not done["kept"]}
