"""Pages of a bucket's keys: ListObjectsV2 and ListObjects."""

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.listing import (
    Spelling,
    asked,
    checksum_elements,
    common_prefixes,
    limited,
    owner_elements,
    raw,
    read_token,
    spelling,
    write_token,
)
from gecko_tw.resources.documents.markup import element, iso_time, texts
from gecko_tw.resources.gates.permits import may_look
from gecko_tw.store.refusals import InvalidArgument, NoSuchKey, NoSuchVersion
from gecko_tw.store.requests import Listed, ListRequest, Page

More = Callable[[Listed], str]

_ELEMENT = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


def nothing(entry: Listed) -> str:
    """No further elements."""
    return ""


def described(call: Call, entry: Listed) -> str:
    """Metadata and tags of an entry, as far as the caller may read them: what MinIO adds to listings with ``metadata=true``. Blocks.

    Names that no element can have are left out.
    """
    try:
        version = call.service.objects.look(call.bucket, entry.key)
    except (NoSuchKey, NoSuchVersion):
        return ""  # it went meanwhile
    told = ""
    if may_look(call, entry.key, version, "s3:GetObject"):
        found = {f"X-Amz-Meta-{name.title()}": value for name, value in version.metadata.items()}
        given = {"content-type": "binary/octet-stream", **version.headers, **found}
        kept = {name: value for name, value in given.items() if _ELEMENT.fullmatch(name)}
        told += element("UserMetadata", texts(kept))
    if version.tags and may_look(call, entry.key, version, "s3:GetObjectTagging"):
        told += texts({"UserTags": urlencode(version.tags)})
    return told


@operation("ListObjectsV2", GET, BUCKET, "list-type", needs="s3:ListBucket")
async def list_objects_v2(call: Call) -> Answer:
    """A page of keys, from a token or from behind ``start-after``. Source: S3 API Reference, ListObjectsV2."""
    query = call.query
    if query["list-type"] != "2":
        raise InvalidArgument("Invalid list type", ArgumentName="list-type", ArgumentValue=query["list-type"])
    spell = spelling(query.get("encoding-type"))
    token, start_after = query.get("continuation-token"), query.get("start-after")
    after = read_token(token) if token is not None else raw(start_after or "")
    request = asked(call, after, limited(query.get("max-keys"), "max-keys"))
    more = partial(described, call) if query.get("metadata") == "true" else nothing
    page, lines = await _page(call, request, spell, query.get("fetch-owner", "").lower() == "true", more)
    head = texts(
        {
            "Name": call.bucket,
            "Prefix": spell(request.prefix),
            "StartAfter": None if not start_after else spell(raw(start_after)),
            "ContinuationToken": token,
            "NextContinuationToken": write_token(page.next_key) if page.truncated else None,
            "KeyCount": len(page.entries) + len(page.prefixes),
            "MaxKeys": request.limit,
            "Delimiter": spell(request.delimiter) if request.delimiter else None,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": page.truncated,
        }
    )
    return xml(markup.document("ListBucketResult", head + lines), headers=region_header(call), about=page)


@operation("ListObjects", GET, BUCKET, needs="s3:ListBucket")
async def list_objects(call: Call) -> Answer:
    """A page of keys from behind ``marker``. Source: S3 API Reference, ListObjects."""
    query = call.query
    spell = spelling(query.get("encoding-type"))
    marker = raw(query.get("marker", ""))
    request = asked(call, marker, limited(query.get("max-keys"), "max-keys"))
    page, lines = await _page(call, request, spell, True)
    head = texts(
        {
            "Name": call.bucket,
            "Prefix": spell(request.prefix),
            "Marker": spell(marker),
            "NextMarker": spell(page.next_key) if page.truncated and request.delimiter else None,
            "MaxKeys": request.limit,
            "Delimiter": spell(request.delimiter) if request.delimiter else None,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": page.truncated,
        }
    )
    return xml(markup.document("ListBucketResult", head + lines), headers=region_header(call), about=page)


def region_header(call: Call) -> Headers:
    """Where the addressed bucket is."""
    assert call.record is not None
    return [(b"x-amz-bucket-region", (call.record.region or call.service.region).encode())]


async def _page(
    call: Call, request: ListRequest, spell: Spelling, with_owner: bool, more: More = nothing
) -> tuple[Page, str]:
    """A page and its lines, which are written in the thread that reads them."""
    service = call.service

    def read() -> tuple[Page, str]:
        page = service.objects.page(call.bucket, request)
        return page, contents(call, page, spell, with_owner, more)

    return await service.scan(read)


def contents(call: Call, page: Page, spell: Spelling, with_owner: bool, more: More = nothing) -> str:
    """The entries and common prefixes of a page.

    :param more: further elements of an entry.
    """
    owners = owner_elements(call, page) if with_owner else {}
    keys = spell.contents([entry.key for entry in page.entries])
    lines = [
        f"<Contents><Key>{key}</Key><LastModified>{iso_time(entry.modified)}</LastModified>"
        f"<ETag>&quot;{entry.etag}&quot;</ETag>{checksum_elements(entry.checksum)}<Size>{entry.size}</Size>"
        f"{owners.get(entry.owner, '')}<StorageClass>{entry.storage_class or 'STANDARD'}</StorageClass>{more(entry)}</Contents>"
        for key, entry in zip(keys, page.entries, strict=True)
    ]
    return "".join(lines) + common_prefixes(page, spell)
