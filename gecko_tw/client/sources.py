"""What is sent: bytes, files, or what an IBodyProducer makes."""

import io
import os
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Protocol, cast

from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer

from gecko_tw.client.checksums import checksum, encoded

PIECE = 1 << 18
"""Bytes that are read, hashed and sent at a time."""

SMALL = 1 << 16
"""Bytes that take less time to hash than to hand to a thread."""

Sendable = bytes | bytearray | memoryview | Path | BinaryIO | IBodyProducer
"""What can be given as a body."""


class Source(Protocol):
    """Bytes that can be read from anywhere, and again."""

    length: int

    def read_at(self, offset: int, size: int) -> bytes:
        """So many bytes from an offset on. Blocks."""

    def close(self) -> None:
        """Gives up what :func:`source` opened. Blocks."""


class Memory:
    """Bytes.

    :param data: must not change before they are sent.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self.length = len(self._data)

    def read_at(self, offset: int, size: int) -> bytes:
        return bytes(self._data[offset : offset + size])

    def close(self) -> None:
        """There is nothing to close."""


class OpenFile:
    """A file that somebody opened, from where it stands to its end; a gzip.GzipFile is one, too.

    :param file: binary, and seekable.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._lock = file, Lock()
        self._begin = file.tell()
        self.length = file.seek(0, io.SEEK_END) - self._begin
        file.seek(self._begin)

    def read_at(self, offset: int, size: int) -> bytes:
        with self._lock:
            self._file.seek(self._begin + offset)
            return self._file.read(size)

    def close(self) -> None:
        """It is closed by whoever opened it."""


class PathFile:
    """A file of the disk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.length = os.fstat(self._file.fileno()).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, offset)

    def close(self) -> None:
        self._file.close()


class Part:
    """A part of a source."""

    def __init__(self, whole: Source, offset: int, length: int) -> None:
        self._whole, self._offset, self.length = whole, offset, length

    def read_at(self, offset: int, size: int) -> bytes:
        return self._whole.read_at(self._offset + offset, min(size, self.length - offset))

    def close(self) -> None:
        """The whole is closed by whoever has it."""


def source(body: object) -> Source:
    """What bytes, a path or an open file are read by. Blocks.

    :raises TypeError: the body is something else.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return Memory(body)
    if isinstance(body, Path):
        return PathFile(body)
    if isinstance(body, Part | Memory | OpenFile | PathFile):
        return body
    if not isinstance(body, io.TextIOBase) and all(hasattr(body, name) for name in ("read", "seek", "tell")):
        return OpenFile(cast(BinaryIO, body))
    raise TypeError(
        f"a body is bytes, a pathlib.Path, a seekable binary file or an IBodyProducer of known length, and not {type(body).__name__}; "
        "text is encoded first"
    )


def digests(whole: Source, *algorithms: str) -> dict[str, bytes]:
    """Checksums of all bytes of a source, in one pass. Blocks."""
    found = {name: checksum(name) for name in algorithms}
    for offset in range(0, whole.length, PIECE):
        piece = whole.read_at(offset, PIECE)
        for one in found.values():
            one.update(piece)
    return {name: one.digest() for name, one in found.items()}


def header_value(whole: Source, algorithm: str) -> str:
    """A checksum of all bytes of a source as headers have it. Blocks."""
    one = checksum(algorithm)
    for offset in range(0, whole.length, PIECE):
        one.update(whole.read_at(offset, PIECE))
    return encoded(one)


class Outgoing:
    """A body as botocore sees it: something with a length. It never reads it: what is hashed is hashed in a thread or while it is sent.

    :param source: where it comes from; None with a producer.
    :param producer: an IBodyProducer, whose bytes can be had once.
    :param opened: whether the source was opened for this.
    :ivar used: whether the producer was started.
    """

    def __init__(
        self, source: Source | None = None, producer: IBodyProducer | None = None, opened: bool = False
    ) -> None:
        self.source, self.producer, self.opened, self.used = source, producer, opened, False
        self._length: int = producer.length if producer is not None else source.length if source is not None else 0
        if self._length == UNKNOWN_LENGTH:
            raise TypeError(
                "S3 wants to know the length of a body beforehand; multipart_upload takes what has no known length"
            )

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return True

    def tell(self) -> int:
        """Where it is rewound to."""
        return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Rewinds.

        :raises io.UnsupportedOperation: what a producer made is gone.
        """
        if self.used:
            raise io.UnsupportedOperation("a producer's bytes can be had once only")
        return offset

    def read(self, size: int = -1) -> bytes:
        """Is never called: it would block."""
        raise io.UnsupportedOperation("bodies are not read in the reactor's thread")
