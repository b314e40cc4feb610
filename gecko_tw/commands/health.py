"""Asking a daemon on this machine for its health."""

import re
import socket
import ssl
from http.client import HTTPConnection, HTTPSConnection

from gecko_tw.settings.kinds import split_host_port

TIMEOUT = 3.0
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
_ARGUMENT = re.compile(r"(?:[^:\\]|\\.)+")


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self._path)


def health(text: str, secure: bool) -> int:
    """The status of ``GET /health`` where this says to listen, in a form of ``--listen``.

    :raises OSError, http.client.HTTPException: there was no answer.
    :raises ValueError: the place has no address that could be asked.
    """
    connection = _connection(text, secure)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    finally:
        connection.close()


def _connection(text: str, secure: bool) -> HTTPConnection:
    host, port, path = address_of(text)
    if path:
        return _UnixConnection(path)
    if not secure:
        return HTTPConnection(host, port, timeout=TIMEOUT)
    # The certificate names the outside world's address, not this one: what is asked is whether it answers.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=TIMEOUT, context=trusting)


def address_of(text: str) -> tuple[str, int, str]:
    """Host and port, or the path of a unix socket, by which to reach what listens on this. Raises ValueError when there is none."""
    split = split_host_port(text)
    if split is None:
        kind, *arguments = (re.sub(r"\\(.)", r"\1", part) for part in _ARGUMENT.findall(text))
        named = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
        plain = [argument for argument in arguments if "=" not in argument]
        if kind == "unix":
            return "", 0, named.get("address") or plain[0]
        if kind not in ("tcp", "tcp4", "tcp6", "ssl", "tls"):
            raise ValueError("this place has no address to ask: name one with --listen")
        split = named.get("interface", ""), int(named.get("port") or plain[-1])
    return _LOOPBACK.get(split[0], split[0]), split[1], ""
