"""DeleteObjects: up to a thousand keys in one request."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from attrs import evolve, frozen

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.pools import RunBatch, all_of
from gecko_tw.resources.access_logs.server_log import has_log, touch_deleted
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MalformedXML, MissingRequestBodyError
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, ITSELF, POST, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, texts
from gecko_tw.resources.gates.bypass import refuse_bypass, wants_bypass
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.gates.permits import may_remove
from gecko_tw.resources.headers.conditions import bare_etag, http_seconds
from gecko_tw.store.refusals import NoSuchVersion, Refusal
from gecko_tw.store.requests import Remove, Removed, WriteConditions
from gecko_tw.store.version_ids import is_version_id

MAX_OBJECTS = 1000

_LIMIT = 6 * 1024 * 1024
"""Bytes of the document: a thousand keys of 1024 bytes, every character escaped."""


@frozen
class Wanted:
    """One key to delete, and how."""

    key: str
    request: Remove


@operation(
    "DeleteObjects",
    POST,
    BUCKET,
    "delete",
    needs="s3:DeleteObject",
    body=Document(_LIMIT, vouched=True),
    decides=ITSELF,
)
async def delete_objects(call: Call, document: bytes) -> Answer:
    """Deletes each key by itself and tells of each what became of it. Source: S3 API Reference, DeleteObjects."""
    service = call.service
    if not document:
        raise MissingRequestBodyError
    await service.read(service.buckets.get, call.bucket)
    quiet, wanted = read_wanted(document, service.now(), call.owner)
    if any(one.request.version_id is None for one in wanted):
        refuse_bypass(call)  # who names every version may say so anywhere: what empties buckets of all kinds does
    bypass, objects = wants_bypass(call), objects_for(call, "ObjectRemoved:Delete")

    def remove(bucket: str, key: bytes, request: Remove) -> Removed:
        if not may_remove(call, key, request.version_id):
            raise AccessDenied
        if bypass and may_remove(call, key, request.version_id, bypass=True):
            request = evolve(request, bypass=True)
        return objects.remove(bucket, key, request)

    lines = await service.write(_delete_all, service.objects.catalog.together, remove, call.bucket, wanted)
    if has_log(call.record):
        touch_deleted(
            call, [(one.key, one.request.version_id, code) for one, (_, code) in zip(wanted, lines, strict=True)]
        )
    told = [line for line, code in lines if code or not quiet]
    return xml(markup.document("DeleteResult", "".join(told)))


def read_wanted(document: bytes, now: int, owner: str) -> tuple[bool, list[Wanted]]:
    """Whether successes are not to be told, and the keys. Raises MalformedXML."""
    root = markup.read(document, "Delete").only(("Quiet", "Object"))
    wanted = [_read_object(child, now, owner) for child in root.all("Object")]
    if not 1 <= len(wanted) <= MAX_OBJECTS:
        raise MalformedXML
    return (root.get("Quiet") or "").strip().lower() == "true", wanted


def _read_object(node: Element, now: int, owner: str) -> Wanted:
    etag, size, modified = node.get("ETag"), node.get("Size"), node.get("LastModifiedTime")
    if size is not None and not (size.isascii() and size.isdecimal() and len(size) <= 18):
        raise MalformedXML
    conditions = WriteConditions(
        if_match=None if etag is None else bare_etag(etag),
        if_size=None if size is None else int(size),
        if_modified=None if modified is None else _seconds(modified),
    )
    request = Remove(now=now, version_id=node.get("VersionId") or None, conditions=conditions, owner=owner)
    return Wanted(node.need("Key"), request)


def _seconds(text: str) -> int:
    """Seconds since 1970 of an HTTP date or an ISO 8601 time; SDKs send either. Raises MalformedXML."""
    seconds = http_seconds(text)
    if seconds is not None:
        return seconds
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise MalformedXML from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _delete_all(
    together: RunBatch, remove: Callable[[str, bytes, Remove], Removed], bucket: str, wanted: list[Wanted]
) -> list[tuple[str, str]]:
    """What became of each: its element, and the code of its error or nothing. Runs in a thread."""
    # What is asked of one key is done in its order, and its file, if somebody has changed it, is looked at once.
    of_key: dict[str, list[Wanted]] = {}
    for one in wanted:
        of_key.setdefault(one.key, []).append(one)

    def delete(some: list[Wanted]) -> Iterator[tuple[str, str]]:
        return iter([_delete(remove, bucket, one) for one in some])

    found = dict(zip(of_key, all_of([partial(delete, some) for some in of_key.values()], together), strict=True))
    return [next(found[one.key]) for one in wanted]


def _delete(remove: Callable[[str, bytes, Remove], Removed], bucket: str, one: Wanted) -> tuple[str, str]:
    version_id = one.request.version_id
    named = {"Key": one.key, "VersionId": version_id}
    try:
        if version_id is not None and not is_version_id(version_id):
            raise NoSuchVersion
        removed = remove(bucket, one.key.encode(), one.request)
    except Refusal as refusal:
        return element("Error", texts({**named, "Code": refusal.code, "Message": refusal.message})), refusal.code
    return element("Deleted", texts({**named, **_marker(one, removed)})), ""


def _marker(one: Wanted, removed: Removed) -> dict[str, object]:
    """What is told when a delete marker was made, or removed."""
    if not removed.marker:
        return {}
    return {"DeleteMarker": True, "DeleteMarkerVersionId": removed.version_id}
