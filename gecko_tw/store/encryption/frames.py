"""Encrypted blobs: AES-256-GCM in frames of 64 KiB, so that a range is read without decrypting what stands before it.

Data key, salt and part number make the blob's own key; a frame's nonce is its number and whether it is the last one. So a byte that was
changed, a frame from another place, another blob or another part, and a blob that was cut are all noticed. The format is
:mod:`gecko_tw.store.encryption.format`.
"""

import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from zope.interface import implementer

from gecko_tw.store.checksums import Digests
from gecko_tw.store.drivers.interfaces import IBlobWriter
from gecko_tw.store.encryption.format import CHECKED, CHECKSUM, FRAME, HEAD, TAG, UNCHECKED, frames
from gecko_tw.store.encryption.wrapping import derived
from gecko_tw.store.records import BlobNote
from gecko_tw.store.refusals import ObjectDamaged

_STORED_FRAME = FRAME + TAG


class Tampered(ObjectDamaged):
    """The stored bytes of this object are not those that were stored. Restore it from a copy, or remove it."""

    @property
    def code(self) -> str:
        return ObjectDamaged.__name__


def _blob_key(data_key: bytes, salt: bytes, number: int) -> AESGCM:
    return AESGCM(derived(data_key, b"geckos3 blob", salt, b"%d" % number))


def _nonce(frame: int, last: bool) -> bytes:
    return frame.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


@implementer(IBlobWriter)
class SealingWriter:
    """Encrypts what is written on its way to another IBlobWriter.

    :param number: the number of the part that these bytes are; 0 for a whole object.
    :param form: the blob's format.
    """

    def __init__(self, writer: IBlobWriter, data_key: bytes, number: int = 0, form: int = CHECKED) -> None:
        salt = secrets.token_bytes(HEAD - 1)
        self._writer = writer
        self._cipher = _blob_key(data_key, salt, number)
        self._waiting = bytearray()
        self._frame = 0
        self._head = bytes([form]) + salt
        self._checksum = Digests((CHECKSUM,)) if form == CHECKED else None

    def write(self, data: bytes | memoryview) -> None:
        self._waiting += data
        if len(self._waiting) > FRAME:
            self._emit(False)

    def _emit(self, ending: bool) -> None:
        """Writes every frame that is known not to be the last one; and, when ``ending``, that one too."""
        waiting = bytes(self._waiting)
        pieces, at = [self._head], 0
        while len(waiting) - at > FRAME:
            pieces.append(self._cipher.encrypt(_nonce(self._frame, False), waiting[at : at + FRAME], None))
            self._frame += 1
            at += FRAME
        if ending:
            pieces.append(self._cipher.encrypt(_nonce(self._frame, True), waiting[at:], None))
            at = len(waiting)
        data = b"".join(pieces)
        if self._checksum is not None:
            self._checksum.update(data)
            if ending:
                data += self._checksum.raw(CHECKSUM)
        self._writer.write(data)
        self._head = b""
        del self._waiting[:at]

    def commit(self, note: BlobNote) -> str:
        self._emit(True)
        return self._writer.commit(note)

    def abort(self) -> None:
        self._waiting.clear()
        self._writer.abort()


class SealedBlob:
    """Decrypts one blob.

    :param fetch: ``fetch(offset, length)`` gives stored bytes of the blob, fewer only where it ends.
    :param size: the plaintext's length in bytes.
    :param number: as in SealingWriter.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], data_key: bytes, size: int, number: int = 0) -> None:
        self._fetch = fetch
        self._size = size
        self._last = frames(size) - 1
        head = fetch(0, HEAD)
        if len(head) != HEAD or head[0] not in (UNCHECKED, CHECKED):
            raise Tampered
        self._cipher = _blob_key(data_key, head[1:], number)

    def read(self, offset: int, length: int) -> bytes:
        """Plaintext; fewer bytes than asked for at the end of the last frame that they touch, or at the end.

        :raises Tampered: the stored bytes are not what was written.
        """
        end = min(offset + length, self._size)
        if offset >= end and self._size:
            return b""
        first, last = offset // FRAME, max(end - 1, 0) // FRAME
        if last > first and end < self._size and end % FRAME:
            last -= 1  # whoever reads on begins with a whole frame
            end = (last + 1) * FRAME
        stored = self._fetch(HEAD + first * _STORED_FRAME, self._stored_end(last) - first * _STORED_FRAME)
        plain = b"".join(self._open(number, stored[at : at + _STORED_FRAME]) for number, at in _cuts(first, last))
        return plain[offset - first * FRAME : end - first * FRAME]

    def _stored_end(self, frame: int) -> int:
        """Where a frame ends, behind the head."""
        return self._size + TAG * (frame + 1) if frame == self._last else (frame + 1) * _STORED_FRAME

    def _open(self, frame: int, stored: bytes) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(frame, frame == self._last), stored, None)
        except (InvalidTag, ValueError):
            raise Tampered from None


def _cuts(first: int, last: int) -> list[tuple[int, int]]:
    return [(frame, (frame - first) * _STORED_FRAME) for frame in range(first, last + 1)]
