"""The keys of OpenID Connect providers, fetched where the providers say and kept for a while.

Source: OpenID Connect Discovery 1.0, section 4.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, TimeoutError
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.callers.refusals import IDPCommunicationError
from gecko_tw.callers.signatures.web_identity import IIssuers, key_for, keys_of

TIMEOUT = 5.0
"""Seconds for each of two documents."""

LONGEST = 256 * 1024
"""Bytes of such a document."""

KEPT = 3600.0
"""Seconds after which keys are fetched again: one that a provider has given up is good no longer than that."""

AGAIN = 10.0
"""Seconds before a key that is not there is looked for again, so that nobody can make us ask all the time."""

_FAILURES = (ConnectError, ConnectingCancelledError, CancelledError, TimeoutError, OSError, ValueError, RecursionError)

_log = Logger()


@define(eq=False)
class _Known:
    """What was fetched of one provider, or failed to be."""

    lock: DeferredLock = field(factory=DeferredLock)
    keys: list[Any] = field(factory=list)
    fetched: float = float("-inf")
    tried: float = float("-inf")


@implementer(IIssuers)
class Issuers:
    """Finds the keys of providers.

    :param reactor: connects, and tells the time.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._agent: Any = None
        self._known: dict[str, _Known] = {}

    async def key(self, url: str, key_id: str | None) -> Any | None:
        """A key of the provider at a URL, by its id, or None. Raises IDPCommunicationError."""
        known = self._known.setdefault(url, _Known())
        now = self._reactor.seconds()
        found = key_for(known.keys, key_id) if now - known.fetched < KEPT else None
        if found is not None:
            return found
        await known.lock.acquire()
        try:
            # Somebody else may have fetched them meanwhile.
            if self._reactor.seconds() - known.tried >= AGAIN:
                await self._fetch(url, known)
        finally:
            known.lock.release()
        if self._reactor.seconds() - known.fetched >= KEPT:
            raise IDPCommunicationError
        return key_for(known.keys, key_id)

    async def _fetch(self, url: str, known: _Known) -> None:
        known.tried = self._reactor.seconds()
        try:
            told = await self._document(url.rstrip("/") + "/.well-known/openid-configuration")
            if not isinstance(told, dict) or told.get("issuer") != url or not isinstance(told.get("jwks_uri"), str):
                raise ValueError("its configuration is not that of this issuer")
            place = urlsplit(told["jwks_uri"])
            if place.scheme != urlsplit(url).scheme:
                raise ValueError("its keys are not where it is itself by scheme")
            known.keys, known.fetched = keys_of(await self._document(told["jwks_uri"])), self._reactor.seconds()
        except _FAILURES as problem:
            _log.warn("the keys of provider {url} cannot be had: {why}", url=url, why=str(problem) or repr(problem))

    async def _document(self, url: str) -> Any:
        """A JSON document. Raises ValueError, and what a connection fails with."""
        # An HTTP client, which few deployments need.
        from twisted.web.client import Agent, ResponseFailed

        if self._agent is None:
            self._agent = Agent(self._reactor, connectTimeout=TIMEOUT)
        try:
            asked = self._agent.request(b"GET", url.encode("ascii"))
            response = await asked.addTimeout(TIMEOUT, self._reactor)
            if response.code != 200:
                raise ValueError(f"it answers {response.code}")
            return json.loads(await _Body(response).done.addTimeout(TIMEOUT, self._reactor))
        except ResponseFailed as failed:
            raise ValueError("the connection failed") from failed


class _Body(Protocol):
    """The body of an answer, up to a limit.

    :ivar done: its bytes; fails with ValueError when there are too many, or they break off.
    """

    def __init__(self, response: Any) -> None:
        self._got = bytearray()
        self.done: Deferred[bytes] = Deferred(lambda _: self._leave())
        response.deliverBody(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._got += data
        if len(self._got) > LONGEST:
            self._end(ValueError("a document is too long"))
            self._leave()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        from twisted.web.client import PotentialDataLoss, ResponseDone

        # Without a length the end of the connection is that of the document; JSON that breaks off is none.
        self._end(None if reason.check(ResponseDone, PotentialDataLoss) else ValueError("a document breaks off"))

    def _end(self, problem: ValueError | None) -> None:
        if self.done.called:
            return
        if problem is None:
            self.done.callback(bytes(self._got))
        else:
            self.done.errback(problem)

    def _leave(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
