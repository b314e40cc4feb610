"""What whoever operates a daemon sees on the listener for operators: the metrics of all processes, and health."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place, refusal
from tests.patience import PATIENCE

OPERATORS = re.compile(r"listening on (http://\S+) for operators")


def ask(daemon: Daemon, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer on the operators' listener."""
    found = OPERATORS.search(daemon.log_path.read_text())
    assert found is not None
    try:
        with urlopen(Request(found[1] + path, method=method), timeout=PATIENCE) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, dict(error.headers), error.read()


def samples(daemon: Daemon) -> dict[str, list[Any]]:
    status, headers, body = ask(daemon, "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {family.name: family.samples for family in text_string_to_metric_families(body.decode())}


def test_metrics_are_those_of_all_processes(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--workers=2", "--admin-listen=127.0.0.1:0") as daemon:
        for _ in range(8):  # each with a connection of its own
            place = Place(daemon)
            place.s3.list_buckets()
        place.s3.create_bucket(Bucket="photos")
        place.put("photos", "cat", b"meow")
        assert place.get("photos", "cat") == b"meow"
        assert refusal(place.get, "photos", "dog") == ("NoSuchKey", 404)
        for _ in range(4):
            found = samples(daemon)
            counted = {
                (sample.labels["operation"], sample.labels["status"]): sample.value
                for sample in found["geckos3_requests"]
            }
            assert counted["ListBuckets", "200"] == 8
            assert counted["PutObject", "200"] == counted["GetObject", "200"] == counted["GetObject", "404"] == 1
            received = {one.labels["operation"]: one.value for one in found["geckos3_received_bytes"]}
            sent = {one.labels["operation"]: one.value for one in found["geckos3_sent_bytes"]}
            assert received["PutObject"] >= 4
            assert sent["GetObject"] >= 4
            assert {one.labels["code"]: one.value for one in found["geckos3_refusals"]} == {"NoSuchKey": 1}
            template = {sample.labels["path"] for sample in found["http_requests"]}
            assert template == {"/", "/:bucket", "/:bucket/*objectKey"}
        assert found["geckos3_disk_free_bytes"][0].value > 0
        assert found["geckos3_catalog_bytes"][0].value > 0
        assert found["geckos3_process_resident_bytes"][0].value > 1_000_000


def test_operators_see_health_and_nothing_of_the_store(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--admin-listen=127.0.0.1:0") as daemon:
        Place(daemon).s3.create_bucket(Bucket="photos")
        assert json.loads(ask(daemon, "/health")[2]) == {"status": "ready"}
        assert json.loads(ask(daemon, "/health/ready")[2]) == {"status": "ready"}
        assert json.loads(ask(daemon, "/health/live")[2]) == {"status": "alive"}
        status, headers, body = ask(daemon, "/photos")
        assert (status, json.loads(body)["code"]) == (404, "NotFound")
        status, headers, body = ask(daemon, "/metrics", "DELETE")
        assert (status, headers["Allow"], json.loads(body)["code"]) == (405, "GET, HEAD", "MethodNotAllowed")


def test_without_the_setting_nobody_listens_for_operators(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        assert OPERATORS.search(daemon.log_path.read_text()) is None
