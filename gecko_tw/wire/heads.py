"""The bytes of one request head become a Head and what is known about its body; whatever is not plainly valid is refused (RFC 9112).

llhttp reads one head at a time and nothing else, with every leniency off: bodies are framed by ``framing.py``, so that it is known
to the byte where a message ends and no second opinion about it can arise.
"""

from functools import lru_cache

from attrs import frozen
from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser

from gecko_tw.wire.head import Head, head_of
from gecko_tw.wire.limits import Limits

_UNREADABLE = "An error occurred when parsing the HTTP request."
_PRESIGNED = b"X-Amz-Signature="
_LONGEST_REMEMBERED = 1024
_VERSIONS = {b"HTTP/1.1": True, b"HTTP/1.0": False}


class BadHead(Exception):  # noqa: N818 - a signal to the channel, not an error of ours
    """A head that gets an answer but no request: status, S3's code, and a message for the client."""

    def __init__(self, status: int, code: str, message: str = _UNREADABLE) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(message)


@frozen
class Opening:
    """How a request begins.

    :ivar length: of the body in bytes; 0 when there is none, None when it is chunked.
    :ivar keep_alive: the client wants to send another request on this connection.
    :ivar expects: the client waits for ``100 Continue``.
    :ivar modern: HTTP/1.1, not 1.0.
    """

    head: Head
    length: int | None
    keep_alive: bool
    expects: bool
    modern: bool


class _Lines:
    """What llhttp says about one head."""

    __slots__ = ("complete", "headers", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.complete = False

    def on_url(self, target: bytes) -> None:
        self.target = target

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        value = value.strip()
        if name in self.headers:
            value = self.headers[name] + b"," + value
        self.headers[name] = value

    def on_headers_complete(self) -> None:
        self.complete = True


def read_head(raw: bytes, limits: Limits, peer: str = "", secure: bool = False) -> Opening:
    """Reads a head.

    :param raw: from the first byte of the request line to the end of the empty line.
    :raises BadHead: on bad syntax, on any doubt where the body ends, on what we cannot honour.
    """
    if _PRESIGNED not in raw or len(raw) > _LONGEST_REMEMBERED:
        return _read(raw, limits.header_count, peer, secure)
    # Who asks with a presigned URL asks for the same thing in the same words every time.
    known = _read_cached(raw, limits.header_count)
    head = known.head
    head = Head(head.method, head.target, head.path, head.query, dict(head.headers), peer, secure)
    return Opening(head, known.length, known.keep_alive, known.expects, known.modern)


def _read(raw: bytes, header_count: int, peer: str = "", secure: bool = False) -> Opening:
    if raw.count(b"\r\n") - 2 > header_count:
        raise BadHead(400, "RequestHeaderSectionTooLarge", "Your request has too many headers.")
    lines = _Lines()
    parser = HttpRequestParser(lines)
    try:
        parser.feed_data(raw)
    except HttpParserUpgrade:
        # An upgrade is an offer that a server may ignore (RFC 9110, 7.8); CONNECT ends here too, and is refused by its target.
        pass
    except HttpParserInvalidMethodError:
        raise unreadable(raw) from None
    except HttpParserError:
        raise BadHead(400, "BadRequest") from None
    if not lines.complete:
        raise BadHead(400, "BadRequest")
    line_end = raw.index(b"\r\n")
    modern = _VERSIONS.get(raw[line_end - 8 : line_end])
    if modern is None:
        raise BadHead(505, "HTTPVersionNotSupported", "This server speaks HTTP/1.1.")
    headers = lines.headers
    head = _head(parser.get_method().decode("ascii"), lines.target, headers, peer, secure)
    host = headers.get(b"host")
    if (host is None and modern) or (host is not None and b"," in host):
        raise BadHead(400, "BadRequest", "The request needs exactly one Host header.")
    return Opening(head, _body_length(headers, modern), _keep_alive(headers, modern), _expects(headers, modern), modern)


def unreadable(raw: bytes) -> BadHead:
    """The refusal of a request line without a method that we know: 501 for a word, 400 for noise."""
    if raw[:1].isalpha():
        return BadHead(501, "NotImplemented", "This method is not implemented.")
    return BadHead(400, "BadRequest")


_read_cached = lru_cache(1024)(_read)


def _head(method: str, target: bytes, headers: dict[bytes, bytes], peer: str, secure: bool) -> Head:
    if target[:1] == b"/":
        path, _, query = target.partition(b"?")
        return Head(method, target, path, query, headers, peer, secure)
    if target == b"*":
        return head_of(method, target, headers, peer=peer, secure=secure)
    scheme, slashes, rest = target.partition(b"://")
    if not slashes or scheme.lower() not in (b"http", b"https"):
        raise BadHead(400, "InvalidURI", "Couldn't parse the specified URI.")
    # Absolute form, as sent to proxies: its authority replaces Host (RFC 9112, 3.2.2).
    place, question, query = rest.partition(b"?")
    authority, slash, path = place.partition(b"/")
    headers[b"host"] = authority
    return Head(method, target, slash + path or b"/", query, headers, peer, secure)


def _body_length(headers: dict[bytes, bytes], modern: bool) -> int | None:
    coding = headers.get(b"transfer-encoding")
    length = headers.get(b"content-length")
    if coding is None:
        if length is None:
            return 0
        if not length.isdigit() or len(length) > 18:
            raise BadHead(400, "BadRequest", "Content-Length is not a number.")
        return int(length)
    if length is not None or not modern:
        raise BadHead(400, "BadRequest", "Transfer-Encoding cannot be combined with Content-Length or HTTP/1.0.")
    if coding.lower() != b"chunked":
        raise BadHead(501, "NotImplemented", "Transfer-Encoding other than chunked is not implemented.")
    return None


def _keep_alive(headers: dict[bytes, bytes], modern: bool) -> bool:
    connection = headers.get(b"connection")
    if connection is None:
        return modern
    options = {option.strip() for option in connection.lower().split(b",")}
    return b"close" not in options and (modern or b"keep-alive" in options)


def _expects(headers: dict[bytes, bytes], modern: bool) -> bool:
    expectation = headers.get(b"expect")
    # A client of HTTP/1.0 cannot know interim answers, and what is expected beyond them may be ignored (RFC 9110, 10.1.1), as S3 does.
    return modern and expectation is not None and expectation.lower() == b"100-continue"
