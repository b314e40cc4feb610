"""Versions and Object Lock with boto3, over every way of keeping attributes, workers beside each other included."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.config import Config

from tests.end_to_end.place import Place, everywhere, refusal

WRITERS = 16


def versioned(place: Place, **more: object) -> str:
    name = place.new_name()
    place.s3.create_bucket(Bucket=name, **more)
    place.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def listed(place: Place, bucket: str, **more: object) -> list[tuple[str, str]]:
    """Key and id of every version and delete marker, over all pages; markers behind the versions of their page."""
    pages = place.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **more)
    return [
        (one["Key"], one["VersionId"])
        for page in pages
        for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    ]


@everywhere
def test_versions_of_an_object_come_and_go(place: Place):
    bucket = versioned(place)
    ids = [place.put(bucket, "a/cat.jpg", b"%d" % number)["VersionId"] for number in range(3)]
    assert [id_ for _, id_ in listed(place, bucket)] == ids[::-1]
    assert [place.get(bucket, "a/cat.jpg", VersionId=one) for one in ids] == [b"0", b"1", b"2"]
    place.s3.delete_object(Bucket=bucket, Key="a/cat.jpg", VersionId=ids[2])
    assert place.get(bucket, "a/cat.jpg") == b"1"
    marker = place.s3.delete_object(Bucket=bucket, Key="a/cat.jpg")
    assert marker["DeleteMarker"]
    assert refusal(place.get, bucket, "a/cat.jpg") == ("NoSuchKey", 404)
    assert refusal(place.get, bucket, "a/cat.jpg", VersionId=marker["VersionId"]) == ("MethodNotAllowed", 405)
    assert place.keys(bucket) == []
    assert refusal(place.s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    place.s3.delete_object(Bucket=bucket, Key="a/cat.jpg", VersionId=marker["VersionId"])
    assert place.get(bucket, "a/cat.jpg") == b"1"


def test_suspended_versioning_keeps_one_null_version_beside_the_others(place: Place):
    bucket = place.new_bucket()
    place.put(bucket, "k", b"before")
    place.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = place.put(bucket, "k", b"kept")["VersionId"]
    assert place.get(bucket, "k", VersionId="null") == b"before"
    place.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert "VersionId" not in place.put(bucket, "k", b"after")
    assert [one for _, one in listed(place, bucket)] == ["null", kept]
    answer = place.s3.get_object(Bucket=bucket, Key="k")
    assert (answer["Body"].read(), answer["VersionId"]) == (b"after", "null")
    assert place.s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert place.get(bucket, "k", VersionId=kept) == b"kept"


def test_a_locked_version_is_removed_by_nobody_too_early(place: Place):
    bucket = versioned(place, ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    held = place.put(bucket, "k", b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)["VersionId"]
    free = place.put(bucket, "k", b"2")["VersionId"]
    answer = place.s3.head_object(Bucket=bucket, Key="k", VersionId=held)
    assert (answer["ObjectLockMode"], answer["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", until)
    wanted = [{"Key": "k", "VersionId": one} for one in (held, free)]
    answer = place.s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted}, BypassGovernanceRetention=True)
    assert [one["VersionId"] for one in answer["Deleted"]] == [free]
    assert [(one["VersionId"], one["Code"]) for one in answer["Errors"]] == [(held, "AccessDenied")]
    assert place.get(bucket, "k") == b"1"
    place.s3.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "ON"})
    assert place.s3.get_object_legal_hold(Bucket=bucket, Key="k")["LegalHold"] == {"Status": "ON"}


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_of_many_writers_at_once_none_loses_a_version(plain: Place, size: int):
    bucket = versioned(plain)
    crowd = plain.daemon.client(config=Config(max_pool_connections=WRITERS))
    with ThreadPoolExecutor(WRITERS) as pool:
        made = list(
            pool.map(lambda n: crowd.put_object(Bucket=bucket, Key="k", Body=b"%d" % n)["VersionId"], range(48))
        )
    found = [one for _, one in listed(plain, bucket, PaginationConfig={"PageSize": size})]
    assert sorted(found) == sorted(made)
    assert found == sorted(found, reverse=True)
    assert {plain.get(bucket, "k", VersionId=one) for one in found} == {b"%d" % n for n in range(48)}
