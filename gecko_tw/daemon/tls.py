"""What TLS is spoken with a certificate and its key."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLContextFactory
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates
from twisted.logger import Logger

from gecko_tw.settings import BadSetting

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: a key of its own for each connection, and no encryption without authentication. TLS 1.3 has nothing else."""

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_WRONG = (ValueError, TypeError, crypto.Error)
"""What the text of a file that is not what it should be is told by."""
_log = Logger()


@frozen
class Pair:
    """A certificate with its key.

    :ivar certificate: the path of its file, for messages, and ``key`` that of its key.
    :ivar chain_pem: the certificate; those of its issuers may follow.
    """

    certificate: str
    key: str
    chain_pem: str
    key_pem: str = field(repr=False)


def read_pair(certificate: Path, key: Path) -> Pair:
    """What two files hold now. Raises BadSetting when one cannot be read."""
    try:
        return Pair(str(certificate), str(key), certificate.read_text(), key.read_text())
    except (OSError, ValueError) as wrong:
        raise _not_allowed(str(certificate), str(key), wrong) from wrong


def tls_context(pair: Pair, authorities: Sequence[crypto.X509] = ()) -> CertificateOptions:
    """A server's TLS context.

    :param authorities: who signs the certificates that clients must show; none are asked for when this is empty.
    :raises BadSetting: a text is not what it should be, or the key is that of another certificate.
    """
    try:
        first, *chain = certificates_in(pair.chain_pem)
        # Without the empty passphrase whoever sits at the terminal would be asked for one.
        private = crypto.load_privatekey(crypto.FILETYPE_PEM, pair.key_pem.encode(), b"")
    except _WRONG as wrong:
        raise _not_allowed(pair.certificate, pair.key, wrong) from wrong
    options = CertificateOptions(
        privateKey=private,
        certificate=first,
        extraCertChain=chain,
        acceptableProtocols=[b"http/1.1"],
        trustRoot=trustRootFromCertificates([Certificate(one) for one in authorities]) if authorities else None,
    )
    try:
        return only_strong(options)
    except SSL.Error as wrong:
        raise BadSetting(
            f"--tls-key: '{pair.key}' is not allowed; allowed is the key that the certificate '{pair.certificate}' was made for"
        ) from wrong


def certificates_in(pem: str) -> list[crypto.X509]:
    """All certificates of a PEM text. Raises ValueError, TypeError or crypto.Error when there is none, or one is damaged."""
    found = [crypto.load_certificate(crypto.FILETYPE_PEM, one) for one in _CERTIFICATE.findall(pem.encode())]
    if not found:
        raise ValueError("no certificate")
    return found


def read_authorities(path: Path) -> str:
    """The certificates of a file of ``--tls-client-ca``, as PEM. Raises BadSetting."""
    try:
        text = path.read_text()
        certificates_in(text)
    except (OSError, *_WRONG) as wrong:
        raise BadSetting(
            f"--tls-client-ca: '{path}' is not allowed; allowed is a PEM file with certificates ({type(wrong).__name__})"
        ) from wrong
    return text


def _not_allowed(certificate: str, key: str, wrong: Exception) -> BadSetting:
    return BadSetting(
        f"--tls-cert, --tls-key: '{certificate}', '{key}' are not allowed; allowed are a certificate and its own key, which is not"
        f" encrypted, as PEM files ({type(wrong).__name__})"
    )


def only_strong(options: IOpenSSLContextFactory) -> IOpenSSLContextFactory:
    """The same, offering CIPHERS alone. Raises SSL.Error when its key and its certificate do not belong together."""
    context = options.getContext()
    context.set_cipher_list(CIPHERS)
    context.check_privatekey()
    return options


def warn_of_readable(key: Path) -> None:
    """Tells the operator when everybody on the machine can read a key."""
    if key.stat().st_mode & stat.S_IROTH:
        _log.warn("--tls-key: everybody on this machine can read {key}: chmod 600 it", key=str(key))
