"""Objects, one at a time: PutObject, GetObject, HeadObject, DeleteObject."""

from attrs import frozen

from gecko_tw.resources.answers import cached_heads
from gecko_tw.resources.answers.answer import Answer, Headers, Spans
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.bodies.streams import plan, receive
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import DELETE, FOUND, GET, HEAD, OBJECT, PUT, STREAM, operation
from gecko_tw.resources.gates import integrity, quotas
from gecko_tw.resources.gates.bypass import may_bypass, refuse_bypass
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.gates.permits import permit_found, permit_missing
from gecko_tw.resources.headers import objects as object_headers
from gecko_tw.resources.headers import sse
from gecko_tw.resources.headers.conditions import check_read, remove_conditions, wanted_range, write_conditions
from gecko_tw.resources.headers.force_delete import wants_force
from gecko_tw.resources.headers.lifecycle import expiration_headers
from gecko_tw.resources.headers.locks import check_vouched, protection_headers
from gecko_tw.resources.headers.versions import null_id, version_id
from gecko_tw.resources.headers.writing import stored_for
from gecko_tw.resources.service import SMALL
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.records import NULL, Checksum, Version
from gecko_tw.store.refusals import (
    InvalidArgument,
    InvalidPartNumber,
    InvalidRequest,
    ObjectDamaged,
    Refusal,
    ServiceUnavailable,
    SlowDown,
)
from gecko_tw.store.requests import UNCONDITIONAL, Put, Remove
from gecko_tw.store.rules.quarantine import refuse_quarantined

_CONDITIONS = (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since")


@operation("PutObject", PUT, OBJECT, needs="s3:PutObject", body=STREAM, creates=True)
async def put_object(call: Call) -> Answer:
    """Stores the body. Whether it may be stored is decided when it is committed, and asked before a body worth asking for is read.

    Source: S3 API Reference, PutObject.
    """
    if "partNumber" in call.query:
        raise InvalidArgument("A part number needs an upload id.", ArgumentName="partNumber")
    if "versionId" in call.query:
        raise InvalidArgument("This operation does not accept a version-id.", ArgumentName="versionId")
    service = call.service
    how = plan(call)
    stored = await stored_for(call)
    check_vouched(call.record, stored.extra, how.claims)
    conditions = write_conditions(call.headers)
    encryption = await sse.wished(call)
    if how.length is None or how.length > SMALL or conditions is not UNCONDITIONAL or b"expect" in call.headers:
        await service.read(service.objects.allow, call.bucket, call.key, conditions)
    if quotas.limits(call):
        await quotas.refuse_without_room(call, how.length)
    incoming = await receive(call, how, None, sse.sealing(call, encryption))
    request = Put(
        now=service.now(),
        length=how.length,
        claims=how.claimed,
        checksum=how.claims.checksum,
        headers=stored.headers,
        metadata=stored.metadata,
        tags=stored.tags,
        conditions=conditions,
        owner=stored.owner,
        extra=stored.extra,
    )
    told = objects_for(call, "ObjectCreated:Put")
    version = await service.commit(incoming.pending, told.put, call.bucket, call.key, incoming, request)
    found = object_headers.written_headers(version)
    if encryption is not None:
        found += sse.told(call, version.extra, True)
    found += expiration_headers(call.record, call.key, version)
    return Answer(200, found, about=version)


@operation("GetObject", GET, OBJECT, needs="s3:GetObject", needs_version="s3:GetObjectVersion", decides=FOUND)
async def get_object(call: Call) -> Answer | Spans:
    """The object, a range or a part of it, or what a condition says instead. Source: S3 API Reference, GetObject."""
    service = call.service
    _check_query(call)
    try:
        reading: IReading = await service.read(service.objects.open, call.bucket, call.key, version_id(call))
    except ObjectDamaged:
        await integrity.refuse_damaged(call)
        raise
    except (ServiceUnavailable, SlowDown):
        raise  # whether it is there is not known
    except Refusal:
        permit_missing(call)
        raise
    try:
        version = reading.version
        permit_found(call, version)
        repeated = cached_heads.find(call, version)
        if repeated is None or "sse" in version.extra:  # a head is kept only of requests that name no key
            await sse.unlock(call, reading)
        again = repeated is not None
        if repeated is None:
            if not _wanted(call, version):
                reading.close()
                return Answer(304, object_headers.not_modified_headers(version) + null_id(call, version.version_id))
            piece = _piece(call, version)
            found = _described(call, version, piece)
            if piece.status == 200:
                repeated = cached_heads.keep(call, version, piece.length, found)
        first, length = (0, repeated.length) if repeated is not None else (piece.first, piece.length)
        sealed = "sse" in version.extra
        # While the answer can still be a refusal. Where records are on this machine's disk, bytes are.
        if not (sealed or service.quick) and _is_far(reading, first):
            await service.write(reading.read, first, 1)
        compared = integrity.at_once(call, reading, length, again=again)
        reading = compared if compared is not None else await integrity.verified(call, reading)
        if sealed:  # as above
            await service.write(reading.read, first, 1)
    except BaseException:
        reading.close()
        raise
    if repeated is not None:
        return Spans(200, [], reading, 0, length, lines=repeated.lines)
    return Spans(piece.status, found, reading, first, length)


def _is_far(reading: IReading, first: int) -> bool:
    """Whether bytes have to be asked for elsewhere: neither a file nor memory has them."""
    return reading.run(first) is None and reading.ready(first, 1) is None


@operation("HeadObject", HEAD, OBJECT, needs="s3:GetObject", needs_version="s3:GetObjectVersion", decides=FOUND)
async def head_object(call: Call) -> Answer:
    """The headers of GetObject. Source: S3 API Reference, HeadObject."""
    service = call.service
    _check_query(call)
    try:
        version = await service.read(service.objects.look, call.bucket, call.key, version_id(call))
    except (ServiceUnavailable, SlowDown):
        raise  # whether it is there is not known
    except Refusal:
        permit_missing(call)
        raise
    permit_found(call, version)
    repeated = cached_heads.find(call, version)
    if repeated is None or "sse" in version.extra:  # as for GetObject
        refuse_quarantined(version)
        await sse.check_key(call, version)
    if repeated is None:
        if not _wanted(call, version):
            return Answer(304, object_headers.not_modified_headers(version) + null_id(call, version.version_id))
        piece = _piece(call, version)
        found = _described(call, version, piece)
        if piece.status == 200:
            repeated = cached_heads.keep(call, version, piece.length, found)
    if repeated is not None:
        return Answer(200, lines=repeated.lines, about=version)
    found.append((b"Content-Length", b"%d" % piece.length))
    return Answer(piece.status, found, about=version)


@operation("DeleteObject", DELETE, OBJECT, needs="s3:DeleteObject", needs_version="s3:DeleteObjectVersion")
async def delete_object(call: Call) -> Answer:
    """Removes the key, whether it is there or not. Source: S3 API Reference, DeleteObject."""
    refuse_bypass(call)
    if wants_force(call):
        raise NotImplemented_(
            Header="x-minio-force-delete"
        )  # all keys that begin so, which no permission here is about
    service = call.service
    request = Remove(
        now=service.now(),
        version_id=version_id(call),
        conditions=remove_conditions(call.headers),
        owner=call.owner,
        bypass=await may_bypass(call),
    )
    told = objects_for(call, "ObjectRemoved:Delete")
    removed = await service.commit(0, told.remove, call.bucket, call.key, request)
    found: Headers = []
    if removed.version_id is not None:
        found.append((b"x-amz-version-id", removed.version_id.encode()))
    if removed.marker:
        found.append((b"x-amz-delete-marker", b"true"))
    return Answer(204, found)


@frozen
class Piece:
    """What of an object is sent.

    :ivar checksum: the checksum of exactly these bytes, when one is known.
    """

    status: int
    first: int
    length: int
    checksum: Checksum | None


def _check_query(call: Call) -> None:
    """Parameters that not everybody may use. Raises InvalidRequest."""
    if call.query and call.caller.kind == "anonymous" and object_headers.asks_override(call.query):
        raise InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.")


def _wanted(call: Call, version: Version) -> bool:
    """False when the client has the object already. Raises PreconditionFailed."""
    headers = call.headers
    for name in _CONDITIONS:
        if name in headers:
            return check_read(headers, version.etag, version.modified, call.service.now())
    return True


def _piece(call: Call, version: Version) -> Piece:
    """Which bytes are asked for.

    :raises InvalidRange, InvalidPartNumber, InvalidRequest: there are no such bytes, or two ways of asking for them.
    """
    if "partNumber" in call.query:
        if b"range" in call.headers:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        return _part(version, call.query["partNumber"])
    if b"range" in call.headers:
        found = wanted_range(call.headers, version.size, version.etag, version.modified)
        if found is not None:
            return Piece(206, found[0], found[1] - found[0] + 1, None)
    return Piece(200, 0, version.size, version.checksum)


def _part(version: Version, number_text: str) -> Piece:
    if not number_text.isdecimal() or not 1 <= int(number_text[:6]) <= 10_000:
        raise InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=number_text,
        )
    number, first = int(number_text), 0
    if not version.parts and number == 1:
        return Piece(206 if version.size else 200, 0, version.size, version.checksum)
    for part in version.parts:
        if part.number == number:
            checksum = object_headers.part_checksum(version, part.checksum)
            return Piece(206, first, part.size, checksum)
        first += part.size
    raise InvalidPartNumber(ActualPartCount=max(len(version.parts), 1), PartNumberRequested=number)


def _described(call: Call, version: Version, piece: Piece) -> Headers:
    """The headers of an answer with these bytes."""
    found = object_headers.version_headers(version)
    if version.version_id == NULL:
        found += null_id(call, NULL)
    if piece.status == 206:
        last = piece.first + piece.length - 1
        found.append((b"Content-Range", b"bytes %d-%d/%d" % (piece.first, last, version.size)))
    if version.extra:
        found += protection_headers(version.extra)
    if "sse" in version.extra:
        found += sse.told(call, version.extra)
    if call.headers.get(b"x-amz-checksum-mode", b"").upper() == b"ENABLED":
        found += object_headers.checksum_headers(piece.checksum)
    if "versionId" not in call.query:  # only the current version expires
        found += expiration_headers(call.record, call.key, version)
    if call.query:
        if version.parts and "partNumber" in call.query:
            found.append((b"x-amz-mp-parts-count", b"%d" % len(version.parts)))
        found = object_headers.overridden(found, call.query)
    return found
