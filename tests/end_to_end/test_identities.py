"""Keys that are made and revoked beside a running daemon: every process knows at once."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from gecko_tw.callers.accounts.identities import AccessKey
from gecko_tw.commands import main
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import Settings
from tests.end_to_end.connections import visitors
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import family
from tests.patience import eventually

SECRETS = ("seeded-secret", "ann-secret-1", "scoped-secret", "o" * 32)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory) -> Iterator[Daemon]:
    seed = {f"GECKOS3_SEED_{name}": value for name, value in (("ACCOUNT", "shop"), ("KEY_ID", "shopkey"))}
    env = {**seed, "GECKOS3_SEED_SECRET": SECRETS[0], "GECKOS3_ENCRYPTION_KEY": SECRETS[3]}
    with Daemon(tmp_path_factory.mktemp("identities"), "--workers=2", env=env) as running:
        yield running


@pytest.fixture
def geckos3(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("GECKOS3_ENCRYPTION_KEY", SECRETS[3])

    def run(*arguments: object) -> str:
        told = CliRunner().invoke(main, [*map(str, arguments), f"--data-dir={daemon.data_dir}"])
        assert told.exit_code == 0, told.output
        return told.output

    return run


def client(daemon: Daemon, access_key: str, secret: str):  # type: ignore[no-untyped-def]
    return daemon.client(aws_access_key_id=access_key, aws_secret_access_key=secret)


def refusal(call: Callable[..., object], **given: object) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def everybody(visitors_by_process: dict, access_key: str, secret: str) -> set[tuple[int, bool]]:
    """What each process answers: the status, and whether it knows the key."""
    answers = [one.asks_as(access_key, secret) for some in visitors_by_process.values() for one in some[:3]]
    return {(status, b"InvalidAccessKeyId" not in body) for status, body in answers}


def test_a_key_works_at_once_in_every_process_and_is_refused_at_once_when_it_is_revoked(daemon: Daemon, geckos3):
    with visitors(daemon, 2) as processes:
        assert everybody(processes, "mainkey", "s") == {(403, False)}
        geckos3("account", "add", "main")
        geckos3("key", "add", "--account=main", "--id=mainkey", "--secret=s")
        assert everybody(processes, "mainkey", "s") == {(200, True)}
        assert client(daemon, "mainkey", "s").list_buckets()["Owner"]["ID"] == "main"
        geckos3("key", "disable", "mainkey")
        assert everybody(processes, "mainkey", "s") == {(403, False)}
        geckos3("key", "enable", "mainkey")
        assert everybody(processes, "mainkey", "s") == {(200, True)}
        geckos3("key", "revoke", "mainkey")
        assert everybody(processes, "mainkey", "s") == {(403, False)}
        assert refusal(client(daemon, "mainkey", "s").list_buckets) == "InvalidAccessKeyId"


def test_the_seeded_account_owns_what_it_makes_and_nobody_else_of_it(daemon: Daemon, geckos3):
    shop = client(daemon, "shopkey", SECRETS[0])
    shop.create_bucket(Bucket="shop-goods")
    shop.put_object(Bucket="shop-goods", Key="a", Body=b"1")
    geckos3("account", "add", "rival")
    geckos3("key", "add", "--account=rival", "--id=rivalkey", "--secret=s")
    rival = client(daemon, "rivalkey", "s")
    assert refusal(rival.get_object, Bucket="shop-goods", Key="a") == "AccessDenied"
    assert rival.list_buckets()["Buckets"] == []


def test_a_user_may_do_what_policies_say_from_the_next_request_on(daemon: Daemon, geckos3, tmp_path: Path):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-reads/*"}
    (tmp_path / "read.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    client(daemon, "shopkey", SECRETS[0]).create_bucket(Bucket="shop-reads")
    client(daemon, "shopkey", SECRETS[0]).put_object(Bucket="shop-reads", Key="a", Body=b"1")
    geckos3("user", "add", "shop/ann")
    geckos3("key", "add", "--user=shop/ann", "--id=annkey", f"--secret={SECRETS[1]}")
    ann = client(daemon, "annkey", SECRETS[1])
    assert refusal(ann.get_object, Bucket="shop-reads", Key="a") == "AccessDenied"
    geckos3("user", "attach", "shop/ann", "read", tmp_path / "read.json")
    assert ann.get_object(Bucket="shop-reads", Key="a")["Body"].read() == b"1"
    assert refusal(ann.put_object, Bucket="shop-reads", Key="b") == "AccessDenied"
    geckos3("user", "detach", "shop/ann", "read")
    assert refusal(ann.get_object, Bucket="shop-reads", Key="a") == "AccessDenied"


def test_a_scoped_key_stays_in_its_scope_on_listings_and_copies_too(daemon: Daemon, geckos3):
    shop = client(daemon, "shopkey", SECRETS[0])
    for bucket, key in (("shop-other", "in/a"), ("shop-scoped", "in/a"), ("shop-scoped", "out/a")):
        if key == "in/a":
            shop.create_bucket(Bucket=bucket)
        shop.put_object(Bucket=bucket, Key=key, Body=key.encode())
    limits = (
        "--bucket=shop-scoped",
        "--prefix=in/",
        "--action=object:get",
        "--action=object:put",
        "--action=object:list",
    )
    geckos3("key", "add", "--account=shop", "--id=scoped", f"--secret={SECRETS[2]}", *limits)
    scoped = client(daemon, "scoped", SECRETS[2])
    inside = {"Bucket": "shop-scoped", "Key": "in/a"}
    assert scoped.get_object(**inside)["Body"].read() == b"in/a"
    listed = scoped.list_objects_v2(Bucket="shop-scoped", Prefix="in/")["Contents"]
    assert [one["Key"] for one in listed] == ["in/a"]
    scoped.copy_object(Bucket="shop-scoped", Key="in/b", CopySource=inside)
    for call, given in (
        (scoped.get_object, {"Bucket": "shop-scoped", "Key": "out/a"}),
        (scoped.list_objects_v2, {"Bucket": "shop-scoped"}),
        (scoped.list_objects_v2, {"Bucket": "shop-scoped", "Prefix": "out/"}),
        (scoped.list_objects_v2, {"Bucket": "shop-scoped", "Delimiter": "/"}),
        (scoped.copy_object, {**inside, "CopySource": {"Bucket": "shop-scoped", "Key": "out/a"}}),
        (scoped.copy_object, {"Bucket": "shop-scoped", "Key": "out/b", "CopySource": inside}),
        (scoped.delete_object, inside),
        (scoped.get_object, {"Bucket": "shop-other", "Key": "in/a"}),
        (scoped.list_buckets, {}),
    ):
        assert refusal(call, **given) == "AccessDenied"
    batch = scoped.delete_objects(Bucket="shop-scoped", Delete={"Objects": [{"Key": "in/a"}, {"Key": "out/a"}]})
    assert {error["Code"] for error in batch["Errors"]} == {"AccessDenied"} and "Deleted" not in batch


def test_an_expired_key_is_refused_and_told_so(daemon: Daemon, geckos3):
    data = DataDir(Settings(data_dir=daemon.data_dir, encryption_key=SECRETS[3]))
    data.open()
    data.registry.put_key(AccessKey(access_key="brief", secret="s", account="shop", expires=1_577_836_800.0))
    data.close()
    geckos3("key", "add", "--account=shop", "--id=long", "--secret=s", f"--expires={time.gmtime().tm_year + 2}-01-01")
    with pytest.raises(ClientError, match="expired at 2020-01-01") as refused:
        client(daemon, "brief", "s").list_buckets()
    assert refused.value.response["Error"]["Code"] == "InvalidAccessKeyId"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert client(daemon, "long", "s").list_buckets()["Owner"]["ID"] == "shop"


def test_no_secret_is_in_what_the_daemon_wrote(daemon: Daemon):
    everything = daemon.log + "\n".join(daemon.request_lines)
    assert "shopkey" in everything
    assert not [secret for secret in SECRETS if secret in everything]


def test_a_wrong_encryption_key_stops_the_start_with_one_line(tmp_path: Path):
    with Daemon(tmp_path, env={"GECKOS3_ENCRYPTION_KEY": "a" * 32}):
        pass
    other = Daemon(tmp_path, env={"GECKOS3_ENCRYPTION_KEY": "b" * 32})
    with pytest.raises(AssertionError, match="ended at start with 1"):
        other.start()
    (line,) = [line for line in other.log.splitlines() if "cannot start" in line]
    assert "encryption key is not the one" in line and "GECKOS3_ENCRYPTION_KEY" in line
    assert "Traceback" not in other.log and "bbbb" not in other.log


@pytest.mark.parametrize("given", [{}, {"GECKOS3_ENCRYPTION_KEY": "o" * 32}], ids=["file", "given"])
def test_a_process_that_starts_after_a_change_of_the_encryption_key_knows_every_secret(
    tmp_path: Path, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    def geckos3(*arguments: str) -> None:
        told = CliRunner().invoke(main, [*arguments, f"--data-dir={tmp_path / 'data'}"])
        assert told.exit_code == 0, told.output

    for name, value in given.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("GECKOS3_NEW_ENCRYPTION_KEY", value.upper())
    with Daemon(tmp_path, "--workers=2", env=given) as daemon:
        geckos3("key", "add", "--id=k", "--secret=s")
        geckos3("rekey")
        os.kill(family(daemon.pid)[1], signal.SIGKILL)
        eventually(lambda: daemon.log.count(") serves") >= 3)
        with visitors(daemon, 2) as processes:
            assert everybody(processes, "k", "s") == {(200, True)}
    with Daemon(tmp_path, env={name: value.upper() for name, value in given.items()}) as daemon:
        assert client(daemon, "k", "s").list_buckets()["Buckets"] == []


def test_a_user_may_do_what_the_policies_of_a_group_say_while_in_it(daemon: Daemon, geckos3, tmp_path: Path):
    statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    (tmp_path / "list.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    geckos3("group", "add", "shop/listers")
    geckos3("group", "attach", "shop/listers", "list", tmp_path / "list.json")
    geckos3("user", "add", "shop/bob")
    geckos3("key", "add", "--user=shop/bob", "--id=bobkey", "--secret=s")
    bob = client(daemon, "bobkey", "s")
    assert refusal(bob.list_buckets) == "AccessDenied"
    geckos3("user", "join", "shop/bob", "listers")
    assert bob.list_buckets()["Owner"]["ID"] == "shop"
    geckos3("group", "detach", "shop/listers", "list")
    assert refusal(bob.list_buckets) == "AccessDenied"
    geckos3("user", "disable", "shop/bob")
    assert refusal(bob.list_buckets) == "InvalidAccessKeyId"
