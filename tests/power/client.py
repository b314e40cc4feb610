"""Requests of S3 over one connection, without signatures: the daemons of these tests let everybody do everything."""

from http.client import HTTPConnection, HTTPException
from urllib.parse import quote
from xml.etree.ElementTree import Element, fromstring

from attrs import frozen

PATIENCE = 60.0


class Refused(Exception):
    """An answer that is not the one that was asked for."""


@frozen
class Answer:
    """What a daemon answered. Names of headers are in lower case.

    :ivar status: 0 when there was no answer, or not all of it; then the body says why.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    def xml(self) -> Element:
        return fromstring(self.body)

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "").strip('"')

    @property
    def version_id(self) -> str:
        return self.headers.get("x-amz-version-id", "null")


class Client:
    """One connection; not to be shared between threads."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Answer:
        """Whatever it answers. ``_`` in a header's name is ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.request(method, quote(path) + (f"?{query}" if query else ""), body, named)
            answer = self._connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        except (OSError, HTTPException) as error:
            self._connection.close()
            return Answer(0, {}, repr(error).encode())

    def do(self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Answer:
        """What must succeed."""
        answer = self.ask(method, path, query, body, **headers)
        if answer.status not in (200, 204):
            raise Refused(f"{method} {path}?{query}: {answer.status} {answer.body[:300].decode(errors='replace')}")
        return answer

    def close(self) -> None:
        self._connection.close()


def text(element: Element, name: str) -> str:
    """The text of a child, whatever its namespace; empty when there is none."""
    return element.findtext(f"{{*}}{name}") or ""
