"""What has come on a connection and is not used yet."""

from gecko_tw.wire.buffer import Buffer
from gecko_tw.wire.heads import BadHead, unreadable


class Intake(Buffer):
    """The buffer of a connection."""

    __slots__ = ("_searched",)

    def __init__(self) -> None:
        super().__init__()
        self._searched = 0

    def cut_head(self, limit: int) -> bytes | None:
        """The bytes of a whole head, or None while its end has not come. Empty lines before it are dropped (RFC 9112, 2.2).

        :param limit: of a head, in bytes.
        :raises BadHead: when it is longer, or cannot be a head at all.
        """
        data = self.data
        if data[0] == 13:
            data = self.data = _without_empty_lines(data)
            if data in (b"", b"\r"):
                return None
        if not data[:1].isalpha():
            # Most likely TLS: answering now spares the peer the wait for an end that never comes.
            raise unreadable(bytes(data))
        end = data.find(b"\r\n\r\n", self._searched) + 4
        if end < 4:
            if len(data) > limit:
                raise _too_large()
            self._searched = max(0, len(data) - 3)
            return None
        self._searched = 0
        if end > limit:
            raise _too_large()
        return self.cut(end)


def _without_empty_lines(data: bytes | bytearray) -> bytes | bytearray:
    start = 0
    while data.startswith(b"\r\n", start):
        start += 2
    return data[start:]


def _too_large() -> BadHead:
    return BadHead(
        400,
        "RequestHeaderSectionTooLarge",
        "The request header and query parameters used to make the request exceed the maximum allowed size.",
    )
