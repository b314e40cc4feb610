"""The quarantine: what is in it, looked at again, and removed. Buckets have no ids here but their names."""

from base64 import b64decode
from collections.abc import Iterator

from gecko_tw.admin.rows import DELETE, GET, NOTHING, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, answer, listed, maybe, members, named, one_of, text, whole
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.integrity.quarantine import Changed, QuarantinedVersion
from gecko_tw.store.records import Checksum, Json, Version, now_of
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, ObjectLocked

_TEXT = {"type": "string"}
HELD = answer(
    bucket_id=_TEXT,
    bucket_name=_TEXT,
    key=_TEXT,
    object_id=_TEXT,
    size_bytes=whole(),
    expected_checksum=_TEXT,
    location_ref=_TEXT,
)
_ONE = {"bucket_id": text(63), "key": text(1024), "object_id": text(256, least=1)}


@row("JayListQuarantine", GET, "/quarantine", needs=None, answer=maybe(listed(HELD)))
def list_quarantine(asked: Asked) -> Json:
    """The versions in quarantine."""
    return [_told(one) for one in asked.ground.store.quarantine.held()] or None


def _told(one: QuarantinedVersion) -> dict[str, Json]:
    version = one.version
    return {
        "bucket_id": one.bucket,
        "bucket_name": one.bucket,
        "key": one.key.decode("utf-8", "backslashreplace"),
        "object_id": version.version_id,
        "size_bytes": version.size,
        "expected_checksum": _checksum(version),
        "location_ref": ",".join(span.blob for span in version.spans),
    }


def _checksum(version: Version) -> str:
    """What tells whether the bytes are whole: a SHA-256 in hex as Jay has it; else the name of what there is, and that."""
    found: Checksum | None = version.checksum
    if found is None:
        return f"ETag {version.etag}"
    if found.algorithm == "SHA256" and found.kind == "FULL_OBJECT":
        return b64decode(found.value).hex()
    return found.text


def _named(asked: Asked) -> Iterator[QuarantinedVersion]:
    """The versions that a body names: all of a key, or the one of ``object_id``. Raises InvalidArgument, InvalidRequest."""
    bucket, key, version = (asked.given(name, "") for name in ("bucket_id", "key", "object_id"))
    if not bucket or not key:
        raise InvalidArgument("bucket_id and key are required")
    found = [
        one
        for one in asked.ground.store.quarantine.held(bucket)
        if one.key == key.encode() and version in ("", one.version.version_id)
    ]
    if not found:
        raise InvalidRequest("this object is not in quarantine")
    return iter(found)


@row(
    "JayRevalidate",
    POST,
    "/quarantine/revalidate",
    needs=None,
    body=members(**_ONE),
    answer=answer(restored=BOOLEAN),
)
def revalidate(asked: Asked) -> Json:
    """Reads a key's versions in quarantine again, and serves again what is whole; `restored` when all are."""
    quarantine, now = asked.ground.store.quarantine, now_of(asked.ground.clock())
    found = [
        quarantine.revalidate(one.bucket, one.key, one.version.version_id, now) for one in _named(asked)
    ]  # fmt: skip
    return {"restored": all(found)}


@row(
    "JayPurgeQuarantine",
    DELETE,
    "/quarantine",
    needs=None,
    body=members(mode=one_of("", "all"), **_ONE),
    answer=named(whole()),
)
def purge(asked: Asked) -> Json:
    """Removes a key's versions in quarantine for good, or with the mode `all` every one that no lock holds."""
    quarantine, now = asked.ground.store.quarantine, now_of(asked.ground.clock())
    if asked.given("bucket_id") and asked.given("key"):
        for one in _named(asked):
            quarantine.purge(one.bucket, one.key, one.version.version_id, now)
        return NOTHING
    if asked.given("mode") != "all" or asked.given("bucket_id") or asked.given("key"):
        raise InvalidArgument("specify bucket_id+key for single purge, or mode=all for purge all")
    done = 0
    for one in list(quarantine.held()):
        try:
            quarantine.purge(one.bucket, one.key, one.version.version_id, now)
            done += 1
        except (ObjectLocked, Changed, InvalidRequest):
            continue  # it stays, or somebody else was quicker
    return {"purged": done}
