"""Certificates of an authority: when they are asked for, what it is shown, and what becomes of failures."""

import stat
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from twisted.logger import globalLogPublisher

from gecko_tw.daemon.acme_client import Authority
from gecko_tw.daemon.acme_renewal import CHECKED, FIRST_WAIT, LONGEST_WAIT, AcmeFailed, AcmeFiles, AcmeRenewal
from gecko_tw.daemon.certificates import certificates_file, shared
from gecko_tw.daemon.https import https_for
from gecko_tw.daemon.signing import named, new_key, of_server, pem_of, unsigned
from gecko_tw.settings import BadSetting, Settings
from tests.daemon.acme_authority import authority

NAMES = ("s3.example.com",)


class Issues:
    """An authority that signs, or fails, when the test says so."""

    def __init__(self):
        self.asked, self.failing, self.days = 0, False, 90

    def __call__(self, names, show):
        self.asked += 1
        if self.failing:
            raise AcmeFailed("no")
        certificate, key = signed(names, self.days)
        return certificate.decode(), key


def signed(names, days):
    """A certificate of 90 days that somebody else has signed, of which so many are left; and its key."""
    key, begin = new_key(), datetime.now(UTC) - timedelta(days=90 - days)
    builder = of_server(unsigned(named("server"), named("authority"), key, begin, 90), names)
    return builder.sign(new_key(), hashes.SHA256()).public_bytes(Encoding.PEM), pem_of(key)


class Clock:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def files(tmp_path):
    return AcmeFiles(tmp_path / "acme")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issues():
    return Issues()


@pytest.fixture
def renewal(files, issues, clock):
    return AcmeRenewal(files, NAMES, issues, clock)


def nothing(answers, proofs):
    """Shows nobody anything."""


def keep(files, certificate, key):
    files.folder.mkdir()
    files.certificate.write_bytes(certificate)
    files.key.write_bytes(key)


def test_something_is_served_until_the_authority_has_signed(renewal, files, issues):
    renewal.prepare()
    before = files.certificate.read_bytes()
    renewal.prepare()
    assert files.certificate.read_bytes() == before
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert renewal.renew(nothing)
    assert files.certificate.read_bytes() != before
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert issues.asked == 1


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(renewal, files):
    files.folder.write_text("no folder")
    with pytest.raises(BadSetting, match=f"--acme: {files.folder} cannot be written to"):
        renewal.prepare()


@pytest.mark.parametrize(
    ("names", "days", "asked"),
    [
        (NAMES, 89, 0),
        (NAMES, 31, 0),
        (NAMES, 29, 1),
        (NAMES, -1, 1),
        (("other.example.com",), 89, 1),
        ((*NAMES, "b.example.com"), 89, 1),
    ],
)
def test_a_certificate_is_asked_for_when_less_than_a_third_is_left_or_it_is_for_others(
    renewal, files, issues, names, days, asked
):
    keep(files, *signed(names, days))
    assert renewal.renew(nothing) is bool(asked)
    assert issues.asked == asked


def test_what_is_damaged_is_asked_for(renewal, files, issues):
    keep(files, b"no certificate", b"no key")
    assert renewal.renew(nothing)


def test_it_is_looked_at_again_and_renewed_when_its_time_has_come(renewal, clock, issues):
    assert renewal.renew(nothing)
    for days in range(1, 60):
        clock.now += timedelta(days=1)
        assert not renewal.renew(nothing), days
    clock.now += timedelta(days=1)
    assert renewal.renew(nothing)
    clock.now += CHECKED / 2
    assert not renewal.renew(nothing)
    assert issues.asked == 2


def test_a_failure_is_told_and_asked_again_later_and_later(renewal, files, clock, issues):
    lines = []
    globalLogPublisher.addObserver(lines.append)
    renewal.prepare()
    before, issues.failing, waits = files.certificate.read_bytes(), True, []
    for number in range(1, 10):
        assert not renewal.renew(nothing)
        began = clock.now
        while issues.asked == number:
            clock.now += FIRST_WAIT
            renewal.renew(nothing)
        waits.append(clock.now - began)
    globalLogPublisher.removeObserver(lines.append)
    assert waits[:3] == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert waits[-1] == LONGEST_WAIT
    assert files.certificate.read_bytes() == before
    errors = [line for line in lines if line["log_level"].name == "error"]
    assert len(errors) == issues.asked
    assert "what is there is served on; asked again in 5 minutes: no" in errors[0]["log_format"].format(**errors[0])


@pytest.fixture(scope="module")
def fake():
    with authority() as fake:
        yield fake


def asking(fake, tmp_path, over_http=True):
    return Authority(f"{fake.url}/directory", "a@example.com", tmp_path / "account.json", over_http, threading.Event())


def test_nobody_who_proves_nothing_gets_a_certificate_and_the_account_stays(fake, tmp_path):
    fake.offered, fake.port, shown, accounts = "http-01", 0, [], len(fake.accounts)
    for _ in range(2):
        with pytest.raises(AcmeFailed, match=r"^s3\.example\.com: nothing was found$"):
            asking(fake, tmp_path).issue(NAMES, lambda *given: shown.append(given))
    assert len(fake.accounts) == accounts + 1
    assert stat.S_IMODE((tmp_path / "account.json").stat().st_mode) == 0o600
    assert [bool(answers) for answers, _ in shown] == [True, False] * 2  # nothing is shown afterwards


def test_what_the_authority_does_not_offer_is_told(fake, tmp_path):
    fake.offered = "dns-01"
    with pytest.raises(AcmeFailed, match="the authority offers no tls-alpn-01 for s3.example.com"):
        asking(fake, tmp_path, over_http=False).issue(NAMES, nothing)


def test_an_authority_that_is_not_there_is_told_in_one_line(fake, tmp_path):
    away = Authority(
        "http://127.0.0.1:1/directory", "a@example.com", tmp_path / "account.json", True, threading.Event()
    )
    with pytest.raises(AcmeFailed, match="ConnectionError") as told:
        away.issue(NAMES, nothing)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "account.json").exists()


def test_an_account_that_is_damaged_is_told(fake, tmp_path):
    (tmp_path / "account.json").write_text("{")
    with pytest.raises(AcmeFailed, match="JSONDecodeError"):
        asking(fake, tmp_path).issue(NAMES, nothing)


def test_who_stops_waits_for_no_authority(fake, tmp_path):
    leaving = asking(fake, tmp_path)
    leaving.leaving.set()
    with pytest.raises(AcmeFailed, match="the server stops"):
        leaving.issue(NAMES, nothing)


def test_the_settings_make_a_place_of_its_own_for_it(tmp_path):
    fileno = certificates_file()
    settings = Settings(data_dir=tmp_path, acme="a@example.com", acme_domain=("s3.example.com",))
    https = https_for(settings, fileno)
    https.files.read()
    assert shared(fileno).pairs[0].certificate == str(tmp_path / ".geckos3/acme/certificate.pem")


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "gecko_tw.daemon.acme_client", raising=False)
    monkeypatch.setitem(sys.modules, "josepy", None)
    settings = Settings(data_dir=tmp_path, acme="a@example.com", acme_domain=("s3.example.com",))
    with pytest.raises(BadSetting, match=r"--acme: .*josepy.* is not installed: pip install 'gecko-tw\[acme\]'"):
        https_for(settings, certificates_file())
