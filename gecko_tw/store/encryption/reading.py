"""An encrypted version opened for reading: offsets of its plaintext are found in the blobs of its parts."""

from bisect import bisect_right
from itertools import accumulate

from zope.interface import implementer

from gecko_tw.store.encryption.data_keys import DataKeys
from gecko_tw.store.encryption.format import form_of, sealed_size
from gecko_tw.store.encryption.frames import SealedBlob
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.reading import Reading
from gecko_tw.store.records import Version


@implementer(IReading)
class SealedReading:
    """See IReading. What is read for the first time is opened with the keys of this deployment unless :meth:`unlock` came before.

    :param stored: the stored bytes.
    """

    def __init__(self, stored: Reading, keys: DataKeys) -> None:
        version = stored.version
        pieces = [(part.size, part.number) for part in version.parts] or [(version.size, 0)]
        form = form_of(version.extra["sse"])
        self._stored = stored
        self._keys = keys
        self._data_key: bytes | None = None
        self._pieces = pieces
        self._starts = [0, *accumulate(size for size, _ in pieces)]
        self._stored_starts = [0, *accumulate(sealed_size(size, form) for size, _ in pieces)]
        self._blob: tuple[int, SealedBlob] | None = None

    @property
    def version(self) -> Version:
        return self._stored.version

    def unlock(self, customer_key: bytes | None = None) -> None:
        """Opens the data key. May block. Raises as DataKeys.open."""
        self._data_key = self._keys.open(self.version.extra["sse"], customer_key).data_key

    def read(self, offset: int, length: int) -> bytes:
        """As IReading. Raises Tampered when the stored bytes are not what was written."""
        if offset >= self.version.size:
            return b""
        index = bisect_right(self._starts, offset) - 1
        inside = offset - self._starts[index]
        return self._opened(index).read(inside, min(length, self._pieces[index][0] - inside))

    def _opened(self, index: int) -> SealedBlob:
        if self._blob is None or self._blob[0] != index:
            if self._data_key is None:
                self.unlock()
            assert self._data_key is not None
            start, (size, number) = self._stored_starts[index], self._pieces[index]
            blob = SealedBlob(lambda offset, length: self._fetch(start + offset, length), self._data_key, size, number)
            self._blob = index, blob
        return self._blob[1]

    def _fetch(self, offset: int, length: int) -> bytes:
        pieces = []
        while length > 0:
            data = self._stored.read(offset, length)
            if not data:
                break
            pieces.append(data)
            offset += len(data)
            length -= len(data)
        return b"".join(pieces)

    def run(self, offset: int) -> None:
        """None: the file does not have the plaintext."""
        return

    def ready(self, offset: int, length: int) -> None:
        """None: it has to be decrypted first."""
        return

    def close(self) -> None:
        self._data_key = self._blob = None
        self._stored.close()
