"""The certificates that a process serves: shared by the main process in memory, chosen by the name that a client asks for.

No process but the main one reads files: a worker that starts while they are being exchanged, or are wrong, serves what the others do.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import asdict, field, frozen
from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from gecko_tw.callers.budgets.tally import shared_file
from gecko_tw.daemon.tls import Pair, certificates_in, tls_context
from gecko_tw.settings import BadSetting

HTTP, PROOF = b"http/1.1", b"acme-tls/1"
"""Protocols that clients ask for: everybody, and a certificate authority that looks for a proof (RFC 8737, 6.2)."""

_DIGEST = hashlib.sha256().digest_size
_TRIES = 100


@frozen
class Certificate:
    """What is told about a certificate.

    :ivar path: of its file.
    :ivar names: DNS names, with wildcards, and addresses that it is for.
    :ivar begins: and ``ends``, in UTC.
    """

    path: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime

    def days_left(self, now: datetime) -> float:
        """Days until it ends; less than 0 when it has."""
        return (self.ends - now).total_seconds() / 86400

    def covers(self, name: str) -> bool:
        """Whether clients accept it for a name in lower case (RFC 9525, 6.3: ``*`` is one whole label, the first)."""
        return name in self.names or f"*.{name.partition('.')[2]}" in self.names


@frozen
class Bundle:
    """All certificates of a deployment with their keys.

    :ivar pairs: the first one is for clients that ask for no name, or for none that there is.
    :ivar authorities: PEM of who signs the certificates of clients; empty asks them for none.
    :ivar answers: what a certificate authority that looks for it is answered over http, by token (RFC 8555, 8.3).
    :ivar proofs: the certificate that it is shown over TLS, by name (RFC 8737).
    """

    pairs: tuple[Pair, ...]
    authorities: str = ""
    answers: Mapping[str, str] = field(factory=dict)
    proofs: Mapping[str, Pair] = field(factory=dict)


@frozen
class Contexts:
    """A bundle, ready to be spoken with."""

    default: SSL.Context
    others: Mapping[str, SSL.Context]
    certificates: tuple[Certificate, ...]
    proving: Mapping[str, SSL.Context] = field(factory=dict)

    def named(self, name: str) -> SSL.Context:
        """The context for the name that a client asks for."""
        name = name.lower().rstrip(".")
        exact = self.proving.get(name) or self.others.get(name)
        return exact or self.others.get(f"*.{name.partition('.')[2]}") or self.default


def contexts_of(bundle: Bundle) -> Contexts:
    """A bundle as contexts. Raises BadSetting when a certificate cannot be served."""
    authorities = certificates_in(bundle.authorities) if bundle.authorities else []
    contexts = [tls_context(pair, authorities).getContext() for pair in bundle.pairs]
    certificates = tuple(_described(pair) for pair in bundle.pairs)
    others: dict[str, SSL.Context] = {}
    for context, certificate in zip(contexts, certificates, strict=True):
        for name in certificate.names:
            others.setdefault(name, context)
    proving = {
        name: _proving(
            tls_context(_for(name, bundle, certificates), authorities).getContext(), tls_context(proof).getContext()
        )
        for name, proof in bundle.proofs.items()
    }
    found = Contexts(contexts[0], others, certificates, proving)

    def chosen(connection: SSL.Connection) -> None:
        name = connection.get_servername()
        if name is not None:
            connection.set_context(found.named(name.decode("ascii", "replace")))

    found.default.set_tlsext_servername_callback(chosen)
    return found


def _for(name: str, bundle: Bundle, certificates: tuple[Certificate, ...]) -> Pair:
    found = [pair for pair, one in zip(bundle.pairs, certificates, strict=True) if one.covers(name)]
    return (*found, bundle.pairs[0])[0]


def _proving(usual: SSL.Context, proof: SSL.Context) -> SSL.Context:
    """The usual context of a name, but for the authority, who speaks another protocol and is shown a proof."""

    def chosen(connection: SSL.Connection, offered: list[bytes]) -> Any:
        # Before TLS 1.3 the certificate is chosen before the protocol.
        if PROOF in offered and connection.get_protocol_version() == SSL.TLS1_3_VERSION:
            connection.set_context(proof)
            connection.set_verify(SSL.VERIFY_NONE)
            return PROOF
        return HTTP if HTTP in offered else SSL.NO_OVERLAPPING_PROTOCOLS

    usual.set_alpn_select_callback(chosen)
    return usual


def _described(pair: Pair) -> Certificate:
    first = certificates_in(pair.chain_pem)[0].to_cryptography()
    try:
        value: Any = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*value.get_values_for_type(x509.DNSName), *map(str, value.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError):  # clients look at nothing else
        names = [str(one.value) for one in first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return Certificate(
        pair.certificate,
        tuple(name.lower() for name in names),
        first.not_valid_before_utc,
        first.not_valid_after_utc,
    )


def certificates_file() -> int:
    """A file in memory for a bundle, which processes share; returns its descriptor."""
    return shared_file("geckos3-certificates", 0)


def share(fileno: int, bundle: Bundle) -> None:
    """Puts a bundle in place of the one before."""
    text = json.dumps(asdict(bundle)).encode()
    record = hashlib.sha256(text).digest() + text
    os.pwrite(fileno, record, 0)
    os.ftruncate(fileno, len(record))


def shared(fileno: int) -> Bundle:
    """The bundle of a file. Raises BadSetting when there is none."""
    for _ in range(_TRIES):
        record = os.pread(fileno, os.fstat(fileno).st_size, 0)
        digest, text = record[:_DIGEST], record[_DIGEST:]
        # Who reads while another process writes gets a mixture, and looks again.
        if hashlib.sha256(text).digest() == digest:
            told = json.loads(text)
            proofs = {name: Pair(**pair) for name, pair in told["proofs"].items()}
            return Bundle(tuple(Pair(**pair) for pair in told["pairs"]), told["authorities"], told["answers"], proofs)
    raise BadSetting("--tls-cert: no certificate was told to this process")


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """What each new connection of a process is secured with; what is under way goes on as it began.

    :param fileno: of a file of :func:`certificates_file`; it is not closed here.
    """

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno
        self._contexts: Contexts | None = None
        self._answers: Mapping[str, str] = {}

    @property
    def told(self) -> tuple[Certificate, ...]:
        """What is served now."""
        return () if self._contexts is None else self._contexts.certificates

    def ends(self) -> list[tuple[str, str, float]]:
        """Of each certificate its path, its names, and when it ends, in seconds since 1970: for metrics."""
        return [(one.path, " ".join(one.names), one.ends.timestamp()) for one in self.told]

    def load(self) -> None:
        """Serves what is shared now. Raises BadSetting, and the ones before stay."""
        bundle = shared(self._fileno)
        self._contexts, self._answers = contexts_of(bundle), bundle.answers

    def answer(self, token: bytes) -> bytes | None:
        """What the certificate authority that looks for a token is answered over http."""
        found = self._answers.get(token.decode("latin-1"))
        return None if found is None else found.encode()

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """A connection of Twisted's TLS protocol, which has no type."""
        assert self._contexts is not None, "load comes first"
        connection = SSL.Connection(self._contexts.default, None)
        connection.set_app_data(protocol)
        return connection
