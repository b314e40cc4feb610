"""A body on its way into the store: taken in on any thread, hashed and written in one step, verified before anything is committed."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from zope.interface import implementer

from gecko_tw.store.checksums import NO_MD5, Digests
from gecko_tw.store.drivers.interfaces import IBlobs, IBlobWriter
from gecko_tw.store.encryption.data_keys import Seal
from gecko_tw.store.encryption.format import sealed_size
from gecko_tw.store.encryption.frames import SealingWriter
from gecko_tw.store.interfaces import IIncoming
from gecko_tw.store.records import BlobNote, Json, with_seal
from gecko_tw.store.refusals import BadDigest, IncompleteBody
from gecko_tw.store.requests import Claim

_WORTH_A_THREAD = 512 * 1024
_SMALL_CHUNK = 64 * 1024
_SMALL_BODY = 1024 * 1024


def pseudo_etag(size: int, modified: int) -> str:
    """The ETag of bytes that are not hashed: MD5 of ``<size>-<modified in ns>``, as GeckoS3 makes it, and what no MD5 ends in.

    Clients hold what looks like an MD5 against their bytes, and would find them corrupt.
    """
    return hashlib.md5(b"%d-%d" % (size, modified), usedforsecurity=False).hexdigest() + NO_MD5


def _worth_a_call(chunks: list[bytes | memoryview], flushed: int) -> list[bytes | memoryview]:
    """The chunks, joined when they are small or all of the body so far: a writer's first write may decide where it goes."""
    if len(chunks) == 1 and chunks[0]:
        return chunks
    size = sum(map(len, chunks))
    if len(chunks) > 1 and (size < _SMALL_CHUNK * len(chunks) or flushed == 0 and size <= _SMALL_BODY):
        return [b"".join(chunks)]
    return chunks if size else []


def _update(digests: Digests, chunks: list[bytes | memoryview]) -> None:
    for data in chunks:
        digests.update(data)


@implementer(IIncoming)
class Incoming:
    """See IIncoming.

    One thread may push while another flushes, but no two threads may flush at once.

    :param algorithms: digests to compute, of the plaintext.
    :param sealing: makes what the body is encrypted with; called once, where blocking is allowed. None when it is stored as it is.
    """

    def __init__(self, blobs: IBlobs, algorithms: Iterable[str], sealing: Callable[[], Seal] | None = None) -> None:
        self._blobs = blobs
        self._sealing = sealing
        self.seal: Seal | None = None
        self._waiting: deque[bytes | memoryview] = deque()
        self._flushed = 0
        self._writer: IBlobWriter | None = None
        self.size = 0
        self.digests = Digests(algorithms)

    @property
    def pending(self) -> int:
        return self.size - self._flushed

    def push(self, data: bytes | memoryview) -> None:
        self._waiting.append(data)
        self.size += len(data)

    def flush(self) -> None:
        for task in self.tasks(1):
            task()

    def tasks(self, threads: int) -> list[Callable[[], None]]:
        """See IIncoming. MD5 takes as long as everything else together."""
        chunks: list[bytes | memoryview] = []
        while self._waiting:
            chunks.append(self._waiting.popleft())
        chunks = _worth_a_call(chunks, self._flushed)
        if threads > 1 and sum(map(len, chunks)) >= _WORTH_A_THREAD:
            slow, others = self.digests.split("MD5")
            return [partial(_update, slow, chunks), partial(self._store, chunks, others)]
        return [partial(self._store, chunks, self.digests)]

    def _store(self, chunks: list[bytes | memoryview], digests: Digests) -> None:
        if self._writer is None:
            if self._sealing is not None:
                self.seal = self._sealing()
            self._writer = self._blobs.create()
            if self.seal is not None:
                self._writer = SealingWriter(self._writer, self.seal.data_key, self.seal.number, self.seal.form)
        for data in chunks:
            digests.update(data)
            self._writer.write(data)
            self._flushed += len(data)

    @property
    def is_sealed(self) -> bool:
        """Whether the body is encrypted."""
        return self._sealing is not None

    @property
    def stored(self) -> int:
        """How many bytes the blob has."""
        return self.size if self.seal is None else sealed_size(self.size, self.seal.form)

    def extra(self, asked: Mapping[str, Json]) -> Mapping[str, Json]:
        """The ``extra`` of the version that the body becomes: what was asked, and how it is encrypted."""
        return asked if self.seal is None else with_seal(asked, self.seal.record, self.stored)

    def verify(self, length: int | None, claims: Iterable[Claim]) -> None:
        """Flushes, and compares what came with what was claimed.

        :raises IncompleteBody: not the announced number of bytes.
        :raises BadDigest, XAmzContentSHA256Mismatch: a digest differs.
        """
        self.flush()
        if length is not None and length != self.size:
            raise IncompleteBody(
                f"The request announced {length} bytes and sent {self.size}.", Expected=length, Received=self.size
            )
        for claim in claims:
            if self.digests.raw(claim.algorithm) != claim.digest:
                if claim.refusal is BadDigest:
                    raise BadDigest(f"The {claim.algorithm} you specified did not match the calculated checksum.")
                raise claim.refusal

    def commit(self, note: BlobNote) -> str:
        """Commits the blob and returns its name."""
        assert self._writer is not None, "verify comes before commit"
        return self._writer.commit(note)

    def abort(self) -> None:
        self._waiting.clear()
        if self._writer is not None:
            self._writer.abort()
