"""One process that answers requests on sockets that are open already, and how it comes to an end."""

import socket
from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.task import deferLater
from twisted.logger import Logger

from gecko_tw.daemon.certificates import Certificates
from gecko_tw.daemon.listening import ADMIN, Acceptor, Ahead, Listener, accept, alone
from gecko_tw.wire.channel import HEAD

LULL = 0.5
"""Seconds between the last connection accepted and the end of those on which nobody asks anything."""
LULLS = 6
"""How many times as long a connection is waited for that was opened and on which nothing, or half a head, has come yet."""


class Serving(Service):
    """Accepts connections for some sites.

    :param sites: a gecko_tw.wire.site.Site for each ``Listener.site`` that there is.
    :param sockets: a listening socket for each listener.
    :param drain_limit: seconds that a drain may take.
    :param beside: a service that runs while requests are answered and ends after the last one, or None.
    :param ahead: whether another process should rather accept the next connection.
    :param certificates: what https is served with, or None where nothing is.

    :ivar cut: whether requests were cut off because they took too long.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        sites: Mapping[str, Any],
        listeners: tuple[Listener, ...],
        sockets: list[socket.socket],
        drain_limit: float,
        beside: Any = None,
        *,
        ahead: Ahead = alone,
        certificates: Certificates | None = None,
    ) -> None:
        self._beside, self._ahead, self._certificates = beside, ahead, certificates
        self._reactor, self._sites, self._drain_limit = reactor, sites, drain_limit
        self._places = list(zip(listeners, sockets, strict=True))
        self._acceptors: list[Acceptor] = []
        self.cut = self._stopped = False

    def open(self) -> "Deferred[None]":
        """Begins to accept. Raises BadSetting when a certificate cannot be served."""
        self._load()
        if self._beside is not None and not self._beside.running:
            self._beside.startService()
        self._acceptors = self._accept_all()
        return succeed(None)

    def _load(self) -> None:
        if self._certificates is not None:
            self._certificates.load()

    def _accept_all(self) -> list[Acceptor]:
        acceptors: list[Acceptor] = []
        try:
            for listener, place in self._places:
                acceptors.append(self._accept(listener, place))
        except BaseException:
            for acceptor in acceptors:
                acceptor.stop()
            raise
        return acceptors

    def _accept(self, listener: Listener, place: socket.socket) -> Acceptor:
        site = self._sites[listener.site]
        # Whoever looks at the daemon gets any process.
        ahead = alone if listener.site == ADMIN else self._ahead
        return accept(
            self._reactor, listener, place.dup(), site, ahead=ahead, admits=site.admits, certificates=self._certificates
        )

    def _channels(self) -> list[Any]:
        return [channel for site in self._sites.values() for channel in site.channels]

    def reload(self) -> "Deferred[None]":
        """Serves the certificates that there are now, those of endpoint strings, too. Connections go on; none is refused.

        After the stop nothing happens: it may have come meanwhile. Raises what is wrong, and everything goes on as before.
        """
        if self._stopped:
            return succeed(None)
        self._load()
        old, self._acceptors = self._acceptors, self._accept_all()
        for acceptor in old:
            acceptor.stop()
        self.log.info("TLS certificates are read again")
        return succeed(None)

    def renew(self) -> "Deferred[None]":
        """Serves the certificates that are shared now to who connects from now on."""
        if not self._stopped:
            self._load()
        return succeed(None)

    def stopService(self) -> "Deferred[Any]":
        """Accepts no more and lets requests under way end; fires when no connection is left and their log is written."""
        super().stopService()
        self._stopped = True
        for acceptor in self._acceptors:
            acceptor.stop()
        self._acceptors = []
        # A socket that one process still holds cannot be bound by the next daemon.
        for _, place in self._places:
            place.close()
        # From here on every answer is the last one of its connection. Who has just connected, or is about to ask again, gets one.
        for site in self._sites.values():
            site.draining = True
        patience = self._reactor.callLater(self._drain_limit, self.kill)
        drained = self._lull(LULLS).addCallback(
            lambda _: gatherResults([site.drain() for site in self._sites.values()])
        )

        def done(_: object) -> Any:
            if patience.active():
                patience.cancel()
            return None if self._beside is None else self._beside.stopService()

        return drained.addCallback(done)

    def _lull(self, times: int) -> "Deferred[Any]":
        """Fires when there is nobody left who is about to ask for the first time."""
        if not self._channels():
            return succeed(None)

        def again(_: object) -> Any:
            expected = any(channel.deadline.what == HEAD for channel in self._channels())
            return self._lull(times - 1) if expected and times > 1 else None

        return deferLater(self._reactor, LULL).addCallback(again)

    def kill(self) -> None:
        """Closes all connections now."""
        self.cut = True
        for channel in self._channels():
            channel.transport.abortConnection()
