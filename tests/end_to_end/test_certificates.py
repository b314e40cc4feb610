"""https while certificates come and go, what is told of them, and the way to it from http."""

import os
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from prometheus_client.parser import text_string_to_metric_families

from gecko_tw.testing import Server
from tests.daemon.acme_authority import authority
from tests.end_to_end.certificates import Certificates, make_certificates
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.end_to_end.test_starting import geckos3
from tests.patience import PATIENCE, eventually

LARGE = 64 << 20
"""Bytes: more than sockets between a server and a client who does not read can hold."""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("other"), "s3.other.test", "*.s3.other.test")


@pytest.fixture(scope="module", params=[1, 2])
def daemon(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, other: Certificates
) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("certificates")
    made = make_certificates(folder / "tls")
    second = [f"--tls-cert={other.certificate}", f"--tls-key={other.key}", "--domain=s3.other.test"]
    more = ["--tls-check-interval=50ms", "--hsts=365d", "--redirect-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"]
    with Daemon(folder, f"--workers={request.param}", *second, *more, tls=True) as daemon:
        assert daemon.certificates is not None
        assert daemon.certificates.certificate == made.certificate
        yield daemon


def served(daemon: Daemon | Server, name: str = "localhost") -> bytes:
    """The certificate that a client is shown who asks for a name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)
    with plain, context.wrap_socket(plain, server_hostname=name) as secure:
        return secure.getpeercert(True) or b""


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def listening(daemon: Daemon, whom: str) -> int:
    found = re.search(rf"listening on https?://127.0.0.1:(\d+) for {whom}", daemon.log)
    assert found is not None
    return int(found[1])


def test_a_name_has_its_certificate_and_the_first_is_for_all_others(daemon: Daemon, other: Certificates) -> None:
    assert daemon.certificates is not None
    assert served(daemon, "bucket.s3.other.test") == der(other.certificate)
    assert served(daemon, "localhost") == served(daemon, "elsewhere.test") == der(daemon.certificates.certificate)


def test_a_renewed_certificate_is_served_by_itself_and_a_transfer_goes_on(daemon: Daemon) -> None:
    place = Place(daemon)
    bucket, body = place.new_bucket(), os.urandom(1 << 20) * (LARGE >> 20)
    place.put(bucket, "large", body)
    reading = place.s3.get_object(Bucket=bucket, Key="large")["Body"]
    first = reading.read(1 << 16)
    workers = daemon.log.count("serves\n")
    renewed = make_certificates(daemon.folder / "tls")
    eventually(lambda: served(daemon) == der(renewed.certificate))
    assert first + reading.read() == body
    assert daemon.log.count("serves\n") == workers  # no process was replaced for it
    assert "other certificates are served from now on" in daemon.log


def test_wrong_files_change_nothing_whoever_asks_for_them(daemon: Daemon) -> None:
    assert daemon.certificates is not None
    good = daemon.certificates.key.read_bytes()
    before = served(daemon)
    daemon.certificates.key.write_text("no key")
    eventually(lambda: "the certificates that were served before stay" in daemon.log)
    os.kill(daemon.pid, signal.SIGHUP)
    eventually(lambda: "nothing is reloaded, the old configuration stays: --tls-cert" in daemon.log)
    assert served(daemon) == before
    assert served(daemon, "bucket.s3.other.test") != before
    daemon.certificates.key.write_bytes(good)


def test_days_left_are_a_metric_and_in_the_log(daemon: Daemon, other: Certificates) -> None:
    context = daemon.trust()
    operators = HTTPSConnection("127.0.0.1", listening(daemon, "operators"), timeout=PATIENCE, context=context)
    operators.request("GET", "/metrics")
    families = {one.name: one for one in text_string_to_metric_families(operators.getresponse().read().decode())}
    operators.close()
    left = {one.labels["path"]: one.value for one in families["geckos3_tls_certificate_days_left"].samples}
    assert daemon.certificates is not None
    assert set(left) == {str(daemon.certificates.certificate), str(other.certificate)}
    assert all(6 < days < 7 for days in left.values())
    assert f"the certificate {other.certificate} for localhost s3.other.test *.s3.other.test" in daemon.log


def test_http_is_sent_to_https_where_browsers_are_told_to_stay(daemon: Daemon) -> None:
    plain = HTTPConnection("127.0.0.1", listening(daemon, "who is to use https"), timeout=PATIENCE)
    plain.request("PUT", "/bucket/key?tagging", body=b"body")
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, f"https://127.0.0.1:{daemon.port}/bucket/key?tagging")
    assert answer.headers["Strict-Transport-Security"] is None
    plain.close()
    secure = HTTPSConnection("127.0.0.1", daemon.port, timeout=PATIENCE, context=daemon.trust())
    secure.request("GET", "/health")
    assert secure.getresponse().headers["Strict-Transport-Security"] == "max-age=31536000"
    secure.close()


def test_a_worker_that_starts_while_files_are_wrong_serves_what_the_others_do(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--workers=2", "--tls-check-interval=0", tls=True) as daemon:
        assert daemon.certificates is not None
        before = served(daemon)
        daemon.certificates.key.write_text("no key")
        for pid in re.findall(r"worker \d \(pid (\d+)\) serves", daemon.log):
            os.kill(int(pid), signal.SIGKILL)
        eventually(lambda: len(re.findall(r"worker \d \(pid \d+\) serves", daemon.log)) == 4)
        assert served(daemon) == before


@pytest.fixture(scope="module")
def strict(other: Certificates) -> Iterator[Server]:
    """A certificate of its own making; clients must show one, too."""
    with Server("--tls=dev", f"--tls-client-ca={other.authority}", timeout=PATIENCE) as server:
        yield server


def test_only_clients_with_a_certificate_of_the_authority_are_let_in(strict: Server, other: Certificates) -> None:
    shown = Config(client_cert=(str(other.certificate), str(other.key)), retries={"total_max_attempts": 1})
    strict.client(config=shown).create_bucket(Bucket="bucket")
    with pytest.raises(BotoCoreError):
        strict.client(config=Config(retries={"total_max_attempts": 1})).list_buckets()


def test_a_certificate_that_was_made_is_trusted_by_who_is_told_how(strict: Server) -> None:
    assert strict.authority is not None
    assert f"clients must trust {strict.authority}: AWS_CA_BUNDLE={strict.authority}" in strict.log
    assert strict.environment["AWS_CA_BUNDLE"] == str(strict.authority)
    assert strict.url.startswith("https://127.0.0.1:")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.mark.parametrize(("offered", "workers"), [("http-01", 1), ("tls-alpn-01", 2)])
def test_an_authority_is_shown_what_it_looks_for_and_its_certificate_is_served(
    tmp_path: Path, offered: str, workers: int
) -> None:
    secure, plain = free_port(), free_port()
    asked = ["--acme=a@example.com", "--acme-domain=s3.example.com", f"--workers={workers}", "--domain=s3.example.com"]
    if offered == "http-01":
        asked.append(f"--redirect-listen=127.0.0.1:{plain}")
    with authority() as fake:
        fake.offered, fake.port = offered, plain if offered == "http-01" else secure
        asked.append(f"--acme-directory={fake.url}/directory")
        with Server(*asked, folder=tmp_path, port=secure, timeout=PATIENCE) as server:
            eventually(lambda: re.search("other certificates are served|--acme: no certificate", server.log))
            kept = server.data_dir / ".geckos3/acme/certificate.pem"
            eventually(lambda: served(server, "s3.example.com") == der(kept))
        with Server(*asked, folder=tmp_path, port=secure, timeout=PATIENCE) as server:
            assert served(server, "s3.example.com") == der(kept)
        assert (fake.issued, len(fake.accounts)) == (1, 1)
        assert "Traceback" not in server.log


def test_healthcheck_tells_that_it_has_no_certificate_to_show(tmp_path: Path, other: Certificates) -> None:
    flags = [f"--tls-cert={other.certificate}", f"--tls-key={other.key}", f"--tls-client-ca={other.authority}"]
    ended = geckos3("healthcheck", "--listen=127.0.0.1:1", *flags)
    assert ended.returncode == 1
    assert "--tls-client-ca: who asks must show a certificate; allowed is another place in --listen" in ended.stderr
