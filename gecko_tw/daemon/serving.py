"""One process that answers requests on sockets that are open already, and how it comes to an end."""

import socket
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.logger import Logger

from gecko_tw.daemon.listening import Acceptor, Ahead, Listener, accept, alone
from gecko_tw.wire.channel import HEAD

LULL = 0.5
"""Seconds between the last connection accepted and the end of those on which nobody asks anything."""
LULLS = 6
"""How many times as long a connection is waited for that was opened and on which nothing, or half a head, has come yet."""


class Serving(Service):
    """Accepts connections for a site.

    :param site: a gecko_tw.wire.site.Site.
    :param sockets: a listening socket for each listener.
    :param drain_limit: seconds that a drain may take.
    :param logs: a service that runs while requests are answered and ends after the last one, or None.
    :param ahead: whether another process should rather accept the next connection.

    :ivar cut: whether requests were cut off because they took too long.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        site: Any,
        listeners: tuple[Listener, ...],
        sockets: list[socket.socket],
        drain_limit: float,
        logs: Any = None,
        *,
        ahead: Ahead = alone,
    ) -> None:
        self._logs, self._ahead = logs, ahead
        self._reactor, self._site, self._drain_limit = reactor, site, drain_limit
        self._places = list(zip(listeners, sockets, strict=True))
        self._acceptors: list[Acceptor] = []
        self.cut = False

    def open(self) -> "Deferred[None]":
        """Begins to accept."""
        if self._logs is not None and not self._logs.running:
            self._logs.startService()
        self._acceptors = [
            accept(self._reactor, listener, place.dup(), self._site, self._ahead, self._site.admits)
            for listener, place in self._places
        ]
        return succeed(None)

    def reload(self) -> "Deferred[None]":
        """Reads TLS certificates again. Connections go on; none is refused."""
        old = self._acceptors
        self.open()
        for acceptor in old:
            acceptor.stop()
        self.log.info("TLS certificates are read again")
        return succeed(None)

    def stopService(self) -> "Deferred[Any]":
        """Accepts no more and lets requests under way end; fires when no connection is left and their log is written."""
        super().stopService()
        for acceptor in self._acceptors:
            acceptor.stop()
        self._acceptors = []
        # A socket that one process still holds cannot be bound by the next daemon.
        for _, place in self._places:
            place.close()
        # From here on every answer is the last one of its connection. Who has just connected, or is about to ask again, gets one.
        self._site.draining = True
        patience = self._reactor.callLater(self._drain_limit, self.kill)
        drained = self._lull(LULLS).addCallback(lambda _: self._site.drain())

        def done(_: object) -> Any:
            if patience.active():
                patience.cancel()
            return None if self._logs is None else self._logs.stopService()

        return drained.addCallback(done)

    def _lull(self, times: int) -> "Deferred[Any]":
        """Fires when there is nobody left who is about to ask for the first time."""
        if not self._site.channels:
            return succeed(None)

        def again(_: object) -> Any:
            expected = any(channel.deadline.what == HEAD for channel in self._site.channels)
            return self._lull(times - 1) if expected and times > 1 else None

        return deferLater(self._reactor, LULL).addCallback(again)

    def kill(self) -> None:
        """Closes all connections now."""
        self.cut = True
        for channel in list(self._site.channels):
            channel.transport.abortConnection()
