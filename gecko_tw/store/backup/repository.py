"""A target with backups in it: what it says of itself, its files sealed or not, and which backups are whole.

``geckos3-backup.json`` has the format's version and how it is encrypted; ``blobs/`` the bytes of versions, each once for all backups;
``backups/<time>/`` the records of one backup in segments, and ``end``, which is written last: without it there is no backup.
"""

import hashlib
import json
from datetime import UTC, datetime

from attrs import frozen

from gecko_tw.store.backup.sealing import Sealing
from gecko_tw.store.backup.targets import BackupError, Sink, Source, Target, pieces
from gecko_tw.store.encryption.format import CHECKED, sealed_size
from gecko_tw.store.records import Json, Version

FORMAT = 1
ABOUT = "geckos3-backup.json"
BLOBS, BACKUPS, END = "blobs", "backups", "end"
_TIME = "%Y%m%dT%H%M%S.%fZ"


@frozen
class Segment:
    """Some of a backup's lines.

    :ivar sha256: of the file as it was before it was encrypted.
    """

    name: str
    sha256: str


@frozen(kw_only=True)
class Backup:
    """One backup that is whole.

    :ivar name: of its directory.
    :ivar time: the moment that it is of, in nanoseconds.
    :ivar counts: what it holds: ``buckets``, ``versions``, ``bytes``.
    :ivar left_out: versions that are not in it: lines for people.
    """

    name: str
    time: int
    segments: tuple[Segment, ...]
    counts: dict[str, int]
    left_out: tuple[str, ...] = ()


@frozen
class Repository:
    """An open target.

    :ivar sealing: its keys, or None when it is not encrypted.
    """

    target: Target
    sealing: Sealing | None = None

    def blob(self, bucket: str, key: bytes, version: Version) -> str:
        """The name of the file with a version's bytes: the same in every backup, for the same bytes alone."""
        checksum = "" if version.checksum is None else version.checksum.text
        marks = (bucket, key.hex(), version.version_id, version.etag, version.size, version.modified, checksum)
        data = json.dumps(marks).encode()
        name = hashlib.sha256(data).hexdigest() if self.sealing is None else self.sealing.name(data)
        return f"{BLOBS}/{name[:2]}/{name[2:]}"

    def holds(self, name: str, size: int) -> bool:
        """Whether there is a file that can hold so many bytes."""
        return self.target.holds(name, size if self.sealing is None else sealed_size(size, CHECKED))

    def create(self, name: str) -> Sink:
        """A new file, encrypted where all are."""
        sink = self.target.create(name)
        return sink if self.sealing is None else self.sealing.sink(sink)

    def clone(self, name: str, descriptor: int, unchanging: bool) -> bool:
        """As of Target: what is encrypted is none."""
        return self.sealing is None and self.target.clone(name, descriptor, unchanging)

    def open(self, name: str) -> Source | None:
        """A file, or None when it is not there. Raises BackupError."""
        source = self.target.open(name)
        shown = f"{self.target.name}: {name}"
        return source if source is None or self.sealing is None else self.sealing.source(source, shown)

    def whole(self, name: str) -> bytes | None:
        """All bytes of a small file, or None when it is not there. Raises BackupError."""
        source = self.open(name)
        if source is None:
            return None
        try:
            return b"".join(pieces(source))
        finally:
            source.close()

    def write(self, name: str, data: bytes) -> str:
        """Writes a small file; its SHA-256."""
        sink = self.create(name)
        try:
            sink.write(data)
            sink.commit()
        finally:
            sink.abort()
        return hashlib.sha256(data).hexdigest()

    def names(self) -> list[str]:
        """The names of all backups, those that were cut short, too; oldest first."""
        return self.target.listed(BACKUPS)

    def is_whole(self, name: str) -> bool:
        """Whether a backup came to its end."""
        return self.target.size(f"{BACKUPS}/{name}/{END}") is not None

    def backup(self, name: str) -> Backup:
        """A backup that is whole. Raises BackupError: it is damaged."""
        text = self.whole(f"{BACKUPS}/{name}/{END}")
        try:
            fields = json.loads(text or b"")
            segments = tuple(Segment(*values) for values in fields["segments"])
            return Backup(
                name=name,
                time=fields["time"],
                segments=segments,
                counts=fields["counts"],
                left_out=tuple(fields["left_out"]),
            )
        except (ValueError, KeyError, TypeError):
            raise BackupError(f"{self.target.name}: the backup {name} is damaged") from None

    def end(self, backup: Backup) -> None:
        """Makes a backup whole, once all of it will outlive a power failure."""
        fields = {
            "time": backup.time,
            "segments": [[segment.name, segment.sha256] for segment in backup.segments],
            "counts": backup.counts,
            "left_out": backup.left_out,
        }
        self.target.sync()
        self.write(f"{BACKUPS}/{backup.name}/{END}", json.dumps(fields).encode())
        self.target.sync()


def name_of(time: int) -> str:
    """The name of a backup of this moment (nanoseconds)."""
    return datetime.fromtimestamp(time / 10**9, UTC).strftime(_TIME)


def begin(target: Target, passphrase: str | None) -> Repository:
    """Opens a target to be written to, and makes one where there is none.

    :param passphrase: a new target is encrypted with it; None for one that is not encrypted.
    :raises BackupError: it is none, it cannot be written to, or the passphrase is not its own.
    """
    target.begin()
    if target.size(ABOUT) is not None:
        return opened(target, passphrase)
    if target.listed(""):
        raise BackupError(f"{target.name}: is not empty, and has no backups: give an empty place")
    sealing, kept = (None, None) if passphrase is None else Sealing.begin(passphrase)
    repository = Repository(target, sealing)
    Repository(target).write(ABOUT, json.dumps({"format": FORMAT, "encryption": kept}, indent=2).encode())
    target.sync()  # whoever finds half of it can neither go on nor begin anew
    return repository


def opened(target: Target, passphrase: str | None) -> Repository:
    """Opens a target that has backups. Raises BackupError."""
    text = Repository(target).whole(ABOUT)
    if text is None:
        raise BackupError(f"{target.name}: there is no backup")
    try:
        about = json.loads(text)
        number, kept = about["format"], about["encryption"]
        if number != FORMAT:
            raise BackupError(f"{target.name}: is of format {number}, and this program knows format {FORMAT}")
        return Repository(target, _sealing(target.name, kept, passphrase))
    except (ValueError, KeyError, TypeError):
        raise BackupError(f"{target.name}: {ABOUT} is damaged") from None


def _sealing(name: str, kept: Json, passphrase: str | None) -> Sealing | None:
    if kept is None:
        if passphrase is not None:
            raise BackupError(f"{name}: is not encrypted: give no passphrase, or another place")
        return None
    if passphrase is None:
        raise BackupError(f"{name}: is encrypted: give the passphrase")
    sealing = Sealing.open(passphrase, kept)
    if sealing is None:
        raise BackupError(f"{name}: the passphrase is wrong")
    return sealing
