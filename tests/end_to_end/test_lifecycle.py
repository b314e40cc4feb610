"""A daemon with days of two seconds: what boto3 asks to go, goes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.patience import eventually


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


@pytest.mark.parametrize("layout", ["files", "pool"])
def test_what_the_rules_move_has_another_storage_class_and_is_otherwise_as_it_was(tmp_path: Path, layout: str):
    options = (f"--layout={layout}", "--lifecycle-day=2s", "--transition-minimum-size=10")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    with Daemon(tmp_path, *options) as daemon:
        place = Place(daemon)
        s3, bucket = place.s3, place.new_bucket()
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        older = s3.put_object(Bucket=bucket, Key="log/a", Body=b"an older body")["VersionId"]
        s3.put_object(Bucket=bucket, Key="log/a", Body=b"the newer body", Metadata={"a": "b"}, Tagging="c=d")
        s3.put_object(Bucket=bucket, Key="log/secret", Body=b"a secret body", **key)
        s3.put_object(Bucket=bucket, Key="log/small", Body=b"small")
        before = s3.head_object(Bucket=bucket, Key="log/a")
        set_rule(
            place,
            bucket,
            Transitions=[{"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}, {"Days": 1, "StorageClass": "GLACIER_IR"}],
            NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "INTELLIGENT_TIERING"}],
        )
        eventually(lambda: head_of(place, bucket, "log/a").get("StorageClass") == "GLACIER_IR")
        eventually(lambda: head_of(place, bucket, "log/secret", **key).get("StorageClass") == "GLACIER_IR")
        eventually(
            lambda: head_of(place, bucket, "log/a", VersionId=older).get("StorageClass") == "INTELLIGENT_TIERING"
        )
        after = s3.head_object(Bucket=bucket, Key="log/a")
        changing = {"StorageClass", "ResponseMetadata"}
        assert {name: after[name] for name in after if name not in changing} == {
            name: before[name] for name in before if name not in changing
        }
        listed = {one["Key"]: one["StorageClass"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
        assert listed == {"log/a": "GLACIER_IR", "log/secret": "GLACIER_IR", "log/small": "STANDARD"}
        asked = s3.get_object_attributes(Bucket=bucket, Key="log/a", ObjectAttributes=["StorageClass"])
        assert asked["StorageClass"] == "GLACIER_IR"
        assert place.get(bucket, "log/a") == b"the newer body"
        assert s3.get_object(Bucket=bucket, Key="log/secret", **key)["Body"].read() == b"a secret body"
        assert "moved to another storage class" in daemon.log
    with Daemon(tmp_path, *options) as daemon:
        assert Place(daemon).s3.head_object(Bucket=bucket, Key="log/a")["StorageClass"] == "GLACIER_IR"


def head_of(place: Place, bucket: str, key: str, **more: Any) -> Any:
    return place.s3.head_object(Bucket=bucket, Key=key, **more)
