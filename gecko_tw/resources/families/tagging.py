"""Tags of objects and of buckets: put, read and removed as one document."""

from attrs import evolve

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import NoSuchTagSet
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, OBJECT, PUT, Document, operation
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.tagging import read_tagging, write_tagging
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.gates.permits import permit
from gecko_tw.resources.headers.versions import look_described, version_header, version_id
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.rules.tags import OF_BUCKET, OF_OBJECT

_DOCUMENT = Document(256 * 1024, vouched=True, signed=True)


@operation(
    "GetObjectTagging",
    GET,
    OBJECT,
    "tagging",
    needs="s3:GetObjectTagging",
    needs_version="s3:GetObjectVersionTagging",
)
async def get_object_tagging(call: Call) -> Answer:
    """The tags of the current, or the named, version. Source: S3 API Reference, GetObjectTagging."""
    version = await look_described(call)
    return xml(write_tagging(version.tags), headers=version_header(call, version))


@operation(
    "PutObjectTagging",
    PUT,
    OBJECT,
    "tagging",
    needs="s3:PutObjectTagging",
    needs_version="s3:PutObjectVersionTagging",
    body=_DOCUMENT,
    document_keys=("s3:RequestObjectTag",),
)
async def put_object_tagging(call: Call, document: bytes) -> Answer:
    """Replaces the tags of a version that stays as it is otherwise. Source: S3 API Reference, PutObjectTagging."""
    tags = read_tagging(document, OF_OBJECT)
    action = "s3:PutObjectVersionTagging" if "versionId" in call.query else "s3:PutObjectTagging"
    await permit(call, action, {"s3:RequestObjectTag": tags})
    version = await _retag(call, tags)
    return Answer(200, version_header(call, version))


@operation(
    "DeleteObjectTagging",
    DELETE,
    OBJECT,
    "tagging",
    needs="s3:DeleteObjectTagging",
    needs_version="s3:DeleteObjectVersionTagging",
)
async def delete_object_tagging(call: Call) -> Answer:
    """Removes all tags of a version. Source: S3 API Reference, DeleteObjectTagging."""
    return Answer(204, version_header(call, await _retag(call, {})))


async def _retag(call: Call, tags: dict[str, str]) -> Version:
    def change(version: Version, bucket: BucketRecord) -> Version:
        return evolve(version, tags=tags)

    amend = objects_for(call, "ObjectTagging:Put" if tags else "ObjectTagging:Delete").amend
    return await call.service.commit(0, amend, call.bucket, call.key, version_id(call), change)


@operation("GetBucketTagging", GET, BUCKET, "tagging", needs="s3:GetBucketTagging")
async def get_bucket_tagging(call: Call) -> Answer:
    """The bucket's tags. Source: S3 API Reference, GetBucketTagging.

    :raises NoSuchTagSet: it has none.
    """
    return xml(write_tagging(await read_setting(call, "tagging", NoSuchTagSet)))


@operation("PutBucketTagging", PUT, BUCKET, "tagging", needs="s3:PutBucketTagging", body=_DOCUMENT)
async def put_bucket_tagging(call: Call, document: bytes) -> Answer:
    """Replaces the bucket's tags. Source: S3 API Reference, PutBucketTagging."""
    await change_setting(call, "tagging", read_tagging(document, OF_BUCKET) or None)
    return Answer(204)


@operation("DeleteBucketTagging", DELETE, BUCKET, "tagging", needs="s3:PutBucketTagging")
async def delete_bucket_tagging(call: Call) -> Answer:
    """Removes the bucket's tags. Source: S3 API Reference, DeleteBucketTagging."""
    await change_setting(call, "tagging", None)
    return Answer(204)
