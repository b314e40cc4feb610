"""Jay's administration of a daemon with several processes, by the lines of its README, and its URLs on the port of S3."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.end_to_end.test_admin_api import host
from tests.end_to_end.test_integrity import flip
from tests.patience import PATIENCE

TOKEN = "an admin token of thirty-two bytes"

BASE = "https://s3.example.com"

CREATE_ACCOUNT = """\
curl -X POST http://localhost:9001/_jay/accounts \\
  -H "Authorization: Bearer $JAY_ADMIN_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "myapp"}'
"""
CREATE_TOKEN = """\
curl -X POST http://localhost:9001/_jay/tokens \\
  -H "Authorization: Bearer $JAY_ADMIN_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"account_id": "ACCOUNT_ID", "name": "deploy-token"}'
"""
PRESIGN = """\
curl -X POST http://localhost:9001/_jay/presign \\
  -H "Authorization: Bearer $JAY_ADMIN_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "token_id": "TOKEN_ID",
    "method": "GET",
    "bucket": "mybucket",
    "key": "secret-file.txt",
    "expires_seconds": 3600
  }'
"""
METRICS = """\
curl http://localhost:9001/_jay/metrics \\
  -H "Authorization: Bearer $JAY_ADMIN_TOKEN"
"""
SCOPED = {
    "account_id": "...",
    "name": "readonly",
    "allowed_actions": ["object:get", "object:list"],
    "bucket_scope": ["public-assets"],
    "prefix_scope": ["images/"],
}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Started with Jay's own variables."""
    folder = tmp_path_factory.mktemp("jay")
    env = {"JAY_ADMIN_TOKEN": TOKEN, "JAY_SIGNING_SECRET": "a signing secret of 32 bytes, or more"}
    options = ("--workers=2", "--admin-listen=127.0.0.1:0", f"--public-base-url={BASE}")
    with Daemon(folder, *options, env=env) as daemon:
        yield daemon


def run(daemon: Daemon, line: str, **places: str) -> Any:
    """What a line of the README prints, with its places filled in."""
    line = line.replace("localhost:9001", host(daemon)).replace("curl", "curl --silent", 1)
    for name, value in places.items():
        line = line.replace(name, value)
    env = {**os.environ, "JAY_ADMIN_TOKEN": TOKEN}
    told = subprocess.run(["bash", "-c", line], env=env, capture_output=True, timeout=PATIENCE, check=True)
    return json.loads(told.stdout)


def ask(daemon: Daemon, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"http://{host(daemon)}/_jay{path}", data, {"Authorization": f"Bearer {TOKEN}"}, method=method)
    with urlopen(request, timeout=PATIENCE) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def client_of(daemon: Daemon, token: str, secret: str) -> Any:
    return daemon.client(aws_access_key_id=token, aws_secret_access_key=secret)


def fetch(daemon: Daemon, url: str, method: str = "GET", data: bytes | None = None) -> tuple[int, bytes]:
    url = url.replace(BASE, daemon.url)
    try:
        with urlopen(Request(url, data, method=method), timeout=PATIENCE) as reply:
            return reply.status, reply.read()
    except HTTPError as refused:
        return refused.code, refused.read()


def made(daemon: Daemon, **more: Any) -> tuple[str, str]:
    """A new token with its secret."""
    account = run(daemon, CREATE_ACCOUNT)["account_id"]
    token = ask(daemon, "POST", "/tokens", {"account_id": account, "name": "t", "allowed_actions": ["*"], **more})
    return token["token_id"], token["secret"]


def test_the_lines_of_the_readme_do_what_it_says(daemon: Daemon) -> None:
    account = run(daemon, CREATE_ACCOUNT)
    assert account["name"] == "myapp"
    # Jay's own server says so to this line of its README, too: a token that may do everything is asked for.
    assert run(daemon, CREATE_TOKEN, ACCOUNT_ID=account["account_id"]) == {"error": "allowed_actions is required"}
    told = ask(daemon, "POST", "/tokens", {"account_id": account["account_id"], "name": "t", "allowed_actions": ["*"]})
    s3 = client_of(daemon, told["token_id"], told["secret"])
    s3.create_bucket(Bucket="mybucket")
    s3.put_object(Bucket="mybucket", Key="secret-file.txt", Body=b"hidden")
    url = run(daemon, PRESIGN, TOKEN_ID=told["token_id"])["url"]
    assert url.startswith(BASE + "/mybucket/secret-file.txt?") and fetch(daemon, url) == (200, b"hidden")
    assert fetch(daemon, url.replace("secret-file", "other-file"))[0] == fetch(daemon, url, "DELETE")[0] == 403
    counted = run(daemon, METRICS)
    assert counted["put_object_total"] >= 1 and counted["create_bucket_total"] >= 1
    assert counted["bytes_uploaded"] >= 6 and counted["auth_failures"] >= 2


def test_a_url_may_put_and_ends_with_its_token(daemon: Daemon) -> None:
    token, secret = made(daemon)
    s3 = client_of(daemon, token, secret)
    s3.create_bucket(Bucket="ended")
    link = {"token_id": token, "method": "PUT", "bucket": "ended", "key": "by link"}
    put = ask(daemon, "POST", "/presign", link)["url"]
    assert (
        fetch(daemon, put, "PUT", b"by link")[0] == 200
        and s3.get_object(Bucket="ended", Key="by link")["Body"].read() == b"by link"
    )
    listing = ask(daemon, "POST", "/presign", {**link, "method": "GET", "key": ""})["url"]
    assert b"<Key>by link</Key>" in fetch(daemon, listing)[1]
    assert ask(daemon, "DELETE", f"/tokens/{token}") is None
    status, body = fetch(daemon, put, "PUT", b"again")
    assert (status, b"Invalid presigned URL" in body, b"<Code>AccessDenied</Code>" in body) == (403, True, True)


def test_a_url_may_do_no_more_than_its_token(daemon: Daemon) -> None:
    place = Place(daemon)
    place.s3.create_bucket(Bucket="public-assets")
    place.put("public-assets", "images/cat", b"meow")
    token, _ = made(daemon, **{name: value for name, value in SCOPED.items() if name.endswith(("actions", "scope"))})
    link = {"token_id": token, "method": "GET", "bucket": "public-assets", "key": "images/cat"}
    # The bucket is another account's: a scope gives nothing that the account has not.
    assert fetch(daemon, ask(daemon, "POST", "/presign", link)["url"])[0] == 403


def test_what_rotted_is_listed_revalidated_and_purged(daemon: Daemon) -> None:
    place = Place(daemon)
    place.s3.create_bucket(Bucket="rotten")
    place.put("rotten", "cat", b"meow" * 1000)
    flip(daemon.data_dir / "rotten" / "cat")
    subprocess.run(
        [*"geckos3 scrub --full".split(), f"--data-dir={daemon.data_dir}"], capture_output=True, check=False, timeout=60
    )
    (found,) = ask(daemon, "GET", "/quarantine")
    assert (found["bucket_name"], found["key"], found["size_bytes"]) == ("rotten", "cat", 4000)
    named = {"bucket_id": found["bucket_id"], "key": found["key"]}
    assert ask(daemon, "POST", "/quarantine/revalidate", named) == {"restored": False}
    flip(daemon.data_dir / "rotten" / "cat")
    assert ask(daemon, "POST", "/quarantine/revalidate", named) == {"restored": True}
    assert place.get("rotten", "cat") == b"meow" * 1000
    assert ask(daemon, "GET", "/quarantine") is None and ask(daemon, "DELETE", "/quarantine", {"mode": "all"}) == {
        "purged": 0
    }
