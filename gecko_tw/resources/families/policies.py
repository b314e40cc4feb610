"""Bucket policies: kept as the text that was sent, checked before, and told whether they make a bucket public.

Sources: S3 API Reference, PutBucketPolicy; S3 User Guide, "Bucket policies for Amazon S3".
"""

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.policies import check_principals, is_public, read_bucket_policy
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MethodNotAllowed, MissingRequestBodyError, NoSuchBucketPolicy
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.markup import text
from gecko_tw.resources.gates.access_settings import (
    ACL,
    BLOCK_POLICY,
    IGNORE_ACLS,
    POLICY,
    RESTRICT,
    acls_count,
    blocks,
    policy_of,
)
from gecko_tw.resources.gates.authorization import is_owners
from gecko_tw.resources.gates.permits import would_be_allowed
from gecko_tw.store.records import BucketRecord

_JSON = (b"Content-Type", b"application/json")
_LOCKED_OUT = (
    "This policy takes from you the permission to change it again. To confirm that this is meant, send"
    " x-amz-confirm-remove-self-bucket-access: true."
)


@operation("GetBucketPolicy", GET, BUCKET, "policy", needs="s3:GetBucketPolicy")
async def get_bucket_policy(call: Call) -> Answer:
    """The policy, exactly as it was sent. Source: S3 API Reference, GetBucketPolicy."""
    _refuse_other_accounts(call)
    policy = await read_setting(call, POLICY, NoSuchBucketPolicy)
    return Answer(200, [_JSON], policy.encode())


@operation("PutBucketPolicy", PUT, BUCKET, "policy", needs="s3:PutBucketPolicy", body=Document(64 * 1024))
async def put_bucket_policy(call: Call, document: bytes) -> Answer:
    """Replaces the policy. Source: S3 API Reference, PutBucketPolicy.

    :raises MalformedPolicy: it is not a policy of this bucket, or about somebody who is not there.
    :raises AccessDenied: it is public and the bucket takes no such, or it locks its sender out, unconfirmed.
    """
    _refuse_other_accounts(call)
    if not document:
        raise MissingRequestBodyError
    policy = read_bucket_policy(document, call.bucket)
    check_principals(policy, call.service.identities)
    public = is_public(policy)

    def rule(record: BucketRecord) -> BucketRecord:
        if public and blocks(record, BLOCK_POLICY):
            raise AccessDenied
        changed = record.with_setting(POLICY, policy.text)
        return record if changed == record else changed

    assert call.record is not None
    confirmed = (call.header(b"x-amz-confirm-remove-self-bucket-access") or "").lower() == "true"
    if not confirmed and not would_be_allowed(
        call, call.record.with_setting(POLICY, policy.text), "s3:PutBucketPolicy"
    ):
        raise AccessDenied(_LOCKED_OUT)
    await call.service.write(call.service.buckets.change, call.bucket, rule)
    return Answer(204)


@operation("DeleteBucketPolicy", DELETE, BUCKET, "policy", needs="s3:DeleteBucketPolicy")
async def delete_bucket_policy(call: Call) -> Answer:
    """Removes the policy, whether there is one or not. Source: S3 API Reference, DeleteBucketPolicy."""
    _refuse_other_accounts(call)
    await change_setting(call, POLICY, None)
    return Answer(204)


@operation("GetBucketPolicyStatus", GET, BUCKET, "policyStatus", needs="s3:GetBucketPolicyStatus")
async def get_bucket_policy_status(call: Call) -> Answer:
    """Whether the bucket is public, by its policy or its access control list. Source: S3 API Reference, GetBucketPolicyStatus.

    :raises NoSuchBucketPolicy: it has no policy.
    """
    service = call.service
    record = await service.read(service.buckets.get, call.bucket)
    if POLICY not in record.settings:
        raise NoSuchBucketPolicy(BucketName=call.bucket)
    content = text("IsPublic", _by_policy(record) or (acls_count(service, record) and _by_acl(record)))
    return xml(markup.document("PolicyStatus", content))


def _by_policy(record: BucketRecord) -> bool:
    return not blocks(record, RESTRICT) and policy_of(record.settings[POLICY], record.name)[1]


def _by_acl(record: BucketRecord) -> bool:
    return not blocks(record, IGNORE_ACLS) and acl.is_public(acl.grants_of(record.settings.get(ACL), ""))


def _refuse_other_accounts(call: Call) -> None:
    """Raises MethodNotAllowed: nobody of another account manages a bucket's policy, whatever it says itself."""
    if not is_owners(call):
        raise MethodNotAllowed(Method=call.head.method, ResourceType="BUCKETPOLICY")
