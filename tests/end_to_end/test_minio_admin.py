"""``MinioAdmin`` of minio-py, all of it, against a daemon with several processes: what is answered, and what is refused as what it is."""

import inspect
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import jwt
import pytest
import urllib3
from botocore.exceptions import ClientError
from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from minio.datatypes import PeerInfo, PeerSite, SiteReplicationStatusOptions
from minio.error import MinioAdminException

from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE, eventually

pytestmark = pytest.mark.end_to_end

READING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*"}],
}

LACKING: dict[str, Callable[[MinioAdmin], Any]] = {
    "service_restart": lambda admin: admin.service_restart(),
    "service_stop": lambda admin: admin.service_stop(),
    "update": lambda admin: admin.update(),
    "config_get": lambda admin: admin.config_get("api"),
    "config_set": lambda admin: admin.config_set("api", {"a": "b"}),
    "config_reset": lambda admin: admin.config_reset("api"),
    "config_history": lambda admin: admin.config_history(),
    "config_restore": lambda admin: admin.config_restore("1"),
    "profile_start": lambda admin: admin.profile_start(("cpu",)),
    "top_locks": lambda admin: admin.top_locks(),
    "add_site_replication": lambda admin: admin.add_site_replication([PeerSite("a", "http://a", "b", "c")]),
    "get_site_replication_info": lambda admin: admin.get_site_replication_info(),
    "get_site_replication_status": lambda admin: admin.get_site_replication_status(SiteReplicationStatusOptions()),
    "edit_site_replication": lambda admin: admin.edit_site_replication(PeerInfo("id", "http://a", "b", "c")),
    "remove_site_replication": lambda admin: admin.remove_site_replication(all_sites=True),
    "attach_policy_ldap": lambda admin: admin.attach_policy_ldap(["readonly"], user="cn=a"),
    "detach_policy_ldap": lambda admin: admin.detach_policy_ldap(["readonly"], user="cn=a"),
    "list_access_keys_ldap": lambda admin: admin.list_access_keys_ldap("cn=a", "all"),
    "list_access_keys_ldap_bulk": lambda admin: admin.list_access_keys_ldap_bulk([], "all", True),
}
"""What there is nothing of here: other settings, locks, profiles, sites, LDAP."""

HERE = frozenset(("set_app_info", "trace_on", "trace_off"))
"""What asks the server nothing."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("minio-admin"), "--workers=2", "--audit-log=off") as daemon:
        yield daemon


@pytest.fixture
def admin(daemon: Daemon) -> Iterator[MinioAdmin]:
    with urllib3.PoolManager(retries=False) as pool:
        yield admin_of(daemon, pool, daemon.access_key, daemon.secret_key)


def admin_of(daemon: Daemon, pool: urllib3.PoolManager, access_key: str, secret: str) -> MinioAdmin:
    host = daemon.url.partition("://")[2]
    return MinioAdmin(endpoint=host, credentials=StaticProvider(access_key, secret), secure=False, http_client=pool)


def s3_of(daemon: Daemon, access_key: str, secret: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=daemon.url,
        region_name=daemon.region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
    )


def refused(ask: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as error:
        ask()
    return str(error.value.response["Error"]["Code"])


def test_every_verb_of_minio_admin_is_asked_here(daemon: Daemon) -> None:
    source = inspect.getsource(inspect.getmodule(test_every_verb_of_minio_admin_is_asked_here) or inspect)
    verbs = {name for name, _ in inspect.getmembers(MinioAdmin, inspect.isfunction) if not name.startswith("_")}
    assert sorted(name for name in verbs - HERE - LACKING.keys() if f".{name}(" not in source) == []


@pytest.mark.parametrize("verb", LACKING)
def test_what_there_is_not_is_refused_in_words(admin: MinioAdmin, verb: str) -> None:
    with pytest.raises((MinioAdminException, UnboundLocalError)) as error:
        LACKING[verb](admin)
    # minio-py closes an answer that it does not have, after two of them.
    said = str(error.value if isinstance(error.value, MinioAdminException) else error.value.__context__)
    assert "501" in said
    assert "NotImplemented" in said


def test_a_user_comes_may_something_is_disabled_and_goes(daemon: Daemon, admin: MinioAdmin) -> None:
    admin.user_add("ursula", "secret of ursula")
    s3 = s3_of(daemon, "ursula", "secret of ursula")
    assert refused(s3.list_buckets) == "AccessDenied"
    admin.attach_policy(["readwrite"], user="ursula")
    s3.create_bucket(Bucket="ursulas")
    assert json.loads(admin.user_info("ursula"))["policyName"] == "readwrite"
    admin.user_disable("ursula")
    assert json.loads(admin.user_list())["ursula"]["status"] == "disabled"
    assert refused(s3.list_buckets) == "InvalidAccessKeyId"
    admin.user_enable("ursula")
    s3.list_buckets()
    admin.policy_unset("readwrite", user="ursula")
    assert refused(s3.list_buckets) == "AccessDenied"
    admin.user_remove("ursula")
    assert refused(s3.list_buckets) == "InvalidAccessKeyId"
    with pytest.raises(MinioAdminException, match="XMinioAdminNoSuchUser"):
        admin.user_info("ursula")


def test_a_policy_reaches_the_members_of_a_group(daemon: Daemon, admin: MinioAdmin) -> None:
    s3_of(daemon, daemon.access_key, daemon.secret_key).create_bucket(Bucket="grouped")
    s3_of(daemon, daemon.access_key, daemon.secret_key).put_object(Bucket="grouped", Key="a", Body=b"x")
    admin.policy_add("reads", policy=READING)
    assert json.loads(admin.policy_info("reads")) == READING
    assert "reads" in json.loads(admin.policy_list())
    admin.user_add("member", "secret of member")
    admin.group_add("readers", "member")
    admin.policy_set("reads", group="readers")
    s3 = s3_of(daemon, "member", "secret of member")
    assert s3.get_object(Bucket="grouped", Key="a")["Body"].read() == b"x"
    told = json.loads(admin.get_policy_entities([], ["readers"], []))
    assert told["groupMappings"] == [{"group": "readers", "policies": ["reads"]}]
    admin.group_disable("readers")
    assert refused(lambda: s3.get_object(Bucket="grouped", Key="a")) == "AccessDenied"
    admin.group_enable("readers")
    assert json.loads(admin.group_info("readers"))["members"] == ["member"]
    with pytest.raises(MinioAdminException, match="XMinioIAMPolicyInUse"):
        admin.policy_remove("reads")
    admin.detach_policy(["reads"], group="readers")
    admin.policy_remove("reads")
    admin.group_remove("readers", "member")
    admin.group_remove("readers")
    assert "readers" not in json.loads(admin.group_list())


def test_a_key_of_a_user_is_limited_renewed_and_revoked(daemon: Daemon, admin: MinioAdmin) -> None:
    admin.user_add("owner", "secret of owner")
    admin.attach_policy(["readwrite"], user="owner")
    with urllib3.PoolManager(retries=False) as pool:
        own = admin_of(daemon, pool, "owner", "secret of owner")
        made = json.loads(own.add_service_account(policy=READING, name="small", description="reads"))["credentials"]
        s3 = s3_of(daemon, made["accessKey"], made["secretKey"])
        assert refused(lambda: s3.create_bucket(Bucket="not-made")) == "AccessDenied"
        assert json.loads(own.get_service_account(made["accessKey"]))["parentUser"] == "owner"
        assert [one["accessKey"] for one in json.loads(own.list_service_account("owner"))["accounts"]] == [
            made["accessKey"]
        ]
        own.update_service_account(access_key=made["accessKey"], secret_key="another secret")
        assert refused(s3.list_buckets) == "SignatureDoesNotMatch"
        with pytest.raises(MinioAdminException, match="AccessDenied"):
            own.user_list()
    admin.delete_service_account(made["accessKey"])
    assert refused(s3.list_buckets) == "InvalidAccessKeyId"


def test_a_quota_is_set_and_counts_and_is_taken_away(daemon: Daemon, admin: MinioAdmin) -> None:
    s3 = s3_of(daemon, daemon.access_key, daemon.secret_key)
    s3.create_bucket(Bucket="limited")
    admin.bucket_quota_set("limited", 10)
    assert json.loads(admin.bucket_quota_get("limited"))["size"] == 10
    assert refused(lambda: s3.put_object(Bucket="limited", Key="a", Body=b"x" * 11)) == "QuotaExceeded"
    admin.bucket_quota_clear("limited")
    s3.put_object(Bucket="limited", Key="a", Body=b"x" * 11)
    told = json.loads(admin.get_data_usage_info())
    assert told["bucketsUsageInfo"]["limited"]["size"] == 11


def test_the_server_tells_of_itself_and_of_its_keys(daemon: Daemon, admin: MinioAdmin) -> None:
    told = json.loads(admin.info())
    assert (told["mode"], told["servers"][0]["drives"][0]["state"]) == ("online", "ok")
    assert json.loads(admin.account_info())["AccountName"] == daemon.access_key
    admin.kms_key_create("archive")
    assert json.loads(admin.kms_key_status("archive"))["key-id"] == "archive"
    with pytest.raises(MinioAdminException, match="NotFound"):
        admin.kms_key_status("nothing")


def test_whoever_has_a_wrong_secret_neither_reads_nor_changes_anything(daemon: Daemon, admin: MinioAdmin) -> None:
    with urllib3.PoolManager(retries=False) as pool:
        stranger = admin_of(daemon, pool, daemon.access_key, "guessed")
        with pytest.raises(MinioAdminException, match="SignatureDoesNotMatch"):
            stranger.user_add("intruder", "secret of intruder")
        with pytest.raises(MinioAdminException, match="SignatureDoesNotMatch"):
            stranger.user_list()
    assert "intruder" not in json.loads(admin.user_list())


def test_prometheus_scrapes_with_a_token(daemon: Daemon) -> None:
    token = jwt.encode(
        {"exp": 4949693428, "sub": daemon.access_key, "iss": "prometheus"}, daemon.secret_key.ljust(64, "\0"), "HS512"
    )
    asked = Request(f"{daemon.url}/minio/v2/metrics/cluster", headers={"Authorization": f"Bearer {token}"})
    with urlopen(asked) as answer:
        assert b"minio_cluster_usage_total_bytes" in answer.read()
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{daemon.url}/minio/v2/metrics/cluster")


def test_a_listener_hears_what_any_process_does(daemon: Daemon, admin: MinioAdmin) -> None:
    s3 = s3_of(daemon, daemon.access_key, daemon.secret_key)
    s3.create_bucket(Bucket="watched")
    admin.user_add("watcher", "secret of watcher")
    admin.attach_policy(["readwrite"], user="watcher")
    host, heard = daemon.url.partition("://")[2], []
    with urllib3.PoolManager(retries=False) as pool:
        client = Minio(host, "watcher", "secret of watcher", secure=False, http_client=pool)
        events = client.listen_bucket_notification(
            "watched", "in/", events=("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
        )
        begun = threading.Thread(target=lambda: heard.extend(islice(events, 3)))
        begun.start()
        eventually(lambda: _listeners(daemon) == 1)
        for key in ("in/a", "out/a", "in/b"):
            s3.put_object(Bucket="watched", Key=key, Body=b"abc")
        s3.delete_object(Bucket="watched", Key="in/a")
        begun.join(PATIENCE)
        events.__exit__(None, None, None)
    found = [(one["eventName"], one["s3"]["object"]["key"]) for told in heard for one in told["Records"]]
    assert found == [
        ("s3:ObjectCreated:Put", "in/a"),
        ("s3:ObjectCreated:Put", "in/b"),
        ("s3:ObjectRemoved:Delete", "in/a"),
    ]


def _listeners(daemon: Daemon) -> int:
    """How many listen to the bucket, as its record says."""
    with sqlite3.connect(f"file:{daemon.data_dir}/.geckos3/catalog.sqlite?mode=ro", uri=True) as catalog:
        rows = catalog.execute("SELECT * FROM bucket WHERE name = 'watched'").fetchall()
    return str(rows).count('"until"')
