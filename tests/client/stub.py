"""A server in this process that answers what a test wants."""

from collections.abc import Callable

from attrs import frozen
from twisted.internet import reactor
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

Answer = Callable[[Request], bytes | int]
"""Renders: bytes, or NOT_DONE_YET."""


@frozen
class Asked:
    """A request that came.

    :ivar headers: by their names in lower case.
    """

    method: bytes
    uri: bytes
    headers: dict[str, str]
    body: bytes


class Stub(Resource):
    """Answers with one of ``answers`` after the other, the last one again and again.

    :ivar asked: what came so far.
    :ivar url: where it listens.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []
        self.asked: list[Asked] = []
        self.url = ""

    def render(self, request: Request) -> bytes | int:
        headers = {
            name.decode().lower(): values[0].decode() for name, values in request.requestHeaders.getAllRawHeaders()
        }
        assert request.content is not None
        request.defaultContentType = None  # type: ignore[assignment]  # S3 is no website
        self.asked.append(Asked(request.method, request.uri, headers, request.content.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with a status number, a body and headers, whose names have ``_`` for ``-``."""

    def render(request: Request) -> bytes:
        request.setResponseCode(status)
        for name, value in headers.items():
            request.setHeader(name.replace("_", "-"), value)
        return body

    return render


def refuses(status: int, code: str, message: str = "") -> Answer:
    """One of S3's errors."""
    document = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return says(status, document.encode(), content_type="application/xml")


def cuts(request: Request) -> int:
    """Closes the connection without an answer."""
    request.transport.abortConnection()
    return NOT_DONE_YET


def cuts_after(length: int, data: bytes) -> Answer:
    """Promises so many bytes, sends some, and closes the connection."""

    def render(request: Request) -> int:
        request.setHeader("content-length", str(length))
        request.write(data)
        reactor.callLater(0.1, request.transport.abortConnection)  # type: ignore[attr-defined]
        return NOT_DONE_YET

    return render


def waits(request: Request) -> int:
    """Says nothing."""
    return NOT_DONE_YET


def stalls(request: Request) -> int:
    """Says a little of something, and nothing more."""
    request.setHeader("content-length", "10")
    request.write(b"abc")
    return NOT_DONE_YET
