"""Copies inside the service: CopyObject and UploadPartCopy."""

from collections.abc import Callable, Mapping

from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.answers.delayed import Slow, eventually
from gecko_tw.resources.bodies.streams import MAX_OBJECT
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import OBJECT, PUT, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import iso_time, texts
from gecko_tw.resources.gates import quotas
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.gates.permits import permit_source, refuse_other_owner
from gecko_tw.resources.headers import sse
from gecko_tw.resources.headers.conditions import check_copy_source, copy_range, write_conditions
from gecko_tw.resources.headers.lifecycle import expiration_headers
from gecko_tw.resources.headers.objects import checksum_algorithm, checksum_element
from gecko_tw.resources.headers.parts import part_number
from gecko_tw.resources.headers.sources import COPY_SOURCE, Named, read_source
from gecko_tw.resources.headers.versions import version_header
from gecko_tw.resources.headers.writing import stored_for
from gecko_tw.store.records import NULL, Part, Version
from gecko_tw.store.refusals import ConditionalRequestConflict, DeleteMarkerNamed, InvalidArgument, InvalidRequest
from gecko_tw.store.requests import Copy, Source
from gecko_tw.store.rules import versions

_TO_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's"
    " metadata, storage class, website redirect location or encryption attributes."
)
_OF_A_MARKER = "The source of a copy request may not specifically refer to a delete marker by version id."
_NOT_COPIED = ("x-amz-storage-class", "x-amz-website-redirect-location")
"""Headers that a copy has only when it is asked for (S3 API Reference, CopyObject)."""


@operation(
    "CopyObject", PUT, OBJECT, "x-amz-copy-source", needs="s3:PutObject", creates=True, signed_for="copy objects"
)
async def copy_object(call: Call) -> Answer | Slow[Version]:
    """Copies an object, with its metadata or with new ones. Source: S3 API Reference, CopyObject."""
    service, headers = call.service, call.headers
    replaced = (call.header(b"x-amz-tagging-directive") or "").upper() == "REPLACE"
    named = await _source(call, with_tags=not replaced)
    for name in (b"range", b"x-amz-copy-source-range"):
        if name in headers:
            raise InvalidArgument("A copy of an object has no range.", ArgumentName=name.decode())
    conditions = write_conditions(headers)
    await service.read(service.objects.allow, call.bucket, call.key, conditions)
    original = await _look(call, named)
    if quotas.limits(call):
        await quotas.refuse_without_room(call, original.size)
    stored = await stored_for(call)
    replace = _replaces(call, b"x-amz-metadata-directive")
    encryption = await sse.wished(call)
    if not replace:
        _refuse_to_itself(call, named, encryption is not None)
    request = Copy(
        now=service.now(),
        headers=stored.headers if replace else _kept_headers(original, stored.headers),
        metadata=stored.metadata if replace else None,
        tags=stored.tags if _replaces(call, b"x-amz-tagging-directive") else None,
        checksum=checksum_algorithm(headers),
        conditions=conditions,
        owner=stored.owner,
        extra=stored.extra,
        sealing=sse.sealing(call, encryption),
    )
    check = _check_of(call, original, request)
    source = Source(
        bucket=named.bucket,
        key=named.key,
        version_id=named.version_id if original.version_id == NULL else original.version_id,
        check=check,
        customer_key=sse.source_key(headers),
    )
    outcome = service.begin(objects_for(call, "ObjectCreated:Copy").copy, source, call.bucket, call.key, request)
    return await eventually(call, outcome, lambda version: _copied(call, version, original))


async def _look(call: Call, named: Named) -> Version:
    """The version that is to be copied. Raises as IObjects.look, but InvalidRequest when it is a delete marker's id."""
    try:
        return await call.service.read(call.service.objects.look, named.bucket, named.key, named.version_id)
    except DeleteMarkerNamed:
        raise InvalidRequest(_OF_A_MARKER) from None


def _copied(call: Call, version: Version, original: Version) -> Answer:
    headers = expiration_headers(call.record, call.key, version)
    headers += sse.told(call, version.extra, True)
    headers += version_header(call, version)
    headers += _source_id(original.version_id)
    return xml(markup.document("CopyObjectResult", _result(version)), headers=headers)


def _source_id(version_id: str) -> Headers:
    return [] if version_id == NULL else [(b"x-amz-copy-source-version-id", version_id.encode())]


def _result(made: Version | Part) -> str:
    return texts({"LastModified": iso_time(made.modified), "ETag": f'"{made.etag}"'}) + checksum_element(made.checksum)


@operation(
    "UploadPartCopy",
    PUT,
    OBJECT,
    "partNumber",
    "uploadId",
    "x-amz-copy-source",
    needs="s3:PutObject",
    signed_for="copy objects",
)
async def upload_part_copy(call: Call) -> Answer | Slow[Part]:
    """Copies an object, or a range of it, as a part. Source: S3 API Reference, UploadPartCopy."""
    service = call.service
    named = await _source(call)
    number = part_number(call.query["partNumber"])
    upload = await service.read(service.uploads.get, call.bucket, call.key, call.upload_id)
    original = await _look(call, named)
    wanted = call.header(b"x-amz-copy-source-range")
    first, last = (None, None) if wanted is None else copy_range(wanted)

    def check(version: Version) -> None:
        check_copy_source(call.headers, version.etag, version.modified, service.now())
        if last is not None and last >= version.size:
            raise InvalidArgument(
                f"Range specified is not valid for source object of size: {version.size}",
                ArgumentName="x-amz-copy-source-range",
                ArgumentValue=wanted,
            )
        _refuse_large(version.size if last is None or first is None else last - first + 1)

    source = Source(
        bucket=named.bucket,
        key=named.key,
        version_id=named.version_id if original.version_id == NULL else original.version_id,
        check=check,
        first=first,
        last=last,
        customer_key=sse.source_key(call.headers),
        sealing=sse.part_sealing(call, upload, number),
    )
    copy_part = service.uploads.copy_part
    outcome = service.begin(copy_part, source, call.bucket, call.key, call.upload_id, number, service.now())
    told = sse.told(call, upload.extra) + _source_id(original.version_id)
    return await eventually(
        call, outcome, lambda part: xml(markup.document("CopyPartResult", _result(part)), headers=told)
    )


async def _source(call: Call, *, with_tags: bool = False) -> Named:
    """What is to be copied, perhaps with its tags, once it is known that the caller may read it."""
    named = read_source(call.header(COPY_SOURCE) or "")
    await permit_source(call, named.bucket, named.key, named.version_id, with_tags=with_tags)
    expected = call.header(b"x-amz-source-expected-bucket-owner")
    if expected is not None:
        await refuse_other_owner(call, named.bucket, expected)
    return named


def _replaces(call: Call, directive: bytes) -> bool:
    """Whether a directive says REPLACE. Raises InvalidArgument when it is neither that nor COPY."""
    value = (call.header(directive) or "COPY").upper()
    if value not in ("COPY", "REPLACE"):
        kind = directive.decode().split("-")[2]
        raise InvalidArgument(f"Unknown {kind} directive.", ArgumentName=directive.decode(), ArgumentValue=value)
    return value == "REPLACE"


def _refuse_to_itself(call: Call, named: Named, encrypts: bool) -> None:
    """Raises InvalidRequest when an object would be copied onto itself and nothing would change.

    :param encrypts: whether the copy is encrypted, as it asks or as its bucket does by default: so objects get encrypted that are
        there already. One that a customer's key opens is decrypted.
    """
    same = (named.bucket, named.key) == (call.bucket, call.key) and _is_current(call, named)
    changing = (
        b"x-amz-storage-class",
        b"x-amz-website-redirect-location",
        b"x-amz-checksum-algorithm",
        sse.SOURCES + b"algorithm",
    )
    if same and not encrypts and not any(name in call.headers for name in changing):
        raise InvalidRequest(_TO_ITSELF)


def _is_current(call: Call, named: Named) -> bool:
    """Whether the name is one of whatever version is the current one: an older version is copied to restore it."""
    if named.version_id is None:
        return True
    return named.version_id == NULL and (call.record is None or versions.SETTING not in call.record.settings)


def _kept_headers(original: Version, asked: Mapping[str, str]) -> dict[str, str] | None:
    """The headers of a copy that keeps its source's: None when they are exactly those."""
    own = {name: asked[name] for name in _NOT_COPIED if name in asked}
    if not own and not any(name in original.headers for name in _NOT_COPIED):
        return None
    return {**{name: value for name, value in original.headers.items() if name not in _NOT_COPIED}, **own}


def _check_of(call: Call, original: Version, request: Copy) -> Callable[[Version], None]:
    """What the store asks of the source at the moment it copies it."""

    def check(version: Version) -> None:
        check_copy_source(call.headers, version.etag, version.modified, request.now)
        _refuse_large(version.size)
        if request.headers is not None and request.metadata is None and version.headers != original.headers:
            raise ConditionalRequestConflict

    return check


def _refuse_large(size: int) -> None:
    if size > MAX_OBJECT:
        raise InvalidRequest(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_OBJECT}"
        )
