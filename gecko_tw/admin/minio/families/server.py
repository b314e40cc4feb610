"""The server itself, as far as MinIO's words fit: one node with one drive."""

from collections.abc import Iterator

from gecko_tw.admin.families.buckets import list_buckets
from gecko_tw.admin.families.server import disk, server_info
from gecko_tw.admin.minio.rows import V3, Question, minio
from gecko_tw.callers.accounts.changes import time_text
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.dispatch.operations import GET, POST
from gecko_tw.store.records import Json

ONLINE, OK = "online", "ok"
BACKEND = "FS"
"""What stores objects as files."""


def buckets_of(question: Question) -> Iterator[Json]:
    """All buckets with what they hold, as the admin API tells them."""
    after = ""
    while True:
        page = question.ask(list_buckets, query={"after": after})
        yield from page["buckets"]
        if page["next"] is None:
            return
        after = page["next"]


def totals_of(found: list[Json]) -> dict[str, int]:
    """What buckets hold together; nothing where nobody counts."""
    used = [one["used"] for one in found if one["used"] is not None]
    return {name: sum(one[name] for one in used) for name in ("bytes", "objects")}


def _sizes(question: Question) -> tuple[int, int]:
    """Bytes of the disk, and how many of them are free."""
    found = question.ask(disk)
    return int(found["disk_size_bytes"]["value"]), int(found["disk_free_bytes"]["value"])


def _host(question: Question) -> str:
    return question.call.header(b"host") or ""


def _drive(question: Question) -> dict[str, Json]:
    total, free = _sizes(question)
    return {
        "endpoint": str(question.ground.settings.data_dir),
        "path": str(question.ground.settings.data_dir),
        "state": OK,
        "totalspace": total,
        "availspace": free,
        "usedspace": max(0, total - free),
        "local": True,
        "pool_index": -1,
        "set_index": -1,
        "disk_index": -1,
    }


@minio("InfoMessage", GET, V3 + "info", "metrics", needs="admin:ServerInfo")
def info(question: Question) -> Json:
    """Version, uptime, buckets, objects, room on the disk."""
    told, buckets = question.ask(server_info), list(buckets_of(question))
    used, host = totals_of(buckets), _host(question)
    server = {
        "state": ONLINE,
        "endpoint": host,
        "scheme": "https" if question.call.secure else "http",
        "uptime": int(told["uptime_seconds"]),
        "version": told["version"],
        "runtime_version": f"Python {told['python']}",
        "network": {host: ONLINE},
        "drives": [_drive(question)],
        "poolNumber": 1,
        "edition": "GeckoS3",
    }
    return {
        "mode": ONLINE,
        "region": told["region"],
        "sqsARN": [_arn(text) for text in question.ground.settings.webhook if text],
        "buckets": {"count": len(buckets)},
        "objects": {"count": used["objects"]},
        "usage": {"size": used["bytes"]},
        "services": {},
        "backend": {"backendType": BACKEND, "onlineDisks": 1},
        "servers": [server],
    }


def _arn(webhook: str) -> str:
    return f"arn:minio:sqs::{webhook.partition('=')[0]}:webhook"


@minio("StorageInfoMessage", GET, V3 + "storageinfo", needs="admin:StorageInfo")
def storage_info(question: Question) -> Json:
    """The one drive, with its room."""
    return {"Disks": [_drive(question)], "Backend": {"Type": 1}}


@minio("DataUsageInfo", GET, V3 + "datausageinfo", "capacity", needs="admin:DataUsageInfo")
def data_usage(question: Question) -> Json:
    """What all buckets hold, which costs no scan."""
    buckets = list(buckets_of(question))
    used, counted = totals_of(buckets), [one for one in buckets if one["used"] is not None]
    usage = {one["bucket"]: {"size": one["used"]["bytes"], "objectsCount": one["used"]["objects"]} for one in counted}
    total, free = _sizes(question)
    return {
        "lastUpdate": time_text(question.ground.clock()),
        "objectsCount": used["objects"],
        "objectsTotalSize": used["bytes"],
        "bucketsCount": len(buckets),
        "bucketsUsageInfo": usage,
        "bucketsSizes": {name: one["size"] for name, one in usage.items()},
        "capacity": total,
        "freeCapacity": free,
        "usedCapacity": max(0, total - free),
    }


@minio(
    "ServiceAction",
    POST,
    V3 + "service",
    "action",
    "dry-run",
    "wait",
    "by-node",
    "type",
    needs="admin:ServiceRestart",
)
def service(question: Question) -> Json:
    """Is refused: what supervises the daemon starts and stops it."""
    raise NotImplemented_("The daemon is started and stopped by what supervises it: systemctl restart, docker restart.")
