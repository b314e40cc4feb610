"""The certificate of --tls=dev."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gecko_tw.daemon.certificates import certificates_file, shared
from gecko_tw.daemon.dev_certificates import DAYS, RENEWED_DAYS, DevFiles, dev_files, dev_names, make_dev_certificate
from gecko_tw.daemon.https import https_for
from gecko_tw.settings import BadSetting, Settings

NOW = datetime.now(UTC)
NAMES = ("localhost", "127.0.0.1", "*.s3.test")


@pytest.fixture
def files(tmp_path) -> DevFiles:
    return DevFiles(tmp_path / "inner" / "tls")


def make(files, names=NAMES, days=0.0):
    return make_dev_certificate(files, names, lambda: NOW + timedelta(days=days))


def test_it_is_made_once_and_nobody_else_can_read_its_keys(files):
    assert make(files)
    before = files.certificate.read_bytes()
    assert not make(files)
    assert files.certificate.read_bytes() == before
    assert [stat.S_IMODE(path.stat().st_mode) for path in (files.key, files.authority_key)] == [0o600, 0o600]
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert len(list(files.folder.iterdir())) == 4


def test_whoever_trusts_the_authority_trusts_it(files):
    make(files)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    found = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    found.verify_directly_issued_by(authority)
    ssl.create_default_context(cafile=str(files.authority))
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    ) == [
        "localhost",
        "*.s3.test",
    ]


@pytest.mark.parametrize(
    ("more", "again"),
    [
        ({"days": DAYS - RENEWED_DAYS - 1}, False),
        ({"days": DAYS - RENEWED_DAYS + 1}, True),
        ({"names": ("localhost",)}, True),
    ],
)
def test_it_is_made_again_by_the_same_authority_before_it_ends_or_when_it_is_for_others(files, more, again):
    make(files)
    before, authority = files.certificate.read_bytes(), files.authority.read_bytes()
    assert make(files, **more) is again
    assert (files.certificate.read_bytes() != before) is again
    assert files.authority.read_bytes() == authority


def test_an_authority_that_ends_before_what_it_would_sign_is_replaced(files):
    make(files)
    authority = files.authority.read_bytes()
    make(files, days=3600)
    assert files.authority.read_bytes() != authority


def test_a_key_that_is_gone_is_made_again(files):
    make(files)
    files.key.unlink()
    assert make(files)
    assert files.key.exists()


def test_what_is_damaged_is_told_and_stays(files):
    make(files)
    files.certificate.write_text("no certificate")
    with pytest.raises(
        BadSetting, match=f"--tls: 'dev' is not allowed; allowed is files, or what is in {files.folder}"
    ):
        make(files)
    assert files.certificate.read_text() == "no certificate"


def test_it_is_for_this_machine_where_it_listens_and_the_domains():
    names = dev_names(
        Settings(listen=(":9000", "10.0.0.1:1", "[::]:2", "unix:/s"), domain="s3.test", website_domain="web.test")
    )
    assert names[:3] == ("localhost", "127.0.0.1", "::1")
    assert names[4:] == ("10.0.0.1", "s3.test", "*.s3.test", "web.test", "*.web.test")


def test_it_is_made_where_the_data_is_before_it_is_read():
    assert dev_files(Settings(data_dir=Path("/srv/s3"))).authority == Path("/srv/s3/.geckos3/tls/authority.pem")


def test_it_is_read_like_any_other(tmp_path):
    fileno, settings = certificates_file(), Settings(data_dir=tmp_path, tls="dev")
    certificates = https_for(settings, fileno).files
    assert certificates.made
    certificates.read()
    assert shared(fileno).pairs[0].certificate == str(dev_files(settings).certificate)
    dev_files(settings).certificate.unlink()
    assert certificates.look()
    assert not https_for(Settings(tls_cert=(Path("a"),), tls_key=(Path("b"),)), fileno).files.made
