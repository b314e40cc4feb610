"""The lines of a backup: JSON, gathered in compressed segments, in the order of buckets and keys, versions newest first."""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator

from attrs import field, frozen

from gecko_tw.store.backup.repository import BACKUPS, Backup, Repository, Segment
from gecko_tw.store.backup.targets import BackupError
from gecko_tw.store.drivers.files.attributes import Description, description_of, text_of
from gecko_tw.store.drivers.sqlite.notation import bucket_of, bucket_text, decode, encode
from gecko_tw.store.records import BucketRecord, DeleteMarker, Json, Version

_FULL = 20_000
"""Lines of a segment: what a backup that is cut short need not do again is whole segments."""


@frozen
class Stored:
    """A version, or a delete marker, in a backup.

    :ivar blob: the file with its bytes; empty for a delete marker. They are ``size`` bytes, of this ``sha256``.
    """

    bucket: str
    key: bytes
    record: Version | DeleteMarker
    blob: str = ""
    size: int = 0
    sha256: str = ""

    @property
    def order(self) -> tuple[str, bytes]:
        """Where its key stands."""
        return self.bucket, self.key

    @property
    def shown(self) -> str:
        """Its name for people."""
        return f"{self.bucket}/{self.key.decode('utf-8', 'backslashreplace')} (version {self.record.version_id})"


@frozen
class Document:
    """A small value beside the buckets, as it is kept."""

    kind: str
    name: str
    value: Json


@frozen
class KeyCopy:
    """The key that secrets are encrypted with at rest."""

    data: bytes = field(repr=False)


Line = Stored | BucketRecord | Document | KeyCopy


def written(line: Line) -> str:
    """A line as text."""
    if isinstance(line, BucketRecord):
        return encode({"bucket": line.name, "record": decode(bucket_text(line))})
    if isinstance(line, Document):
        return encode({"document": [line.kind, line.name, line.value]})
    if isinstance(line, KeyCopy):
        return encode({"key": base64.b64encode(line.data).decode()})
    record = line.record if isinstance(line.record, DeleteMarker) else line.record.lying(())
    text = text_of(Description(bucket=line.bucket, key=line.key, record=record))
    fields = {"of": decode(text)}
    if line.blob:
        fields |= {"blob": line.blob, "size": line.size, "sha256": line.sha256}
    return encode(fields)


def read(text: str) -> Line:
    """The reverse of :func:`written`. Raises ValueError, KeyError, TypeError."""
    fields = decode(text)
    if "of" in fields:
        description = description_of(encode(fields["of"]))
        if description is None or not isinstance(description.record, Version | DeleteMarker):
            raise ValueError("it is no version")
        where = (fields.get("blob", ""), fields.get("size", 0), fields.get("sha256", ""))
        return Stored(description.bucket, description.key, description.record, *where)
    if "bucket" in fields:
        return bucket_of(fields["bucket"], encode(fields["record"]))
    if "document" in fields:
        return Document(*fields["document"])
    return KeyCopy(base64.b64decode(fields["key"]))


class Lines:
    """Writes the lines of one backup.

    :ivar segments: those that are written.
    """

    def __init__(self, repository: Repository, name: str) -> None:
        self._repository, self._name = repository, name
        self._waiting: list[str] = []
        self.segments: list[Segment] = []

    def add(self, line: Line) -> None:
        """Raises BackupError."""
        self._waiting.append(written(line))
        if len(self._waiting) >= _FULL:
            self.flush()

    def flush(self) -> None:
        """Makes a segment of what waits, when the bytes that it tells of will outlive a power failure. Raises BackupError."""
        if not self._waiting:
            return
        self._repository.target.sync()
        name = f"{len(self.segments):08d}"
        data = zlib.compress("\n".join(self._waiting).encode(), 6)
        sha256 = self._repository.write(f"{BACKUPS}/{self._name}/{name}", data)
        self.segments.append(Segment(name, sha256))
        self._waiting = []


def check(repository: Repository, backup: Backup) -> None:
    """Reads all segments of a backup. Raises BackupError: it is damaged."""
    for _ in lines_of(repository, backup):
        pass


def lines_of(repository: Repository, backup: Backup) -> Iterator[Line]:
    """Every line of a backup. Raises BackupError: it is damaged."""
    for segment in backup.segments:
        yield from _segment(repository, backup.name, segment.name, segment.sha256)


def lines_of_part(repository: Repository, name: str) -> Iterator[Line]:
    """The lines of a backup that was cut short, as far as they can be read."""
    for segment in repository.target.listed(f"{BACKUPS}/{name}"):
        try:
            yield from _segment(repository, name, segment, None)
        except BackupError:
            return


def _segment(repository: Repository, backup: str, name: str, sha256: str | None) -> list[Line]:
    data = repository.whole(f"{BACKUPS}/{backup}/{name}")
    damaged = BackupError(f"{repository.target.name}: the backup {backup} is damaged")
    if data is None or (sha256 is not None and hashlib.sha256(data).hexdigest() != sha256):
        raise damaged
    try:
        return [read(text) for text in zlib.decompress(data).decode().split("\n")]
    except (ValueError, KeyError, TypeError, zlib.error, json.JSONDecodeError):
        raise damaged from None


class Former:
    """The versions of an earlier backup, asked for in the order of keys.

    :param lines: of that backup.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = (line for line in lines if isinstance(line, Stored))
        self._next = next(self._lines, None)
        self._order: tuple[str, bytes] | None = None
        self._known: dict[str, Stored] = {}

    def of(self, bucket: str, key: bytes) -> dict[str, Stored]:
        """What it had of a key: by the name of the file."""
        if self._order == (bucket, key):
            return self._known
        while self._next is not None and self._next.order < (bucket, key):
            self._next = next(self._lines, None)
        self._order, self._known = (bucket, key), {}
        while self._next is not None and self._next.order == (bucket, key):
            if self._next.blob:
                self._known[self._next.blob] = self._next
            self._next = next(self._lines, None)
        return self._known
