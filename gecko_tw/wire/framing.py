"""Where a body ends: by its length, or by chunked coding (RFC 9112, section 7.1). Pure; strict; bounded.

``feed(data)`` returns ``(body, rest)``: the bytes of the body in ``data``, and None while the body goes on, else the bytes behind it.
"""

_HEXADECIMAL = b"0123456789abcdefABCDEF"
_CHUNK_LINE_BYTES = 1024
_TRAILER_BYTES = 8 * 1024
_CHUNK_ALLOWANCE = 16
_OVERHEAD_BYTES = 16 * 1024


class FramingError(Exception):
    """The body is not framed as its head said."""


class Sized:
    """A body of ``length`` bytes, at least one."""

    __slots__ = ("_length", "left")

    def __init__(self, length: int) -> None:
        self._length = self.left = length

    @property
    def received(self) -> int:
        """Bytes of the body so far."""
        return self._length - self.left

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        left = self.left
        size = len(data)
        if size < left:
            self.left = left - size
            return data, None
        self.left = 0
        if size == left:
            return data, b""
        return data[:left], data[left:]


class Chunked:
    """A body in chunks; extensions and trailers are read over.

    A line is bounded, trailers are bounded, and so is all that is not body: many tiny chunks with long extensions would cost us
    far more than they cost the sender.

    :ivar left: None: nobody knows how much comes.
    :ivar received: bytes of the body so far.
    """

    left = None

    def __init__(self) -> None:
        self.received = 0
        self._partial = b""
        self._chunk = 0
        self._line = self._size_line
        self._overhead = 0
        self._trailer = 0
        self._ended = False

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """:raises FramingError: when the coding is broken or wastes too much."""
        if self._partial:
            data = self._partial + data
            self._partial = b""
        pieces: list[bytes] = []
        at = 0
        while not self._ended:
            if self._chunk:
                piece = data[at : at + self._chunk]
                if not piece:
                    break
                pieces.append(piece)
                at += len(piece)
                self._chunk -= len(piece)
                continue
            end = data.find(b"\r\n", at, at + _CHUNK_LINE_BYTES + 2)
            if end < 0:
                if len(data) - at >= _CHUNK_LINE_BYTES + 2:
                    raise FramingError("a line of the chunked coding is too long")
                self._partial = data[at:]
                break
            self._line(data[at:end])
            at = end + 2
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.received += len(body)
        return body, data[at:] if self._ended else None

    def _size_line(self, line: bytes) -> None:
        size = line.partition(b";")[0]
        if not size or len(size) > 15 or size.strip(_HEXADECIMAL) or b"\n" in line or b"\r" in line:
            raise FramingError("a chunk has no readable size")
        self._chunk = int(size, 16)
        self._overhead = max(0, self._overhead + len(line) - _CHUNK_ALLOWANCE - 2 * self._chunk)
        if self._overhead > _OVERHEAD_BYTES:
            raise FramingError("the chunked coding carries next to no data")
        self._line = self._end_line if self._chunk else self._trailer_line

    def _end_line(self, line: bytes) -> None:
        if line:
            raise FramingError("a chunk is longer than its size")
        self._line = self._size_line

    def _trailer_line(self, line: bytes) -> None:
        self._ended = not line
        self._trailer += len(line) + 2
        if self._trailer > _TRAILER_BYTES or b"\n" in line or b"\r" in line:
            raise FramingError("the trailer is too long or broken")
