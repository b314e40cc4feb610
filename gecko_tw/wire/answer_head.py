"""The bytes of an answer's head, for every transport alike; no header can ever become two."""

from secrets import token_hex
from xml.sax.saxutils import escape

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import RESPONSES, datetimeToString

from gecko_tw.wire.interfaces import Headers

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES = {status: b"HTTP/1.1 %d %b" % (status, reason) for status, reason in RESPONSES.items()}
_NO_BREAKS = bytes.maketrans(b"\r\n\x00", b"   ")


class DateLine:
    """The Server and Date lines, made once a second.

    :param clock: an IReactorTime whose seconds are those of the wall clock, as a reactor's are.
    :param more: further lines before it, each with its end.
    """

    def __init__(self, clock: IReactorTime, more: bytes = b"") -> None:
        self._before = b"Server: GeckoS3\r\n" + more + b"Date: "
        self._seconds = clock.seconds
        self._second = -1
        self._line = b""

    def get(self) -> bytes:
        """``Server: GeckoS3`` and ``Date``, without the last line's end."""
        second = int(self._seconds())
        if second != self._second:
            self._second = second
            self._line = self._before + datetimeToString(second)
        return self._line


def may_have_body(method: bytes, status: int) -> bool:
    """Whether an answer to ``method`` with this status is followed by bytes (RFC 9110, 6.4.1)."""
    return status >= 200 and status not in (204, 205, 304) and method != b"HEAD"


def lines_of(headers: Headers) -> bytes:
    """Headers as lines, each with its end; line breaks and NULs in them become spaces."""
    if not headers:
        return b""
    lines = [name + b": " + value + b"\r\n" for name, value in headers]
    rendered = b"".join(lines)
    # Scans in C instead of a look at every value: each line end that we made, and no other.
    if rendered.count(b"\n") != len(lines) or rendered.count(b"\r") != len(lines) or b"\x00" in rendered:
        return lines_of([(name.translate(_NO_BREAKS), value.translate(_NO_BREAKS)) for name, value in headers])
    return rendered


def head_bytes(
    status: int,
    headers: Headers,
    date_line: bytes,
    length: int | None,
    connection: bytes = b"",
    more: bytes = b"",
) -> bytes:
    """The head of an answer, up to and including its empty line.

    :param headers: (name, value) pairs; line breaks and NULs in them become spaces.
    :param length: added as Content-Length unless ``headers`` has one; None to add nothing.
    :param connection: the value of a Connection header, or empty for none.
    :param more: further headers, as :func:`lines_of` rendered them.
    """
    status_line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d Unknown" % status
    lines = b"\r\n" + lines_of(headers)
    if length is not None and b"\r\ncontent-length: " not in lines.lower():
        lines += b"Content-Length: %d\r\n" % length
    if connection:
        lines += b"Connection: " + connection + b"\r\n"
    return status_line + b"\r\n" + date_line + lines + more + b"\r\n"


def refusal(code: str, message: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and XML document of a refusal that the wire makes by itself (S3: REST error responses)."""
    request_id = token_hex(8).upper()
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId></Error>"
    )
    headers = [(b"Content-Type", b"application/xml"), (b"x-amz-request-id", request_id.encode())]
    return headers, document.encode()
