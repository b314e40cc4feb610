"""A daemon with days of two seconds: what boto3 asks to go, goes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.patience import eventually
from tests.end_to_end.place import Place


@pytest.fixture
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Daemon(tmp_path_factory.mktemp("hurried"), "--workers=2", "--lifecycle-day=2s") as daemon:
        yield Place(daemon)


def set_rule(place: Place, bucket: str, **parts: Any) -> None:
    rule = {"ID": "one", "Status": "Enabled", "Filter": {"Prefix": "log/"}, **parts}
    place.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})


def test_what_the_rules_let_go_goes_and_nothing_else(hurried: Place):
    s3, plain, versioned = hurried.s3, hurried.new_bucket(), hurried.new_bucket()
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Enabled"})
    set_rule(hurried, plain, Expiration={"Days": 1}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})
    set_rule(hurried, versioned, NoncurrentVersionExpiration={"NoncurrentDays": 1})
    told = hurried.put(plain, "log/a")["Expiration"]
    hurried.put(plain, "cat", b"first")
    for key, body in (("cat", b"first"), ("log/a", b"first"), ("log/a", b"second")):
        hurried.put(versioned, key, body)
    assert told.startswith('expiry-date="') and told.endswith(' 00:00:00 GMT", rule-id="one"')
    kept = s3.create_multipart_upload(Bucket=plain, Key="cat")["UploadId"]
    s3.create_multipart_upload(Bucket=plain, Key="log/a")

    eventually(lambda: hurried.keys(plain) == ["cat"])
    eventually(lambda: [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=plain)["Uploads"]] == [kept])
    eventually(lambda: len(s3.list_object_versions(Bucket=versioned)["Versions"]) == 2)
    assert hurried.get(versioned, "log/a") == b"second"
    assert hurried.get(plain, "cat") == b"first"
    eventually(lambda: "multipart uploads aborted" in hurried.daemon.log)
