"""Certificates made here: what those of ``--tls=dev`` and those that ACME asks for have in common."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey
USAGES = (
    "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    " encipher_only decipher_only"
).split()


def new_key() -> Key:
    """A key on the curve P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def unsigned(subject: x509.Name, issuer: x509.Name, key: Key, now: datetime, days: int) -> x509.CertificateBuilder:
    """A certificate for a key, from a day ago on, since clocks differ, for so many days."""
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


def of_server(builder: x509.CertificateBuilder, names: Iterable[str]) -> x509.CertificateBuilder:
    """The same for a server of these names and addresses, which may sign nothing."""
    return (
        builder.add_extension(alternatives(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def self_signed(names: Iterable[str], *critical: x509.ExtensionType, days: int = 1) -> tuple[bytes, bytes]:
    """A certificate that nobody trusts, and its key, as PEM.

    :param critical: further extensions that who looks must understand.
    """
    key, name = new_key(), named("geckos3")
    builder = of_server(unsigned(name, name, key, datetime.now(UTC), days), names)
    for extension in critical:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), pem_of(key)


def named(text: str) -> x509.Name:
    """A common name, of at most 64 characters."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def usage(*wanted: str) -> x509.KeyUsage:
    """What a key may be used for."""
    return x509.KeyUsage(**{name: name in wanted for name in USAGES})


def alternatives(names: Iterable[str]) -> x509.SubjectAlternativeName:
    """DNS names and addresses."""
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pem_of(key: Key) -> bytes:
    """A key that is not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Puts a file in its place at once; nobody else can read what is on its way there. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
