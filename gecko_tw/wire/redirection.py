"""The way from http to https: whatever is asked, the answer names the same address there."""

import re
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

PORT = 443
"""Of https, which no URL needs to name (RFC 9110, 4.2.2)."""

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


class Redirection(Resource):
    """Answers every request with 301 (GET and HEAD) or 308, which keeps the method (RFC 9110, 15.4).

    Requests are Any, as to all resources. One whose Host header names no host is refused with 400.

    :param port: where https is served.
    """

    isLeaf = True
    renders_at_head = True

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = b"" if port == PORT else b":%d" % port

    def render(self, request: Any) -> int:
        found = _HOST.fullmatch(request.head.headers.get(b"host", b""))
        if found is None:
            request.answer(400, _TEXT, b"A Host header must name this server.\n")
        else:
            status = 301 if request.head.method in ("GET", "HEAD") else 308
            location = b"https://" + found[1] + self._port + request.uri
            request.answer(status, [(b"Location", location), *_TEXT], b"Use https.\n")
        if request.upload.length != 0:
            request.upload.drain()
        return NOT_DONE_YET


_TEXT = [(b"Content-Type", b"text/plain")]
