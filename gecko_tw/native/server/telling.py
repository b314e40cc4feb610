"""What operations tell, as the metadata of frames: records, pages and refusals. Pure."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from heapq import merge
from uuid import NAMESPACE_URL, uuid5

from gecko_tw.callers.access.acl import grants_of, is_public
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.native import frames
from gecko_tw.native.frames import Malformed, boolean, count, i32, i64, mapping, string, strings
from gecko_tw.resources.answers.answer import STATUS
from gecko_tw.resources.answers.refusals import InternalError
from gecko_tw.resources.bodies.streams import TOLD_CHECKSUM
from gecko_tw.resources.gates.access_settings import ACL, POLICY, acls_count, bucket_owner, policy_of
from gecko_tw.resources.headers.objects import DEFAULT_TYPE
from gecko_tw.resources.service import Service
from gecko_tw.store.records import BucketRecord, Checksum, Part, Upload, Version
from gecko_tw.store.refusals import BucketAlreadyOwnedByYou, InvalidRequest, Refusal, SlowDown
from gecko_tw.store.requests import Listed, Page

MOST_BUCKETS = 10_000

_MESSAGES = {
    "AccessDenied": "access denied",
    "BucketAlreadyExists": "bucket already exists",
    "BucketNotEmpty": "bucket is not empty",
    "InvalidBucketName": "invalid bucket name",
    "NoSuchBucket": "bucket not found",
    "NoSuchKey": "object not found",
    "NoSuchUpload": "upload not found",
    "RateLimitExceeded": "rate limit exceeded",
}
"""How clients of this protocol know these; whatever else there is has S3's own message."""

_STATUSES = {403: frames.FORBIDDEN, 404: frames.NOT_FOUND, 409: frames.CONFLICT}
_LONGEST_MESSAGE = 1024
_ROOM = frames.MAX_META - 4096
"""Bytes that the entries of a page may have: how it ends needs some, too."""


def error(status: int, code: str, message: str) -> tuple[int, bytes]:
    """Status and metadata of an error."""
    return status, string(message[:_LONGEST_MESSAGE]) + string(code)


def refused(refusal: Refusal) -> tuple[int, bytes]:
    """Status and metadata of a refusal."""
    code, status = refusal.code, STATUS[refusal.code]
    if isinstance(refusal, SlowDown):
        return error(frames.BAD_REQUEST, "RateLimitExceeded", _MESSAGES["RateLimitExceeded"])
    if isinstance(refusal, BucketAlreadyOwnedByYou):
        code = "BucketAlreadyExists"
    of_others = frames.INTERNAL if status >= 500 and status != 501 else frames.BAD_REQUEST
    plain = code not in _MESSAGES or (type(refusal) is AccessDenied and refusal.message != "Access Denied")
    return error(_STATUSES.get(status, of_others), code, refusal.message if plain else _MESSAGES[code])


def told(service: Service, operation: int, status: int, about: object | None) -> tuple[int, bytes]:
    """Status and metadata of a reply.

    :param status: that of HTTP.
    :param about: what the answer tells of.
    """
    try:
        if isinstance(about, Refusal):
            return refused(about)
        if status >= 300:
            return refused(InternalError())
        if isinstance(about, BucketRecord):
            return frames.OK, bucket_info(service, about) if operation != frames.LIST_BUCKETS else b""
        tell = _TELL.get(operation)
        return frames.OK, b"" if tell is None else tell(about)
    except Malformed as unsayable:
        return refused(InvalidRequest(f"This protocol has no frame for it: {unsayable}"))


def bucket_info(service: Service, record: BucketRecord) -> bytes:
    """A bucket. Its id tells it from others that had its name before."""
    number = str(uuid5(NAMESPACE_URL, f"{record.name}/{record.created}"))
    visibility = "public-read" if _is_public(service, record) else "private"
    return string(number) + string(record.name) + string(_time(record.created)) + string(visibility)


def _is_public(service: Service, record: BucketRecord) -> bool:
    """Whether the bucket's policy or its list grants something to everybody."""
    text = record.settings.get(POLICY)
    if text is not None and policy_of(text, record.name)[1]:
        return True
    grants = grants_of(record.settings.get(ACL), bucket_owner(service, record))
    return acls_count(service, record) and is_public(grants)


def object_info(version: Version) -> bytes:
    """An object."""
    kind = version.headers.get("content-type", "") or DEFAULT_TYPE.decode("ascii")
    return (
        string(kind)
        + i64(version.size)
        + string(version.etag)
        + string(_sha256(version.checksum))
        + string(_time(version.modified))
        + mapping(version.metadata)
    )


def _written(version: Version) -> bytes:
    return string(version.etag) + string(_sha256(version.checksum))


def _completed(version: Version) -> bytes:
    return _written(version) + i64(version.size)


def _part(part: Part) -> bytes:
    return string(part.etag) + string(_sha256(part.checksum))


def _upload(upload: Upload) -> bytes:
    return string(upload.id)


def _buckets(found: Sequence[BucketRecord]) -> bytes:
    """Raises Malformed when they are more than are looked for: there is no second page."""
    if len(found) > MOST_BUCKETS:
        raise Malformed(f"more than {MOST_BUCKETS} buckets")
    return count(len(found)) + b"".join([string(record.name) + string(_time(record.created)) for record in found])


def _parts(found: Sequence[Part]) -> bytes:
    """All of them: there is no second page. Where checksums have no room they are left out."""
    whole = _part_lines(found, _sha256)
    return whole if len(whole) <= frames.MAX_META else _part_lines(found, lambda _: "")


def _part_lines(found: Sequence[Part], sha256: Callable[[Checksum | None], str]) -> bytes:
    lines = [i32(part.number) + i64(part.size) + string(part.etag) + string(sha256(part.checksum)) for part in found]
    return count(len(found)) + b"".join(lines)


def _page(page: Page) -> bytes:
    """As much of a page as a frame holds; the next one begins behind that."""
    # Entries and prefixes in the one order that both have, so that a page can end anywhere.
    each = merge(
        ((entry.key, entry) for entry in page.entries),
        ((prefix, None) for prefix in page.prefixes),
        key=lambda one: one[0],
    )
    lines: list[bytes] = []
    prefixes: list[bytes] = []
    room, last, truncated = _ROOM, page.next_key, page.truncated
    shown = b""
    for name, entry in each:
        line = string(name) if entry is None else _entry(entry)
        room -= len(line)
        if room < 0:
            last, truncated = shown, True
            break
        shown = name
        if entry is None:
            prefixes.append(name)
        else:
            lines.append(line)
    head = count(len(lines)) + b"".join(lines)
    return head + strings(prefixes) + boolean(truncated) + string(last if truncated else shown)


def _entry(entry: Listed) -> bytes:
    checksum = None if entry.checksum is None else Checksum.read(entry.checksum)
    # Listings do not know types: whoever needs one asks for the object.
    described = string(_sha256(checksum)) + string(_time(entry.modified)) + string("")
    return string(entry.key) + i64(entry.size) + string(entry.etag or "") + described


def _sha256(checksum: Checksum | None) -> str:
    """The SHA-256 of all the bytes in hexadecimal digits, or empty: another one was kept, or one of parts."""
    if checksum is None or checksum.algorithm != TOLD_CHECKSUM or "-" in checksum.value:
        return ""
    return b64decode(checksum.value).hex()


def _time(nanoseconds: int) -> str:
    """RFC 3339, in whole seconds."""
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# What each operation's answer is about is known by who answers it: the families.
_TELL: dict[int, Callable[..., bytes]] = {
    frames.LIST_BUCKETS: _buckets,
    frames.PUT_OBJECT: _written,
    frames.HEAD_OBJECT: object_info,
    frames.LIST_OBJECTS: _page,
    frames.CREATE_UPLOAD: _upload,
    frames.UPLOAD_PART: _part,
    frames.COMPLETE_UPLOAD: _completed,
    frames.LIST_PARTS: _parts,
}
