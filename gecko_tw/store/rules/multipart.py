"""What completing a multipart upload decides, from its parts and the list that the client sent (S3 API, CompleteMultipartUpload)."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from gecko_tw.store.checksums import COMPOSITE, combine, composite, composite_etag, default_kind
from gecko_tw.store.records import (
    BucketRecord,
    Change,
    Checksum,
    KeyHistory,
    Part,
    PartSize,
    Upload,
    Version,
    stored_size,
    with_seal,
)
from gecko_tw.store.refusals import (
    BadDigest,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    NoSuchUpload,
)
from gecko_tw.store.requests import Complete, WantedPart
from gecko_tw.store.rules.conditions import check_write
from gecko_tw.store.rules.locks import HOLD, RETENTION, check_has_locks
from gecko_tw.store.rules.versions import added

_MISSING = (
    "The upload was created using a {} checksum. The complete request must include the checksum for each part."
    " It was missing for part {} in the request."
)
_OTHER = "The {} you specified for part {} did not match what we received."
_MODE = "The upload was created using the {} checksum mode. The complete request must use the same checksum mode."


_DAMAGED = "damaged-parts"
"""In an upload's ``extra``: the blobs of parts that are known to be damaged, by number."""


class Raced(Exception):  # noqa: N818 - a signal, not an error
    """A part changed between reading the parts and deciding: read them again."""


def check_part_checksum(upload: Upload, given: str | None) -> None:
    """Parts of an upload with a composite checksum come with theirs, and none comes with one of another algorithm than was agreed.

    :param given: the algorithm of the checksum that the client sends with the part, or None.
    :raises InvalidRequest: it is not the upload's.
    """
    expected = upload.checksum_algorithm
    needed = upload.checksum_kind == COMPOSITE or given is not None
    if expected is not None and needed and given != expected:
        raise InvalidRequest(_mismatch(expected, given))


def _mismatch(expected: str | None, given: str | None) -> str:
    """What S3 says when a checksum is of another algorithm than was agreed."""
    agreed, actual = ("null" if one is None else one.lower() for one in (expected, given))
    return f"Checksum Type mismatch occurred, expected checksum Type: {agreed}, actual checksum Type: {actual}"


def choose(upload: Upload, stored: Mapping[int, Part], wanted: tuple[WantedPart, ...], min_size: int) -> list[Part]:
    """The stored parts that the client lists, checked.

    :param min_size: bytes that every part but the last must have at least.
    :raises InvalidPartOrder, InvalidPart, EntityTooSmall: as S3 does.
    :raises InvalidRequest, BadDigest: as :func:`_check_listed`.
    """
    numbers = [part.number for part in wanted]
    if any(first >= second for first, second in zip(numbers, numbers[1:], strict=False)):
        raise InvalidPartOrder
    chosen = []
    for entry in wanted:
        part = stored.get(entry.number)
        if part is None or entry.etag not in (None, part.etag) or _is_damaged(upload, part):
            raise _not_found(entry)
        _check_listed(upload.checksum_algorithm, upload.checksum_kind, part.checksum, entry)
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < min_size:
            raise EntityTooSmall(
                ProposedSize=part.size, MinSizeAllowed=min_size, PartNumber=part.number, ETag=part.etag
            )
    return chosen


def _not_found(entry: WantedPart) -> InvalidPart:
    return InvalidPart(PartNumber=entry.number, ETag=entry.etag or "")


def _check_listed(algorithm: str | None, kind: str | None, kept: Checksum | None, entry: WantedPart) -> None:
    """A listed checksum must be the part's: one that cannot be told is never believed.

    :param algorithm: what was agreed for the upload, with its kind, or None.
    :param kept: the part's.
    :raises InvalidRequest: none is listed, and the checksum of the object is made from those of the parts.
    :raises BadDigest: it is of another algorithm than was agreed.
    :raises InvalidPart: it differs, or none was agreed and it is not what the store keeps.
    """
    listed = entry.checksum
    if listed is None:
        if algorithm is not None and kind == COMPOSITE and entry.etag is not None:
            raise InvalidRequest(_MISSING.format(algorithm.lower(), entry.number))
        return
    if algorithm is not None and listed.algorithm != algorithm:
        raise BadDigest(_OTHER.format(listed.algorithm.lower(), entry.number))
    if kept is None or (listed.algorithm, listed.value) != (kept.algorithm, kept.value):
        raise _not_found(entry)


def join(upload: Upload, parts: list[Part], request: Complete) -> Version:
    """The version that the parts make. No byte is touched: its spans are the parts' spans in a row.

    :raises InvalidRequest, BadDigest: the client named another size, checksum or checksum type.
    """
    size = sum(part.size for part in parts)
    if request.size is not None and request.size != size:
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {request.size} does not match what was computed: {size}"
        )
    checksum = _whole(upload, parts, request)
    return Version(
        etag=composite_etag([part.etag for part in parts]),
        size=size,
        modified=request.now,
        spans=tuple(span for part in parts for span in part.spans),
        headers=upload.headers,
        metadata=upload.metadata,
        tags=upload.tags,
        checksum=checksum,
        parts=tuple(PartSize(part.number, part.size, _kept_checksum(checksum, part)) for part in parts),
        upload=upload.id,
        owner=upload.owner,
        extra=_extra(upload, parts),
    )


def _extra(upload: Upload, parts: list[Part]) -> Mapping[str, Any]:
    """What the object has beside its bytes; how many of those there are, when they are encrypted."""
    extra = {name: value for name, value in upload.extra.items() if name != _DAMAGED}
    seal = extra.get("sse")
    return extra if seal is None else with_seal(extra, seal, sum(stored_size(part) for part in parts))


def mark_damaged(bucket: BucketRecord, history: KeyHistory, upload_id: str, part: Part) -> Change:
    """The bytes of a part are known to be damaged: no object is made of it, and who sends it again has another one.

    :raises NoSuchUpload: it was completed or aborted meanwhile.
    """
    upload = history.upload(upload_id)
    if upload is None:
        raise NoSuchUpload(UploadId=upload_id)
    damaged = {**upload.extra.get(_DAMAGED, {}), str(part.number): [span.blob for span in part.spans]}
    marked = evolve(upload, extra={**upload.extra, _DAMAGED: damaged})
    return Change(evolve(history, uploads=tuple(marked if one is upload else one for one in history.uploads)))


def _is_damaged(upload: Upload, part: Part) -> bool:
    blobs = upload.extra.get(_DAMAGED, {}).get(str(part.number))
    return blobs is not None and blobs == [span.blob for span in part.spans]


def _kept_checksum(checksum: Checksum | None, part: Part) -> str | None:
    """A part's own checksum, which is remembered when it is of the object's algorithm."""
    own = part.checksum
    return own.value if checksum is not None and own is not None and own.algorithm == checksum.algorithm else None


def _whole(upload: Upload, parts: list[Part], request: Complete) -> Checksum | None:
    """The whole object's checksum, made from the parts' checksums without reading a byte."""
    known = {part.checksum.algorithm if part.checksum else None for part in parts}
    algorithm = upload.checksum_algorithm or next(iter(known))
    if known != {algorithm} or algorithm is None:
        if request.checksum is not None:
            raise InvalidRequest(_mismatch(None, request.checksum.algorithm))
        return None
    kind = upload.checksum_kind or default_kind(algorithm)
    if request.checksum_kind not in (None, kind):
        raise InvalidRequest(_MODE.format(kind))
    raws = [b64decode(part.checksum.value) for part in parts if part.checksum]
    if kind == COMPOSITE:
        value = composite(algorithm, raws)
    else:
        lengths = [part.size for part in parts]
        value = b64encode(combine(algorithm, list(zip(raws, lengths, strict=True)))).decode()
    whole = Checksum(algorithm, value, kind)
    if request.checksum is not None:
        _check_claimed(request.checksum, whole)
    return whole


def _check_claimed(claimed: Checksum, whole: Checksum) -> None:
    """Compares a claimed checksum of the whole object; the number of parts may be left out of a composite one.

    :raises InvalidRequest: it is of another algorithm, which could not be verified without reading the object.
    :raises BadDigest: it differs.
    """
    if claimed.algorithm != whole.algorithm:
        raise InvalidRequest(_mismatch(whole.algorithm, claimed.algorithm))
    if claimed.value not in (whole.value, whole.value.partition("-")[0]):
        raise BadDigest(f"The {whole.algorithm} you specified did not match the calculated checksum.")


def complete(bucket: BucketRecord, history: KeyHistory, upload: Upload, version: Version, request: Complete) -> Change:
    """The upload ends and its version becomes the current one.

    :raises NoSuchUpload: it was completed or aborted meanwhile.
    :raises Raced: a part changed meanwhile.
    """
    current = history.upload(upload.id)
    if current is None:
        raise NoSuchUpload(UploadId=upload.id)
    if current.revision != upload.revision:
        raise Raced
    check_write(history, request.conditions)
    rest = tuple(other for other in history.uploads if other.id != upload.id)
    return Change(evolve(added(bucket, history, version, request.salt), uploads=rest))


def completed(history: KeyHistory, upload_id: str, request: Complete) -> Version:
    """The version that an earlier Complete of the same upload made: the answer is repeatable.

    :raises NoSuchUpload: there is none, or it was made from other parts.
    :raises InvalidRequest, InvalidPart, BadDigest: what is claimed of its checksums is not so.
    """
    for version in history.versions:
        if isinstance(version, Version) and version.upload == upload_id and _is_made_from(version, request.parts):
            _check_again(version, request)
            return version
    raise NoSuchUpload(UploadId=upload_id)


def _check_again(version: Version, request: Complete) -> None:
    whole = version.checksum
    algorithm, kind = (None, None) if whole is None else (whole.algorithm, whole.kind)
    for part, entry in zip(version.parts, request.parts, strict=True):
        kept = None if algorithm is None or part.checksum is None else Checksum(algorithm, part.checksum)
        _check_listed(algorithm, kind, kept, entry)
    if request.checksum is not None:
        if whole is None:
            raise InvalidRequest(_mismatch(None, request.checksum.algorithm))
        _check_claimed(request.checksum, whole)


def _is_made_from(version: Version, parts: tuple[WantedPart, ...]) -> bool:
    if [part.number for part in version.parts] != [part.number for part in parts]:
        return False
    etags = [part.etag for part in parts if part.etag is not None]
    if not etags:
        return True  # there is one upload of that id, and these are its parts
    try:
        return version.etag == composite_etag(etags)
    except ValueError:  # not the ETag of any part
        return False


def start(bucket: BucketRecord, history: KeyHistory, upload: Upload) -> Change:
    """The upload begins.

    :raises InvalidRequest: its object is to be protected, and the bucket has no Object Lock.
    """
    if RETENTION in upload.extra or HOLD in upload.extra:
        check_has_locks(bucket)
    return Change(evolve(history, uploads=(*history.uploads, upload)))


def abort(bucket: BucketRecord, history: KeyHistory, upload_id: str) -> Change:
    """The upload is forgotten.

    :raises NoSuchUpload: there is none.
    """
    if history.upload(upload_id) is None:
        raise NoSuchUpload(UploadId=upload_id)
    return Change(evolve(history, uploads=tuple(other for other in history.uploads if other.id != upload_id)))
