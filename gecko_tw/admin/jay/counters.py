"""Jay's counters, told from those of all processes since the start."""

from collections.abc import Iterable

from gecko_tw.admin.rows import GET, Asked, row
from gecko_tw.admin.schemas import answer, whole
from gecko_tw.metrics.counters import Row
from gecko_tw.resources.gates.logins import FAILURES
from gecko_tw.store.integrity.figures import figures
from gecko_tw.store.records import Json

_DONE = {
    "put_object_total": ("PutObject", "CopyObject", "PostObject"),
    "get_object_total": ("GetObject",),
    "delete_object_total": ("DeleteObject",),
    "head_object_total": ("HeadObject",),
    "list_objects_total": ("ListObjects", "ListObjectsV2"),
    "create_bucket_total": ("CreateBucket",),
    "delete_bucket_total": ("DeleteBucket",),
}
_OTHERS = (
    "auth_failures checksum_failures fsync_failures objects_quarantined bytes_uploaded bytes_downloaded uptime_seconds"
)
_UPLOADS = ("PutObject", "PostObject", "UploadPart")

_UNAUTHORIZED = {"AccessDenied", "InvalidClientTokenId"} | {failure(None).code for failure in FAILURES}
"""Codes of whoever did not prove who asks, or may not do that."""


@row(
    "JayMetrics",
    GET,
    "/metrics",
    needs=None,
    answer=answer(**dict.fromkeys((*_DONE, *_OTHERS.split()), whole())),
)
def metrics(asked: Asked) -> Json:
    """What was done and refused by all processes since the start, and the bodies' bytes."""
    live, now = asked.ground.live, asked.ground.clock()
    rows = {one.operation: one for one in live.counters.rows()}
    refusals = live.counters.refusals()
    kept = figures(asked.ground.store.quarantine)
    return {
        "uptime_seconds": max(0, int(now - live.started)),
        **{name: _succeeded(rows[one] for one in operations if one in rows) for name, operations in _DONE.items()},
        "auth_failures": int(sum(number for code, number in refusals.items() if code in _UNAUTHORIZED)),
        "checksum_failures": int(kept["scrub_damaged_versions"][1] + refusals.get("ObjectDamaged", 0)),
        "fsync_failures": 0,  # whoever cannot put a commit on the disk answers 500: there it is counted
        "objects_quarantined": int(kept["quarantined_versions"][1]),
        "bytes_uploaded": int(sum(rows[one].received.total for one in _UPLOADS if one in rows)),
        "bytes_downloaded": int(rows["GetObject"].sent.total) if "GetObject" in rows else 0,
    }


def _succeeded(rows: Iterable[Row]) -> int:
    """How many requests were answered well."""
    return int(sum(number for one in rows for status, number in one.statuses.items() if status[0] in "23"))
