"""Certificates, their keys, and what TLS is spoken with them."""

import re
import stat
from pathlib import Path

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLContextFactory
from twisted.internet.ssl import CertificateOptions
from twisted.logger import Logger

from gecko_tw.settings import BadSetting

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: a key of its own for each connection, and no encryption without authentication. TLS 1.3 has nothing else."""

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_log = Logger()


def tls_context(certificate: Path, key: Path) -> CertificateOptions:
    """A server's TLS context. The certificate's file may go on with the certificates of its issuers.

    :raises BadSetting: a file is not what it should be, or the key is that of another certificate.
    """
    try:
        found = _CERTIFICATE.findall(certificate.read_bytes())
        first, *chain = (crypto.load_certificate(crypto.FILETYPE_PEM, pem) for pem in found)
        # Without the empty passphrase whoever sits at the terminal would be asked for one.
        private = crypto.load_privatekey(crypto.FILETYPE_PEM, key.read_bytes(), b"")
    except (OSError, ValueError, TypeError, crypto.Error) as wrong:
        raise BadSetting(
            f"--tls-cert, --tls-key: '{certificate}', '{key}' are not allowed; allowed are a certificate and its own key, which is not"
            f" encrypted, as PEM files ({type(wrong).__name__})"
        ) from wrong
    options = CertificateOptions(
        privateKey=private, certificate=first, extraCertChain=chain, acceptableProtocols=[b"http/1.1"]
    )
    try:
        return only_strong(options)
    except SSL.Error as wrong:
        raise BadSetting(
            f"--tls-key: '{key}' is not allowed; allowed is the key that the certificate '{certificate}' was made for"
        ) from wrong


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
