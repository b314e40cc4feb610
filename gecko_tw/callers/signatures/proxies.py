"""What stands between clients and this server: whom to believe about a request, and what its client may have signed instead."""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address

from attrs import frozen

from gecko_tw.wire.head import Head

_DEFAULT_PORTS = (b":80", b":443")
_ENCODINGS = (b"identity", b"gzip", b"gzip, deflate", b"")
"""The ``Accept-Encoding`` that clients may have signed: aws-sdk-go-v2 signs the first."""


@frozen(kw_only=True)
class Front:
    """What the operator told about proxies.

    :ivar trusted: how many proxies stand in front, each of which adds an address to ``X-Forwarded-For``.
    :ivar prefix: the path below which clients find this server, e.g. ``b"/s3"``; never ends with a slash; may be empty. Hosts that name
        a bucket have none.
    :ivar aliases: names (with port, as clients write them) that clients may have signed as their ``Host``.
    :ivar domains: those whose subdomains are buckets or websites, lower-case.
    """

    trusted: int = 0
    prefix: bytes = b""
    aliases: tuple[bytes, ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def rewrites(self) -> bool:
        """Whether :meth:`arrived` ever changes anything."""
        return self.trusted > 0 or self.prefix != b""

    def arrived(self, head: Head) -> Head:
        """The request as its client made it: its address, scheme and host as the proxies tell, the path without the prefix."""
        headers, peer, is_secure = head.headers, head.peer, head.secure
        address = client_address(head, self.trusted)
        if address is not None:
            peer = f"[{address}]" if ":" in address else address
            is_secure = secure(head, self.trusted)
            host = forwarded_host(head, self.trusted)
            if host is not None:
                headers = {**headers, b"host": host}
        path = head.path if self._place(headers.get(b"host", b"")) else _without(self.prefix, head.path)
        if headers is head.headers and path == head.path and address is None:
            return head
        return Head(head.method, head.target, path, head.query, headers, peer, is_secure, head)

    def versions(self, head: Head, signed: bytes) -> Iterator[Head]:
        """What the client may have signed when it did not sign the request as it is; some hundred at most.

        Only what carries no authority is varied: the name of this server among those the operator knows, never the bucket in it;
        the prefix; and the one header that proxies rewrite, some clients sign, and no operation reads.

        :param signed: the SignedHeaders.
        """
        for path in self.paths(head):
            for host in self.hosts(head):
                for encoding in _encodings(head.headers, signed):
                    headers = {**head.headers, b"host": host}
                    if encoding is not None:
                        headers[b"accept-encoding"] = encoding
                    yield Head(head.method, head.target, path, head.query, headers)

    def hosts(self, head: Head) -> list[bytes]:
        """The names that are tried as ``Host``, the given one first: each addresses the same bucket as that."""
        given = head.headers.get(b"host", b"")
        received = head if head.received is None else head.received
        names = [given, received.headers.get(b"host", b"")]
        if head.received is not None and self.trusted:
            names += [bare for name in names if (bare := _bare(name))]
        names += [other for name in names for other in _other_spellings(name)]
        place = self._place(given)
        return [name for name in dict.fromkeys([*names, *self.aliases]) if self._place(name) == place]

    def paths(self, head: Head) -> list[bytes]:
        """The path and, if there is a prefix, what it is below that. Where the host names a bucket, all of the path is its key."""
        path = head.path
        if not self.prefix or self._place(head.headers.get(b"host", b"")):
            return [path]
        return [path, self.prefix + path, self.prefix] if path == b"/" else [path, self.prefix + path]

    def _place(self, host: bytes) -> tuple[str, str] | None:
        """The domain and the bucket that a host names, or None."""
        found = ((domain, bucket_in(host, domain)) for domain in self.domains)
        return next(((domain, name) for domain, name in found if name is not None), None)

    def bucket(self, head: Head) -> str | None:
        """The bucket that the host names, or None."""
        place = self._place(head.headers.get(b"host", b"")) if self.domains else None
        return None if place is None else place[1]


def bucket_in(host: bytes, domain: str) -> str | None:
    """The bucket of a ``Host`` below a domain (lower-case), or None."""
    name = host.decode("latin-1").lower().rpartition("]")[2].partition(":")[0]
    return name[: -len(domain) - 1] if name.endswith("." + domain) else None


def _without(prefix: bytes, path: bytes) -> bytes:
    if not prefix or not path.startswith(prefix):
        return path
    rest = path[len(prefix) :]
    return rest or b"/" if rest[:1] in (b"", b"/") else path


def _bare(host: bytes) -> bytes:
    """A host without its port; empty when it has none."""
    name, colon, port = host.rpartition(b":")
    return name if colon and port.isdigit() else b""


def _other_spellings(host: bytes) -> list[bytes]:
    """A host with a scheme's own port, or without it: clients differ."""
    for port in _DEFAULT_PORTS:
        if host.endswith(port):
            return [host.removesuffix(port)]
    return [] if not host or _bare(host) else [host + port for port in _DEFAULT_PORTS]


def _encodings(headers: dict[bytes, bytes], signed: bytes) -> list[bytes | None]:
    """What ``Accept-Encoding`` may have been before a proxy rewrote it; first, as None: what it is."""
    if b"accept-encoding" not in signed.split(b";"):
        return [None]
    given = headers.get(b"accept-encoding", b"")
    # Some append theirs to what the client sent: "identity,gzip(gfe)".
    shorter = given.rpartition(b",")[0].strip()
    return [None, *(value for value in dict.fromkeys((shorter, *_ENCODINGS)) if value != given)]


# ---- whom to believe


def client_address(head: Head, trusted: int) -> str | None:
    """The client's address: the N-th from the right of ``X-Forwarded-For``; None when the request did not come through N proxies.

    Each proxy appends the address it was asked from, so whatever a client wrote itself stands further left and is never looked at.

    :param trusted: N; 0 believes nobody.
    """
    if not trusted:
        return None
    told = head.headers.get(b"x-forwarded-for", b"").split(b",")
    return _address(told[-trusted]) if len(told) >= trusted else None


@lru_cache(maxsize=4096)
def _address(text: bytes) -> str | None:
    """An address, with or without a port, in its shortest form; None for anything else."""
    name = text.strip().decode("latin-1")
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        address = ip_address(name)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def secure(head: Head, trusted: int) -> bool:
    """Whether the client used https: as ``X-Forwarded-Proto`` of a trusted proxy tells, else as the connection is."""
    told = _told(head, b"x-forwarded-proto", trusted)
    return head.secure if told is None else told.lower() == b"https"


def forwarded_host(head: Head, trusted: int) -> bytes | None:
    """The ``Host`` of the client's own request as a trusted proxy tells, with ``X-Forwarded-Port`` if that is not the scheme's."""
    host = _told(head, b"x-forwarded-host", trusted)
    if not host:
        return None
    port = _told(head, b"x-forwarded-port", trusted)
    usual = b"443" if secure(head, trusted) else b"80"
    return host + b":" + port if port and port.isdigit() and port != usual and not _bare(host) else host


def _told(head: Head, name: bytes, trusted: int) -> bytes | None:
    """One value of a header that each proxy sets or appends to: that of the outermost trusted one."""
    value = head.headers.get(name)
    if value is None or not trusted:
        return None
    values = value.split(b",")
    return values[-min(trusted, len(values))].strip()


@lru_cache(maxsize=4096)
def neighbourhood(address: str) -> str:
    """Whom to count together: an IPv4 address is one client, as is every IPv6 network of 64 bits."""
    if ":" not in address:
        return address
    try:
        number = int(ip_address(address.partition("%")[0]))
    except ValueError:
        return address
    return f"{number >> 64:x}::/64"
