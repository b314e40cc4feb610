"""IAM with boto3 against a daemon of two processes: what one has changed, the other knows at once; and it outlives the daemon."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon

BOTO = Session(region_name=Daemon.region)
EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)
ROUNDS = 10


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("iam")
    declared = {
        "accounts": ["main"],
        "keys": [{"access-key": "mainkey", "secret": "mainsecret", "account": "main"}],
    }
    file = folder / "iam.yaml"
    file.write_text(json.dumps(declared))
    with Daemon(folder, f"--config={file}", "--workers=2") as daemon:
        yield daemon


def client(
    daemon: Daemon, service: str, key: str = "mainkey", secret: str = "mainsecret", token: str | None = None
) -> Any:
    """A client that makes a connection for each request, so that both processes are asked."""
    return BOTO.client(
        service,
        endpoint_url=f"http://127.0.0.1:{daemon.port}",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(
            retries={"max_attempts": 0}, max_pool_connections=1, request_checksum_calculation="when_required"
        ),
    )


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def of_user(daemon: Daemon, service: str, key: dict[str, Any]) -> Any:
    return client(daemon, service, key["AccessKeyId"], key["SecretAccessKey"])


def test_a_user_may_from_the_next_request_on_what_a_policy_says(daemon: Daemon) -> None:
    iam = client(daemon, "iam")
    iam.create_user(UserName="ann", Path="/team/")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    for _ in range(ROUNDS):
        assert refused(of_user(daemon, "s3", key).list_buckets) == "AccessDenied"
        iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=EVERYTHING)
        assert [of_user(daemon, "s3", key).list_buckets()["Buckets"] for _ in range(4)] == [[]] * 4
        iam.delete_user_policy(UserName="ann", PolicyName="all")
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert {refused(of_user(daemon, "s3", key).list_buckets) for _ in range(4)} == {"InvalidAccessKeyId"}
    assert refused(iam.delete_user, UserName="ann") == "DeleteConflict"
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ann")
    assert refused(iam.get_user, UserName="ann") == "NoSuchEntity"


def test_groups_and_managed_policies_work_as_terraform_uses_them(daemon: Daemon) -> None:
    iam = client(daemon, "iam")
    arn = iam.create_policy(PolicyName="all", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    iam.create_group(GroupName="readers")
    iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "red"}])
    iam.attach_group_policy(GroupName="readers", PolicyArn=arn)
    iam.add_user_to_group(GroupName="readers", UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    s3 = of_user(daemon, "s3", key)
    s3.create_bucket(Bucket="bobs")
    nothing = EVERYTHING.replace("Allow", "Deny")
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=nothing, SetAsDefault=True)["PolicyVersion"]
    assert {refused(of_user(daemon, "s3", key).list_buckets) for _ in range(4)} == {"AccessDenied"}
    told = iam.get_policy_version(PolicyArn=arn, VersionId=version["VersionId"])["PolicyVersion"]
    assert told["Document"] == json.loads(nothing)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    s3.delete_bucket(Bucket="bobs")
    pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})
    assert [user["UserName"] for page in pages for user in page["Users"]] == ["bob"]
    assert iam.get_account_summary()["SummaryMap"]["Users"] == 1
    assert iam.list_user_tags(UserName="bob")["Tags"] == [{"Key": "team", "Value": "red"}]


def test_a_role_is_assumed_and_what_it_makes_is_its_accounts(daemon: Daemon) -> None:
    iam = client(daemon, "iam")
    iam.create_user(UserName="cid")
    key = iam.create_access_key(UserName="cid")["AccessKey"]
    trusted = {"AWS": iam.get_user(UserName="cid")["User"]["Arn"]}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName="worker", Path="/jobs/", AssumeRolePolicyDocument=trust)["Role"]
    given = of_user(daemon, "sts", key).assume_role(RoleArn=role["Arn"], RoleSessionName="night")["Credentials"]
    pair = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    who = client(daemon, "sts", *pair).get_caller_identity()
    assert (who["Account"], who["Arn"]) == ("main", "arn:aws:sts::main:assumed-role/worker/night")
    assert refused(client(daemon, "s3", *pair).list_buckets) == "AccessDenied"
    iam.attach_role_policy(RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    client(daemon, "s3", *pair).create_bucket(Bucket="jobs")
    assert client(daemon, "s3").get_bucket_acl(Bucket="jobs")["Owner"]["ID"] == "main"
    iam.detach_role_policy(RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    iam.delete_role(RoleName="worker")
    assert {refused(client(daemon, "s3", *pair).list_buckets) for _ in range(4)} == {"InvalidToken"}


def test_what_is_not_there_is_refused_and_not_ignored(daemon: Daemon) -> None:
    iam = client(daemon, "iam")
    assert refused(iam.create_virtual_mfa_device, VirtualMFADeviceName="x") == "InvalidAction"
    boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    assert refused(iam.create_user, UserName="x", PermissionsBoundary=boundary) == "ValidationError"
    assert refused(iam.get_user, UserName="x") == "NoSuchEntity"


def test_all_of_it_outlives_the_daemon(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        iam = client(daemon, "iam", Daemon.access_key, Daemon.secret_key)
        arn = iam.create_policy(PolicyName="all", PolicyDocument=EVERYTHING, Path="/p/")["Policy"]["Arn"]
        iam.create_user(UserName="ann", Path="/team/")
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        before = iam.get_user(UserName="ann")["User"]
    with Daemon(tmp_path) as daemon:
        assert client(daemon, "iam", Daemon.access_key, Daemon.secret_key).get_user(UserName="ann")["User"] == before
        assert of_user(daemon, "s3", key).list_buckets()["Buckets"] == []
