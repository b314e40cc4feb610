"""Object ownership: whose an object is that somebody else writes into a bucket, and whether lists count there.

Source: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import (
    InvalidBucketAclWithObjectOwnership,
    MalformedXML,
    OwnershipControlsNotFoundError,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.markup import element, text
from gecko_tw.resources.gates.access_settings import ACL, ENFORCED, OWNERSHIP, OWNERSHIPS
from gecko_tw.store.records import BucketRecord


@operation(
    "GetBucketOwnershipControls",
    GET,
    BUCKET,
    "ownershipControls",
    needs="s3:GetBucketOwnershipControls",
    signed_for="invoke this API",
)
async def get_bucket_ownership_controls(call: Call) -> Answer:
    """Source: S3 API Reference, GetBucketOwnershipControls."""
    value = await read_setting(call, OWNERSHIP, OwnershipControlsNotFoundError)
    return xml(markup.document("OwnershipControls", element("Rule", text("ObjectOwnership", value))))


@operation(
    "PutBucketOwnershipControls",
    PUT,
    BUCKET,
    "ownershipControls",
    needs="s3:PutBucketOwnershipControls",
    signed_for="invoke this API",
    body=Document(64 * 1024),
)
async def put_bucket_ownership_controls(call: Call, document: bytes) -> Answer:
    """Source: S3 API Reference, PutBucketOwnershipControls.

    :raises InvalidBucketAclWithObjectOwnership: the bucket's list grants something that would count no more.
    """
    value = read_ownership(document)

    def rule(record: BucketRecord) -> BucketRecord:
        if value == ENFORCED and record.settings.get(ACL) is not None:
            raise InvalidBucketAclWithObjectOwnership
        return record if record.settings.get(OWNERSHIP) == value else record.with_setting(OWNERSHIP, value)

    await call.service.write(call.service.buckets.change, call.bucket, rule)
    return Answer(200)


@operation(
    "DeleteBucketOwnershipControls",
    DELETE,
    BUCKET,
    "ownershipControls",
    needs="s3:PutBucketOwnershipControls",
    signed_for="invoke this API",
)
async def delete_bucket_ownership_controls(call: Call) -> Answer:
    """Source: S3 API Reference, DeleteBucketOwnershipControls."""
    await change_setting(call, OWNERSHIP, None)
    return Answer(204)


def read_ownership(document: bytes) -> str:
    """What an OwnershipControls document asks for. Raises MalformedXML."""
    rules = list(markup.read(document, "OwnershipControls").only(("Rule",)))
    if len(rules) != 1:
        raise MalformedXML
    value = rules[0].only(("ObjectOwnership",)).need("ObjectOwnership")
    if value not in OWNERSHIPS:
        raise MalformedXML
    return value
