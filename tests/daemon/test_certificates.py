"""Certificates chosen by name, shared between processes, and read again."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.x509 import DNSName, SubjectAlternativeName
from OpenSSL import SSL
from twisted.logger import globalLogPublisher

from gecko_tw.daemon.certificate_files import CertificateFiles, TlsFiles
from gecko_tw.daemon.certificates import Bundle, Certificates, certificates_file, contexts_of, share, shared
from gecko_tw.daemon.tls import read_authorities, read_pair
from gecko_tw.settings import BadSetting
from tests.end_to_end.certificates import make_certificates

NOW = datetime.now(UTC)


class Clock:
    """The time, turned by the test."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def messages():
    """The messages of a test as (level, text)."""
    found = []

    def keep(event):
        found.append((event["log_level"].name, event["log_format"].format(**event)))

    globalLogPublisher.addObserver(keep)
    yield found
    globalLogPublisher.removeObserver(keep)


@pytest.fixture
def made(tmp_path):
    return make_certificates(tmp_path / "tls", "s3.example.com", "*.s3.example.com")


@pytest.fixture
def other(tmp_path):
    return make_certificates(tmp_path / "other", "other.example.com", "*.example.com")


@pytest.fixture
def fileno():
    number = certificates_file()
    yield number
    os.close(number)


def pair_of(made):
    return read_pair(made.certificate, made.key)


def files_of(*made, client_ca=None):
    return TlsFiles(tuple((one.certificate, one.key) for one in made), client_ca)


def pump(source, target):
    try:
        target.bio_write(source.bio_read(65536))
    except SSL.WantReadError:
        return


def shaken(side):
    try:
        side.do_handshake()
    except SSL.WantReadError:
        return False
    return True


def shown(certificates, name=None, client=None):
    """Makes a connection in memory; returns the first DNS name of the certificate that the client is shown. Raises SSL.Error."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if client is not None:
        context.use_certificate_file(str(client.certificate))
        context.use_privatekey_file(str(client.key))
    peer, server = SSL.Connection(context, None), certificates.serverConnectionForTLS(None)
    peer.set_connect_state()
    server.set_accept_state()
    if name is not None:
        peer.set_tlsext_host_name(name)
    both = False
    while not both:
        both = shaken(peer)
        pump(peer, server)
        both = shaken(server) and both
        pump(server, peer)
    found = peer.get_peer_certificate().to_cryptography().extensions.get_extension_for_class(SubjectAlternativeName)
    return found.value.get_values_for_type(DNSName)[1]


def serving(fileno, *made, authority=None):
    share(fileno, Bundle(tuple(pair_of(one) for one in made), "" if authority is None else read_authorities(authority)))
    certificates = Certificates(fileno)
    certificates.load()
    return certificates


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (None, "s3.example.com"),
        (b"s3.example.com", "s3.example.com"),
        (b"Bucket.S3.example.com", "s3.example.com"),
        (b"other.example.com", "other.example.com"),
        (b"any.example.com", "other.example.com"),
        (b"a.b.example.com", "s3.example.com"),
        (b"elsewhere.test", "s3.example.com"),
    ],
)
def test_a_client_is_shown_the_certificate_for_the_name_it_asks_for_or_the_first(fileno, made, other, asked, got):
    assert shown(serving(fileno, made, other), asked) == got


def test_connections_go_on_as_they_began_and_the_next_get_what_is_shared_now(fileno, made, other):
    certificates = serving(fileno, made)
    before = certificates.serverConnectionForTLS(None)
    share(fileno, Bundle((pair_of(other),)))
    assert shown(certificates) == "s3.example.com"
    certificates.load()
    assert shown(certificates) == "other.example.com"
    assert before.get_context() is not certificates.serverConnectionForTLS(None).get_context()


def test_what_cannot_be_served_leaves_what_is(fileno, made, other):
    certificates = serving(fileno, made)
    mixed = read_pair(made.certificate, other.key)
    share(fileno, Bundle((mixed,)))
    with pytest.raises(BadSetting, match="--tls-key: "):
        certificates.load()
    assert shown(certificates) == "s3.example.com"


def test_half_a_record_is_not_taken_for_certificates(fileno, made):
    with pytest.raises(BadSetting):
        shared(fileno)
    share(fileno, Bundle((pair_of(made),)))
    assert shared(fileno) == Bundle((pair_of(made),))
    os.pwrite(fileno, b"x", 100)
    with pytest.raises(BadSetting, match="no certificate was told"):
        shared(fileno)


def test_only_clients_of_the_authority_are_let_in(fileno, made, other):
    certificates = serving(fileno, made, authority=other.authority)
    assert shown(certificates, client=other) == "s3.example.com"
    for stranger in (None, made):
        with pytest.raises(SSL.Error):
            shown(certificates, client=stranger)


def test_a_certificate_tells_what_it_is_for_and_when_it_ends(fileno, made):
    certificates = serving(fileno, made)
    (told,) = certificates.told
    assert told.names == ("localhost", "s3.example.com", "*.s3.example.com", "127.0.0.1", "::1")
    assert told.days_left(told.ends - timedelta(hours=12)) == 0.5
    assert told.days_left(told.ends + timedelta(days=1)) == -1
    assert certificates.ends() == [(str(made.certificate), " ".join(told.names), told.ends.timestamp())]
    assert Certificates(fileno).ends() == []


def reading(fileno, clock, *made, **more):
    files = CertificateFiles(files_of(*made), fileno, clock, **more)
    files.read()
    return files


def replace(made, other):
    """What a renewal does, one file after the other."""
    for name in ("certificate", "key"):
        getattr(made, name).write_bytes(getattr(other, name).read_bytes())
        yield name


def test_files_that_have_changed_are_read_again(fileno, made, other, messages):
    files = reading(fileno, Clock(), made)
    assert not files.look()
    list(replace(made, other))
    assert files.look()
    assert shared(fileno).pairs[0].chain_pem == other.certificate.read_text()
    assert not files.look()
    infos = [text for level, text in messages if level == "info"]
    assert [text.startswith(f"the certificate {made.certificate} for ") for text in infos] == [True, True, False]
    assert infos[2] == "other certificates are served from now on"


def test_a_renewal_that_is_not_over_is_waited_for_in_silence(fileno, made, other, messages):
    files = reading(fileno, Clock(), made)
    steps = replace(made, other)
    next(steps)
    assert not files.look()
    next(steps)
    assert files.look()
    assert "error" not in [level for level, _ in messages]


def test_files_that_stay_wrong_are_told_once_and_what_was_read_before_is_served(fileno, made, messages):
    files, before = reading(fileno, Clock(), made), shared(fileno)
    made.key.unlink()
    for _ in range(5):
        assert not files.look()
    ((_, told),) = [one for one in messages if one[0] == "error"]
    assert told.startswith("the certificates that were served before stay: --tls-cert, --tls-key: ")
    assert shared(fileno) == before
    made.key.write_text("no key")
    for _ in range(3):
        assert not files.look()
    assert len([one for one in messages if one[0] == "error"]) == 2
    assert shared(fileno) == before


def test_a_certificate_that_should_have_been_renewed_is_told_once_a_day(fileno, made, messages):
    (certificate,) = contexts_of(Bundle((pair_of(made),))).certificates
    clock, told = Clock(), []
    clock.now = certificate.ends - timedelta(days=6.5)
    files = reading(fileno, clock, made)
    for left, level, text in (
        (6.5, "info", "ends in 6 days"),
        (3.0, "", ""),
        (1.5, "warn", "ends in 1 days"),
        (0.8, "", ""),
        (-0.5, "error", "ended on"),
    ):
        clock.now = certificate.ends - timedelta(days=left)
        for _ in range(3):
            assert not files.look()
        told += [(level, text)] if level else []
    heard = [(level, text) for level, text in messages if "chmod" not in text]
    assert [level for level, _ in heard] == [level for level, _ in told]
    assert all(part in text for (_, part), (_, text) in zip(told, heard, strict=True))


@pytest.mark.parametrize(
    ("domain", "missing"),
    [
        ("s3.example.com", []),
        ("", []),
        ("example.com", ["example.com", "*.example.com"]),
        ("a.s3.example.com", ["*.a.s3.example.com"]),
    ],
)
def test_a_domain_that_no_certificate_is_for_is_told(fileno, made, messages, domain, missing):
    reading(fileno, Clock(), made, domain=domain)
    told = [text for _, text in messages if text.startswith("no certificate is for")]
    assert told == [f"no certificate is for {name}, which --domain makes clients ask for" for name in missing]


def test_authorities_of_clients_are_files_like_others(fileno, made, other, tmp_path):
    path = tmp_path / "clients.pem"
    path.write_bytes(made.authority.read_bytes())
    files = CertificateFiles(files_of(made, client_ca=path), fileno, Clock())
    files.read()
    path.write_bytes(other.authority.read_bytes())
    assert files.look()
    assert shared(fileno).authorities == other.authority.read_text()
    assert len(contexts_of(shared(fileno)).certificates) == 1
