"""Giving an object another key: everything it is goes with it, and its bytes pass no program where the disk can clone them.

The object is there under its new key before it is gone from the old one, whatever is cut short in between.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from attrs import evolve, frozen

from gecko_tw.store.drivers.interfaces import BlobGone, IBlobCloning, IBlobs
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, BucketRecord, Change, KeyHistory, Span, Version
from gecko_tw.store.refusals import IdempotentParameterMismatch, SlowDown
from gecko_tw.store.requests import UNCONDITIONAL, Remove, WriteConditions, new_salt
from gecko_tw.store.rules import versions
from gecko_tw.store.rules.finding import find
from gecko_tw.store.rules.quarantine import refuse_quarantined

_TRIES = 20
_PIECE = 1024 * 1024
_RENAMED = "renamed"


@frozen(kw_only=True)
class Rename:
    """What RenameObject asks.

    :ivar now: nanoseconds.
    :ivar source: the key that the object has.
    :ivar check: called with the source's Version before anything is done; raises a refusal when a condition fails.
    :ivar conditions: on what is there under the new key.
    :ivar token: what the client calls this request, so that it may be repeated; or None.
    """

    now: int
    source: bytes
    check: Callable[[Version], None]
    conditions: WriteConditions = UNCONDITIONAL
    token: str | None = None


def rename(objects: Objects, bucket: str, key: bytes, request: Rename) -> Version:
    """Moves the current version of a key to another key, over what is there, and returns it.

    A change of the source that comes meanwhile counts as coming later: it stays.

    :raises NoSuchBucket, NoSuchKey, KeyTooLongError, PreconditionFailed, QuotaExceeded, SlowDown: and what ``check`` raises.
    :raises IdempotentParameterMismatch: the token was used for another source.
    """
    done = _done_before(objects, bucket, key, request)
    if done is not None:
        return done
    reconciled(objects.allow, bucket, key, request.conditions)
    for _ in range(_TRIES):
        original = find(reconciled(objects.catalog.history, bucket, request.source), None)
        refuse_quarantined(original)
        request.check(original)
        extra = {name: value for name, value in original.extra.items() if name != _RENAMED}
        if request.token is not None:
            extra[_RENAMED] = _trace(request)
        version = evolve(original, upload=None, extra=extra)
        try:
            blob = _same_bytes(objects.blobs, original.spans, BlobNote(bucket=bucket, key=key, record=version))
        except BlobGone:
            continue  # replaced meanwhile: the newer one is renamed
        made = objects.put_blob(bucket, key, version, blob, request.conditions)
        _take_away(objects, bucket, request, original)
        return made
    raise SlowDown("The object keeps changing while it is being renamed.")


def _trace(request: Rename) -> dict[str, Any]:
    return {"token": request.token, "source": request.source.decode("latin-1")}


def _done_before(objects: Objects, bucket: str, key: bytes, request: Rename) -> Version | None:
    """The version that an earlier request with the same token has renamed, or None."""
    if request.token is None:
        return None
    there = reconciled(objects.catalog.history, bucket, key).newest
    trace = {} if there is None else there.extra.get(_RENAMED, {})
    if trace.get("token") != request.token:
        return None
    if trace != _trace(request):
        raise IdempotentParameterMismatch
    if there is not None:
        _take_away(objects, bucket, request, there)  # in case the first request was cut short
    return there


def _same_bytes(blobs: IBlobs, spans: tuple[Span, ...], note: BlobNote) -> str:
    """A new blob with the bytes of the spans, as they are stored. Raises BlobGone."""
    if IBlobCloning.providedBy(blobs):
        return blobs.clone(spans, note)
    writer = blobs.create()
    try:
        for data in _pieces(blobs, spans):
            writer.write(data)
        return writer.commit(note)
    finally:
        writer.abort()


def _pieces(blobs: IBlobs, spans: tuple[Span, ...]) -> Iterable[bytes]:
    for span in spans:
        reader = blobs.open(span.blob)
        try:
            for at in range(0, span.length, _PIECE):
                yield reader.read(span.offset + at, min(_PIECE, span.length - at))
        finally:
            reader.close()


def _take_away(objects: Objects, bucket: str, request: Rename, version: Version) -> None:
    """The old key loses the version that was renamed, and no other."""
    remove = Remove(now=request.now, salt=new_salt())
    objects.place(bucket, request.source, partial(_without, version=version, request=remove))


def _without(bucket: BucketRecord, history: KeyHistory, version: Version, request: Remove) -> Change:
    current = history.newest
    if current is None or _marks(current) != _marks(version):
        return Change(history)
    return versions.remove(bucket, history, request)


def _marks(version: Version) -> tuple[object, ...]:
    """What tells one version of a key from the next."""
    return version.etag, version.size, version.modified
