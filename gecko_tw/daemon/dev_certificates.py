"""The certificate of ``--tls=dev``: made for this machine by an authority that is made beside it.

Only for development: whoever can read the authority's key can be any server to those who trust it. It may sign for servers only, and
nothing below it may sign at all.
"""

import os
import socket
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.logger import Logger

from gecko_tw.settings import BadSetting, Settings
from gecko_tw.settings.kinds import split_host_port

AUTHORITY_DAYS, DAYS = 3650, 90
RENEWED_DAYS = DAYS // 3
"""A certificate with fewer days left is made again."""

_Key = ec.EllipticCurvePrivateKey
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
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority, key = _authority(files, now)
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(authority, key, own, names, now)
        _write(files.key, _pem_of(own), 0o600)
        _write(files.certificate, certificate.public_bytes(Encoding.PEM), 0o644)
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
    return found.not_valid_after_utc - now > timedelta(days=RENEWED_DAYS) and for_names == _alternatives(names)


def _authority(files: DevFiles, now: datetime) -> tuple[x509.Certificate, _Key]:
    """The one that is there, as long as it outlives what it is to sign, or a new one."""
    if files.authority.exists() and files.authority_key.exists():
        found = x509.load_pem_x509_certificate(files.authority.read_bytes())
        key = load_pem_private_key(files.authority_key.read_bytes(), None)
        if isinstance(key, _Key) and found.not_valid_after_utc - now > timedelta(days=DAYS):
            return found, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"geckos3 dev {socket.gethostname()}"[:64])])
    made = (
        _unsigned(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign", "digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(files.authority_key, _pem_of(key), 0o600)
    _write(files.authority, made.public_bytes(Encoding.PEM), 0o644)
    return made, key


def _certificate(
    authority: x509.Certificate, signer: _Key, own: _Key, names: Iterable[str], now: datetime
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "geckos3 dev")])
    return (
        _unsigned(subject, authority.subject, own, now, DAYS)
        .add_extension(_alternatives(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _unsigned(subject: x509.Name, issuer: x509.Name, key: _Key, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*wanted: str) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
        " encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in wanted for name in names.split()})


def _alternatives(names: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem_of(key: _Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes, mode: int) -> None:
    """Puts a file in its place at once; nobody else can read what is on its way there."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    beside.replace(path)
