"""The description of a plain object in at most 64 bytes, so that it fits into the file's inode.

A longer attribute costs ext4 a block of its own: 4 KiB for each object, and ten times the time to write it.
"""

import struct
from binascii import a2b_base64, b2a_base64

from gecko_tw.store.drivers.files.attributes import Description
from gecko_tw.store.records import NULL, Checksum, Version

LONGEST = 64
_MARK = 1
_HEAD = struct.Struct("<BBQQ16s")  # mark, checksum algorithm, modified, size, MD5
_ALGORITHMS = ("", "CRC64NVME", "CRC32", "CRC32C", "XXHASH64", "XXHASH3")
_LENGTHS = (0, 8, 4, 4, 8, 8)


def pack(description: Description) -> bytes | None:
    """The description in short, or None when it says more than fits. Bucket and key are left out: the path says them."""
    record = description.record
    if not isinstance(record, Version) or not _is_plain(record, description):
        return None
    checksum = _packed_checksum(record.checksum)
    if checksum is None:
        return None
    try:
        head = _HEAD.pack(_MARK, checksum[0], record.modified, record.size, bytes.fromhex(record.etag))
        tail = f"{record.owner}\0{record.headers.get('content-type', '')}".encode("latin-1")
    except (struct.error, UnicodeEncodeError):
        return None
    packed = head + checksum[1] + tail
    return packed if len(packed) <= LONGEST else None


def _is_plain(record: Version, description: Description) -> bool:
    if (
        description.mtime not in (None, record.modified)
        or description.kept
        or description.spans
        or description.replaces
    ):
        return False
    if record.metadata or record.tags or record.parts or record.extra or record.upload or record.version_id != NULL:
        return False
    if record.headers and (len(record.headers) > 1 or not record.headers.get("content-type")):
        return False
    return _is_md5(record.etag) and "\0" not in record.owner


def _is_md5(etag: str) -> bool:
    return len(etag) == 32 and not etag.strip("0123456789abcdef")


def _packed_checksum(checksum: Checksum | None) -> tuple[int, bytes] | None:
    if checksum is None:
        return 0, b""
    if checksum.kind != "FULL_OBJECT" or checksum.algorithm not in _ALGORITHMS:
        return None
    number = _ALGORITHMS.index(checksum.algorithm)
    try:
        digest = a2b_base64(checksum.value)
    except ValueError:
        return None
    if len(digest) != _LENGTHS[number] or _text(digest) != checksum.value:
        return None
    return number, digest


def _text(digest: bytes) -> str:
    return b2a_base64(digest, newline=False).decode("ascii")


def unpack(packed: bytes) -> Description | None:
    """The reverse of :func:`pack`; None for what is none of ours."""
    if len(packed) < _HEAD.size or packed[0] != _MARK or packed[1] >= len(_ALGORITHMS):
        return None
    _, number, modified, size, digest = _HEAD.unpack_from(packed)
    end = _HEAD.size + _LENGTHS[number]
    owner, found, content_type = packed[end:].decode("latin-1").partition("\0")
    if not found:
        return None
    checksum = Checksum(_ALGORITHMS[number], _text(packed[_HEAD.size : end])) if number else None
    headers = {"content-type": content_type} if content_type else {}
    version = Version(etag=digest.hex(), size=size, modified=modified, owner=owner, headers=headers, checksum=checksum)
    return Description(bucket="", key=b"", record=version)
