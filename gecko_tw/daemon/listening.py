"""Sockets that one process opens and several accept from.

An endpoint string is parsed twice with the same result: by the parent on a :class:`HoldingReactor`, which opens the socket and
accepts nothing, and by whoever serves on an :class:`AdoptingReactor`, which opens nothing and accepts from that socket with the
factory (and the TLS context) that the endpoint string asks for.
"""

import errno
import socket
from collections.abc import Callable
from typing import Any

from attrs import frozen
from OpenSSL import SSL, crypto
from twisted.internet.abstract import isIPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.error import CannotListenError, VerifyError
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from gecko_tw.daemon.certificates import Certificates
from gecko_tw.daemon.tls import only_strong
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.settings.kinds import LISTEN, split_host_port

BACKLOG = 1024
MOMENT = 0.002
"""Seconds that other processes have to take a connection before one that has more takes it."""
EXHAUSTION = 0.1
"""Seconds to wait when there are no descriptors left."""
EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


_WRONG = (
    ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, crypto.Error, SSL.Error, VerifyError,
)  # fmt: skip
"""What a wrong endpoint string, and the files it names, are told by."""

Ahead = Callable[[], bool]
Admits = Callable[[str], bool]
"""Whether an address may have another connection."""


def alone() -> bool:
    """There is no other process."""
    return False


def everybody(_: str) -> bool:
    """No address has too many connections."""
    return True


S3, ADMIN, NATIVE, REDIRECT = "s3", "admin", "native", "redirect"
"""What is served at a place: the store, what its operator looks at, the store by the binary protocol, or the way to https."""

_FLAGS = {S3: "--listen", ADMIN: "--admin-listen", NATIVE: "--native-listen", REDIRECT: "--redirect-listen"}


@frozen
class Listener:
    """One place to listen.

    :ivar site: S3, ADMIN, NATIVE or REDIRECT.
    :ivar text: as it was given.
    :ivar description: the Twisted endpoint string.
    :ivar tls: whether it is served with the certificates of the settings; an endpoint string names its own.
    """

    site: str
    text: str
    description: str
    tls: bool = False

    @property
    def flag(self) -> str:
        """The setting that it comes from."""
        return _FLAGS[self.site]

    @property
    def secure(self) -> bool:
        """Whether clients must speak TLS."""
        return self.tls or self.description.startswith(("ssl:", "tls:"))


def listeners_of(settings: Settings) -> tuple[Listener, ...]:
    """Where the settings say to listen."""
    tls = settings.tls == "dev" or bool(settings.acme) or any(settings.tls_cert)
    others = ((ADMIN, settings.admin_listen), (NATIVE, settings.native_listen))
    places = [*((S3, text) for text in settings.listen), *((site, text) for site, text in others if text != "off")]
    found = [_listener(site, text, tls) for site, text in places]
    if settings.redirect_listen != "off":
        found.append(_listener(REDIRECT, settings.redirect_listen, False))
    return tuple(found)


def _listener(site: str, text: str, tls: bool) -> Listener:
    split = split_host_port(text)
    if split is None:
        return Listener(site, text, text)
    host, port = split
    if not host:
        host = "::" if _both_families() else "0.0.0.0"
    kind = "tcp6" if isIPv6Address(host) else "tcp"
    description = f"{kind}:{port}:interface={quoteStringArgument(host)}:backlog={BACKLOG}"
    return Listener(site, text, description, tls)


def _both_families() -> bool:
    """Whether one IPv6 socket can take IPv4 clients, too, as GeckoS3's ``:9000`` does."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
            return not probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return False


class Acceptor:
    """Accepts connections: an ``IReadDescriptor``. It closes its own descriptor of the socket; whoever holds another one goes on.

    It takes one connection at a time, so that of several processes the idle one gets the next.

    :param ahead: whether another process should rather have the next connection. It gets a moment for it.
    :param admits: whether an address may have one more; else it is closed before a byte, or a handshake, is spent on it.
    """

    def __init__(
        self,
        reactor: Any,
        listening: socket.socket,
        factory: Any,
        ahead: Ahead = alone,
        admits: Admits = everybody,
    ) -> None:
        self._reactor, self._socket, self._factory = reactor, listening, factory
        self._ahead, self._admits = ahead, admits
        self._gave_way = False
        self._pause: Any = None
        self._accepting = True
        # Another process may take the connection that woke us.
        listening.setblocking(False)
        factory.doStart()
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "Acceptor"

    def doRead(self) -> None:
        if self._ahead() and not self._gave_way:
            self._gave_way = True
            self._rest(MOMENT)
            return
        self._gave_way = False
        try:
            connection, address = self._socket.accept()
        except OSError as problem:
            if problem.errno in EXHAUSTED:
                self._rest(EXHAUSTION)
            return
        with connection:
            # A unix socket's address is a text, or nothing.
            if isinstance(address, tuple) and not self._admits(address[0].removeprefix("::ffff:")):
                return
            connection.setblocking(False)
            try:
                self._reactor.adoptStreamConnection(connection.fileno(), self._socket.family, self._factory)
            except OSError as problem:
                # The client left between the accept and the look at its address, or there are no descriptors left.
                if problem.errno in EXHAUSTED:
                    self._rest(EXHAUSTION)

    def connectionLost(self, reason: object) -> None:
        """The reactor ends, or the socket was shut down by who holds it."""

    def stop(self) -> None:
        """Accepts no more."""
        if not self._accepting:
            return
        self._accepting = False
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._reactor.removeReader(self)
        self._socket.close()
        self._factory.doStop()

    def _rest(self, seconds: float) -> None:
        """Asking again at once would only turn the processor."""
        self._reactor.removeReader(self)
        self._pause = self._reactor.callLater(seconds, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._reactor.addReader(self)


class HoldingReactor:
    """A reactor whose ports are open and accept nothing."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def listenTCP(self, port: int, factory: object, backlog: int = BACKLOG, interface: str = "") -> Any:
        return self._hold(self._reactor.listenTCP(port, Factory.forProtocol(Protocol), backlog, interface))

    def listenSSL(
        self, port: int, factory: object, contextFactory: Any, backlog: int = BACKLOG, interface: str = ""
    ) -> Any:
        only_strong(contextFactory)
        return self.listenTCP(port, factory, backlog, interface)

    def listenUNIX(
        self, address: str, factory: object, backlog: int = BACKLOG, mode: int = 0o666, wantPID: int = 0
    ) -> Any:
        return self._hold(self._reactor.listenUNIX(address, Factory.forProtocol(Protocol), backlog, mode, wantPID))

    def adoptStreamPort(self, fileno: int, family: int, factory: object) -> Any:
        return self._hold(self._reactor.adoptStreamPort(fileno, family, Factory.forProtocol(Protocol)))

    def _hold(self, port: Any) -> Any:
        port.stopReading()
        return port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


class AdoptingReactor:
    """A reactor whose ports are Acceptors on one socket that is open already."""

    def __init__(self, reactor: Any, listening: socket.socket, ahead: Ahead, admits: Admits) -> None:
        self._reactor, self._socket, self._ahead, self._admits = reactor, listening, ahead, admits

    def listenTCP(self, port: int, factory: object, backlog: int = BACKLOG, interface: str = "") -> Acceptor:
        return self._acceptor(factory)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = BACKLOG, interface: str = ""
    ) -> Acceptor:
        return self._acceptor(TLSMemoryBIOFactory(only_strong(contextFactory), False, factory))

    def listenUNIX(
        self, address: str, factory: object, backlog: int = BACKLOG, mode: int = 0o666, wantPID: int = 0
    ) -> Acceptor:
        return self._acceptor(factory)

    def _acceptor(self, factory: Any) -> Acceptor:
        return Acceptor(self._reactor, self._socket, factory, self._ahead, self._admits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


def hold(reactor: Any, listener: Listener) -> Any:
    """Opens a listener's socket and returns the ``IListeningPort``; nobody accepts from it yet.

    :raises BadSetting: the endpoint string cannot be understood, a file it names cannot be read, or the address cannot be had.
    """
    try:
        return _result(serverFromString(HoldingReactor(reactor), listener.description).listen(Factory()))
    except CannotListenError as refused:
        raise BadSetting(f"{listener.flag}: {listener.text!r} cannot be had: {refused.socketError}") from refused
    except _WRONG as wrong:
        raise BadSetting(
            f"{listener.flag}: {listener.text!r} is not allowed ({wrong}); allowed is {LISTEN.allowed}"
        ) from wrong


def accept(
    reactor: Any,
    listener: Listener,
    listening: socket.socket,
    factory: Any,
    *,
    ahead: Ahead = alone,
    admits: Admits = everybody,
    certificates: Certificates | None = None,
) -> Acceptor:
    """Begins to accept from a descriptor of a held socket, which the Acceptor will close.

    The files that an endpoint string names are read now, so that a later call serves a renewed certificate.

    :param ahead: and ``admits`` are the Acceptor's.
    :param certificates: what a listener with ``tls`` is served with.
    """
    if listener.description.startswith("systemd:"):
        return Acceptor(reactor, listening, factory, ahead, admits)
    if listener.tls:
        factory = TLSMemoryBIOFactory(certificates, False, factory)
    adopting = AdoptingReactor(reactor, listening, ahead, admits)
    return _result(serverFromString(adopting, listener.description).listen(factory))


def shown(listener: Listener, port: Any) -> str:
    """A held port the way a person would type it: ``http://127.0.0.1:9000``, or ``unix:/run/s3.sock``."""
    address = port.getHost()
    if not hasattr(address, "port"):
        return listener.text
    host = f"[{address.host}]" if ":" in address.host else address.host
    if listener.site == NATIVE:
        return f"{'tls' if listener.secure else 'tcp'}://{host}:{address.port}"
    return f"{'https' if listener.secure else 'http'}://{host}:{address.port}"


def _result(listening: "Deferred[Any]") -> Any:
    """What a Deferred that has fired already holds; raises its failure."""
    results: list[Any] = []
    listening.addCallbacks(results.append, lambda failure: results.append(failure) or succeed(None))
    (result,) = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result
