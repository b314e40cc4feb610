"""What a request says before its body: the value that the wire makes and the floors below read."""

from attrs import frozen


@frozen(eq=False)
class Head:
    """The request line and the headers, exactly as they came.

    :ivar method: the HTTP method in upper case, e.g. ``"PUT"``.
    :ivar target: the request target as received, e.g. ``b"/photos/a%2Fb?tagging"``.
    :ivar path: the raw path of the target, never decoded and never normalised (signatures need it so).
    :ivar query: the raw query without its ``?``; empty when there is none.
    :ivar headers: lower-case name to value, white space around values removed. Repeated headers are joined by ``b","``.
    :ivar peer: ``"address:port"`` of the socket's other side, an IPv6 address in brackets; of a client behind proxies no port.
    :ivar secure: whether the connection is TLS.
    :ivar received: the head as it came, when this one says what a trusted proxy told of the client's own request; else None.
    :ivar proven: what the connection has proven of who asks, by the handshake of a protocol that has one; else None.
    """

    method: str
    target: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    peer: str = ""
    secure: bool = False
    received: "Head | None" = None
    proven: object | None = None

    @property
    def address(self) -> str:
        """The client's address without its port; empty where a socket has none."""
        return self.peer[1:].partition("]")[0] if self.peer[:1] == "[" else self.peer.partition(":")[0]

    def header(self, name: bytes) -> str | None:
        """One header's value as text (Latin-1, so that every byte survives), or None when absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def head_of(
    method: str, target: bytes, headers: dict[bytes, bytes] | None = None, peer: str = "", secure: bool = False
) -> Head:
    """A Head from a request target: splits path and query at the first ``?``."""
    path, _, query = target.partition(b"?")
    return Head(method, target, path, query, headers if headers is not None else {}, peer, secure)
