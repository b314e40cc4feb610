"""A small S3 client for preparing and checking: the standard library and our own signer, so that it costs little beside the server."""

import hashlib
import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import frozen

from benchmarks.signing import UNSIGNED, Signer, path_of, query_of

_TIMEOUT = 120


@frozen
class Answer:
    """What a server said. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refused(Exception):  # noqa: N818 - named for what it tells
    """A request that must succeed did not."""


class Client:
    """One connection to a server, opened again when the server closes it.

    :param url: ``http://address:port`` or ``https://…``, whose certificate is not looked at.
    """

    def __init__(self, url: str, access_key: str, secret_key: str) -> None:
        parts = urlsplit(url)
        self.signer = Signer(access_key, secret_key, parts.netloc)
        self._connection = self._connect(parts.scheme, parts.netloc)

    def ask(
        self,
        method: str,
        bucket: str = "",
        key: str = "",
        query: Mapping[str, str] | None = None,
        body: bytes | memoryview = b"",
    ) -> Answer:
        """Sends a request signed in its head; a body over 64 KiB is not hashed.

        :raises OSError: the connection failed twice.
        :raises http.client.HTTPException: the answer is none.
        """
        path = path_of(bucket, key) if bucket else "/"
        parameters = query_of(query or {})
        payload = UNSIGNED if len(body) > 65536 else hashlib.sha256(body).hexdigest()
        headers = self.signer.headers(method, path, parameters, payload)
        if body or method in {"PUT", "POST"}:
            headers["Content-Length"] = str(len(body))
        target = f"{path}?{parameters}" if parameters else path
        try:
            return self._send(method, target, body, headers)
        except (http.client.RemoteDisconnected, ConnectionError):
            self.close()
            return self._send(method, target, body, headers)

    def must(self, method: str, bucket: str = "", key: str = "", **more: object) -> Answer:
        """Like `ask`.

        :raises Refused: the status is not 2xx.
        """
        answer = self.ask(method, bucket, key, **more)  # type: ignore[arg-type]
        if answer.status // 100 != 2:
            raise Refused(f"{method} /{bucket}/{key}: {answer.status} {answer.body[:200].decode(errors='replace')}")
        return answer

    def make_bucket(self, name: str) -> None:
        """Makes a bucket, or finds that it is there."""
        if self.ask("PUT", name).status != 409:
            self.must("HEAD", name)

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, target: str, body: bytes | memoryview, headers: Mapping[str, str]) -> Answer:
        self._connection.request(method, target, body or None, dict(headers))
        answer = self._connection.getresponse()
        content = answer.read()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    @staticmethod
    def _connect(scheme: str, place: str) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(place, timeout=_TIMEOUT)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(place, timeout=_TIMEOUT, context=context)
