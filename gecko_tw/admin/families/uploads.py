"""Multipart uploads under way: how old they are, how much they hold, and aborted."""

from collections.abc import Iterator

from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import answer, listed, members, text, whole
from gecko_tw.resources.documents.markup import iso_time
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import Json, now_of
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload
from gecko_tw.store.requests import Listed, ListRequest

MOST = 1000
_TEXT = {"type": "string"}
UPLOAD = answer(
    bucket=_TEXT, key=_TEXT, upload_id=_TEXT, initiated=_TEXT, age_seconds=whole(), parts=whole(), bytes=whole()
)


@row(
    "ListUploads",
    GET,
    "/uploads",
    needs="admin:ListUploads",
    query=members(bucket=text(63, least=1), limit=whole(1, MOST)),
    answer=answer(uploads=listed(UPLOAD), more={"type": "boolean"}),
)
def list_uploads(asked: Asked) -> Json:
    """Multipart uploads under way, of all buckets or of one."""
    limit = int(asked.query.get("limit", 100))
    found: list[dict[str, Json]] = []
    for bucket, entry in _unfinished(asked):
        if len(found) == limit:
            return {"uploads": found, "more": True}
        found.append(_upload(asked, bucket, entry))
    return {"uploads": found, "more": False}


def _unfinished(asked: Asked) -> Iterator[tuple[str, Listed]]:
    if "bucket" in asked.query:
        yield from _in(asked, asked.ground.store.buckets.get(asked.query["bucket"]).name)
        return
    after = ""
    while records := asked.ground.store.buckets.page("", after, MOST):
        after = records[-1].name
        for record in records:
            yield from _in(asked, record.name)


def _in(asked: Asked, bucket: str) -> Iterator[tuple[str, Listed]]:
    request = ListRequest(limit=MOST)
    while True:
        try:
            page = reconciled(asked.ground.store.uploads.page, bucket, request)
        except NoSuchBucket:
            return  # removed meanwhile
        yield from ((bucket, entry) for entry in page.entries)
        if not page.truncated:
            return
        request = ListRequest(limit=MOST, after=page.next_key, after_id=page.next_id)


def _upload(asked: Asked, bucket: str, entry: Listed) -> dict[str, Json]:
    try:
        parts = asked.ground.store.uploads.parts(bucket, entry.key, entry.id)
    except (NoSuchBucket, NoSuchUpload):
        parts = []  # ended meanwhile
    age = now_of(asked.ground.clock()) - entry.modified
    return {
        "bucket": bucket,
        "key": entry.key.decode("utf-8", "replace"),
        "upload_id": entry.id,
        "initiated": iso_time(entry.modified),
        "age_seconds": max(0, age // 1_000_000_000),
        "parts": len(parts),
        "bytes": sum(part.size for part in parts),
    }


@row(
    "AbortUpload",
    DELETE,
    "/uploads/{bucket}/{upload}",
    needs="admin:AbortUpload",
    query=members(["key"], key=text(1024, least=1)),
)
def abort_upload(asked: Asked) -> Json:
    """Aborts an upload and forgets its parts."""
    uploads, bucket = asked.ground.store.uploads, asked.ground.store.buckets.get(asked.path["bucket"]).name
    uploads.abort(bucket, asked.query["key"].encode(), asked.path["upload"])
