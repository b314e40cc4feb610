"""What a request's headers store with an object, and the headers that an object's version is answered with. Pure.

Sources: S3 API Reference, PutObject and GetObject; S3 User Guide, "Working with object metadata".
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from attrs import field, frozen

from gecko_tw.resources.answers.refusals import InvalidRedirectLocation, InvalidStorageClass, NotImplemented_
from gecko_tw.resources.dispatch.keys import decode
from gecko_tw.resources.documents.markup import text
from gecko_tw.resources.headers.encoded_words import decoded
from gecko_tw.store.checksums import ALGORITHMS
from gecko_tw.store.records import NULL, STORAGE_CLASS, Checksum, Json, Version
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, MetadataTooLarge
from gecko_tw.store.rules.storage_classes import ARCHIVED, AT_HAND
from gecko_tw.store.rules.tags import OF_OBJECT, check_tags

MAX_METADATA = 2048
"""Bytes of all names and values of an object's user metadata."""

DEFAULT_TYPE = b"binary/octet-stream"

_META = b"x-amz-meta-"
_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What a header's name may be made of (RFC 9110, 5.6.2)."""

_NAMES = bytes(byte if byte in _TOKEN else ord("_") for byte in range(256))
"""Makes what was adopted under another name one that clients can read: headers behind a broken one would be lost to them."""

_REDIRECT = b"x-amz-website-redirect-location"
_SYSTEM = (
    b"content-type",
    b"cache-control",
    b"content-disposition",
    b"content-language",
    b"expires",
    _REDIRECT,
)
_SPELLED = {
    "content-type": b"Content-Type",
    "cache-control": b"Cache-Control",
    "content-disposition": b"Content-Disposition",
    "content-encoding": b"Content-Encoding",
    "content-language": b"Content-Language",
    "expires": b"Expires",
    "x-amz-website-redirect-location": b"x-amz-website-redirect-location",
    STORAGE_CLASS: b"x-amz-storage-class",
}

_LACKING = (
    b"x-amz-write-offset-bytes",
    b"x-amz-mfa",
    b"x-amz-object-annotation-directive",
    b"x-amz-if-match-initiated-time",
)
"""Headers, by their beginning, that would change what a request means and that are not implemented."""

_OVERRIDES = {
    "response-content-type": b"Content-Type",
    "response-content-language": b"Content-Language",
    "response-expires": b"Expires",
    "response-cache-control": b"Cache-Control",
    "response-content-disposition": b"Content-Disposition",
    "response-content-encoding": b"Content-Encoding",
}

_TAGGING = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."


@frozen
class Stored:
    """What a request stores beside the bytes; names as in records.Version.

    :ivar owner: the account whose object it becomes.
    """

    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    extra: Mapping[str, Json] = field(factory=dict)
    owner: str = ""


def refuse_lacking(headers: Mapping[bytes, bytes]) -> None:
    """Refuses a request with a header whose meaning we lack: ignoring it would answer something else than was asked.

    :raises NotImplemented_: naming the header.
    """
    for name in headers:
        if name.startswith(b"x-amz-") and name.startswith(_LACKING):
            raise NotImplemented_(Header=name.decode("latin-1"))


def as_they_are(text: str) -> str:
    """Reads the metadata of forms: browsers send UTF-8, and nothing in it is encoded."""
    return text


def stored(headers: Mapping[bytes, bytes], read: Callable[[str], str] = decoded) -> Stored:
    """What PutObject, CreateMultipartUpload, a form or a replacing copy store.

    :param read: makes the value of user metadata out of what was sent.
    :raises NotImplemented_: an archive that we lack.
    :raises InvalidStorageClass, InvalidRedirectLocation, MetadataTooLarge, TooManyTags, InvalidTag: as S3 does.
    """
    tagging = headers.get(b"x-amz-tagging")
    return Stored(system_headers(headers), user_metadata(headers, read), parse_tags(tagging) if tagging else {})


def system_headers(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers that come back as they were given; ``aws-chunked`` is framing and not kept.

    :raises NotImplemented_, InvalidStorageClass: of ``x-amz-storage-class``.
    :raises InvalidRedirectLocation: of ``x-amz-website-redirect-location``.
    """
    if not headers.get(_REDIRECT, b"/").startswith((b"/", b"http://", b"https://")):
        raise InvalidRedirectLocation
    kept = {name.decode(): headers[name].decode("latin-1") for name in _SYSTEM if headers.get(name)}
    coding = headers.get(b"content-encoding")
    if coding:
        rest = coding.decode("latin-1")
        if "aws-chunked" in rest.lower():
            codings = [one.strip() for one in rest.split(",")]
            rest = ", ".join(one for one in codings if one and one.lower() != "aws-chunked")
        if rest:
            kept["content-encoding"] = rest
    storage_class = headers.get(b"x-amz-storage-class")
    if storage_class is not None and storage_class != b"STANDARD":
        kept[STORAGE_CLASS] = _storage_class(storage_class.decode("latin-1"))
    return kept


def _storage_class(name: str) -> str:
    if name in ARCHIVED:
        raise NotImplemented_(Header="x-amz-storage-class", Value=name)
    if name not in AT_HAND:
        raise InvalidStorageClass(StorageClassRequested=name)
    return name


def user_metadata(headers: Mapping[bytes, bytes], read: Callable[[str], str] = decoded) -> dict[str, str]:
    """``x-amz-meta-*`` without its prefix.

    :param read: as in :func:`stored`.
    :raises InvalidArgument: a name that no header can have; queries of presigned URLs and forms hold any.
    :raises MetadataTooLarge: beyond 2 KiB of names and values.
    """
    found: dict[str, str] = {}
    size = 0
    for name, value in headers.items():
        if name.startswith(_META) and len(name) > len(_META):
            if name.translate(None, _TOKEN):
                raise InvalidArgument("The name of a header is not valid.", ArgumentName=name.decode("latin-1"))
            sent = _as_text(value)
            text = found[name[len(_META) :].decode("latin-1")] = read(sent)
            size += len(name) - len(_META) + (len(value) if text is sent else len(text.encode()))
    if size > MAX_METADATA:
        raise MetadataTooLarge(Size=size, MaxSizeAllowed=MAX_METADATA)
    return found


def _as_text(value: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, so that no byte is lost."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def parse_tags(value: bytes) -> dict[str, str]:
    """The tags of an ``x-amz-tagging`` header, which is encoded as a query and may be empty.

    :raises InvalidArgument: it is no such query, or has a key twice.
    :raises TooManyTags, InvalidTag: as ``rules.tags.check_tags``.
    """
    split = [pair.partition(b"=") for pair in value.split(b"&") if pair]
    read = [(_unquoted(key), _unquoted(text)) for key, _, text in split]
    pairs = [(key, text) for key, text in read if key and text is not None]
    if len(pairs) < len(read) or len(dict(pairs)) < len(pairs):
        raise InvalidArgument(_TAGGING, ArgumentName="x-amz-tagging", ArgumentValue=_as_text(value))
    return check_tags(pairs, OF_OBJECT)


def _unquoted(text: bytes) -> str | None:
    """A name or value of a query, decoded; None when it is not encoded as one."""
    decoded = decode(text.replace(b"+", b" "))
    if decoded is None or b"=" in text:
        return None
    try:
        return decoded.decode("utf-8")
    except UnicodeDecodeError:
        return None


def version_headers(version: Version) -> list[tuple[bytes, bytes]]:
    """The headers of GetObject and HeadObject that come from the version, without those of its checksum."""
    stored_headers = version.headers
    found = [
        (b"Last-Modified", http_date(version.modified // 1_000_000_000)),
        (b"ETag", quoted(version.etag)),
        (b"Accept-Ranges", b"bytes"),
    ]
    if "content-type" not in stored_headers:
        found.append((b"Content-Type", DEFAULT_TYPE))
    for name, value in stored_headers.items():
        spelled = _SPELLED.get(name)
        if spelled is not None:
            found.append((spelled, _safe(value)))
    for name, value in version.metadata.items():
        found.append((_META + _safe(name).translate(_NAMES), _metadata_value(value)))
    if version.tags:
        found.append((b"x-amz-tagging-count", b"%d" % len(version.tags)))
    if version.version_id != NULL:
        found.append((b"x-amz-version-id", version.version_id.encode()))
    return found


def not_modified_headers(version: Version) -> list[tuple[bytes, bytes]]:
    """The headers of a 304 (RFC 9110, 15.4.5)."""
    kept = (b"Last-Modified", b"ETag", b"Cache-Control", b"Expires", b"x-amz-version-id")
    return [(name, value) for name, value in version_headers(version) if name in kept]


def checksum_headers(checksum: Checksum | None) -> list[tuple[bytes, bytes]]:
    """A stored checksum as headers."""
    if checksum is None:
        return []
    return [
        (b"x-amz-checksum-" + checksum.algorithm.lower().encode(), checksum.value.encode()),
        (b"x-amz-checksum-type", checksum.kind.encode()),
    ]


def checksum_element(checksum: Checksum | None, kind: bool = True) -> str:
    """A stored checksum as elements; ``kind`` tells whether its type is one of them."""
    if checksum is None:
        return ""
    value = text(f"Checksum{checksum.algorithm}", checksum.value)
    return value + text("ChecksumType", checksum.kind) if kind else value


def checksum_algorithm(headers: Mapping[bytes, bytes]) -> str | None:
    """What ``x-amz-checksum-algorithm`` names, or None. Raises InvalidRequest for what S3 does not have."""
    named = headers.get(b"x-amz-checksum-algorithm")
    if named is None:
        return None
    algorithm = named.decode("latin-1").upper()
    if algorithm not in ALGORITHMS:
        valid = ", ".join(ALGORITHMS)
        raise InvalidRequest(
            f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        )
    return algorithm


def written_headers(version: Version) -> list[tuple[bytes, bytes]]:
    """The headers that PutObject answers."""
    found = [(b"ETag", quoted(version.etag)), *checksum_headers(version.checksum)]
    if version.version_id != NULL:
        found.append((b"x-amz-version-id", version.version_id.encode()))
    return found


def part_checksum(version: Version, value: str | None) -> Checksum | None:
    """The checksum of one part of a version, when it was kept."""
    if value is None or version.checksum is None:
        return None
    return Checksum(version.checksum.algorithm, value, version.checksum.kind)


def overridden(headers: list[tuple[bytes, bytes]], query: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers with those replaced that the ``response-*`` parameters name.

    :raises InvalidArgument: a value that no header can have.
    """
    replaced = {}
    for parameter, name in _OVERRIDES.items():
        value = query.get(parameter)
        if value is not None:
            if not value.isprintable():
                raise InvalidArgument(ArgumentName=parameter, ArgumentValue=value)
            replaced[name] = value.encode("utf-8", "surrogateescape")
    if not replaced:
        return headers
    return [pair for pair in headers if pair[0] not in replaced] + list(replaced.items())


def asks_override(query: Mapping[str, str]) -> bool:
    """Whether a ``response-*`` parameter is there."""
    return any(name in query for name in _OVERRIDES)


def quoted(etag: str) -> bytes:
    """An ETag as in headers."""
    return b'"%b"' % etag.encode()


@lru_cache(4096)
def http_date(seconds: int) -> bytes:
    """An HTTP date (RFC 9110, 5.6.7); English whatever the locale."""
    moment = datetime.fromtimestamp(seconds, UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[moment.month * 3 - 3 : moment.month * 3]
    return f"{day}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} GMT".encode()


def _safe(value: str) -> bytes:
    """A stored value as a header's value: bytes as they came; control characters of foreign metadata become spaces."""
    if not value.isprintable():
        value = "".join(char if char >= " " and char != "\x7f" or char == "\t" else " " for char in value)
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")


def _metadata_value(value: str) -> bytes:
    """User metadata outside printable ASCII and tabs is written as RFC 2047 says, as S3 does."""
    if value.isascii() and (value.isprintable() or value.replace("\t", " ").isprintable()):
        return value.encode()
    return b"=?UTF-8?B?" + b64encode(value.encode("utf-8", "surrogateescape")) + b"?="
