"""How a daemon starts and ends: by which command, on what it listens, and what it says when it cannot."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

import pytest

from gecko_tw.commands.health import health
from tests.end_to_end.certificates import make_certificates
from tests.end_to_end.connections import Crowd, ask
from tests.end_to_end.daemon import ROOT, SERVE, TWISTD, Daemon
from tests.end_to_end.place import Place
from tests.end_to_end.processes import family
from tests.patience import PATIENCE, eventually


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, and what it said."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("GECKOS3_", "MINIO_"))}
    path = os.pathsep.join(filter(None, [str(ROOT), given.get("PYTHONPATH", "")]))
    environment = {**given, "PYTHONPATH": path, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)


def geckos3(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "gecko_tw.commands", *arguments, **environment)


def answers(place: str) -> bool:
    """Whether a daemon answers there by now."""
    with suppress(OSError):
        return health(place, False) == 200
    return False


@pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["geckos3-serve", "twistd"])
def test_both_commands_serve_and_end_in_order(tmp_path, command):
    with Daemon(tmp_path, "--workers=2", command=command) as daemon:
        ask(daemon)
    assert "geckos3 0" in daemon.log


@pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["geckos3-serve", "twistd"])
def test_a_bad_value_stops_the_start_with_one_line(tmp_path, command):
    ended = run(*command, f"--data-dir={tmp_path}", "--listen=127.0.0.1:0", GECKOS3_FSYNC="maybe")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "GECKOS3_FSYNC: 'maybe' is not allowed; allowed is one of 1, t, T" in line


@pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["geckos3-serve", "twistd"])
def test_an_address_in_use_stops_the_start_with_one_line(tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run(*command, f"--data-dir={tmp_path}", f"--listen={place}")
    assert ended.returncode == 1
    assert f"geckos3: --listen: '{place}' cannot be had: [Errno 98] Address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("background", [True, False], ids=["background", "foreground"])
@pytest.mark.parametrize("fault", ["address", "directory", "endpoint"])
def test_a_start_that_fails_ends_twistd_with_the_reason_and_no_pid_file(tmp_path, background, fault):
    log, pid_file = tmp_path / "twistd.log", tmp_path / "twistd.pid"
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place, data, told = {
            "address": (f"127.0.0.1:{taken.getsockname()[1]}", "data", "cannot be had: [Errno 98]"),
            "directory": ("127.0.0.1:0", "file/data", "/file/data': Not a directory"),
            "endpoint": ("tcp:99999", "data", "--listen: 'tcp:99999' is not allowed"),
        }[fault]
        options = [f"--logfile={log}", f"--pidfile={pid_file}", *([] if background else ["--nodaemon"])]
        ended = run(*TWISTD[:3], *options, "geckos3", f"--data-dir={tmp_path / data}", f"--listen={place}")
    assert ended.returncode == 1
    eventually(lambda: not pid_file.exists())  # in the background the command ends before the process it began
    assert f"cannot start: --{'data-dir' if fault == 'directory' else 'listen'}: " in log.read_text()
    assert told in log.read_text()
    assert not background or "An error has occurred" in ended.stderr
    assert "Traceback" not in ended.stderr + log.read_text()


@pytest.mark.parametrize(
    "place", ["tcp:nonsense", "nothing:9000:x", "systemd:domain=INET:index=7", "ssl:0:privateKey=/gone.pem"]
)
def test_an_endpoint_that_cannot_be_understood_stops_the_start_with_one_line(tmp_path, place):
    ended = geckos3("serve", f"--data-dir={tmp_path}", f"--listen={place}")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"geckos3: --listen: {place!r} is not allowed (")


def test_a_data_directory_that_cannot_be_made_stops_the_start_with_one_line(tmp_path):
    (tmp_path / "file").touch()
    ended = geckos3("serve", f"--data-dir={tmp_path}/file/data", "--listen=127.0.0.1:0")
    assert ended.returncode == 1
    assert ended.stderr == f"geckos3: --data-dir: '{tmp_path}/file/data': Not a directory\n"


@pytest.mark.parametrize("count", [1, 2])
def test_a_data_directory_that_cannot_be_opened_is_told_in_one_line(tmp_path, count):
    (tmp_path / ".geckos3").touch()
    ended = geckos3("serve", f"--data-dir={tmp_path}", "--listen=127.0.0.1:0", f"--workers={count}")
    assert ended.returncode == 1
    assert "critical: cannot start: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_certificate_that_is_none_stops_the_start_with_one_line(tmp_path):
    (tmp_path / "a.pem").write_text("no certificate")
    tls = [f"--tls-cert={tmp_path}/a.pem", f"--tls-key={tmp_path}/a.pem"]
    ended = geckos3("serve", f"--data-dir={tmp_path}/data", "--listen=127.0.0.1:0", *tls)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("geckos3: --tls-cert, --tls-key: ")


def test_twistd_knows_the_command():
    assert "geckos3" in run(sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--help").stdout


def test_geckos3_style_flags_are_understood(tmp_path):
    with Daemon(tmp_path, "-auth=false", "-fsync") as daemon:
        assert "authentication is off" in daemon.log


@pytest.mark.parametrize("flags", [(), ("-auth=false", "-fsync")])
def test_flags_alone_serve_as_in_geckos3(tmp_path, flags):
    with Daemon(tmp_path, *flags, command=SERVE[:-1]) as daemon:
        assert ("authentication is off" in daemon.log) == bool(flags)


def test_the_default_keys_are_warned_of_and_others_are_not(tmp_path):
    with Daemon(tmp_path / "default") as daemon:
        assert "is the default one" in daemon.log
    own = {"MINIO_ROOT_USER": "root user/", "MINIO_ROOT_PASSWORD": "pass word+é"}
    with Daemon(tmp_path / "own", env=own) as daemon:
        assert "is the default one" not in daemon.log
        keys = {"aws_access_key_id": "root user/", "aws_secret_access_key": "pass word+é"}
        assert daemon.client(**keys).list_buckets()["Buckets"] == []


@pytest.mark.parametrize("count", [1, 2])
def test_a_unix_socket_is_served_by_all_and_gone_at_the_end(tmp_path, count):
    place = tmp_path / "s3.sock"
    with Daemon(tmp_path, f"--listen=unix:{place}", f"--workers={count}") as daemon:
        assert health(f"unix:{place}", False) == 200
        old = family(daemon.pid)[1:]
        os.kill(daemon.pid, signal.SIGHUP)
        while count > 1 and set(old) & set(family(daemon.pid)):
            assert health(f"unix:{place}", False) == 200
        assert health(f"unix:{place}", False) == 200
    assert not place.exists()


@pytest.mark.parametrize("count", [1, 2])
def test_a_socket_from_systemd_is_served(tmp_path, count):
    """As systemd does it: the socket is descriptor 3, and two variables tell of it."""
    start = (
        "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); os.dup2(int(sys.argv[1]), 3);"
        " os.execv(sys.executable, sys.argv[2:])"
    )
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.set_inheritable(True)
        place = f"127.0.0.1:{ours.getsockname()[1]}"
        flags = [f"--data-dir={tmp_path}/data", "--listen=systemd:domain=INET:name=s3", f"--workers={count}"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        daemon = subprocess.Popen(
            [
                sys.executable,
                "-c",
                start,
                str(ours.fileno()),
                sys.executable,
                "-m",
                "gecko_tw.commands",
                "serve",
                *flags,
            ],
            env=environment | {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "s3"},
            pass_fds=[ours.fileno()],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: answers(place))
        finally:
            daemon.send_signal(signal.SIGTERM)
            _, log = daemon.communicate(timeout=PATIENCE)
    assert daemon.returncode == 0
    assert b"Traceback" not in log


def test_several_places_are_served_at_once(tmp_path):
    place = tmp_path / "s3.sock"
    with Daemon(tmp_path, f"--listen=unix:{place}", "--listen=[::1]:0") as daemon:
        ask(daemon)
        assert health(f"unix:{place}", False) == 200
        assert "listening on http://[::1]:" in daemon.log


@pytest.mark.parametrize("count", [1, 2])
def test_a_renewed_certificate_is_served_after_sighup(tmp_path, count):
    with Daemon(tmp_path, f"--workers={count}", "--tls-check-interval=0", tls=True) as daemon:
        first = served_certificate(daemon)
        daemon.certificates = make_certificates(tmp_path / "tls")
        assert served_certificate(daemon, trust=False) == first
        os.kill(daemon.pid, signal.SIGHUP)
        eventually(lambda: served_certificate(daemon, trust=False) != first)
        assert daemon.trust() is not None


def served_certificate(daemon: Daemon, trust: bool = True) -> str:
    authority = str(daemon.certificates.authority) if trust else None
    return ssl.get_server_certificate(("127.0.0.1", daemon.port), ca_certs=authority, timeout=PATIENCE)


def test_a_tls_endpoint_string_is_served(tmp_path):
    made = make_certificates(tmp_path / "tls")
    place = f"ssl:0:interface=127.0.0.1:privateKey={made.key}:certKey={made.certificate}"
    with Daemon(tmp_path, f"--listen={place}") as daemon:
        port = daemon.log.rpartition("https://127.0.0.1:")[2].split()[0]
        assert health(f"ssl:{port}:interface=127.0.0.1", True) == 200


def test_healthcheck_tells_by_its_exit_code(tmp_path):
    with Daemon(tmp_path / "plain") as daemon:
        place = f"--listen=127.0.0.1:{daemon.port}"
        eventually(lambda: geckos3("healthcheck", place).returncode == 0)
        eventually(lambda: geckos3("healthcheck", GECKOS3_LISTEN=f"127.0.0.1:{daemon.port}").returncode == 0)
    ended = geckos3("healthcheck", place)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    with Daemon(tmp_path / "secure", tls=True) as daemon:
        tls = [f"--tls-cert={daemon.certificates.certificate}", f"--tls-key={daemon.certificates.key}"]
        eventually(lambda: geckos3("healthcheck", f"--listen=127.0.0.1:{daemon.port}", *tls).returncode == 0)


def test_every_line_of_the_request_log_is_whole_whoever_wrote_it(tmp_path):
    with Daemon(tmp_path, "--workers=2") as daemon, Crowd(daemon):
        for length in (10, 1000, 3000, 6000):
            with pytest.raises((HTTPException, OSError, AssertionError)):
                ask_for(daemon, "/bucket/" + "ü" * (length // 6))
    records = [json.loads(line) for line in daemon.request_lines]
    assert len(records) > 10
    names = {"timestamp", "request_id", "method", "uri", "status", "duration_ms", "bytes", "client_ip"}
    assert all(names <= set(record) | {"bytes"} for record in records)
    assert len({record["request_id"] for record in records}) == len(records)


def ask_for(daemon: Daemon, path: str) -> None:
    from urllib.parse import quote
    from urllib.request import urlopen

    with urlopen(daemon.url + quote(path), timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_messages_are_json_when_asked_for(tmp_path):
    with Daemon(tmp_path, "--workers=2", "--log-format=json", "--log-level=debug") as daemon:
        pass
    records = [json.loads(line) for line in daemon.log.splitlines()]
    assert {"timestamp", "level", "logger", "message"} <= set(records[0])
    assert any(record["message"].startswith("listening on") for record in records)


def test_requests_are_not_logged_when_that_is_switched_off(tmp_path):
    with Daemon(tmp_path, "--request-log=false") as daemon:
        ask(daemon)
    assert daemon.request_lines == []


@pytest.mark.parametrize("count", [1, 2])
def test_in_the_background_requests_and_messages_are_in_the_log_of_twistd(tmp_path, count):
    log, pid_file = tmp_path / "twistd.log", tmp_path / "twistd.pid"
    twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
    ended = run(
        *twistd,
        f"--logfile={log}",
        f"--pidfile={pid_file}",
        "geckos3",
        f"--data-dir={tmp_path}/data",
        f"--listen=unix:{tmp_path}/s3.sock",
        f"--workers={count}",
    )
    assert ended.returncode == 0, ended.stderr
    eventually(pid_file.exists)
    eventually((tmp_path / "s3.sock").exists)
    eventually(lambda: answers(f"unix:{tmp_path}/s3.sock"))
    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    eventually(lambda: not pid_file.exists())
    text = log.read_text()
    assert '"uri":"/health"' in text
    assert "Traceback" not in text


def test_a_key_that_everybody_can_read_is_told(tmp_path):
    with Daemon(tmp_path, tls=True) as daemon:
        daemon.certificates.key.chmod(0o600)
    with daemon:
        assert daemon.log.count("everybody on this machine can read") == 1  # what the first start has told


def test_the_key_of_another_certificate_stops_the_start_with_one_line(tmp_path):
    made, other = make_certificates(tmp_path / "tls"), make_certificates(tmp_path / "other")
    tls = [f"--tls-cert={made.certificate}", f"--tls-key={other.key}"]
    ended = geckos3("serve", f"--data-dir={tmp_path}/data", "--listen=127.0.0.1:0", *tls)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("geckos3: --tls-key: ")


@pytest.mark.parametrize("count", [1, 2])
def test_the_umask_decides_who_else_can_read_the_files(tmp_path, count):
    with Daemon(tmp_path, f"--workers={count}", "--umask=027") as daemon:
        place = Place(daemon)
        bucket = place.new_bucket()
        place.put(bucket, "folder/key", b"x" * 100_000)
        files = [daemon.data_dir / bucket, daemon.data_dir / bucket / "folder", daemon.data_dir / bucket / "folder/key"]
        assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o750", "0o750", "0o640"]


def test_a_data_directory_that_is_gone_is_alive_and_not_ready(tmp_path):
    def status(path: str) -> int:
        connection = HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE)
        connection.request("GET", path)
        return connection.getresponse().status

    with Daemon(tmp_path, "--workers=2") as daemon:
        assert status("/minio/health/ready") == status("/minio/health/cluster") == 200
        inner, away = daemon.data_dir / ".geckos3", tmp_path / "away"
        inner.rename(away)
        eventually(lambda: status("/minio/health/ready") == 503)
        assert status("/health") == 200
        away.rename(inner)
        eventually(lambda: status("/minio/health/ready") == 200)
        assert "not ready: the data directory cannot be used" in daemon.log
