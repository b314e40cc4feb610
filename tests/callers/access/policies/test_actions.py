"""The tables of actions and keys: complete for every operation that clients know, and for every one that is served."""

import botocore.session
import pytest

from gecko_tw.callers.access.policies import decide
from gecko_tw.callers.access.policies.actions import ACTIONS
from gecko_tw.callers.access.policies.condition_keys import KEY_NAMES, TAG_FAMILIES, condition_key
from gecko_tw.callers.access.policies.context import DERIVED_KEYS
from gecko_tw.resources.dispatch.families import FAMILIES
from gecko_tw.resources.dispatch.operations import S3, rows_of
from tests.callers.access.policies.policing import bucket_policy, request, statement

PERMITTED_AS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
"""Operations whose permission has another name."""

ELSEWHERE = {"CreateSession", "ListDirectoryBuckets", "RenameObject", "WriteGetObjectResponse"}
"""Operations that S3 permits by actions of other services: of directory buckets and Object Lambda."""


def test_every_operation_that_clients_know_is_permitted_by_an_action():
    model = botocore.session.get_session().get_service_model("s3")
    needed = {PERMITTED_AS.get(name, name) for name in set(model.operation_names) - ELSEWHERE}
    assert sorted(name for name in needed if f"s3:{name}" not in ACTIONS) == []


def test_every_operation_that_is_served_is_permitted_by_an_action():
    needed = {row.needs for family in FAMILIES for row in rows_of(family) if row.needs and row.service == S3}
    assert needed
    assert needed <= set(ACTIONS)


@pytest.mark.parametrize("name", sorted(DERIVED_KEYS))
def test_keys_that_a_request_finds_by_itself_can_be_asked_for(name):
    assert condition_key(name).name == name


@pytest.mark.parametrize("name", [*KEY_NAMES, *(f"{family}/Any Tag/with:signs" for family in TAG_FAMILIES)])
def test_every_key_can_be_named_in_any_case_and_is_absent_when_nothing_is_known(name):
    family, slash, tag = name.partition("/")
    spelled = family.swapcase() + slash + tag
    policy = bucket_policy(statement(Condition={"Null": {spelled: "true"}}))
    assert policy.statements[0].conditions[0].key == name
    assert decide(request(), [policy]).allowed or name in DERIVED_KEYS
