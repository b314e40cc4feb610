"""HTTP by hand: bytes on a socket, for what no well-behaved client sends, and signatures for it made by botocore."""

import hashlib
import hmac
import socket
from collections.abc import Iterable

from attrs import frozen
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE

STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


@frozen
class Answer:
    """One answer. Header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A connection to a daemon, as a context manager."""

    def __init__(self, daemon: Daemon) -> None:
        plain = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = daemon.trust()
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
        self._taken = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer; interim ones (1xx) count as answers of their own."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if method == "HEAD" or status < 200 or status in (204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, self._chunks())
        return Answer(status, headers, self._exactly(int(headers["content-length"])))

    def ended(self) -> bytes:
        """What follows until the daemon closes the connection."""
        while data := self._receive():
            self._taken += data
        return self._taken

    def _receive(self, limit: int = 65_536) -> bytes:
        try:
            return self.socket.recv(min(limit, 1 << 20))
        except ConnectionResetError:
            return b""

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            self._exactly(2)
        self._exactly(2)
        return body

    def _until(self, end: bytes) -> bytes:
        while end not in self._taken:
            self._more()
        found, _, self._taken = self._taken.partition(end)
        return found

    def _exactly(self, size: int) -> bytes:
        found = bytearray(self._taken[:size])
        self._taken = self._taken[size:]
        while len(found) < size:
            data = self._receive(size - len(found))
            assert data, f"the connection ended after {len(found)} of {size} bytes"
            found += data
        return bytes(found)

    def _more(self) -> None:
        data = self._receive()
        assert data, f"the connection ended after {self._taken[:500]!r}"
        self._taken += data


def request(daemon: Daemon, method: str, target: str, body_hash: str = "UNSIGNED-PAYLOAD", **headers: str) -> bytes:
    """The head of a signed request, with the given headers (``_`` for ``-``) signed as well; ``host`` is another one's name."""
    asked = _asked(daemon, method, target)
    asked.headers["Host"] = headers.pop("host", f"127.0.0.1:{daemon.port}")
    asked.headers["X-Amz-Content-SHA256"] = body_hash
    for name, value in headers.items():
        asked.headers[name.replace("_", "-")] = value
    _Signer(_credentials(daemon), "s3", daemon.region).add_auth(asked)
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


def unsigned(daemon: Daemon, method: str, target: str, **headers: str) -> bytes:
    """The head of a request without a signature."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\n{lines}\r\n".encode()


def presigned(daemon: Daemon, method: str, target: str, seconds: int = 3600) -> str:
    """A URL that may be used without further headers."""
    asked = _asked(daemon, method, target)
    S3SigV4QueryAuth(_credentials(daemon), "s3", daemon.region, expires=seconds).add_auth(asked)
    return asked.url


def signed_chunks(daemon: Daemon, head: bytes, chunks: Iterable[bytes], trailer: bytes = b"") -> bytes:
    """The body of a request whose hash is STREAMING: each chunk carries a signature that depends on the one before it.

    With a trailer, e.g. ``b"x-amz-checksum-crc32:AAAAAA=="``, that is signed as well (S3 API Reference, "Signature Calculations for
    the Authorization Header: Transferring Payload in Multiple Chunks", "… Including trailing headers").
    """
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
    authorization = fields["Authorization"]
    scope = authorization.split("Credential=")[1].split(",")[0].split("/", 1)[1]
    previous, key = authorization.split("Signature=")[1], f"AWS4{daemon.secret_key}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")

    def signature(kind: str, *digested: bytes) -> bytes:
        digests = [hashlib.sha256(data).hexdigest() for data in digested]
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", fields["X-Amz-Date"], scope, previous, *digests])
        return hmac.new(key, text.encode(), "sha256").hexdigest().encode()

    body = b""
    for chunk in [*chunks, b""]:
        signed = signature("PAYLOAD", b"", chunk)
        body += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(chunk), signed, chunk)
        previous = signed.decode()
    if trailer:
        signed = signature("TRAILER", trailer + b"\n")
        body = body[:-2] + trailer + b"\r\nx-amz-trailer-signature:%s\r\n\r\n" % signed
    return body


class _Signer(S3SigV4Auth):
    """Takes the body's hash from the header, as it was given."""

    def payload(self, request: AWSRequest) -> str:
        return request.headers["X-Amz-Content-SHA256"]

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        given = request.headers["X-Amz-Content-SHA256"]
        super()._modify_request_before_signing(request)
        del request.headers["X-Amz-Content-SHA256"]
        request.headers["X-Amz-Content-SHA256"] = given


def _asked(daemon: Daemon, method: str, target: str) -> AWSRequest:
    return AWSRequest(method=method, url=f"{daemon.url}{target}")


def _credentials(daemon: Daemon) -> Credentials:
    return Credentials(daemon.access_key, daemon.secret_key)
