"""Versions whose bytes are compared while they are read: what turns out to be damaged is never read to its end."""

from base64 import b64decode
from collections.abc import Callable

from zope.interface import implementer

from gecko_tw.store.checksums import CRCS, FULL_OBJECT, Digests, raw_digest
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.records import Version
from gecko_tw.store.refusals import ObjectDamaged

CHEAP = CRCS
"""Digests of small objects that cost little beside sending them: docs/integrity.md has the figures."""


def told_by(version: Version) -> tuple[str, bytes] | None:
    """What the bytes of a version as clients read them can be compared with in one pass: an algorithm and its raw digest, or None.

    Encrypted ones are authenticated frame by frame as they are decrypted.
    """
    if "sse" in version.extra:
        return None
    checksum = version.checksum
    if checksum is not None and checksum.kind == FULL_OBJECT:
        return checksum.algorithm, b64decode(checksum.value)
    if len(version.etag) == 32 and not version.etag.strip("0123456789abcdef"):
        return "MD5", bytes.fromhex(version.etag)
    return None


def is_own(told: tuple[str, bytes], data: bytes | bytearray) -> bool:
    """Whether these are all bytes of a version that is told by that."""
    return raw_digest(told[0], data) == told[1]


@implementer(IReading)
class HeldReading:
    """All bytes of a version, in memory."""

    def __init__(self, version: Version, data: bytes | bytearray) -> None:
        self.version, self._data = version, data

    def read(self, offset: int, length: int) -> bytes:
        data = self._data
        if isinstance(data, bytes):  # all of it needs no copy
            return data[offset : offset + length]
        return bytes(memoryview(data)[offset : offset + length])

    def run(self, offset: int) -> None:
        return None

    def ready(self, offset: int, length: int) -> bytes:
        return self.read(offset, length)

    def close(self) -> None:
        """Nothing is held open."""


@implementer(IReading)
class VerifiedReading:
    """A version that is read once from its beginning to its end, and compared on the way: its last bytes come only if all are its own.

    :param told: as :func:`told_by`; None where the reading itself tells, as of encrypted versions.
    :param damaged: called, where reading may block, when they are not.
    """

    def __init__(self, reading: IReading, told: tuple[str, bytes] | None, damaged: Callable[[], object]) -> None:
        self.version: Version = reading.version
        self._reading, self._told, self._damaged = reading, told, damaged
        self._digest = None if told is None else Digests((told[0],))
        self._at = 0

    def read(self, offset: int, length: int) -> bytes:
        """As IReading. Raises ObjectDamaged."""
        try:
            data = self._reading.read(offset, length)
        except ObjectDamaged:
            self._damaged()
            raise
        if self._digest is not None and self._told is not None:
            if offset != self._at:
                raise ValueError(f"bytes from {self._at} on come next, not from {offset}")
            self._digest.update(data)
            self._at += len(data)
            if self._at == self.version.size and self._digest.raw(self._told[0]) != self._told[1]:
                self._damaged()
                raise ObjectDamaged
        return data

    def run(self, offset: int) -> None:
        """None: every byte passes by here."""
        return

    def ready(self, offset: int, length: int) -> None:
        """None, likewise."""
        return

    def close(self) -> None:
        self._reading.close()
