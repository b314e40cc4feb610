"""Records as JSON text: one notation for the rows of the catalog and for the attributes that travel with the bytes.

What many objects share (their headers) is parsed once and remembered by its text, so that reading a row costs no JSON.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

from gecko_tw.store.records import BucketRecord, Checksum, Json, Part, PartSize, Span, Upload, Version

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
decode = json.JSONDecoder().decode

_KEPT_OF_VERSION = ("headers", "metadata", "tags", "upload", "extra")
_KEPT_OF_UPLOAD = ("headers", "metadata", "tags", "checksum_algorithm", "checksum_kind", "owner", "extra")


def _kept(record: Version | Upload, names: tuple[str, ...]) -> dict[str, Json]:
    kept: dict[str, Json] = {}
    for name in names:
        value = getattr(record, name)
        if value:
            kept[name] = dict(value) if isinstance(value, Mapping) else value
    return kept


def version_text(version: Version) -> str:
    """What a row keeps of a version beside its columns; empty when there is nothing."""
    kept = _kept(version, _KEPT_OF_VERSION)
    return encode(kept) if kept else ""


@lru_cache(4096)
def _parsed(text: str) -> dict[str, Json]:
    fields: dict[str, Json] = decode(text)
    return fields


def rest_of(text: str) -> dict[str, Json]:
    """The fields of a version that :func:`version_text` kept, ready to be passed to it. The caller owns the result."""
    if not text:
        return {}
    parsed = _parsed(text)
    if "extra" in parsed:  # its values may be deep: nobody shares them
        own: dict[str, Json] = decode(text)
        return own
    return {name: dict(value) if type(value) is dict else value for name, value in parsed.items()}


def checksum_text(checksum: Checksum | None) -> str | None:
    """A checksum in one word of three."""
    return None if checksum is None else checksum.text


def checksum_of(text: str | None) -> Checksum | None:
    """The reverse of :func:`checksum_text`."""
    return None if text is None else Checksum.read(text)


def spans_text(spans: tuple[Span, ...], size: int) -> str:
    """Spans; the usual ones, a whole blob or nothing, are just its name."""
    if len(spans) == 1 and spans[0].offset == 0 and spans[0].length == size:
        return spans[0].blob
    return encode([[span.blob, span.offset, span.length] for span in spans]) if spans else ""


def spans_of(text: str, size: int) -> tuple[Span, ...]:
    """The reverse of :func:`spans_text`."""
    if not text:
        return ()
    return _listed_spans(text) if text[0] == "[" else (Span(text, 0, size),)


def blobs_in(text: str) -> set[str]:
    """The blobs that :func:`spans_of` would find."""
    if not text:
        return set()
    return {span.blob for span in _listed_spans(text)} if text[0] == "[" else {text}


@lru_cache(64)
def _listed_spans(text: str) -> tuple[Span, ...]:
    return tuple(Span(*values) for values in decode(text))


def parts_text(parts: tuple[PartSize, ...]) -> str | None:
    """The sizes of a multipart object's parts."""
    return encode([[part.number, part.size, part.checksum] for part in parts]) if parts else None


@lru_cache(64)
def parts_of(text: str | None) -> tuple[PartSize, ...]:
    """The reverse of :func:`parts_text`."""
    return tuple(PartSize(*values) for values in decode(text)) if text else ()


def part_fields(part: Part) -> dict[str, Json]:
    """A part without its spans."""
    fields = {"number": part.number, "etag": part.etag, "size": part.size, "modified": part.modified}
    return fields if part.checksum is None else {**fields, "checksum": checksum_text(part.checksum)}


def part_of(fields: Mapping[str, Json], spans: tuple[Span, ...] = ()) -> Part:
    """The reverse of :func:`part_fields`, with the spans added."""
    return Part(
        number=fields["number"],
        etag=fields["etag"],
        size=fields["size"],
        modified=fields["modified"],
        spans=spans,
        checksum=checksum_of(fields.get("checksum")),
    )


def upload_text(upload: Upload) -> str:
    """What a row keeps of an upload beside its columns."""
    return encode(_kept(upload, _KEPT_OF_UPLOAD))


def upload_of(upload_id: str, initiated: int, revision: int, text: str) -> Upload:
    """An upload from its row."""
    return Upload(id=upload_id, initiated=initiated, revision=revision, **decode(text))


def bucket_text(record: BucketRecord) -> str:
    """A whole bucket record."""
    fields = {"created": record.created, "owner": record.owner, "region": record.region}
    return encode({**fields, "settings": dict(record.settings)})


def bucket_of(name: str, text: str) -> BucketRecord:
    """The reverse of :func:`bucket_text`."""
    return BucketRecord(name=name, **decode(text))
