"""twisted.web's server.Request whose seldom used parts are made when they are first asked for."""

from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress
from twisted.web import server
from twisted.web.http import parse_qs
from twisted.web.http_headers import Headers

from gecko_tw.wire.head import Head
from gecko_tw.wire.interfaces import Transport


class LateRequest(server.Request):
    """What IRequest promises and an S3 operation hardly ever touches.

    The base class makes all of this for every request, which costs as much as the whole rest of answering one.
    """

    head: Head
    transport: Transport  # type: ignore[assignment]  # Twisted says of it what all transports can
    sitepath: list[bytes]
    queued = False
    _parsePOSTFormSubmission = True

    @cached_property
    def requestHeaders(self) -> Headers:
        headers = Headers()
        for name, value in self.head.headers.items():
            headers.addRawHeader(name, value)
        return headers

    @cached_property
    def responseHeaders(self) -> Headers:
        return Headers()

    @cached_property
    def args(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = parse_qs(self.head.query, True)
        return found

    @cached_property
    def prepath(self) -> list[bytes]:
        return []

    @cached_property
    def postpath(self) -> list[bytes]:
        return [unquote_to_bytes(segment) for segment in self.path[1:].split(b"/")]

    @cached_property
    def received_cookies(self) -> dict[bytes, bytes]:
        cookies = self.__dict__["received_cookies"] = {}
        self.parseCookies()
        return cookies

    @cached_property
    def cookies(self) -> list[bytes]:
        return []

    @cached_property
    def client(self) -> IAddress:
        return self.transport.getPeer()

    @cached_property
    def host(self) -> IAddress:
        return self.transport.getHost()

    @cached_property
    def _adapterCache(self) -> dict[str, Any]:
        return {}
