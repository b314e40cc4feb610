"""A request of botocore's, sent by Twisted's HTTP client over connections that are kept."""

from typing import Any
from urllib.parse import urlsplit

from attrs import frozen
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from OpenSSL.SSL import Error as TLSError
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.python.failure import Failure
from twisted.web._newclient import RequestNotSent
from twisted.web.client import Agent, HTTPConnectionPool, RequestGenerationFailed, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IPolicyForHTTPS, IResponse

from gecko_tw.client.checksums import checksum
from gecko_tw.client.downloads import Body
from gecko_tw.client.errors import TimedOut, reasons, unreachable
from gecko_tw.client.pausing import deferred
from gecko_tw.client.producing import Pieces, Trailing, Watched, Whole
from gecko_tw.client.receiving import Receiver
from gecko_tw.client.sources import Outgoing
from gecko_tw.client.stalls import Stall
from gecko_tw.pools import IPool

OUTGOING = "gecko_tw.outgoing"
"""Where a request's context has its Outgoing."""

_NETWORK = (
    error.ConnectError,
    error.ConnectionClosed,
    error.DNSLookupError,
    RequestNotSent,
    ResponseFailed,
    TLSError,
)

_FRAMING = {"content-length", "transfer-encoding", "expect"}
"""Headers that Twisted's client writes by itself, and one that it has no use for: it sends a body without waiting for 100 Continue."""

KEPT = 60
"""Seconds that an idle connection is kept; servers close theirs after one or two minutes."""


@frozen
class Limits:
    """What an exchange may take.

    :ivar connections: open at a time; further requests wait.
    :ivar connect: seconds until there is a connection.
    :ivar read: seconds until something more of the answer comes, or something more of the body could be sent.
    """

    connections: int
    connect: float
    read: float


class _Content:
    """An answer that was read, as botocore reads one."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> list[bytes]:
        """Its pieces."""
        return [self._data]


class Exchange:
    """Sends requests.

    :param reactor: makes connections, and turns the clock.
    :param pool: threads in which files are read.
    :param trust: which certificates are good.
    :param limits: time and connections.
    :ivar turns: whoever wants to send something takes one, before it is signed: a signature is good for a quarter of an hour.
    """

    def __init__(
        self, reactor: Any, pool: IPool, trust: IPolicyForHTTPS, limits: Limits
    ) -> None:  # a reactor is several interfaces
        self._reactor, self._pool, self._limits = reactor, pool, limits
        self._kept = HTTPConnectionPool(reactor)
        self._kept.maxPersistentPerHost = limits.connections
        self._kept.cachedConnectionTimeout = KEPT
        self._agent = Agent(reactor, trust, connectTimeout=limits.connect, pool=self._kept)
        self.turns = DeferredSemaphore(limits.connections)

    def close(self) -> Deferred[None]:
        """Closes idle connections; a Deferred that fires when they are closed."""
        closed: Deferred[None] = self._kept.closeCachedConnections()
        return closed

    @deferred
    async def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Sends a request; the answer's body is read unless it is an object's.

        :raises Unreachable: there was no answer.
        """
        response, body = await self._ask(request)
        headers = _headers(response)
        if request.stream_output and response.code < 300:
            return AWSResponse(request.url, response.code, headers, body)
        return AWSResponse(request.url, response.code, headers, _Content(await body.document()))

    async def _ask(self, request: AWSPreparedRequest) -> tuple[IResponse, Body]:
        parts = urlsplit(request.url)
        endpoint = f"{parts.scheme}://{parts.netloc}"
        limits = self._limits
        stall = Stall(self._reactor, limits.read, limits.connect + limits.read, lambda: asked.cancel())

        def cancel(_: object) -> None:
            stall.cancelled = True  # Twisted tells of a host without an address, or of an answer that never came
            answer.cancel()

        asked: Deferred[IResponse] = Deferred(cancel)
        try:
            answer: Deferred[IResponse] = self._agent.request(
                _octets(request.method), _octets(request.url), _told(request.headers), self._producer(request, stall)
            )
            answer.addBoth(asked.callback)
            response = await asked.addErrback(_network, endpoint, stall)
        except BaseException:
            stall.pause()
            raise
        return response, Body(Receiver(response, stall, endpoint), _length(response))

    def _producer(self, request: AWSPreparedRequest, stall: Stall) -> IBodyProducer | None:
        outgoing: Outgoing | None = request.context.get(OUTGOING)
        if outgoing is None:
            return Whole(_small(request.body)) if request.body else None
        made: IBodyProducer
        if outgoing.producer is not None:
            outgoing.used = True
            made = Watched(outgoing.producer, stall.progress)
        else:
            assert outgoing.source is not None
            made = Pieces(outgoing.source, self._pool, stall.progress)
        algorithm = request.context.get("checksum", {}).get("request_algorithm")
        if isinstance(algorithm, dict) and algorithm["in"] == "trailer":
            return Trailing(made, algorithm["name"], checksum(algorithm["algorithm"]))
        return made


def _network(failure: Failure, endpoint: str, stall: Stall) -> Failure:
    """What the network did, as an exception of ours."""
    if stall.over:
        raise TimedOut(endpoint, f"nothing came for {stall.seconds:g} s")
    if stall.cancelled:
        raise CancelledError
    if failure.check(RequestGenerationFailed):
        return reasons(failure)[0]  # of who made the body
    if failure.check(*_NETWORK):
        raise unreachable(failure, endpoint)
    return failure


def _octets(text: str | bytes) -> bytes:
    return text.encode("utf-8") if isinstance(text, str) else bytes(text)


def _small(body: Any) -> bytes:  # botocore makes a file of some, and frames some with their checksum
    return _octets(body.read() if hasattr(body, "read") else body)


def _told(headers: Any) -> Headers:  # a HeadersDict of botocore's, with strings and bytes
    told = Headers()
    for name, value in headers.items():
        if name.lower() not in _FRAMING:
            told.addRawHeader(_octets(name), _octets(value))
    return told


def _headers(response: IResponse) -> dict[str, str]:
    """The headers of an answer, in lower case, for they name user metadata; Twisted keeps the length beside them."""
    found = {
        name.decode("latin-1").lower(): ", ".join(value.decode("latin-1") for value in values)
        for name, values in response.headers.getAllRawHeaders()
    }
    length = _length(response)
    if length is not None:
        found.setdefault("content-length", str(length))
    return found


def _length(response: IResponse) -> int | None:
    """Bytes of the body; UNKNOWN_LENGTH is a string."""
    length: object = response.length
    return length if isinstance(length, int) else None
