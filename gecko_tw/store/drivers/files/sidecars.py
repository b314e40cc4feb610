"""GeckoS3's sidecars, ``<object>.metadata.json``, as it reads and writes them byte for byte.

Values of headers are kept as Latin-1 text (every byte of the header is one character), while a sidecar holds the same bytes as UTF-8.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from attrs import frozen

from gecko_tw.store.checksums import NO_MD5
from gecko_tw.store.records import Json, Version

OURS = "geckos3"
"""The field that holds our own, full description; GeckoS3 passes over it."""

DEFAULT_TYPE = "application/octet-stream"
_HEADERS = (
    ("contentType", "content-type"),
    ("contentEncoding", "content-encoding"),
    ("contentDisposition", "content-disposition"),
    ("cacheControl", "cache-control"),
)
_ESCAPED = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
_MAXIMUM_FRACTION = 9


@frozen(kw_only=True)
class Sidecar:
    """What a sidecar says.

    :ivar modified: nanoseconds, or None when it does not say.
    :ivar etag: without quotes; empty when it has none.
    :ivar ours: our own fields, when we wrote it.
    """

    size: int
    modified: int | None
    etag: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    ours: Json = None


def sidecar_text(version: Version, ours: Json = None) -> bytes:
    """The sidecar of a version: GeckoS3's fields in its order, then ours."""
    fields: dict[str, Json] = {
        "size": version.size,
        "lastModified": rfc3339(version.modified),
        "etag": f'"{version.etag}"',
    }
    for name, header in _HEADERS:
        value = version.headers.get(header, DEFAULT_TYPE if header == "content-type" else "")
        if value:
            fields[name] = _as_bytes_say(value)
    if version.metadata:
        fields["customMetadata"] = {name: _as_bytes_say(version.metadata[name]) for name in sorted(version.metadata)}
    if ours is not None:
        fields[OURS] = ours
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED).encode("utf-8")


def read_sidecar(data: bytes) -> Sidecar | None:
    """A sidecar by GeckoS3's rules: names in any case, unknown ones passed over; None when anything known is not of its type."""
    try:
        found = json.loads(data.decode("utf-8", "replace"))
        if not isinstance(found, dict):
            return None
        fields = {name if name == OURS else name.lower(): value for name, value in found.items()}
        modified = fields.get("lastmodified")
        headers = {header: _bytes_of(_text(fields, name.lower())) for name, header in _HEADERS}
        headers["content-encoding"] = _without_framing(headers["content-encoding"])
        return Sidecar(
            size=_integer(fields.get("size")),
            modified=None if modified is None else nanoseconds(modified),
            etag=_text(fields, "etag").strip('"'),
            headers={header: value for header, value in headers.items() if value},
            metadata=_texts(fields.get("custommetadata")),
            ours=fields.get(OURS),
        )
    except (ValueError, TypeError, RecursionError):
        return None


def _text(fields: dict[str, Json], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _integer(value: Json) -> int:
    if value is None:
        return 0
    if type(value) is not int:
        raise TypeError("size")
    return value


def _texts(value: Json) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError("customMetadata")
    return {_bytes_of(name): _bytes_of(_text(value, name)) for name in value}


def _as_bytes_say(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("utf-8")


def _bytes_of(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")


def _without_framing(encoding: str) -> str:
    """Without ``aws-chunked``, which is how the body was sent and no property of the object (seeds 1.9, fault 8)."""
    return ", ".join(token for token in map(str.strip, encoding.split(",")) if token and token != "aws-chunked")


def rfc3339(moment: int) -> str:
    """Nanoseconds as RFC 3339 in UTC, trailing zeros of the fraction left out."""
    seconds, rest = divmod(moment, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


def nanoseconds(text: str) -> int:
    """The reverse, for any offset. Raises ValueError."""
    if not isinstance(text, str) or len(text) < 20 or text[10] != "T":
        raise ValueError(text)
    whole, rest = text[:19], text[19:]
    digits = ""
    if rest[0] == ".":
        zone_at = next((at for at in range(1, len(rest)) if not rest[at].isdigit()), len(rest))
        digits, rest = rest[1:zone_at], rest[zone_at:]
        if not digits:
            raise ValueError(text)
    if rest != "Z" and not (len(rest) == 6 and rest[0] in "+-" and rest[3] == ":"):
        raise ValueError(text)
    moment = datetime.fromisoformat(whole + ("+00:00" if rest == "Z" else rest))
    return int(moment.timestamp()) * 1_000_000_000 + int(digits[:_MAXIMUM_FRACTION].ljust(_MAXIMUM_FRACTION, "0") or 0)


def pseudo_etag(size: int, mtime: int) -> str:
    """The ETag of a file that nobody hashed: it changes whenever size or modification time (nanoseconds) do."""
    return hashlib.md5(b"%d-%d" % (size, mtime), usedforsecurity=False).hexdigest() + NO_MD5
