"""The admin API of a daemon with several processes, by curl, by botocore's signer, and by the command line with ``--server``."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from click.testing import CliRunner

from gecko_tw.commands import main
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.patience import PATIENCE

OPERATORS = re.compile(r"listening on http://(\S+) for operators")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("admin")
    log = f"--audit-log={folder / 'audit.log'}"
    hook = "--webhook=closed=http://127.0.0.1:1/"
    with Daemon(folder, "--workers=2", "--admin-listen=127.0.0.1:0", log, hook) as daemon:
        yield daemon


def host(daemon: Daemon) -> str:
    found = OPERATORS.search(daemon.log_path.read_text())
    assert found is not None
    return found[1]


def exchange(daemon: Daemon, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    connection = HTTPConnection(host(daemon), timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def ask(daemon: Daemon, method: str, path: str, body: Any = None) -> Any:
    """What is answered to the settings' pair, signed by botocore."""
    data = b"" if body is None else json.dumps(body).encode()
    request = AWSRequest(method, f"http://{host(daemon)}/api/v1{path}", {"content-type": "application/json"}, data)
    S3SigV4Auth(Credentials(daemon.access_key, daemon.secret_key), "s3", daemon.region).add_auth(request)
    status, values = exchange(daemon, method, f"/api/v1{path}", data, dict(request.headers))
    assert status < 300, values
    return values


def geckos3(daemon: Daemon, *arguments: str, code: int = 0) -> str:
    """What a command prints that asks the daemon."""
    told = CliRunner().invoke(main, [*arguments, f"--server=http://{host(daemon)}"])
    assert told.exit_code == code, told.output
    return told.output


def until(look: Callable[[], Any]) -> Any:
    """What a look finds at last."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return found


def test_the_server_tells_of_itself_and_of_all_its_processes(daemon: Daemon) -> None:
    info = ask(daemon, "GET", "/server")
    assert (info["workers"], [place["site"] for place in info["listeners"]]) == (2, ["s3", "admin"])
    pids = until(lambda: len({ask(daemon, "GET", "/server")["pid"] for _ in range(20)}) == 2)
    assert pids
    assert ask(daemon, "GET", "/server/disk")["disk_free_bytes"]["value"] > 0
    assert ask(daemon, "GET", "/server/pools")["process_resident_bytes"] > 0


def test_a_job_is_done_when_somebody_wants_it(daemon: Daemon) -> None:
    # What runs by itself begins when requests are answered already.
    until(lambda: [job for job in ask(daemon, "GET", "/server/jobs") if job["name"] == "sweep"])
    ask(daemon, "POST", "/server/jobs/sweep/run")

    def done() -> Any:
        found = {job["name"]: job for job in ask(daemon, "GET", "/server/jobs")}
        return found["sweep"] if found["sweep"]["runs"] else None

    job = until(done)
    assert job["failures"] == 0 and job["last_succeeded"] is not None and job["last_took_seconds"] >= 0


def test_curl_asks_with_a_signature_of_its_own(daemon: Daemon) -> None:
    command = ["curl", "--silent", "--fail", "--user", f"{daemon.access_key}:{daemon.secret_key}"]
    command += ["--aws-sigv4", "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    told = subprocess.run(
        [*command, f"http://{host(daemon)}/api/v1/server"], capture_output=True, timeout=PATIENCE, check=True
    )
    assert json.loads(told.stdout)["workers"] == 2


def test_the_command_line_asks_the_daemon_as_it_does_a_data_directory(daemon: Daemon, tmp_path: Path) -> None:
    policy = tmp_path / "read.json"
    policy.write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}'
    )
    assert geckos3(daemon, "account", "add", "cli") == "account cli is made\n"
    assert geckos3(daemon, "group", "add", "cli/readers") == "group readers of account cli is made\n"
    assert geckos3(daemon, "user", "add", "cli/ann", "--group=readers") == "user ann of account cli is made\n"
    assert "is set" in geckos3(daemon, "user", "attach", "cli/ann", "own", str(policy))
    made = json.loads(geckos3(daemon, "key", "add", "--user=cli/ann", "--id=clikey", "--json"))
    assert (made["access_key"], len(made["secret_key"]) > 20) == ("clikey", True)
    assert geckos3(daemon, "user", "list") == "cli/ann  own  in readers\n"
    Place(daemon).s3.create_bucket(Bucket="cli-bucket")
    assert (
        geckos3(daemon, "quota", "cli-bucket", "--bytes=1KiB")
        == "cli-bucket: 0 of 1024 bytes, 0 of unlimited objects\n"
    )
    explained = geckos3(daemon, "policy", "explain", "clikey", "s3:GetObject", "cli-bucket/cat")
    assert "arn:aws:iam::cli:user/ann asks for s3:GetObject" in explained
    assert geckos3(daemon, "limits", "set", "key", "100000") == "key: 100000 a second, 200000 at once\n"
    assert geckos3(daemon, "limits", "clear") == "the settings are in force\n"
    assert "already" in geckos3(daemon, "account", "add", "cli", code=1)


def test_a_bucket_is_made_filled_and_deleted_by_force_with_events_and_usage(daemon: Daemon) -> None:
    made = ask(daemon, "POST", "/buckets", {"name": "forced", "versioning": "Enabled", "tags": {"a": "b"}})
    assert made["settings"]["versioning"] == "Enabled"
    place = Place(daemon)
    for body in (b"meow", b"meow meow"):
        place.put("forced", "cat", body)
    listed = {one["bucket"]: one for one in ask(daemon, "GET", "/buckets")["buckets"]}
    assert listed["forced"]["used"] == {"bytes": 13, "objects": 2}
    done = ask(daemon, "POST", "/buckets/forced/delete", {"confirm": "forced"})
    assert (done["removed"], done["kept"], done["deleted"]) == (2, 0, True)
    assert "forced" not in {one["Name"] for one in place.s3.list_buckets()["Buckets"]}


def test_a_presigned_url_is_good_on_the_port_of_s3(daemon: Daemon) -> None:
    Place(daemon).s3.create_bucket(Bucket="linked")
    for method, body in (("PUT", b"by link"), ("GET", None)):
        given = {"method": method, "bucket": "linked", "key": "a b/ü.txt", "endpoint": daemon.url}
        url = ask(daemon, "POST", "/presign", given)["url"]
        connection = HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE)
        connection.request(method, url.removeprefix(daemon.url), body)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"" if body else b"by link")
        connection.close()


def test_an_event_that_nobody_takes_waits_and_its_error_is_told(daemon: Daemon) -> None:
    target = "arn:minio:sqs::closed:webhook"
    ask(daemon, "POST", "/events/test", {"target": target})

    def failed() -> Any:
        (found,) = ask(daemon, "GET", "/events")
        return found if found["last_error"] else None

    found = until(failed)
    assert (found["target"], found["host"], found["waiting"], found["delivers"]) == (target, "127.0.0.1:1", 1, True)


def test_requests_of_all_processes_are_seen_and_refused_ones_with_what_differed(daemon: Daemon) -> None:
    for _ in range(6):
        Place(daemon).s3.list_buckets()
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE)
    request = AWSRequest("GET", "http://other.test/", {})
    S3SigV4Auth(Credentials(daemon.access_key, daemon.secret_key), "s3", daemon.region).add_auth(request)
    connection.request("GET", "/", headers={**dict(request.headers), "Host": "here.test"})
    assert connection.getresponse().status == 403
    connection.close()
    assert len(ask(daemon, "GET", "/requests?operation=ListBuckets")) >= 6
    (refused,) = [one for one in ask(daemon, "GET", "/requests?refused=true") if "here.test" in one["why"]]
    assert refused["error"].startswith("SignatureDoesNotMatch")


def test_requests_are_streamed_as_they_come(daemon: Daemon) -> None:
    connection = HTTPConnection(host(daemon), timeout=PATIENCE)
    connection.request(
        "GET",
        "/api/v1/requests/stream?method=PUT",
        headers={"Authorization": f"Bearer {daemon.access_key}:{daemon.secret_key}"},
    )
    answer = connection.getresponse()
    assert answer.readline() == b": begins\n"
    putting = threading.Thread(target=lambda: Place(daemon).s3.create_bucket(Bucket="streamed"))
    putting.start()
    line = b""
    while not line.startswith(b"data: "):
        line = answer.readline()
    putting.join()
    assert json.loads(line[6:])["bucket"] == "streamed"
    connection.close()


def test_changes_are_in_the_audit_log_without_secrets(daemon: Daemon) -> None:
    ask(daemon, "POST", "/keys", {"access_key": "audited", "secret": "not to be told"})
    text = (daemon.folder / "audit.log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    (line,) = [line for line in lines if line.get("asked", {}).get("access_key") == "audited"]
    assert (line["audit"], line["outcome"], line["who"]["access_key"]) == ("CreateKey", "ok", daemon.access_key)
    assert "not to be told" not in text and "not to be told" not in daemon.requests_path.read_text()
    ask(daemon, "DELETE", "/keys/audited")
