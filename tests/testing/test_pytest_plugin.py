"""The fixtures for pytest, used by projects that are no more than their tests."""

import subprocess
import sys

from tests.sources import ROOT

PROJECT = """
import boto3
import pytest
from botocore.exceptions import ClientError


def test_a_bucket_is_there_and_empty(s3, s3_bucket, geckos3):
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
    assert "Status" not in s3.get_bucket_versioning(Bucket=s3_bucket)
    s3.create_multipart_upload(Bucket=s3_bucket, Key="unfinished")
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"bytes")
    assert (geckos3.data_dir / s3_bucket / "a").read_bytes() == b"bytes"


@pytest.mark.s3_versioning
def test_versions_are_kept(s3, s3_bucket):
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == [s3_bucket]  # that of the test before is gone
    for body in (b"1", b"2"):
        s3.put_object(Bucket=s3_bucket, Key="a", Body=body)
    s3.delete_object(Bucket=s3_bucket, Key="a")
    assert len(s3.list_object_versions(Bucket=s3_bucket)["Versions"]) == 2


@pytest.mark.s3_lock(mode="GOVERNANCE", days=30)
def test_what_is_locked_cannot_be_deleted(s3, s3_bucket):
    version = s3.put_object(Bucket=s3_bucket, Key="a", Body=b"")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=s3_bucket, Key="a", VersionId=version)


@pytest.mark.s3_lock
def test_nothing_is_locked_without_a_mode(s3, s3_bucket):
    assert s3.list_buckets()["Buckets"][0]["Name"] == s3_bucket
    version = s3.put_object(Bucket=s3_bucket, Key="a", Body=b"")["VersionId"]
    s3.delete_object(Bucket=s3_bucket, Key="a", VersionId=version)
    s3.delete_bucket(Bucket=s3_bucket)  # before the fixture does


def list_everything():
    return [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]


def test_code_with_clients_of_its_own_finds_the_server(s3_environment, s3_bucket):
    assert list_everything() == [s3_bucket]


READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.s3_users("alice", bob=["s3:*"], carol={"Version": "2012-10-17", "Statement": READ})
def test_users_may_do_what_they_are_allowed(s3_users, s3_bucket):
    alice, bob, carol = (s3_users[name].s3 for name in ("alice", "bob", "carol"))
    bob.put_object(Bucket=s3_bucket, Key="a", Body=b"bytes")
    carol.get_object(Bucket=s3_bucket, Key="a")
    for wrong in (alice.get_object, carol.delete_object):
        with pytest.raises(ClientError, match="AccessDenied"):
            wrong(Bucket=s3_bucket, Key="a")


@pytest.mark.s3_users("alice")
def test_a_user_of_the_same_name_is_another_one(s3_users, geckos3):
    iam = geckos3.client("iam")
    iam.create_group(GroupName="group")
    iam.add_user_to_group(GroupName="group", UserName="alice")
    iam.attach_user_policy(UserName="alice", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert s3_users["alice"].s3.list_buckets()["Buckets"] == []


def test_no_user_is_left(geckos3):
    assert geckos3.client("iam").list_users()["Users"] == []
"""

OPTIONS = """
import pytest


@pytest.fixture(scope="session")
def geckos3_options():
    return ["--recreate=refuse"]


@pytest.fixture
def s3_bucket():
    return "ours"


def test_options_and_fixtures_of_the_project_win(s3, s3_bucket):
    s3.create_bucket(Bucket=s3_bucket)
    with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=s3_bucket)
"""

PAID = """
import sys
import gecko_tw.testing.pytest_plugin
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"attr", "boto3", "botocore", "click", "twisted", "yaml", "zope"}))
"""


def test_buckets_users_and_the_environment_last_as_long_as_a_test(pytester):
    pytester.makepyfile(PROJECT)
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider -p no:xdist")
    pytester.runpytest_subprocess().assert_outcomes(passed=8)


def test_the_project_has_the_last_word(pytester):
    pytester.makepyfile(OPTIONS)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_who_uses_nothing_pays_for_nothing():
    loaded = subprocess.run([sys.executable, "-c", PAID], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_without_boto3_it_is_told_what_to_install(pytester, monkeypatch):
    pytester.makepyfile("import sys\nsys.modules['boto3'] = None\ndef test_it(s3): pass")
    pytester.runpytest_subprocess().stdout.fnmatch_lines(
        ["*boto3 is not installed: pip install 'gecko-tw[[]testing]'*"]
    )


def test_markers_are_told(pytester):
    told = pytester.runpytest_subprocess("--markers").stdout
    told.fnmatch_lines([f"@pytest.mark.{marker}*" for marker in ("s3_versioning:", "s3_lock(", "s3_users(")])
