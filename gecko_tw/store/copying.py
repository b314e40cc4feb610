"""Copying objects and ranges of them: without passing the bytes through Python where every digest is already known."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gecko_tw.store.checksums import ALGORITHMS
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning
from gecko_tw.store.encryption.data_keys import NOT_APPLICABLE, Seal
from gecko_tw.store.encryption.reading import SealedReading
from gecko_tw.store.incoming import pseudo_etag
from gecko_tw.store.interfaces import IIncoming
from gecko_tw.store.reading import Reading
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, Version
from gecko_tw.store.refusals import InvalidRequest, ObjectDamaged, SlowDown
from gecko_tw.store.requests import Copy, Put, Source
from gecko_tw.store.verifying import is_whole

if TYPE_CHECKING:
    from gecko_tw.store.objects import Objects

T = TypeVar("T")
Sealing = Callable[[], Seal]

MOST_AT_ONCE = 5 * 1024**3
"""Bytes of the largest object that CopyObject copies (S3 API Reference, CopyObject)."""

_PIECE = 1024 * 1024
_TRIES = 20


def copy(objects: "Objects", source: Source, bucket: str, key: bytes, request: Copy) -> Version:
    """See IObjects.copy."""
    reconciled(objects.allow, bucket, key, request.conditions)
    return _until_whole(partial(_copy, objects, source, bucket, key, request))


def _until_whole(act: Callable[[], T]) -> T:
    """``act()``, done again when the source is replaced while it is read.

    :raises SlowDown: it never came to rest.
    """
    for _ in range(_TRIES):
        try:
            return act()
        except BlobGone:
            continue
    raise SlowDown("The source of the copy keeps changing while it is being read.")


def _copy(objects: "Objects", source: Source, bucket: str, key: bytes, request: Copy) -> Version:
    with opened(objects, source) as reading:
        original = reading.version
        put = _as_put(original, request)
        sealed = request.sealing is not None or "sse" in original.extra
        version = None if sealed else _same_bytes(objects, original, put)
        if version is not None:
            refuse_damaged(original, reading)
            blob = _clone(objects, original, BlobNote(bucket=bucket, key=key, record=version))
            if blob is not None:
                return objects.put_blob(bucket, key, version, blob, request.conditions)
        return objects.put(bucket, key, read_in(objects, reading, source, put.checksum, request.sealing), put)


def refuse_damaged(version: Version, reading: Reading | SealedReading) -> None:
    """A copy has an ETag of its own, under which bytes that rotted would look whole.

    :raises ObjectDamaged: the bytes are not those that the version was made for.
    """
    if is_whole(version, reading.read) is False:
        raise ObjectDamaged


def _refuse_damaged_source(objects: "Objects", reading: Reading | SealedReading, source: Source) -> None:
    """As refuse_damaged, before all of a source is copied or a range of it. Of a range no checksum tells, but of the whole.

    So the first range of several waits for all of the source to be read, unless that is larger than what one request may copy whole.
    """
    version = reading.version
    if source.first is None and source.last is None:
        refuse_damaged(version, reading)
    elif version.size <= MOST_AT_ONCE and not objects.whole_lately.has(version.etag, version.spans):
        refuse_damaged(version, reading)
        objects.whole_lately.add(version.etag, version.spans)


def _clone(objects: "Objects", original: Version, note: BlobNote) -> str | None:
    """A clone of the original's bytes, or None when it was replaced meanwhile: what is open can still be read."""
    blobs = objects.blobs
    if not IBlobCloning.providedBy(blobs):
        return None
    try:
        return blobs.clone(original.spans, note)
    except BlobGone:
        return None


def _as_put(original: Version, request: Copy) -> Put:
    """The Put that stores the copy: what the request replaces is its own, the rest is the original's."""
    return Put(
        now=request.now,
        headers=original.headers if request.headers is None else request.headers,
        metadata=original.metadata if request.metadata is None else request.metadata,
        tags=original.tags if request.tags is None else request.tags,
        checksum=request.checksum or (original.checksum.algorithm if original.checksum else None),
        conditions=request.conditions,
        owner=request.owner,
        extra={name: value for name, value in request.extra.items() if name != "sse"},  # a copy has a seal of its own
    )


def _same_bytes(objects: "Objects", original: Version, put: Put) -> Version | None:
    """What a copy without reading becomes, or None when its digests would have to be computed anew."""
    checksum = original.checksum
    if not IBlobCloning.providedBy(objects.blobs) or (checksum is not None and checksum.kind != "FULL_OBJECT"):
        return None
    if objects.hashing and ("-" in original.etag or checksum is None or checksum.algorithm != put.checksum):
        return None
    return Version(
        etag=original.etag if objects.hashing else pseudo_etag(original.size, put.now),
        size=original.size,
        modified=put.now,
        headers=put.headers,
        metadata=put.metadata,
        tags=put.tags,
        checksum=checksum,
        owner=put.owner,
        extra=put.extra,
    )


@contextmanager
def opened(objects: "Objects", source: Source) -> Iterator[Reading | SealedReading]:
    """The source of a copy, opened and checked.

    :raises: as IObjects.look, what ``source.check`` raises, and as DataKeys.open.
    """
    reading = reconciled(objects.open, source.bucket, source.key, source.version_id)
    try:
        if source.check is not None:
            source.check(reading.version)
        if isinstance(reading, SealedReading):
            reading.unlock(source.customer_key)
        elif source.customer_key is not None:
            raise InvalidRequest(NOT_APPLICABLE)
        yield reading
    finally:
        reading.close()


def body_of(objects: "Objects", source: Source, algorithm: str | None) -> IIncoming:
    """The wanted bytes of a source, opened and checked, as an incoming body.

    :param algorithm: a checksum to compute beside the store's own.
    :raises: as :func:`opened`, and SlowDown.
    """

    def act() -> IIncoming:
        with opened(objects, source) as reading:
            return read_in(objects, reading, source, algorithm, source.sealing)

    return _until_whole(act)


def read_in(
    objects: "Objects", reading: Reading | SealedReading, source: Source, algorithm: str | None, sealing: Sealing | None
) -> IIncoming:
    """The wanted bytes of a source as an incoming body.

    :param algorithm: a checksum to compute beside the store's own.
    :param sealing: makes what the copy is encrypted with; None when it is stored as it is.
    :raises BlobGone: the bytes went away, and nothing stands in for them.
    """
    if "sse" not in reading.version.extra:
        _refuse_damaged_source(objects, reading, source)
    incoming = objects.receive([algorithm] if algorithm in ALGORITHMS else [], sealing)
    at = source.first or 0
    end = reading.version.size if source.last is None else source.last + 1
    try:
        while at < end:
            data = reading.read(at, min(_PIECE, end - at))
            if not data:
                raise BlobGone(source.key)
            incoming.push(data)
            incoming.flush()
            at += len(data)
    except BaseException:
        incoming.abort()
        raise
    return incoming
