"""`geckos3 policy explain`: who may do what, and why."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gecko_tw.callers.access.acl import ALL_USERS
from gecko_tw.callers.access.acl import GROUP as TO_GROUP
from gecko_tw.callers.accounts.identities import AccessKey, Account, Group, User
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.commands import main
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import SETTINGS, Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.records import BucketRecord
from tests.resources.accounts import EVERYTHING

CAT = "arn:aws:s3:::photos/cat.jpg"
STATEMENTS = [
    {
        "Sid": "office",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::photos/*",
        "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    },
    {
        "Sid": "never",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteBucket",
        "Resource": "arn:aws:s3:::photos",
    },
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bucket of the account ``main`` with a policy and one file."""
    for one in SETTINGS:
        for name in one.environment:
            monkeypatch.delenv(name, raising=False)
    opened = DataDir(Settings(data_dir=tmp_path / "data"))
    opened.open()
    policy = json.dumps({"Version": "2012-10-17", "Statement": STATEMENTS})
    buckets = Buckets(opened.driver.catalog)
    buckets.create(BucketRecord(name="photos", created=0, owner="main", settings={"policy": policy}))
    buckets.create(
        BucketRecord(name="public", created=0, owner="main", settings={"acl": [[TO_GROUP, ALL_USERS, "READ"]]})
    )
    opened.close()
    return tmp_path / "data"


def asked(data: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["policy", "explain", f"--data-dir={data}", *map(str, arguments)])


def outcome(data: Path, *arguments: object) -> str:
    reply = asked(data, *arguments)
    assert reply.exit_code == 0, reply.output
    return reply.output.splitlines()[1]


def test_the_statement_that_decides_is_named(data: Path) -> None:
    reply = asked(data, "anonymous", "s3:GetObject", CAT, "aws:SourceIp=192.0.2.7")
    assert reply.output.startswith(f'Anonymous asks for s3:GetObject on "{CAT}"\nALLOWED\n')
    assert 'ALLOWED: allowed by statement 1 "office" of the bucket policy of photos' in reply.output
    reply = asked(data, "anonymous", "s3:GetObject", CAT, "aws:SourceIp=198.51.100.7")
    assert "\nDENIED\n" in reply.output
    assert 'aws:SourceIp is "198.51.100.7"' in reply.output


def test_a_deny_binds_the_key_pair_of_the_settings(data: Path) -> None:
    assert outcome(data, "geckoadmin", "s3:GetObject", CAT) == "ALLOWED"
    assert outcome(data, "geckoadmin", "s3:DeleteBucket", "photos") == "DENIED"


@pytest.fixture
def ann(data: Path) -> Iterator[Registry]:
    """A user of the account ``main`` whose group may read."""
    opened = DataDir(Settings(data_dir=data))
    opened.open()
    registry = opened.registry
    read = json.dumps({"Version": "2012-10-17", "Statement": [{**EVERYTHING, "Action": "s3:GetObject"}]})
    registry.put_account(Account(id="main"))
    registry.put_group(Group(account="main", name="readers", policies={"read": read}))
    registry.put_user(User(account="main", name="ann", groups=("readers",)))
    registry.put_key(AccessKey(access_key="annkey", secret="s", account="main", user="ann"))
    registry.put_key(AccessKey(access_key="oldkey", secret="s", account="main", user="ann", expires=1.0))
    yield registry
    opened.close()


@pytest.mark.parametrize("who", ["main/ann", "annkey"])
def test_stored_policies_of_a_user_and_of_its_groups_count(data: Path, ann: Registry, who: str) -> None:
    assert outcome(data, who, "s3:GetObject", CAT) == "ALLOWED"
    assert outcome(data, who, "s3:PutObject", CAT) == "DENIED"
    assert "read (2012-10-17)" in asked(data, who, "s3:GetObject", CAT).output


def test_policies_of_files_count_beside_the_stored_ones(data: Path, ann: Registry, tmp_path: Path) -> None:
    file = tmp_path / "write.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [{**EVERYTHING, "Action": "s3:PutObject"}]}))
    for action in ("s3:GetObject", "s3:PutObject"):
        assert outcome(data, "main/ann", action, CAT, f"--policy={file}") == "ALLOWED"


def test_who_is_disabled_or_expired_is_not_explained_as_if_it_were_not(data: Path, ann: Registry) -> None:
    assert "has expired" in asked(data, "oldkey", "s3:GetObject", CAT).output
    for kind, name in (("key", "annkey"), ("user", "main/ann"), ("account", "main")):
        ann.enable(kind, name, False)
        reply = asked(data, name, "s3:GetObject", CAT)
        assert (reply.exit_code, "is disabled" in reply.output) == (1, True)


def test_an_explanation_is_told_in_json(data: Path, ann: Registry) -> None:
    told = json.loads(asked(data, "main/ann", "s3:PutObject", CAT, "--json").output)
    assert told["allowed"] is False
    assert "s3:PutObject" in told["request"] and any("read" in line for line in told["statements"])
    assert told["acl"] == ["access control list of the bucket, which belongs to main: main FULL_CONTROL"]


def test_a_user_that_is_not_stored_may_bring_policies(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "ann.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]}))
    assert "there is no user 'main/ann'" in asked(data, "main/ann", "s3:PutObject", CAT).output
    assert outcome(data, "main/ann", "s3:PutObject", CAT, f"--policy={file}") == "ALLOWED"
    assert outcome(data, "alt/eve", "s3:PutObject", CAT, f"--policy={file}") == "DENIED"
    file.write_text("nonsense")
    assert "ann.json" in asked(data, "main/ann", "s3:PutObject", CAT, f"--policy={file}").output


def test_access_control_lists_are_told(data: Path) -> None:
    reply = asked(data, "anonymous", "s3:ListBucket", "public")
    assert "\nALLOWED\n" in reply.output
    assert f"access control list of the bucket, which belongs to main: {ALL_USERS} READ" in reply.output
    assert outcome(data, "anonymous", "s3:ListBucket", "public", "--acl=ignore") == "DENIED"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody", "s3:GetObject", CAT), "there is no access key and no account 'nobody'"),
        (("main/nobody", "s3:GetObject", CAT), "there is no user 'main/nobody'"),
        (("000000000000/nobody", "s3:GetObject", CAT), "there is no user '000000000000/nobody'"),
        (("anonymous", "s3:FetchObject", CAT), "there is no action 's3:FetchObject'"),
        (("anonymous", "s3:GetObject", "none/cat.jpg"), "there is no bucket 'none'"),
        (("anonymous", "s3:GetObject", CAT, "aws:Nothing=1"), "'aws:Nothing' is not a condition key"),
        (("anonymous", "s3:GetObject", CAT, "aws:SourceIp"), "'aws:SourceIp' is not a condition key with a value"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(data: Path, arguments: tuple[str, ...], told: str) -> None:
    reply = asked(data, *arguments)
    assert reply.exit_code == 1
    assert told in reply.output


def test_a_bucket_that_is_to_be_made_need_not_be_there(data: Path) -> None:
    assert outcome(data, "geckoadmin", "s3:CreateBucket", "new") == "ALLOWED"
    assert outcome(data, "geckoadmin", "s3:ListAllMyBuckets", "arn:aws:s3:::*") == "ALLOWED"
    assert outcome(data, "anonymous", "s3:CreateBucket", "new") == "DENIED"
