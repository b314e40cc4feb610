"""GetObjectAttributes: what is known of a version, without its bytes."""

from attrs import evolve

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import GET, OBJECT, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.listing import limited
from gecko_tw.resources.documents.markup import element, text, texts
from gecko_tw.resources.headers import sse
from gecko_tw.resources.headers.conditions import check_read
from gecko_tw.resources.headers.objects import checksum_element, http_date, not_modified_headers, part_checksum
from gecko_tw.resources.headers.versions import version_header, version_id
from gecko_tw.store.checksums import COMPOSITE
from gecko_tw.store.records import Checksum, PartSize, Version
from gecko_tw.store.refusals import InvalidArgument

_HEADER = "x-amz-object-attributes"
_ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_MAX_PARTS = 1000
_LAST_PART = 10_000


@operation(
    "GetObjectAttributes",
    GET,
    OBJECT,
    "attributes",
    needs="s3:GetObjectAttributes",
    needs_version="s3:GetObjectVersionAttributes",
    also="s3:GetObject",
    also_version="s3:GetObjectVersion",
)
async def get_object_attributes(call: Call) -> Answer:
    """What the header names, of the current or the named version. Source: S3 API Reference, GetObjectAttributes.

    :raises InvalidArgument: the header names nothing, or what S3 does not have.
    :raises: as HeadObject.
    """
    service = call.service
    wanted = _wanted(call)
    limit = limited(call.header(b"x-amz-max-parts"), "x-amz-max-parts", _MAX_PARTS)
    marker = limited(call.header(b"x-amz-part-number-marker") or "0", "x-amz-part-number-marker", _LAST_PART)
    version = await service.read(service.objects.look, call.bucket, call.key, version_id(call))
    await sse.check_key(call, version)
    if not check_read(call.headers, version.etag, version.modified, service.now()):
        return Answer(304, not_modified_headers(version))
    content = "".join(_attribute(name, version, marker, limit) for name in _ATTRIBUTES if name in wanted)
    headers = [(b"Last-Modified", http_date(version.modified // 1_000_000_000)), *version_header(call, version)]
    return xml(markup.document("GetObjectAttributesResponse", content), headers=headers)


def _wanted(call: Call) -> set[str]:
    named = call.header(_HEADER.encode())
    wanted = {name.strip() for name in (named or "").split(",")} - {""}
    if not wanted or not wanted <= set(_ATTRIBUTES):
        raise InvalidArgument("Invalid attribute name specified.", ArgumentName=_HEADER, ArgumentValue=named or "")
    return wanted


def _attribute(name: str, version: Version, marker: int, limit: int) -> str:
    """One attribute as an element; nothing where the version has none."""
    if name == "ETag":
        return text(name, version.etag)
    if name == "Checksum":
        return element(name, checksum_element(_bare(version.checksum))) if version.checksum is not None else ""
    if name == "ObjectParts":
        return element(name, _parts(version, marker, limit)) if version.parts else ""
    if name == "StorageClass":
        return text(name, version.headers.get("x-amz-storage-class", "STANDARD"))
    return text(name, version.size)


def _bare(checksum: Checksum) -> Checksum:
    """A composite checksum without the number of parts, which is told beside it."""
    return evolve(checksum, value=checksum.value.partition("-")[0])


def _parts(version: Version, marker: int, limit: int) -> str:
    """How many parts a completed upload was made of, and a page of them where each has a checksum that the object's is made of."""
    if version.checksum is None or version.checksum.kind != COMPOSITE:
        return text("PartsCount", len(version.parts))
    behind = [part for part in version.parts if part.number > marker]
    page = behind[:limit]
    head = texts(
        {
            "PartsCount": len(version.parts),
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page[-1].number if page else 0,
            "MaxParts": limit,
            "IsTruncated": len(behind) > len(page),
        }
    )
    return head + "".join(_part(version, part) for part in page)


def _part(version: Version, part: PartSize) -> str:
    checksum = checksum_element(part_checksum(version, part.checksum), kind=False)
    return element("Part", texts({"PartNumber": part.number, "Size": part.size}) + checksum)
