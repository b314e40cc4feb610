"""The binary protocol's bytes: handshake, frame headers and the fields of their metadata. Pure; used by both sides.

All numbers are big-endian. A frame is a header of 17 bytes, its metadata and its data; a client's frame names an operation, a server's
the status of the reply. Source: the native protocol of Jay 0.6 (docs/native.md).
"""

from collections.abc import Iterable, Mapping
from struct import Struct
from struct import error as StructError

MAGIC, VERSION = 0x4A415900, 1
"""``JAY`` and a NUL; the only version there is."""

MAX_META = 1 << 20
"""Bytes of a frame's metadata."""

MAX_DATA = (1 << 63) - 1
"""Bytes of a frame's data."""

DRAINED = 10 << 20
"""Bytes of data that nobody wants and that are read all the same, so that the connection can go on."""

MAX_STRING = 0xFFFF
DEFAULT_PORT = 4444

CREATE_BUCKET, DELETE_BUCKET, HEAD_BUCKET, LIST_BUCKETS = 0x01, 0x02, 0x03, 0x04
PUT_OBJECT, GET_OBJECT, HEAD_OBJECT, DELETE_OBJECT, LIST_OBJECTS = 0x10, 0x11, 0x12, 0x13, 0x14
CREATE_UPLOAD, UPLOAD_PART, COMPLETE_UPLOAD, ABORT_UPLOAD, LIST_PARTS = 0x20, 0x21, 0x22, 0x23, 0x24
PING = 0xFF

OK, NOT_FOUND, CONFLICT, BAD_REQUEST, FORBIDDEN, INTERNAL = range(6)
"""Statuses of replies."""

WELCOME, NOT_PROVEN, OTHER_VERSION = range(3)
"""Statuses of the answer to a handshake."""

HEADER = Struct(">BIIQ")
"""Operation or status, stream id, bytes of metadata, bytes of data."""
GREETING = Struct(">IBBH")
"""Magic, version, flags, bytes of the credentials behind it."""
ANSWER = Struct(">IBBH")
"""Magic, version, status, two zero bytes."""

_U16, _U32, _I32, _I64 = Struct(">H"), Struct(">I"), Struct(">i"), Struct(">q")


class Malformed(ValueError):
    """Fields that end before their end, or a value that no field can hold."""


def greeting(access_key: str, secret: str) -> bytes:
    """A client's handshake. Raises Malformed when the pair is too long."""
    pair = f"{access_key}:{secret}".encode()
    if len(pair) > MAX_STRING:
        raise Malformed("a key pair has at most 65535 bytes")
    return GREETING.pack(MAGIC, VERSION, 0, len(pair)) + pair


def answer(status: int) -> bytes:
    """A server's answer to a handshake."""
    return ANSWER.pack(MAGIC, VERSION, status, 0)


def frame(operation: int, meta: bytes = b"", stream: int = 0, length: int = 0) -> bytes:
    """The beginning of a frame: all of it but its data, of which there are ``length`` bytes."""
    return HEADER.pack(operation, stream, len(meta), length) + meta


def string(value: str | bytes) -> bytes:
    """A text with its length before it. Raises Malformed beyond 65535 bytes."""
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if len(raw) > MAX_STRING:
        raise Malformed(f"a string has at most {MAX_STRING} bytes, not {len(raw)}")
    return _U16.pack(len(raw)) + raw


def count(number: int) -> bytes:
    """How many things follow. Raises Malformed beyond 65535."""
    if number > MAX_STRING:
        raise Malformed(f"at most {MAX_STRING} things can follow, not {number}")
    return _U16.pack(number)


def i64(number: int) -> bytes:
    return _I64.pack(number)


def i32(number: int) -> bytes:
    """Raises Malformed when it is none."""
    return _packed(_I32, number)


def boolean(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def strings(values: Iterable[str | bytes]) -> bytes:
    each = [string(value) for value in values]
    return count(len(each)) + b"".join(each)


def mapping(values: Mapping[str, str]) -> bytes:
    each = [string(name) + string(value) for name, value in values.items()]
    return count(len(each)) + b"".join(each)


def numbers(values: Iterable[int]) -> bytes:
    each = [_packed(_U32, value) for value in values]
    return count(len(each)) + b"".join(each)


def _packed(kind: Struct, number: int) -> bytes:
    try:
        return kind.pack(number)
    except StructError as wrong:
        raise Malformed(str(wrong)) from None


class Fields:
    """Reads fields of metadata, one after the other; each method raises Malformed when they end too early."""

    __slots__ = ("_at", "_meta")

    def __init__(self, meta: bytes) -> None:
        self._meta = meta
        self._at = 0

    def raw(self) -> bytes:
        """A string's bytes."""
        begin = self._at + 2
        if begin > len(self._meta):
            raise Malformed("the fields end too early")
        end = begin + int.from_bytes(self._meta[self._at : begin], "big")
        if end > len(self._meta):
            raise Malformed("the fields end too early")
        self._at = end
        return self._meta[begin:end]

    def text(self) -> str:
        """A string; bytes that are no UTF-8 survive as surrogates."""
        return self.raw().decode("utf-8", "surrogateescape")

    def count(self) -> int:
        """How many things follow."""
        return self._number(_U16)

    def i64(self) -> int:
        return self._number(_I64)

    def i32(self) -> int:
        return self._number(_I32)

    def boolean(self) -> bool:
        self._at += 1
        if self._at > len(self._meta):
            raise Malformed("the fields end too early")
        return self._meta[self._at - 1] != 0

    def strings(self) -> list[str]:
        return [self.text() for _ in range(self.count())]

    def mapping(self) -> dict[str, str]:
        return {self.text(): self.text() for _ in range(self.count())}

    def numbers(self) -> list[int]:
        return [self._number(_U32) for _ in range(self.count())]

    def _number(self, kind: Struct) -> int:
        at = self._at
        self._at = at + kind.size
        if self._at > len(self._meta):
            raise Malformed("the fields end too early")
        (number,) = kind.unpack_from(self._meta, at)
        return int(number)
