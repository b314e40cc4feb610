"""Sessions with boto3 and the AWS CLI: begun at one process, good at every one, and no longer than the key that they stand for."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from click.testing import CliRunner

from gecko_tw.commands import main
from tests.end_to_end.clients import Aws
from tests.end_to_end.connections import visitors
from tests.end_to_end.daemon import Daemon, boto
from tests.patience import PATIENCE

ROLE = {"RoleArn": "arn:aws:iam::main:role/any", "RoleSessionName": "work"}
ENCRYPTION = "e" * 32
HTTP = urllib3.PoolManager(timeout=PATIENCE, retries=False)
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("sts")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    declared = {
        "policies": {"everything": everything},
        "accounts": ["main"],
        "users": {"main/ann": {"policies": ["everything"]}},
        "keys": [
            {"access-key": name, "secret": "secret", "account": "main", "user": "ann", **more}
            for name, more in (
                ("annkey", {}),
                ("lostkey", {}),
                ("shortkey", {"expires": SOON.isoformat()}),
            )
        ],
    }
    (folder / "declared.yaml").write_text(json.dumps(declared))
    options = ("--workers=2", f"--config={folder / 'declared.yaml'}")
    with Daemon(folder, *options, env={"GECKOS3_ENCRYPTION_KEY": ENCRYPTION}) as running:
        yield running


@pytest.fixture
def geckos3(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("GECKOS3_ENCRYPTION_KEY", ENCRYPTION)

    def run(*arguments: str) -> str:
        told = CliRunner().invoke(main, [*arguments, f"--data-dir={daemon.data_dir}"])
        assert told.exit_code == 0, told.output
        return told.output

    return run


def client(service: str, daemon: Daemon, key: tuple[str, str, str | None], **more: Any) -> Any:
    """A client of boto3. They share what they are made of: that takes most of the time."""
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return boto().client(service, endpoint_url=daemon.url, **dict(zip(names, key, strict=True)), **more)


def sts(daemon: Daemon, access_key: str = "annkey", secret: str = "secret", token: str | None = None) -> Any:
    return client("sts", daemon, (access_key, secret, token))


def s3(daemon: Daemon, credentials: dict[str, str], **more: Any) -> Any:
    key = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    return client("s3", daemon, key, **more)


def refusal(call: Callable[..., object], **given: object) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(**given)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def limited_to(prefix: str) -> str:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{prefix}*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def bucket(daemon: Daemon) -> str:
    owner = client("s3", daemon, ("annkey", "secret", None))
    owner.create_bucket(Bucket="photos")
    for key in ("in/cat", "out/dog"):
        owner.put_object(Bucket="photos", Key=key, Body=b"body")
    return "photos"


def test_a_session_may_do_what_its_policy_allows_and_nothing_else(daemon: Daemon, bucket: str) -> None:
    answer = sts(daemon).assume_role(**ROLE, Policy=limited_to("photos/in/"), DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:iam::main:user/ann"
    begun = answer["ResponseMetadata"]["HTTPHeaders"]
    assert begun["content-type"] == "application/xml" and begun["x-amz-request-id"]
    there = s3(daemon, answer["Credentials"])
    assert there.get_object(Bucket=bucket, Key="in/cat")["Body"].read() == b"body"
    there.put_object(Bucket=bucket, Key="in/new", Body=b"x" * 100_000)
    for call, given in (
        (there.get_object, {"Bucket": bucket, "Key": "out/dog"}),
        (there.put_object, {"Bucket": bucket, "Key": "out/new", "Body": b"x"}),
        (there.delete_object, {"Bucket": bucket, "Key": "in/cat"}),
        (there.list_objects_v2, {"Bucket": bucket}),
        (there.list_buckets, {}),
    ):
        assert refusal(call, **given) == (403, "AccessDenied")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_urls_and_forms_of_a_session_are_good_without_anything_beside_them(
    daemon: Daemon, bucket: str, version: str
) -> None:
    credentials = sts(daemon).assume_role(**ROLE, Policy=limited_to("photos/in/"))["Credentials"]
    there = s3(daemon, credentials, config=Config(signature_version=version))
    for key, status in (("in/cat", 200), ("out/dog", 403)):
        url = there.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
        assert [HTTP.request("GET", url).status for _ in range(2)] == [status] * 2
        # A lasting pair's token is none, and a session's URL is nothing without it.
        name = "X-Amz-Security-Token" if version == "s3v4" else "x-amz-security-token"
        assert HTTP.request("GET", url.replace(name, "x-ignored")).status == 403
    for key, status in (("in/form", 204), ("out/form", 403)):
        form = there.generate_presigned_post(bucket, key)
        answer = HTTP.request("POST", form["url"], fields={**form["fields"], "file": ("file", b"form")})
        assert answer.status == status, answer.data


def test_everybody_is_told_who_they_are(daemon: Daemon) -> None:
    lasting = sts(daemon)
    assert lasting.get_caller_identity()["Arn"] == "arn:aws:iam::main:user/ann"
    given = lasting.get_session_token()["Credentials"]
    there = sts(daemon, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert {name: there.get_caller_identity()[name] for name in ("UserId", "Account")} == {
        "UserId": "main:ann",
        "Account": "main",
    }
    assert refusal(there.get_session_token) == (403, "AccessDenied")
    assert refusal(lasting.assume_role, **ROLE, Policy="{}") == (400, "MalformedPolicyDocument")
    assert refusal(sts(daemon, secret="wrong").get_caller_identity) == (403, "SignatureDoesNotMatch")
    assert refusal(sts(daemon, token="nonsense").get_caller_identity) == (403, "InvalidClientTokenId")


def test_a_session_is_good_in_every_process_until_its_key_is_revoked(daemon: Daemon, geckos3, bucket: str) -> None:
    given = sts(daemon, "lostkey").get_session_token()["Credentials"]
    pair = (given["AccessKeyId"], given["SecretAccessKey"], f"/{bucket}/in/cat")

    def everybody(processes: dict[str, list[Any]]) -> set[tuple[int, bool]]:
        answers = [one.asks_as(*pair, given["SessionToken"]) for some in processes.values() for one in some[:2]]
        return {(status, b"InvalidToken" in body) for status, body in answers}

    with visitors(daemon, 2) as processes:
        assert everybody(processes) == {(200, False)}
        geckos3("key", "disable", "lostkey")
        assert everybody(processes) == {(400, True)}
        geckos3("key", "enable", "lostkey")
        assert everybody(processes) == {(200, False)}
        geckos3("key", "revoke", "lostkey")
        assert everybody(processes) == {(400, True)}


def test_a_session_never_lasts_longer_than_its_key(daemon: Daemon, bucket: str) -> None:
    given = sts(daemon, "shortkey").assume_role(**ROLE, DurationSeconds=43_200)["Credentials"]
    assert given["Expiration"] == SOON
    assert s3(daemon, given).get_object(Bucket=bucket, Key="in/cat")["Body"].read() == b"body"


def test_the_aws_cli_knows_who_it_is_in_a_session_too(daemon: Daemon, tmp_path: Path) -> None:
    aws = Aws(daemon, tmp_path)
    assert json.loads(aws.run("sts", "get-caller-identity"))["Arn"] == "arn:aws:iam::000000000000:root"


def test_no_session_is_in_what_the_daemon_writes(daemon: Daemon, bucket: str) -> None:
    given = sts(daemon).assume_role(**ROLE)["Credentials"]
    s3(daemon, given).get_object(Bucket=bucket, Key="in/cat")
    url = s3(daemon, given).generate_presigned_url("get_object", {"Bucket": bucket, "Key": "in/cat"})
    assert HTTP.request("GET", url).status == 200
    written = daemon.log + "\n".join(daemon.request_lines)
    assert f"session {given['AccessKeyId']} of annkey" in written
    assert given["SecretAccessKey"] not in written and given["SessionToken"] not in written
