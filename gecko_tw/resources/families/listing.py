"""Pages of a bucket's keys: ListObjectsV2 and ListObjects."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote_from_bytes
from zlib import crc32

from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import element, escape, iso_time, texts
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.requests import ListRequest, Page

MAX_KEYS = 1000

_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.~%\n"
"""Bytes that need not be percent-encoded in lines whose own percent signs already are."""

_TOKEN = b"1"
"""The first byte of a continuation token: its format. A token of another format is not ours."""


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
    page, lines = await _page(call, request, spell, query.get("fetch-owner", "").lower() == "true")
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
    return xml(markup.document("ListBucketResult", head + lines), headers=region_header(call))


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
    return xml(markup.document("ListBucketResult", head + lines), headers=region_header(call))


def region_header(call: Call) -> Headers:
    """Where the addressed bucket is."""
    assert call.record is not None
    return [(b"x-amz-bucket-region", (call.record.region or call.service.region).encode())]


def asked(call: Call, after: bytes, limit: int) -> ListRequest:
    """The store's request for a page, from the parameters that all listings share."""
    query = call.query
    return ListRequest(
        prefix=raw(query.get("prefix", "")), delimiter=raw(query.get("delimiter", "")), after=after, limit=limit
    )


def raw(value: str) -> bytes:
    """The bytes of a query parameter."""
    return value.encode("utf-8", "surrogateescape")


def limited(value: str | None, name: str, most: int = MAX_KEYS) -> int:
    """How many entries a page has: the number asked for, at most ``most``.

    :raises InvalidArgument: not a number from 0 to 2147483647.
    """
    if not value:
        return most
    if not (value.isascii() and value.isdecimal() and len(value) <= 10 and int(value) <= 2147483647):
        raise InvalidArgument(
            f"Provided {name} not an integer or within integer range", ArgumentName=name, ArgumentValue=value
        )
    return min(int(value), most)


class Spelling:
    """How keys are written in a document: as they are, or percent-encoded where ``encoding-type=url`` asks so.

    Only the latter can carry every key: XML 1.0 has no control characters.
    """

    def __init__(self, encoded: bool) -> None:
        self._encoded = encoded

    def __call__(self, key: bytes) -> str:
        return quote_from_bytes(key, safe="/") if self._encoded else key.decode("utf-8", "replace")

    def contents(self, keys: Sequence[bytes]) -> list[str]:
        """Keys as contents of elements: a page of them at once, unless one of them has what they are put together with."""
        together = b"\n".join(keys)
        if together.count(b"\n") != len(keys) - 1:
            return [escape(self(key)) for key in keys]
        if self._encoded:
            return _quote_lines(together).split("\n")
        return escape(together.decode("utf-8", "replace")).split("\n")


def _quote_lines(lines: bytes) -> str:
    """Percent-encodes everything but line feeds: a page is searched for each byte that it has, not byte by byte."""
    if b"%" in lines:
        lines = lines.replace(b"%", b"%25")
    for byte in set(lines.translate(None, _PLAIN)):
        lines = lines.replace(b"%c" % byte, b"%%%02X" % byte)
    return lines.decode("ascii")


def spelling(encoding_type: str | None) -> Spelling:
    """The spelling that a request asks for. Raises InvalidArgument when S3 has no such ``encoding-type``."""
    if encoding_type not in (None, "url"):
        raise InvalidArgument(
            "Invalid Encoding Method specified in Request", ArgumentName="encoding-type", ArgumentValue=encoding_type
        )
    return Spelling(encoding_type is not None)


async def _page(call: Call, request: ListRequest, spell: Spelling, with_owner: bool) -> tuple[Page, str]:
    """A page and its lines, which are written in the thread that reads them."""
    service = call.service

    def read() -> tuple[Page, str]:
        page = service.objects.page(call.bucket, request)
        return page, contents(call, page, spell, with_owner)

    return await service.scan(read)


def contents(call: Call, page: Page, spell: Spelling, with_owner: bool) -> str:
    """The entries and common prefixes of a page."""
    owners = owner_elements(call, page) if with_owner else {}
    keys = spell.contents([entry.key for entry in page.entries])
    lines = [
        f"<Contents><Key>{key}</Key><LastModified>{iso_time(entry.modified)}</LastModified>"
        f"<ETag>&quot;{entry.etag}&quot;</ETag>{checksum_elements(entry.checksum)}<Size>{entry.size}</Size>"
        f"{owners.get(entry.owner, '')}<StorageClass>{entry.storage_class or 'STANDARD'}</StorageClass></Contents>"
        for key, entry in zip(keys, page.entries, strict=True)
    ]
    return "".join(lines) + common_prefixes(page, spell)


@lru_cache(64)
def checksum_elements(checksum: str | None) -> str:
    """What a listing tells of a checksum: not its value."""
    if checksum is None:
        return ""
    algorithm, _, kind = checksum.split(" ")
    return f"<ChecksumAlgorithm>{algorithm}</ChecksumAlgorithm><ChecksumType>{kind}</ChecksumType>"


def owner_elements(call: Call, page: Page) -> dict[str, str]:
    """Whose the entries of a page are."""
    return {owner: owner_element(call, owner) for owner in {entry.owner for entry in page.entries}}


def common_prefixes(page: Page, spell: Spelling) -> str:
    """The common prefixes of a page."""
    prefixes = spell.contents(page.prefixes)
    return "".join([f"<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>" for prefix in prefixes])


def owner_element(call: Call, owner: str, name: str = "Owner") -> str:
    """Whose it is; what nobody owns belongs to the service."""
    return element(name, texts({"ID": owner or call.service.owner, "DisplayName": owner or call.service.owner}))


def write_token(key: bytes) -> str:
    """The opaque token that continues behind a key or common prefix."""
    return urlsafe_b64encode(_TOKEN + crc32(key).to_bytes(4, "big") + key).decode()


def read_token(token: str) -> bytes:
    """The key in a token. Raises InvalidArgument when the token is not one of ours."""
    try:
        data = urlsafe_b64decode(token.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        data = b""
    key = data[5:]
    if data[:1] != _TOKEN or data[1:5] != crc32(key).to_bytes(4, "big") or write_token(key) != token:
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token", ArgumentValue=token
        )
    return key
