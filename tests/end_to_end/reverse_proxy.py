"""A reverse proxy for tests: rewrites the head of each request as it is told, and passes everything else on."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

Head = tuple[bytes, dict[bytes, bytes]]
"""The request target, and headers by lower-case name."""


class ReverseProxy:
    """Listens on a free port of the loopback, as a context manager; each connection carries one request.

    :param port: where requests go; may be set later.
    :param rewrite: given and returning target and headers.

    :ivar url: e.g. ``"http://127.0.0.1:41233"``.
    """

    def __init__(self, port: int, rewrite: Callable[[bytes, dict[bytes, bytes]], Head]) -> None:
        self.port, self._rewrite = port, rewrite
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> "ReverseProxy":
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in [self._accepting, *self._threads]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        raw = b""
        with client:
            while b"\r\n\r\n" not in raw:
                more = client.recv(65536)
                if not more:
                    return
                raw += more
            head, _, rest = raw.partition(b"\r\n\r\n")
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                server.sendall(self._rewritten(head) + rest)
                up = threading.Thread(target=_relay, args=(client, server))
                up.start()
                _relay(server, client)
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
                up.join()

    def _rewritten(self, head: bytes) -> bytes:
        line, *lines = head.split(b"\r\n")
        method, target, version = line.split(b" ")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(b":") for one in lines)}
        target, headers = self._rewrite(target, headers)
        headers[b"connection"] = b"close"
        written = b"".join(b"%b: %b\r\n" % pair for pair in headers.items())
        return b"%b %b %b\r\n%b\r\n" % (method, target, version, written)


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
