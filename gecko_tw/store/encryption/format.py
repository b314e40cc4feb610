"""The format of encrypted blobs: how long they are, and what tells without a key whether one is whole.

A blob is a head of 33 bytes (format, salt) and frames, each 16 bytes longer than its plaintext. Behind the frames, a blob of format 2 has
the CRC64NVME of all that stands before.
"""

from collections.abc import Callable, Mapping

from gecko_tw.store.checksums import SIZES, Digests
from gecko_tw.store.records import Json

FRAME = 64 * 1024
"""Plaintext bytes of every frame but the last."""

TAG = 16
HEAD = 33

UNCHECKED, CHECKED = 1, 2
"""The formats of a blob: without a checksum of what is stored, and with one."""

CHECKSUM = "CRC64NVME"


def form_of(record: Mapping[str, Json]) -> int:
    """The format of an encrypted version's or upload's blobs, from its ``extra["sse"]``."""
    form: int = record.get("format", UNCHECKED)
    return form


def sealed_size(size: int, form: int) -> int:
    """How many bytes a blob of a format has whose plaintext has ``size`` bytes."""
    return HEAD + size + TAG * frames(size) + (SIZES[CHECKSUM] if form == CHECKED else 0)


def is_intact(read: Callable[[int, int], bytes | memoryview], start: int, size: int) -> bool:
    """Whether the blob of format 2 that begins at ``start`` is what was written, as far as one without its key can tell.

    :param read: ``read(offset, length)`` gives stored bytes, fewer only at their end.
    :param size: the plaintext's length in bytes.
    """
    digest, end = Digests((CHECKSUM,)), start + sealed_size(size, UNCHECKED)
    while start < end and (data := read(start, min(FRAME * 16, end - start))):
        digest.update(data)
        start += len(data)
    return start == end and read(end, SIZES[CHECKSUM]) == digest.raw(CHECKSUM)


def frames(size: int) -> int:
    """How many frames a blob has whose plaintext has ``size`` bytes."""
    return max(1, -(-size // FRAME))
