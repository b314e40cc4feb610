"""S3's documents as ByteBucket has them in JSON, written and read. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from gecko_tw.admin.documents import read_json
from gecko_tw.admin.refusals import MalformedCORSConfiguration
from gecko_tw.admin.schemas import Schema, check, members, one_of, several, text, whole
from gecko_tw.callers.access.acl import ALL_USERS
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, texts
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

Headers = dict[bytes, bytes]
IN_HEADERS = frozenset(("PutBucketAcl", "PutObjectAcl"))
"""Those that may say in a header what else they say in their body."""

_WORDS: Schema = several(text(1024), 1000)
_CORS = members(
    ["CORSRules"],
    CORSRules=several(
        members(
            ID=text(255),
            AllowedMethods=_WORDS,
            AllowedOrigins=_WORDS,
            AllowedHeaders=_WORDS,
            ExposeHeaders=_WORDS,
            MaxAgeSeconds=whole(0, 2**31 - 1),
        ),
        100,
    ),
)
_TAGS = members(["tagSet"], tagSet=several(members(["key", "value"], key=text(1024), value=text(1024)), 1000))
_PARTS = members(["parts"], parts=several(members(["partNumber", "etag"], partNumber=whole(), etag=text(1024)), 10_000))
_CANNED = members(["canned"], canned=one_of("private", "public-read"))
_LISTS = (
    ("AllowedMethods", "AllowedMethod"),
    ("AllowedOrigins", "AllowedOrigin"),
    ("AllowedHeaders", "AllowedHeader"),
    ("ExposeHeaders", "ExposeHeader"),
)


def _cors(body: bytes) -> tuple[bytes, Headers]:
    try:
        values = read_json(body)
        check(_CORS, values, "body")
    except InvalidArgument as wrong:
        raise MalformedCORSConfiguration(wrong.message) from None
    return markup.document("CORSConfiguration", "".join(element("CORSRule", _rule(rule)) for rule in values["CORSRules"])), {}  # fmt: skip


def _rule(rule: Mapping[str, Any]) -> str:
    lists = "".join(markup.text(one, word) for many, one in _LISTS for word in rule.get(many, ()))
    return texts({"ID": rule.get("ID")}) + lists + texts({"MaxAgeSeconds": rule.get("MaxAgeSeconds")})


def _tagging(body: bytes) -> tuple[bytes, Headers]:
    values = read_json(body)
    check(_TAGS, values, "body")
    tags = "".join(element("Tag", texts({"Key": tag["key"], "Value": tag["value"]})) for tag in values["tagSet"])
    return markup.document("Tagging", element("TagSet", tags)), {}


def _complete(body: bytes) -> tuple[bytes, Headers]:
    values = read_json(body)
    check(_PARTS, values, "body")
    parts = (texts({"PartNumber": part["partNumber"], "ETag": part["etag"]}) for part in values["parts"])
    return markup.document("CompleteMultipartUpload", "".join(element("Part", part) for part in parts)), {}


def _canned(body: bytes) -> tuple[bytes, Headers]:
    values = read_json(body)
    check(_CANNED, values, "body")
    return b"", {b"x-amz-acl": values["canned"].encode()}


WRITTEN: Mapping[str, Callable[[bytes], tuple[bytes, Headers]]] = {
    "PutBucketCors": _cors,
    "PutObjectTagging": _tagging,
    "CompleteMultipartUpload": _complete,
    "PutBucketAcl": _canned,
    "PutObjectAcl": _canned,
}
"""By operations that take a document: S3's, and headers, that say what JSON says."""


def _told_cors(body: bytes) -> Json:
    rules = []
    for rule in markup.read(body, "CORSConfiguration").all("CORSRule"):
        told: dict[str, Json] = {"ID": rule.get("ID")} if rule.get("ID") else {}
        told |= {many: [word.text for word in rule.all(one)] for many, one in _LISTS[:2]}
        told |= {many: [word.text for word in rule.all(one)] for many, one in _LISTS[2:] if rule.all(one)}
        age = rule.get("MaxAgeSeconds")
        rules.append(told if age is None else {**told, "MaxAgeSeconds": int(age)})
    return {"CORSRules": rules}


def _told_tags(body: bytes) -> Json:
    tags = [tag for found in markup.read(body, "Tagging").all("TagSet") for tag in found.all("Tag")]
    return {"tagSet": [{"key": tag.need("Key"), "value": tag.need("Value")} for tag in tags]}


def _told_acl(body: bytes) -> Json:
    """Whether everybody may read."""
    lists = markup.read(body, "AccessControlPolicy").all("AccessControlList")
    for grant in (grant for found in lists for grant in found.all("Grant")):
        everybody = any(grantee.get("URI") == ALL_USERS for grantee in grant.all("Grantee"))
        if everybody and grant.get("Permission") in ("READ", "FULL_CONTROL"):
            return {"canned": "public-read"}
    return {"canned": "private"}


def _told_upload(body: bytes) -> Json:
    found = markup.read(body, "InitiateMultipartUploadResult")
    return {"bucket": found.need("Bucket"), "key": found.need("Key"), "uploadId": found.need("UploadId")}


def _told_completed(body: bytes) -> Json:
    found = markup.read(body, "CompleteMultipartUploadResult")
    names = ("Location", "Bucket", "Key", "ETag")
    return {name.lower(): found.need(name) for name in names}


def _told_parts(body: bytes) -> Json:
    found = markup.read(body, "ListPartsResult")
    parts = [
        {
            "partNumber": int(part.need("PartNumber")),
            "lastModified": part.need("LastModified"),
            "etag": part.need("ETag"),
            "size": int(part.need("Size")),
        }
        for part in found.all("Part")
    ]
    head = {"bucket": found.need("Bucket"), "key": found.need("Key"), "uploadId": found.need("UploadId")}
    return {**head, **_more(found, "NextPartNumberMarker"), "parts": parts}


def _told_uploads(body: bytes) -> Json:
    found = markup.read(body, "ListMultipartUploadsResult")
    uploads = [
        {"key": one.need("Key"), "uploadId": one.need("UploadId"), "initiated": one.need("Initiated")}
        for one in found.all("Upload")
    ]
    more = _more(found, "NextKeyMarker", "NextUploadIdMarker")
    return {"bucket": found.need("Bucket"), **more, "uploads": uploads}


def _more(found: Element, *markers: str) -> dict[str, Json]:
    """Where the next page begins, if there is one: a page is no longer than S3's."""
    if found.get("IsTruncated") != "true":
        return {}
    return {"isTruncated": True, **{f"{name[0].lower()}{name[1:]}": found.need(name) for name in markers}}


READ: Mapping[str, Callable[[bytes], Json]] = {
    "GetBucketCors": _told_cors,
    "GetObjectTagging": _told_tags,
    "GetBucketAcl": _told_acl,
    "GetObjectAcl": _told_acl,
    "CreateMultipartUpload": _told_upload,
    "CompleteMultipartUpload": _told_completed,
    "ListParts": _told_parts,
    "ListMultipartUploads": _told_uploads,
}
"""By operations that answer a document: what it says."""
