"""What a server shows of itself, and what it speaks."""

import os

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions
from twisted.logger import globalLogPublisher

from gecko_tw.daemon.listening import S3, Listener, hold
from gecko_tw.daemon.tls import only_strong, read_authorities, read_pair, tls_context, warn_of_readable
from gecko_tw.settings import BadSetting
from tests.end_to_end.certificates import Certificates, make_certificates


@pytest.fixture
def made(tmp_path) -> Certificates:
    return make_certificates(tmp_path / "tls")


@pytest.fixture
def other(tmp_path) -> Certificates:
    return make_certificates(tmp_path / "other")


@pytest.fixture
def reactor():
    from twisted.internet import reactor

    return reactor


def offered(options: CertificateOptions) -> list[str]:
    return SSL.Connection(options.getContext()).get_cipher_list()


def is_strong(cipher: str) -> bool:
    """Forward secrecy, and authenticated encryption; TLS 1.3 has nothing else."""
    aead = "GCM" in cipher or "CHACHA20" in cipher
    return aead and cipher.startswith(("TLS_", "ECDHE-"))


def test_only_forward_secrecy_and_authenticated_encryption_are_offered(made):
    ciphers = offered(tls_context(read_pair(made.certificate, made.key)))
    assert any(cipher.startswith("ECDHE-") for cipher in ciphers)
    assert [cipher for cipher in ciphers if not is_strong(cipher)] == []


def test_an_endpoint_string_offers_no_more(made):
    weak = CertificateOptions()
    assert [cipher for cipher in offered(weak) if not is_strong(cipher)]
    mine = tls_context(read_pair(made.certificate, made.key))
    assert all(is_strong(cipher) for cipher in offered(only_strong(mine)))


def test_the_key_of_another_certificate_is_told_in_one_line(made, other):
    with pytest.raises(BadSetting) as told:
        tls_context(read_pair(made.certificate, other.key))
    assert str(told.value) == (
        f"--tls-key: '{other.key}' is not allowed; allowed is the key that the certificate '{made.certificate}' was made for"
    )


def test_the_key_of_another_certificate_in_an_endpoint_string_is_told_in_one_line(reactor, made, other):
    text = f"ssl:0:interface=127.0.0.1:privateKey={other.key}:certKey={made.certificate}"
    with pytest.raises(BadSetting, match="--listen: 'ssl:") as told:
        hold(reactor, Listener(S3, text, text))
    assert "\n" not in str(told.value)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_passphrase(made):
    key = load_pem_private_key(made.key.read_bytes(), None)
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(BadSetting, match="which is not encrypted"):
        tls_context(read_pair(made.certificate, made.key))


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_told_in_one_line(made, content):
    made.certificate.write_text(content)
    with pytest.raises(BadSetting, match="--tls-cert, --tls-key: "):
        tls_context(read_pair(made.certificate, made.key))


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o640, 0), (0o644, 1), (0o604, 1)])
def test_a_key_that_everybody_can_read_is_told(made, mode, told):
    os.chmod(made.key, mode)
    lines = []
    globalLogPublisher.addObserver(lines.append)
    try:
        warn_of_readable(made.key)
    finally:
        globalLogPublisher.removeObserver(lines.append)
    assert len(lines) == told
    assert all(line["key"] == str(made.key) for line in lines)


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"no certificate"])
def test_authorities_of_clients_that_cannot_be_read_are_told_in_one_line(tmp_path, content):
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSetting, match=f"--tls-client-ca: '{path}' is not allowed; allowed is a PEM file"):
        read_authorities(path)
