"""Multipart uploads: begin, send parts, list them, complete or abort."""

import secrets

from attrs import evolve

from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.answers.delayed import Slow, eventually
from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.bodies.claims import checksum_header
from gecko_tw.resources.bodies.streams import plan, receive
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import DELETE, OBJECT, POST, PUT, STREAM, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, texts
from gecko_tw.resources.gates import quotas
from gecko_tw.resources.gates.events import uploads_for
from gecko_tw.resources.headers import objects as object_headers
from gecko_tw.resources.headers import sse
from gecko_tw.resources.headers.conditions import bare_etag, write_conditions
from gecko_tw.resources.headers.lifecycle import abort_headers, expiration_headers
from gecko_tw.resources.headers.location import location
from gecko_tw.resources.headers.locks import check_vouched
from gecko_tw.resources.headers.objects import checksum_algorithm, checksum_element
from gecko_tw.resources.headers.parts import part_number
from gecko_tw.resources.headers.writing import stored_for
from gecko_tw.store.checksums import ALGORITHMS, check_kind, default_kind, raw_of
from gecko_tw.store.records import NULL, Checksum, Upload, Version
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest
from gecko_tw.store.requests import Complete, PutPart, WantedPart
from gecko_tw.store.rules.multipart import check_part_checksum

MAX_PARTS = 10_000

_LIMIT = 5 * 1024 * 1024
"""Bytes of the list of parts: ten thousand of them, each with the longest checksum, indented."""

_CHECKSUM_ELEMENTS = {f"Checksum{name}": name for name in ALGORITHMS}


@operation(
    "CreateMultipartUpload",
    POST,
    OBJECT,
    "uploads",
    needs="s3:PutObject",
    creates=True,
    signed_for="initiate multipart uploads",
)
async def create_multipart_upload(call: Call) -> Answer:
    """Begins an upload; what its object will carry is given now. Source: S3 API Reference, CreateMultipartUpload."""
    service = call.service
    stored = await stored_for(call)
    algorithm, kind = _checksum_asked(call)
    upload = Upload(
        id=secrets.token_hex(16),
        initiated=service.now(),
        headers=stored.headers,
        metadata=stored.metadata,
        tags=stored.tags,
        checksum_algorithm=algorithm,
        checksum_kind=kind,
        owner=stored.owner,
        extra=await sse.upload_extra(call, stored.extra),
    )
    await service.write(service.uploads.create, call.bucket, call.key, upload)
    headers = sse.told(call, upload.extra, True)
    if algorithm is not None and kind is not None:
        headers += [(b"x-amz-checksum-algorithm", algorithm.encode()), (b"x-amz-checksum-type", kind.encode())]
    headers += abort_headers(call.record, call.key, upload.initiated)
    content = texts({"Bucket": call.bucket, "Key": call.key.decode("utf-8", "replace"), "UploadId": upload.id})
    return xml(markup.document("InitiateMultipartUploadResult", content), headers=headers, about=upload)


def _checksum_asked(call: Call) -> tuple[str | None, str | None]:
    """Algorithm and type of the checksum that the object will have. Raises InvalidRequest."""
    algorithm, kind = checksum_algorithm(call.headers), call.header(b"x-amz-checksum-type")
    if algorithm is None:
        if kind is not None:
            raise InvalidRequest(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return None, None
    kind = default_kind(algorithm) if kind is None else kind.upper()
    check_kind(algorithm, kind)
    return algorithm, kind


@operation("UploadPart", PUT, OBJECT, "partNumber", "uploadId", needs="s3:PutObject", body=STREAM)
async def upload_part(call: Call) -> Answer:
    """Stores the body as a part. Source: S3 API Reference, UploadPart."""
    service, upload_id = call.service, call.upload_id
    number = part_number(call.query["partNumber"])
    how = plan(call)
    upload = await service.read(service.uploads.get, call.bucket, call.key, upload_id)
    check_part_checksum(upload, how.claims.checksum)
    check_vouched(call.record, upload.extra, how.claims, "Part")
    part_sealing = sse.part_sealing(call, upload, number)
    if quotas.limits(call):
        await quotas.refuse_part_without_room(call, upload_id, number, how.length)
    incoming = await receive(call, how, upload.checksum_algorithm, part_sealing)
    request = PutPart(
        now=service.now(),
        number=number,
        length=how.length,
        claims=how.claimed,
        checksum=how.claims.checksum,
    )
    part = await service.commit(
        incoming.pending, service.uploads.put_part, call.bucket, call.key, upload_id, incoming, request
    )
    named = how.claims.checksum
    checksum = part.checksum if named is None else Checksum(named, incoming.digests.value(named))
    headers = [(b"ETag", object_headers.quoted(part.etag)), *object_headers.checksum_headers(checksum)[:1]]
    if part_sealing is not None:
        headers += sse.told(call, upload.extra)
    return Answer(200, headers, about=evolve(part, checksum=checksum))


@operation(
    "CompleteMultipartUpload", POST, OBJECT, "uploadId", needs="s3:PutObject", body=Document(_LIMIT, described=False)
)
async def complete_multipart_upload(call: Call, document: bytes) -> Answer | Slow[Version]:
    """Joins the listed parts to an object; may be repeated. Source: S3 API Reference, CompleteMultipartUpload."""
    service = call.service
    conditions = write_conditions(call.headers)
    size = call.header(b"x-amz-mp-object-size")
    if size is not None and not (size.isdecimal() and len(size) <= 18):
        raise InvalidArgument(ArgumentName="x-amz-mp-object-size", ArgumentValue=size)
    kind = call.header(b"x-amz-checksum-type")
    algorithm, value = checksum_header(call.headers)
    checksum = None
    if algorithm is not None:
        raw_of(algorithm, value.partition("-")[0])
        checksum = Checksum(algorithm, value, "COMPOSITE" if "-" in value else "FULL_OBJECT")
    key = sse.customer_key(call.headers)
    now, complete = service.now(), uploads_for(call, "ObjectCreated:CompleteMultipartUpload").complete
    upload_id = call.upload_id

    def work() -> Version:
        request = Complete(
            now=now,
            parts=read_parts(document, with_etags=call.head.proven is None),
            checksum=checksum,
            checksum_kind=None if kind is None else kind.upper(),
            size=None if size is None else int(size),
            conditions=conditions,
            customer_key=key,
        )
        return complete(call.bucket, call.key, upload_id, request)

    return await eventually(call, service.begin(work), lambda version: _completed(call, version))


def _completed(call: Call, version: Version) -> Answer:
    key = call.key.decode("utf-8", "replace")
    content = texts({"Location": location(call), "Bucket": call.bucket, "Key": key, "ETag": f'"{version.etag}"'})
    headers: Headers = []
    if version.version_id != NULL:
        headers.append((b"x-amz-version-id", version.version_id.encode()))
    headers += expiration_headers(call.record, call.key, version)
    headers += sse.told(call, version.extra)
    content += checksum_element(version.checksum)
    return xml(markup.document("CompleteMultipartUploadResult", content), headers=headers, about=version)


def read_parts(document: bytes, with_etags: bool = True) -> tuple[WantedPart, ...]:
    """The parts that a CompleteMultipartUpload document lists.

    :param with_etags: False where a protocol has no place for ETags: a part without one is the one that is there.
    :raises MalformedXML, InvalidRequest: as S3 does.
    """
    root = markup.read(document, "CompleteMultipartUpload").only(("Part",))
    parts = tuple(_read_part(child, with_etags) for child in root)
    if not 1 <= len(parts) <= MAX_PARTS:
        raise MalformedXML
    return parts


def _read_part(node: Element, with_etag: bool) -> WantedPart:
    found = {child.name: child.text for child in node}
    number, etag = found.get("PartNumber", "").strip(), found.get("ETag")
    if (etag is None and with_etag) or not (number.isascii() and number.isdecimal() and len(number) <= 9):
        raise MalformedXML
    checksums = [
        Checksum(algorithm, found[name].strip()) for name, algorithm in _CHECKSUM_ELEMENTS.items() if name in found
    ]
    if len(checksums) > 1:
        raise InvalidRequest("Expecting a single checksum for each part.")
    etag = None if etag is None else bare_etag(etag)
    return WantedPart(part_number(number), etag, checksums[0] if checksums else None)


@operation("AbortMultipartUpload", DELETE, OBJECT, "uploadId", needs="s3:AbortMultipartUpload")
async def abort_multipart_upload(call: Call) -> Answer:
    """Forgets an upload and its parts. Source: S3 API Reference, AbortMultipartUpload."""
    await call.service.write(call.service.uploads.abort, call.bucket, call.key, call.upload_id)
    return Answer(204)
