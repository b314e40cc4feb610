"""boto3 on who may do what: policies, access control lists and what keeps a bucket from becoming public; and strangers."""

import json
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from gecko_tw.callers.access.acl import ALL_USERS
from tests.end_to_end.place import Place, refusal

DENIED = ("AccessDenied", 403)


@pytest.fixture
def stranger(place: Place) -> Any:
    """A client that signs nothing."""
    return place.daemon.client(config=Config(signature_version=UNSIGNED))


def policy(bucket: str, **elements: object) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Resource": f"arn:aws:s3:::{bucket}/*", **elements}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_bucket_policy_lets_strangers_in_and_keeps_the_owner_out(place: Place, stranger: Any):
    bucket = place.new_bucket()
    place.put(bucket, "public/a b", b"meow", Tagging="open=yes")
    named = {"Bucket": bucket, "Key": "public/a b"}
    assert refusal(stranger.get_object, **named) == DENIED
    text = policy(bucket, Action="s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/open": "yes"}})
    place.s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert place.s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    assert place.s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    assert stranger.get_object(**named)["Body"].read() == b"meow"
    assert refusal(stranger.get_object, Bucket=bucket, Key="public/none") == DENIED
    assert refusal(stranger.put_object, **named) == DENIED
    place.s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, Effect="Deny", Action="s3:PutObject"))
    assert refusal(place.s3.put_object, **named) == DENIED
    place.s3.delete_bucket_policy(Bucket=bucket)
    place.put(bucket, "public/a b", b"purr")
    assert refusal(place.s3.put_bucket_policy, Bucket=bucket, Policy="{}") == ("MalformedPolicy", 400)


def test_an_access_control_list_lets_strangers_in(place: Place, stranger: Any):
    bucket = place.new_bucket()
    named = {"Bucket": bucket, "Key": "cat"}
    place.put(bucket, "cat", b"meow", ACL="public-read")
    grants = place.s3.get_object_acl(**named)["Grants"]
    assert {(grant["Grantee"]["Type"], grant["Permission"]) for grant in grants} == {
        ("Group", "READ"),
        ("CanonicalUser", "FULL_CONTROL"),
    }
    assert stranger.get_object(**named)["Body"].read() == b"meow"
    owner = place.s3.get_bucket_acl(Bucket=bucket)["Owner"]
    everybody = {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "WRITE"}
    place.s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": owner, "Grants": [everybody]})
    stranger.put_object(Bucket=bucket, Key="left", Body=b"?")
    assert refusal(stranger.list_objects_v2, Bucket=bucket) == DENIED
    block = {"IgnorePublicAcls": True, "BlockPublicAcls": True}
    place.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert refusal(stranger.get_object, **named) == DENIED
    assert refusal(place.s3.put_object_acl, **named, ACL="public-read") == DENIED


def test_a_bucket_without_lists_refuses_them(place: Place):
    bucket = place.new_name()
    place.s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced")
    refused = ("AccessControlListNotSupported", 400)
    assert refusal(place.s3.put_object, Bucket=bucket, Key="cat", ACL="public-read") == refused
    assert refusal(place.s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == refused
    place.put(bucket, "cat", ACL="bucket-owner-full-control")
    place.s3.delete_bucket_ownership_controls(Bucket=bucket)
    place.put(bucket, "cat", ACL="public-read")
