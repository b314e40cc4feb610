"""Buckets that last as long as a test."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4


@contextmanager
def new_bucket(
    s3: Any,  # a client of boto3, which has no types
    *,
    versioning: bool = False,
    lock: bool = False,
    mode: str | None = None,
    days: int | None = None,
) -> Iterator[str]:
    """The name of a new bucket, which is removed afterwards with all that is in it.

    What a compliance mode or a legal hold still keeps stays until the server ends.

    :param lock: whether objects can be locked, which versions them, too.
    :param mode: ``GOVERNANCE`` or ``COMPLIANCE``: the default retention, for so many ``days``.
    """
    name = f"test-{uuid4().hex}"
    s3.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if lock else {}))
    if versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if mode is not None or days is not None:
        rule = {"DefaultRetention": {"Mode": mode or "GOVERNANCE", "Days": 1 if days is None else days}}
        configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=configuration)
    try:
        yield name
    finally:
        with suppress(s3.exceptions.NoSuchBucket):  # the test has removed it itself
            _remove(s3, name, lock)


def _remove(s3: Any, bucket: str, lock: bool) -> None:
    s3.delete_bucket_policy(Bucket=bucket)  # it may forbid what follows
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    kept = False
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if objects:
            bypass = {"BypassGovernanceRetention": True} if lock else {}
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}, **bypass)
            kept = kept or bool(answer.get("Errors"))
    if not kept:
        s3.delete_bucket(Bucket=bucket)
