"""Whether bytes are those that a record was made for: by its checksum, else by its ETag."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from gecko_tw.store.checksums import FULL_OBJECT, Digests, composite, composite_etag
from gecko_tw.store.encryption.format import CHECKED, UNCHECKED, form_of, is_intact, sealed_size
from gecko_tw.store.records import Checksum, Part, Version

PIECE = 1024 * 1024

Read = Callable[[int, int], bytes | memoryview]
"""``read(offset, length)`` returns bytes of an object, perhaps fewer, none behind its end; a memoryview's change with the next call."""


def is_whole(record: Version | Part, read: Read) -> bool | None:
    """Whether the bytes of a version or a part are whole and its own; None when nothing in the record tells.

    Objects of ``--metadata=false`` that no client claimed a checksum for have none, and neither have encrypted blobs of format 1.
    """
    if isinstance(record, Part):
        if record.stored is None:
            return _is(record.etag, record, read)
        form = CHECKED if record.stored == sealed_size(record.size, CHECKED) else UNCHECKED
        return _is_sealed([record.size], form, read)
    if "sse" in record.extra:
        sizes = [part.size for part in record.parts] or [record.size]
        return _is_sealed(sizes, form_of(record.extra["sse"]), read)
    if record.checksum is not None and record.checksum.kind == FULL_OBJECT:
        raw = _digest(record.checksum.algorithm, read, 0, record.size)
        return raw is not None and b64encode(raw).decode() == record.checksum.value
    if record.checksum is not None and record.parts:
        return _is_composite(record, record.checksum, read)
    return _is(record.etag, record, read)


def _is_composite(record: Version, checksum: Checksum, read: Read) -> bool:
    """Compares with the checksum that was made of those of the parts."""
    raws = list(_digests_of_parts(checksum.algorithm, record, read))
    return len(raws) == len(record.parts) and composite(checksum.algorithm, raws) == checksum.value


def _digests_of_parts(algorithm: str, record: Version, read: Read) -> Iterator[bytes]:
    """The raw digest of each part, until one is short."""
    offset = 0
    for part in record.parts:
        raw = _digest(algorithm, read, offset, part.size)
        if raw is None:
            return
        yield raw
        offset += part.size


def _is_sealed(sizes: Sequence[int], form: int, read: Read) -> bool | None:
    """Looks at the encrypted blobs of parts that have these sizes and lie one behind the other."""
    if form != CHECKED:
        return None
    starts = accumulate((sealed_size(size, form) for size in sizes), initial=0)
    return all(is_intact(read, start, size) for start, size in zip(starts, sizes, strict=False))


def _is(etag: str, record: Version | Part, read: Read) -> bool | None:
    """Compares with the MD5 of all bytes, or with that of the MD5s of the parts (Amazon S3 API, "Object", ETag).

    The second says nothing where it differs: parts that nobody hashed, as with ``--metadata=false``, have an ETag, too.
    """
    if len(etag) == 32 and not etag.strip("0123456789abcdef"):
        raw = _digest("MD5", read, 0, record.size)
        return raw is not None and raw.hex() == etag
    parts = record.parts if isinstance(record, Version) else ()
    if not isinstance(record, Version) or not parts or not etag.endswith(f"-{len(parts)}"):
        return None
    raws = list(_digests_of_parts("MD5", record, read))
    if len(raws) < len(parts):
        return False
    return composite_etag([raw.hex() for raw in raws]) == etag or None


def _digest(algorithm: str, read: Read, offset: int, length: int) -> bytes | None:
    """The raw digest, or None when bytes are missing."""
    digest = Digests((algorithm,))
    return digest.raw(algorithm) if _fed(digest, _pieces(read, offset, length)) == length else None


def _pieces(read: Read, offset: int, length: int) -> Iterator[bytes | memoryview]:
    end = offset + length
    while offset < end and (data := read(offset, min(PIECE, end - offset))):
        yield data
        offset += len(data)


def _fed(digest: Digests, pieces: Iterable[bytes | memoryview]) -> int:
    size = 0
    for data in pieces:
        digest.update(data)
        size += len(data)
    return size
