"""The description that travels with an object's bytes, as JSON text: enough to make its row in the catalog again."""

import base64
import os
from typing import Any

from attrs import evolve, frozen

from gecko_tw.store.drivers.sqlite.notation import (
    checksum_of,
    checksum_text,
    decode,
    encode,
    parts_of,
    parts_text,
    rest_of,
    version_text,
)
from gecko_tw.store.records import NULL, BlobNote, DeleteMarker, Part, Span, Version

FORMAT = 1
_TEXTS = ("bucket", "etag", "owner", "version", "marker", "kept")
_NUMBERS = ("modified", "size", "mtime", "part", "stored")


@frozen(kw_only=True)
class Description:
    """What is written beside bytes.

    :ivar upload: the id of the upload a Part belongs to.
    :ivar mtime: the file's modification time where it differs from the record's.
    :ivar spans: of an object that is not one file yet.
    :ivar kept: the pool's name of the bytes this file replaced, when their version stays.
    :ivar replaces: size and modification time of the visible file that this one supersedes without taking its place.
    :ivar spill: the name of the file this came from, when it was too long to be an attribute.
    """

    bucket: str
    key: bytes
    record: Version | Part | DeleteMarker
    upload: str | None = None
    mtime: int | None = None
    spans: tuple[Span, ...] | None = None
    kept: str | None = None
    replaces: tuple[int, int] | None = None
    spill: str | None = None

    def fits(self, found: os.stat_result) -> bool:
        """Whether a file is still the one described; something else may have changed it since."""
        record = self.record
        if isinstance(record, DeleteMarker) or record.size != found.st_size:
            return False
        return found.st_mtime_ns == (record.modified if self.mtime is None else self.mtime)


def described(note: BlobNote) -> Description:
    """The description of a blob that has just been written."""
    return Description(bucket=note.bucket, key=note.key, record=note.record, upload=note.upload)


def text_of(description: Description) -> str:
    """A description as one line of ASCII JSON."""
    record = description.record
    fields: dict[str, Any] = {"v": FORMAT, "bucket": description.bucket}
    try:
        fields["key"] = description.key.decode("utf-8")
    except UnicodeDecodeError:
        fields["key64"] = base64.b64encode(description.key).decode("ascii")
    fields["modified"] = record.modified
    if isinstance(record, DeleteMarker):
        fields |= {"marker": record.version_id, "owner": record.owner}
    else:
        fields |= _fields_of_bytes(record, description)
    if description.kept is not None:
        fields["kept"] = description.kept
    if description.replaces is not None:
        fields["replaces"] = description.replaces
    return encode(fields)


def _fields_of_bytes(record: Version | Part, description: Description) -> dict[str, Any]:
    fields: dict[str, Any] = {"etag": record.etag, "size": record.size}
    if record.checksum is not None:
        fields["checksum"] = checksum_text(record.checksum)
    if description.mtime is not None and description.mtime != record.modified:
        fields["mtime"] = description.mtime
    if description.spans is not None:
        fields["spans"] = [[span.blob, span.offset, span.length] for span in description.spans]
    if isinstance(record, Part):
        if record.stored is not None:
            fields["stored"] = record.stored
        return {**fields, "part": record.number, "upload": description.upload}
    if record.version_id != NULL:
        fields["version"] = record.version_id
    if record.owner:
        fields["owner"] = record.owner
    if record.parts:
        fields["parts"] = parts_text(record.parts)
    rest = version_text(record)
    return {**fields, "record": rest} if rest else fields


def description_of(text: str | bytes) -> Description | None:
    """The reverse of :func:`text_of`; None for what is none of ours."""
    try:
        fields = decode(text if isinstance(text, str) else text.decode("utf-8"))
        if not isinstance(fields, dict) or fields.get("v") != FORMAT:
            return None
        key = base64.b64decode(fields["key64"]) if "key64" in fields else fields["key"].encode("utf-8")
        spans = fields.get("spans")
        replaces = fields.get("replaces")
        if not all(isinstance(fields.get(name, ""), str) for name in _TEXTS) or not _are_numbers(fields):
            return None
        return Description(
            bucket=fields["bucket"],
            key=key,
            record=_record_of(fields),
            upload=fields["upload"] if "part" in fields else None,
            mtime=fields.get("mtime"),
            spans=None if spans is None else tuple(Span(*values) for values in spans),
            kept=fields.get("kept"),
            replaces=None if replaces is None else (replaces[0], replaces[1]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _are_numbers(fields: dict[str, Any]) -> bool:
    return all(isinstance(fields.get(name, 0), int) and abs(fields.get(name, 0)) < 2**63 for name in _NUMBERS)


def _record_of(fields: dict[str, Any]) -> Version | Part | DeleteMarker:
    if "marker" in fields:
        return DeleteMarker(version_id=fields["marker"], modified=fields["modified"], owner=fields["owner"])
    own = {"etag": fields["etag"], "size": fields["size"], "modified": fields["modified"]}
    own["checksum"] = checksum_of(fields.get("checksum"))
    if "part" in fields:
        return Part(number=fields["part"], spans=(), stored=fields.get("stored"), **own)
    parts = parts_of(fields.get("parts"))
    rest = rest_of(fields.get("record", ""))
    return Version(version_id=fields.get("version", NULL), owner=fields.get("owner", ""), parts=parts, **own, **rest)


def pointer_text(spill: str, description: Description) -> str:
    """What stands in the attribute in place of a description that is too long for it."""
    record = description.record
    mtime = record.modified if description.mtime is None else description.mtime
    return encode({"v": FORMAT, "spill": spill, "size": getattr(record, "size", 0), "modified": mtime})


def pointed_at(text: bytes) -> str | None:
    """The spill that an attribute points at, or None."""
    try:
        fields = decode(text.decode("utf-8"))
    except ValueError:
        return None
    return fields.get("spill") if isinstance(fields, dict) else None


def found_at(description: Description, spill: str | None, mtime: int) -> Description:
    """A description completed by where it was found."""
    return evolve(description, spill=spill, mtime=mtime)
