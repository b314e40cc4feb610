"""A version opened for reading, span by span."""

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from zope.interface import implementer

from gecko_tw.store.drivers.ahead import AheadReader
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobReader, IBlobs, Stale
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.records import Version
from gecko_tw.store.refusals import ObjectDamaged, Refusal
from gecko_tw.store.rules.quarantine import LOST, REASONS


@implementer(IReading)
class Reading:
    """See IReading. Of an encrypted version it reads what is stored, which is longer.

    :param again: asks for the same version anew; used when a span has been joined with others into a new blob meanwhile.
    """

    version: Version

    def __init__(self, blobs: IBlobs, version: Version, again: Callable[[], Version]) -> None:
        self._blobs = blobs
        self._again = again
        self._reader: IBlobReader | None = None
        self._index = -1
        self._take(version)
        if version.spans:
            self._enter(0)

    def _take(self, version: Version) -> None:
        self.version = version
        spans = version.spans
        self._starts = [0, spans[0].length] if len(spans) == 1 else [0, *accumulate(span.length for span in spans)]

    def _enter(self, index: int) -> None:
        """Opens the blob of a span that is not open.

        :raises BlobGone: it is not there.
        """
        reader = self._blobs.open(self.version.spans[index].blob)
        if self._reader is not None:
            self.close()
        self._reader, self._index = reader, index

    def _at(self, offset: int) -> tuple[IBlobReader, int, int]:
        """The reader that has the byte at ``offset``, its place there, and how many bytes of the object follow in that span.

        :raises BlobGone: the version itself is gone.
        """
        try:
            return self._locate(offset)
        except BlobGone as gone:
            try:
                fresh = self._again()
            except (Refusal, Stale):
                raise gone from None
            if (fresh.etag, fresh.modified) != (self.version.etag, self.version.modified):
                raise
            self._index = -1
            self._take(fresh)
            return self._locate(offset)

    def _locate(self, offset: int) -> tuple[IBlobReader, int, int]:
        index = bisect_right(self._starts, offset) - 1
        if index != self._index:
            self._enter(index)
        span = self.version.spans[index]
        inside = offset - self._starts[index]
        assert self._reader is not None
        return self._reader, span.offset + inside, span.length - inside

    def read(self, offset: int, length: int) -> bytes:
        if offset >= self._starts[-1]:
            return b""
        reader, place, follow = self._at(offset)
        try:
            return reader.read(place, min(length, follow))
        except BlobGone:  # bytes that are asked for elsewhere, and were removed there by others
            raise ObjectDamaged(Reason=REASONS[LOST]) from None

    def run(self, offset: int) -> tuple[int, int, int] | None:
        if offset >= self._starts[-1]:
            return None
        try:
            reader, place, follow = self._at(offset)
        except BlobGone:  # whoever reads it is told
            return None
        descriptor = reader.fileno()
        return None if descriptor is None else (descriptor, place, follow)

    def ready(self, offset: int, length: int) -> bytes | None:
        if offset >= self._starts[-1]:
            return b""
        try:
            reader, place, follow = self._at(offset)
        except BlobGone:
            return None
        if isinstance(reader, AheadReader):
            return AheadReader.at_hand(reader, place, min(length, follow))
        data = getattr(reader, "data", None)
        return None if data is None else data[place : place + min(length, follow)]

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
            self._index = -1
