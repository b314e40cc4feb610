"""What is under way: ListParts and ListMultipartUploads."""

from attrs import evolve

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.keys import as_text
from gecko_tw.resources.dispatch.operations import BUCKET, GET, OBJECT, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.listing import Spelling, asked, common_prefixes, limited, owner_element, raw, spelling
from gecko_tw.resources.documents.markup import element, iso_time, text, texts
from gecko_tw.resources.headers.lifecycle import abort_headers
from gecko_tw.resources.headers.objects import checksum_element
from gecko_tw.store.records import Part, Upload
from gecko_tw.store.requests import Listed

MAX_LISTED = 1000
MAX_PARTS = 10_000


@operation("ListParts", GET, OBJECT, "uploadId", needs="s3:ListMultipartUploadParts")
async def list_parts(call: Call) -> Answer:
    """The parts that have come, by number. Source: S3 API Reference, ListParts."""
    service, query = call.service, call.query
    upload_id = call.upload_id
    # A connection with a handshake speaks a protocol that has no second page.
    most = MAX_LISTED if call.head.proven is None else MAX_PARTS
    limit = limited(query.get("max-parts"), "max-parts", most)
    marker = limited(query.get("part-number-marker") or "0", "part-number-marker", 10_000)
    spell = spelling(query.get("encoding-type"))
    upload = await service.read(service.uploads.get, call.bucket, call.key, upload_id)
    found = await service.scan(service.uploads.parts, call.bucket, call.key, upload_id, marker, limit + 1)
    parts, more = found[:limit], len(found) > limit and limit > 0
    head = texts({"Bucket": call.bucket, "Key": spell(call.key), "UploadId": upload_id})
    head += _whose(call, upload)
    head += texts(
        {
            "PartNumberMarker": marker,
            "NextPartNumberMarker": parts[-1].number if parts else marker,
            "MaxParts": limit,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": more,
        }
    )
    head += _checksum_of(upload) + "".join(_part(part) for part in parts)
    headers = abort_headers(call.record, call.key, upload.initiated)
    return xml(markup.document("ListPartsResult", head), headers=headers, about=parts)


def _part(part: Part) -> str:
    lines = texts(
        {
            "PartNumber": part.number,
            "LastModified": iso_time(part.modified),
            "ETag": f'"{part.etag}"',
            "Size": part.size,
        }
    )
    return element("Part", lines + checksum_element(part.checksum, kind=False))


def _whose(call: Call, upload: Upload) -> str:
    storage_class = upload.headers.get("x-amz-storage-class", "STANDARD")
    owner = owner_element(call, upload.owner, "Initiator") + owner_element(call, upload.owner)
    return owner + text("StorageClass", storage_class)


def _checksum_of(upload: Upload) -> str:
    return texts({"ChecksumAlgorithm": upload.checksum_algorithm, "ChecksumType": upload.checksum_kind})


@operation("ListMultipartUploads", GET, BUCKET, "uploads", needs="s3:ListBucketMultipartUploads")
async def list_multipart_uploads(call: Call) -> Answer:
    """The uploads under way, by key and then by age. Source: S3 API Reference, ListMultipartUploads."""
    service, query = call.service, call.query
    spell = spelling(query.get("encoding-type"))
    key_marker, id_marker = raw(query.get("key-marker", "")), as_text(query.get("upload-id-marker", ""))
    request = asked(call, key_marker, limited(query.get("max-uploads"), "max-uploads", MAX_LISTED))
    if key_marker and id_marker:
        request = evolve(request, after_id=id_marker)
    page = await service.scan(service.uploads.page, call.bucket, request)
    head = texts(
        {
            "Bucket": call.bucket,
            "KeyMarker": spell(key_marker),
            "UploadIdMarker": id_marker,
            "NextKeyMarker": spell(page.next_key) if page.truncated else None,
            "NextUploadIdMarker": (page.next_id or "") if page.truncated else None,
            "Prefix": spell(request.prefix),
            "Delimiter": spell(request.delimiter) if request.delimiter else None,
            "MaxUploads": request.limit,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": page.truncated,
        }
    )
    lines = "".join(_upload(call, entry, spell) for entry in page.entries)
    return xml(markup.document("ListMultipartUploadsResult", head + lines + common_prefixes(page, spell)))


def _upload(call: Call, entry: Listed, spell: Spelling) -> str:
    upload = entry.upload
    assert upload is not None
    named = texts({"Key": spell(entry.key), "UploadId": entry.id, "Initiated": iso_time(entry.modified)})
    return element("Upload", named + _whose(call, upload) + _checksum_of(upload))
