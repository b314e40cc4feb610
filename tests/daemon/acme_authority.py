"""A certificate authority that speaks ACME over http, as far as tests need it: it looks for answers and proofs, and signs.

It believes every signature of a request (pebble is what looks at those) and knows every name to be this machine.
"""

import json
import socket
import ssl
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from josepy import JWK
from josepy.b64 import b64encode

from tests.patience import PATIENCE

PROOF_EXTENSION = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")

TOKEN = b64encode(b"token" * 7).decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class FakeAuthority:
    """The authority.

    :ivar port: where it finds answers, or looks for proofs; 0 has every look fail.
    :ivar offered: the kind of challenge that it offers.
    :ivar accounts: the thumbprints of the accounts' keys.
    :ivar issued: how many certificates it has signed.
    """

    def __init__(self) -> None:
        self.port, self.offered, self.accounts, self.issued = 0, "tls-alpn-01", dict[str, str](), 0
        self.url = ""
        self._orders: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Status, headers and document of an answer."""
        head, told = asked["head"], asked["told"]
        if path == "/account":
            return self._account(JWK.from_json(head["jwk"]))
        kind, number = path.strip("/").split("/") if path.count("/") > 1 else (path.strip("/"), "")
        order = self._orders.get(number, {})
        if kind == "order" and not number:
            return self._new_order(told, head["kid"])
        if kind == "authz":
            return 200, {}, order["authz"]
        if kind == "challenge":
            self._look(order)
            return 200, {"Link": f'<{self.url}/authz/{number}>;rel="up"'}, order["authz"]["challenges"][0]
        if kind == "finalize":
            order["pem"] = self._sign(x509.load_der_x509_csr(decoded(told["csr"])))
            order["status"], order["certificate"] = "valid", f"{self.url}/certificate/{number}"
        return 200, {}, order["pem"] if kind == "certificate" else {key: order[key] for key in order if key != "pem"}

    def _account(self, key: JWK) -> tuple[int, dict[str, str], Any]:
        thumb = key.thumbprint().hex()
        status = 200 if thumb in self.accounts else 201
        self.accounts.setdefault(thumb, f"{self.url}/account/{thumb}")
        self._thumbprint = key.thumbprint()
        return status, {"Location": self.accounts[thumb]}, {"status": "valid"}

    def _new_order(self, told: dict[str, Any], _account: str) -> tuple[int, dict[str, str], Any]:
        number = str(next(self._numbers))
        (identifier,) = told["identifiers"]
        challenge = {
            "type": self.offered,
            "url": f"{self.url}/challenge/{number}",
            "status": "pending",
            "token": TOKEN,
        }
        authz = {"identifier": identifier, "status": "pending", "challenges": [challenge]}
        order = {"status": "ready", "identifiers": [identifier], "authorizations": [f"{self.url}/authz/{number}"]}
        self._orders[number] = order | {"finalize": f"{self.url}/finalize/{number}", "authz": authz}
        return 201, {"Location": f"{self.url}/order/{number}"}, order | {"finalize": f"{self.url}/finalize/{number}"}

    def _look(self, order: dict[str, Any]) -> None:
        authz = order["authz"]
        (challenge,) = authz["challenges"]
        name = authz["identifier"]["value"]
        wanted = f"{challenge['token']}.{b64encode(self._thumbprint).decode()}"
        try:
            found = self._found(name, challenge["token"]) if self.offered == "http-01" else self._shown(name)
            good = found == (wanted if self.offered == "http-01" else sha256(wanted.encode()).hexdigest())
        except OSError:
            good = False
        challenge["status"] = authz["status"] = "valid" if good else "invalid"
        if not good:
            challenge["error"] = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "nothing\nwas found"}

    def _found(self, name: str, token: str) -> str:
        asking = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        asking.request("GET", f"/.well-known/acme-challenge/{token}", headers={"Host": name})
        return asking.getresponse().read().decode()

    def _shown(self, name: str) -> str:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["acme-tls/1"])
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        with plain, context.wrap_socket(plain, server_hostname=name) as secure:
            if secure.selected_alpn_protocol() != "acme-tls/1":
                return ""
            shown = x509.load_der_x509_certificate(secure.getpeercert(True) or b"")
        extension: Any = shown.extensions.get_extension_for_oid(PROOF_EXTENSION)
        assert extension.critical
        return bytes(extension.value.value)[2:].hex()

    def _sign(self, request: x509.CertificateSigningRequest) -> str:
        self.issued += 1
        now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake authority")])
        builder = x509.CertificateBuilder(name, x509.Name([]), request.public_key(), self.issued)
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=89))
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return builder.add_extension(names, False).sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@contextmanager
def authority() -> Iterator[FakeAuthority]:
    """An authority that answers on a free port of the loopback."""
    fake = FakeAuthority()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

        def do_GET(self) -> None:
            places = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order"}
            self._tell(200, {}, {name: f"{fake.url}/{place}" for name, place in places.items()})

        def do_HEAD(self) -> None:
            self._tell(200, {}, None)

        def do_POST(self) -> None:
            signed = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = decoded(signed["payload"])
            asked = {"head": json.loads(decoded(signed["protected"])), "told": json.loads(told) if told else {}}
            self._tell(*fake.answer(self.path, asked))

        def _tell(self, status: int, headers: dict[str, str], document: Any) -> None:
            body = (
                document.encode() if isinstance(document, str) else json.dumps(document).encode() if document else b""
            )
            self.send_response(status)
            for name, value in {"Replay-Nonce": "bm9uY2U", "Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
