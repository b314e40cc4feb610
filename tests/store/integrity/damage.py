"""Ways to damage what a driver keeps, as a disk does it: no size and no time changes."""

import os
import sqlite3
from pathlib import Path

from gecko_tw.store.drivers.sqlite.blobnames import inline_parts, is_inline, is_visible, visible_parts
from gecko_tw.store.records import Part, Span, Version
from tests.store.shop import BUCKET


def flip(folder: Path, record: Version | Part, at: int = 0) -> None:
    """Flips a bit of the stored byte ``at`` of a version or a part, in a file, a pool's file or a row."""
    for span in record.spans:
        if at < span.length:
            _flip(folder, span, at)
            return
        at -= span.length


def _flip(folder: Path, span: Span, at: int) -> None:
    if is_inline(span.blob):
        with sqlite3.connect(folder / ".geckos3" / "objects.sqlite") as connection:
            where = inline_parts(span.blob)
            (data,) = connection.execute("SELECT data FROM blob WHERE id = ? AND stamp = ?", where).fetchone()
            connection.execute("UPDATE blob SET data = ? WHERE id = ? AND stamp = ?", (_flipped(data, at), *where))
        connection.close()
        return
    flip_in(file_of(folder, span.blob), span.offset + at)


def flip_in(path: Path, at: int) -> None:
    """Flips a bit of the byte ``at`` of a file."""
    before = path.stat()
    path.write_bytes(_flipped(path.read_bytes(), at))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def file_of(folder: Path, blob: str) -> Path:
    """The file that has the bytes of a blob."""
    if is_visible(blob):
        _, _, bucket, key = visible_parts(blob)
        assert bucket == BUCKET
        return folder / bucket / key.decode()
    (found,) = (folder / ".geckos3").rglob(blob)
    return found


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
