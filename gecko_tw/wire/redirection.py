"""The way from http to https: whatever is asked, the answer names the same address there."""

import re
from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

PORT = 443
"""Of https, which no URL needs to name (RFC 9110, 4.2.2)."""

PROOFS = b"/.well-known/acme-challenge/"

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


class Redirection(Resource):
    """Answers every request with 301 (GET and HEAD) or 308, which keeps the method (RFC 9110, 15.4).

    Requests are Any, as to all resources. One whose Host header names no host is refused with 400.

    :param port: where https is served.
    :param answer: what a certificate authority is told who looks for a token (RFC 8555, 8.3), or None for one that nobody knows.
    """

    isLeaf = True
    renders_at_head = True

    def __init__(self, port: int, answer: Callable[[bytes], bytes | None] = lambda token: None) -> None:
        super().__init__()
        self._answer = answer
        self._port = b"" if port == PORT else b":%d" % port

    def render(self, request: Any) -> int:
        found = _HOST.fullmatch(request.head.headers.get(b"host", b""))
        proof = self._answer(request.head.path.removeprefix(PROOFS)) if request.head.path.startswith(PROOFS) else None
        if proof is not None and request.head.method == "GET":
            request.answer(200, [(b"Content-Type", b"application/octet-stream")], proof)
        elif found is None:
            request.answer(400, _TEXT, b"A Host header must name this server.\n")
        else:
            status = 301 if request.head.method in ("GET", "HEAD") else 308
            location = b"https://" + found[1] + self._port + request.uri
            request.answer(status, [(b"Location", location), *_TEXT], b"Use https.\n")
        if request.upload.length != 0:
            request.upload.drain()
        return NOT_DONE_YET


_TEXT = [(b"Content-Type", b"text/plain")]
