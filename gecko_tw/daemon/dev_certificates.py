"""The certificate of ``--tls=dev``: made for this machine by an authority that is made beside it.

Only for development: whoever can read the authority's key can be any server to those who trust it. It may sign for servers only, and
nothing below it may sign at all.
"""

import socket
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.logger import Logger

from gecko_tw.daemon.signing import Key, alternatives, named, new_key, of_server, pem_of, unsigned, usage, write_file
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.settings.kinds import split_host_port

AUTHORITY_DAYS, DAYS = 3650, 90
RENEWED_DAYS = DAYS // 3
"""A certificate with fewer days left is made again."""

_log = Logger()


@frozen
class DevFiles:
    """The files, all in one folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """What clients are to trust."""
        return self.folder / "authority.pem"

    @property
    def authority_key(self) -> Path:
        return self.folder / "authority.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "certificate.key"


def dev_files(settings: Settings) -> DevFiles:
    """Where the settings have them."""
    return DevFiles(Path(settings.data_dir, ".geckos3", "tls").absolute())


def dev_names(settings: Settings) -> tuple[str, ...]:
    """What the certificate is for: this machine, where it listens, and the domain with its buckets."""
    split = (split_host_port(text) for text in settings.listen)
    hosts = [found[0] for found in split if found is not None and found[0] not in ("", "0.0.0.0", "::")]
    domains = [
        name for domain in (settings.domain, settings.website_domain) if domain for name in (domain, f"*.{domain}")
    ]
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts, *domains]
    return tuple(dict.fromkeys(name.lower() for name in names if name))


def make_dev_certificate(files: DevFiles, names: tuple[str, ...], clock: Callable[[], datetime]) -> bool:
    """Makes what is missing, is for other names, or ends soon; returns whether something was made. Blocks.

    :param clock: tells the time in UTC.
    :raises BadSetting: a file cannot be read or written.
    """
    now = clock()
    try:
        if _serves(files, names, now):
            return False
        authority, key = _authority(files, now)
        own = new_key()
        certificate = _certificate(authority, key, own, names, now)
        write_file(files.key, pem_of(own), 0o600)
        write_file(files.certificate, certificate.public_bytes(Encoding.PEM), 0o644)
    except (OSError, ValueError, TypeError) as wrong:
        raise BadSetting(
            f"--tls: 'dev' is not allowed; allowed is files, or what is in {files.folder} removed ({wrong})"
        ) from wrong
    _log.warn(
        "--tls=dev: a certificate was made for {names}; clients must trust {authority}: {how}",
        names=" ".join(names),
        authority=str(files.authority),
        how=f"AWS_CA_BUNDLE={files.authority}, curl --cacert {files.authority}, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS",
    )
    return True


def _serves(files: DevFiles, names: tuple[str, ...], now: datetime) -> bool:
    """Whether what is there is good for a while. Raises OSError or ValueError for what cannot be read."""
    if not all(path.exists() for path in (files.authority, files.authority_key, files.certificate, files.key)):
        return False
    found = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    for_names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.not_valid_after_utc - now > timedelta(days=RENEWED_DAYS) and for_names == alternatives(names)


def _authority(files: DevFiles, now: datetime) -> tuple[x509.Certificate, Key]:
    """The one that is there, as long as it outlives what it is to sign, or a new one."""
    if files.authority.exists() and files.authority_key.exists():
        found = x509.load_pem_x509_certificate(files.authority.read_bytes())
        key = load_pem_private_key(files.authority_key.read_bytes(), None)
        if isinstance(key, Key) and found.not_valid_after_utc - now > timedelta(days=DAYS):
            return found, key
    key, name = new_key(), named(f"geckos3 dev {socket.gethostname()}")
    made = (
        unsigned(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage("key_cert_sign", "crl_sign", "digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_file(files.authority_key, pem_of(key), 0o600)
    write_file(files.authority, made.public_bytes(Encoding.PEM), 0o644)
    return made, key


def _certificate(
    authority: x509.Certificate, signer: Key, own: Key, names: Iterable[str], now: datetime
) -> x509.Certificate:
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = of_server(unsigned(named("geckos3 dev"), authority.subject, own, now, DAYS), names)
    return builder.add_extension(issued_by, critical=False).sign(signer, hashes.SHA256())
