"""Which certificates of servers are good."""

from pathlib import Path

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.client import BrowserLikePolicyForHTTPS
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

_END = b"-----END CERTIFICATE-----"


@implementer(IOpenSSLClientConnectionCreator)
class _Anybody:
    """Connections to whoever answers."""

    def __init__(self, hostname: bytes) -> None:
        self._hostname = hostname
        self._context = CertificateOptions().getContext()

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        if not self._hostname.replace(b".", b"").replace(b":", b"").isdigit():
            connection.set_tlsext_host_name(self._hostname)
        return connection


@implementer(IPolicyForHTTPS)
class _Everybody:
    """Certificates are not looked at."""

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        creator: IOpenSSLClientConnectionCreator = _Anybody(hostname)
        return creator


def trusting(verify: bool | str) -> IPolicyForHTTPS:
    """A policy for servers' certificates. Blocks when it reads a file.

    :param verify: True for the authorities that this machine trusts, the path of a PEM file with others, or False for no check.
    """
    if verify is False:
        return _Everybody()
    if verify is True:
        return BrowserLikePolicyForHTTPS()
    blocks = [
        block + _END for block in Path(verify).read_bytes().split(_END) if b"-----BEGIN CERTIFICATE-----" in block
    ]
    if not blocks:
        raise ValueError(f"{verify} has no certificate in PEM form")
    return BrowserLikePolicyForHTTPS(trustRootFromCertificates([Certificate.loadPEM(block) for block in blocks]))
