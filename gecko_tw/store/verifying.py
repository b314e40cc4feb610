"""Whether bytes are those that a record was made for: by its checksum, else by its ETag."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from gecko_tw.store.checksums import FULL_OBJECT, Digests, composite_etag
from gecko_tw.store.encryption.format import CHECKED, UNCHECKED, form_of, is_intact, sealed_size
from gecko_tw.store.records import Part, Version

PIECE = 1024 * 1024

Read = Callable[[int, int], bytes]
"""``read(offset, length)`` returns bytes of an object, fewer only at its end or where one of its blobs ends, none behind its end."""


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
        digest = Digests((record.checksum.algorithm,))
        size = _fed(digest, _pieces(read, 0, record.size))
        return size == record.size and digest.value(record.checksum.algorithm) == record.checksum.value
    return _is(record.etag, record, read)


def _is_sealed(sizes: Sequence[int], form: int, read: Read) -> bool | None:
    """Looks at the encrypted blobs of parts that have these sizes and lie one behind the other."""
    if form != CHECKED:
        return None
    starts = accumulate((sealed_size(size, form) for size in sizes), initial=0)
    return all(is_intact(read, start, size) for start, size in zip(starts, sizes, strict=False))


def _is(etag: str, record: Version | Part, read: Read) -> bool | None:
    """Compares with the MD5 of all bytes, or with that of the MD5s of the parts (Amazon S3 API, "Object", ETag)."""
    if len(etag) == 32 and not etag.strip("0123456789abcdef"):
        return _md5(read, 0, record.size) == etag
    parts = record.parts if isinstance(record, Version) else ()
    if not parts or not etag.endswith(f"-{len(parts)}"):
        return None
    offset, digests = 0, []
    for part in parts:
        digests.append(_md5(read, offset, part.size) or "")
        offset += part.size
    return all(digests) and composite_etag(digests) == etag


def _md5(read: Read, offset: int, length: int) -> str | None:
    """The MD5 in hex, or None when bytes are missing."""
    digest = Digests(("MD5",))
    return digest.raw("MD5").hex() if _fed(digest, _pieces(read, offset, length)) == length else None


def _pieces(read: Read, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end and (data := read(offset, min(PIECE, end - offset))):
        yield data
        offset += len(data)


def _fed(digest: Digests, pieces: Iterable[bytes]) -> int:
    size = 0
    for data in pieces:
        digest.update(data)
        size += len(data)
    return size
