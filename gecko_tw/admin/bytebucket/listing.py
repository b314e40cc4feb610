"""Buckets and objects as ByteBucket lists them, with who may read them."""

from contextlib import suppress
from typing import Any

from gecko_tw.callers.access.acl import ALL_USERS, grants_of
from gecko_tw.resources.call import Call
from gecko_tw.resources.documents.listing import write_token
from gecko_tw.resources.documents.markup import iso_time
from gecko_tw.resources.gates.access_settings import ACL, acls_count, bucket_owner
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import Refusal
from gecko_tw.store.requests import Page


def canned(value: Json, owner: str) -> str:
    """ByteBucket's word for a list: whether everybody may read.

    :param value: as gecko_tw.callers.access.acl.kept wrote it.
    """
    readers = [one.permission for one in grants_of(value, owner) if one.to == ALL_USERS]
    return "public-read" if {"READ", "FULL_CONTROL"} & set(readers) else "private"


# Any: what an answer is about, which wires are told as an object.
def told_buckets(call: Call, records: Any) -> Json:
    """The buckets.

    :param records: BucketRecords.
    """
    return {"buckets": [_bucket(call, record) for record in records]}


def _bucket(call: Call, record: BucketRecord) -> dict[str, Json]:
    value = record.settings.get(ACL) if acls_count(call.service, record) else None
    return {
        "name": record.name,
        "creationDate": iso_time(record.created),
        "acl": canned(value, bucket_owner(call.service, record)),
    }


# Any: as above.
async def told_page(call: Call, page: Any) -> Json:
    """A page of keys.

    :param page: a Page.
    """
    lists = await call.service.scan(_lists, call, page)
    query = call.query
    told: dict[str, Json] = {
        "name": call.bucket,
        "prefix": query.get("prefix", ""),
        "delimiter": query.get("delimiter", ""),
        "maxKeys": int(query["max-keys"]),
        "isTruncated": page.truncated,
        "contents": [
            {
                "key": _text(one.key),
                "lastModified": iso_time(one.modified),
                "etag": f'"{one.etag}"',
                "size": one.size,
                "storageClass": one.storage_class or "STANDARD",
                **lists[one.key],
            }
            for one in page.entries
        ],
        "commonPrefixes": [{"prefix": _text(prefix)} for prefix in page.prefixes],
    }
    return {**told, "nextContinuationToken": write_token(page.next_key)} if page.truncated else told


def _lists(call: Call, page: Page) -> dict[bytes, dict[str, str]]:
    """Of each key who may read it, and what says so: the object, or nothing. Blocks."""
    found: dict[bytes, dict[str, str]] = {}
    count = call.record is not None and acls_count(call.service, call.record)
    for one in page.entries:
        value = None
        if count:
            with suppress(Refusal):  # it was removed meanwhile, and nobody may read it
                value = call.service.objects.look(call.bucket, one.key).extra.get(ACL)
        source = "default" if value is None else "object"
        found[one.key] = {"acl": canned(value, one.owner), "aclSource": source}
    return found


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")
