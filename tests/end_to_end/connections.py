"""Plain HTTP connections to a daemon, for tests of who answers and when."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE

PAUSE = 0.002
"""Seconds between two questions of one of a crowd."""


class Visitor:
    """One connection that is kept alive."""

    def __init__(self, daemon: Daemon) -> None:
        self._connection = HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE)

    def ask(self, path: str = "/health") -> str:
        """Who answered: an id that each serving process makes for itself. Raises OSError or HTTPException without an answer."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        return answer.headers["x-amz-id-2"]

    def asks_as(self, access_key: str, secret: str, path: str = "/", token: str = "") -> tuple[int, bytes]:
        """Status and body that somebody gets on this same connection, with the token of a session if there is one."""
        headers = {"Authorization": f"Bearer {access_key}:{secret}"}
        if token:
            headers["x-amz-security-token"] = token
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def is_served(self) -> bool:
        """Whether this same connection is answered."""
        try:
            self.ask()
        except (OSError, HTTPException):
            return False
        return True

    def close(self) -> None:
        self._connection.close()


def ask(daemon: Daemon) -> str:
    """Who answers on a new connection."""
    visitor = Visitor(daemon)
    try:
        return visitor.ask()
    finally:
        visitor.close()


@contextmanager
def visitors(daemon: Daemon, processes: int) -> Iterator[dict[str, list[Visitor]]]:
    """Connections that are kept alive, by who answers them; at least one for each process."""
    open_ones: list[Visitor] = []
    found: dict[str, list[Visitor]] = {}
    try:
        while len(found) < processes:
            assert len(open_ones) < 500, f"only {len(found)} processes answer"
            # Many at a time: an idle process takes the next connection while the other is at work.
            together = [Visitor(daemon) for _ in range(20)]
            open_ones += together
            threads = [threading.Thread(target=visitor.ask) for visitor in together]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for visitor in together:
                found.setdefault(visitor.ask(), []).append(visitor)
        yield found
    finally:
        for visitor in open_ones:
            visitor.close()


class Crowd:
    """Threads that ask on ever new connections, until the block ends; so quickly that the daemon has time for something else, too."""

    def __init__(self, daemon: Daemon, size: int = 4) -> None:
        self._daemon = daemon
        self._leave = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(size)]
        self.answers: list[str] = []
        self.troubles: list[BaseException] = []

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        while not self._leave.is_set():
            try:
                self.answers.append(ask(self._daemon))
            except (OSError, HTTPException) as trouble:
                self.troubles.append(trouble)
            time.sleep(PAUSE)


class SlowUpload:
    """A PUT whose body comes when the test says so."""

    def __init__(self, daemon: Daemon, target: str, length: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE)
        head = f"PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        self._socket.sendall(head.encode())
        assert self._socket.recv(1000).startswith(b"HTTP/1.1 100 "), "the body was not asked for"

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def leave(self) -> None:
        """Closes the connection, whatever is missing."""
        self._socket.close()

    def answer(self) -> bytes:
        """The whole answer, up to where the server closes or rests; empty when it closed without one."""
        received = b""
        try:
            while b"\r\n\r\n" not in received:
                more = self._socket.recv(65536)
                if not more:
                    break
                received += more
        except ConnectionResetError:
            return received
        finally:
            self._socket.close()
        return received
