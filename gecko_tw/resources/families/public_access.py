"""The public access block: four switches that keep a bucket from becoming public by accident.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import NoSuchPublicAccessBlockConfiguration
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.markup import texts
from gecko_tw.resources.documents.public_access import read_block
from gecko_tw.resources.gates.access_settings import BLOCK, BLOCKS


@operation("GetPublicAccessBlock", GET, BUCKET, "publicAccessBlock", needs="s3:GetBucketPublicAccessBlock")
async def get_public_access_block(call: Call) -> Answer:
    """Source: S3 API Reference, GetPublicAccessBlock."""
    value = await read_setting(call, BLOCK, NoSuchPublicAccessBlockConfiguration)
    content = texts({name: value.get(name, False) for name in BLOCKS})
    return xml(markup.document("PublicAccessBlockConfiguration", content))


@operation(
    "PutPublicAccessBlock",
    PUT,
    BUCKET,
    "publicAccessBlock",
    needs="s3:PutBucketPublicAccessBlock",
    body=Document(64 * 1024),
)
async def put_public_access_block(call: Call, document: bytes) -> Answer:
    """Replaces all four; one that is not named is off. Source: S3 API Reference, PutPublicAccessBlock."""
    await change_setting(call, BLOCK, read_block(document))
    return Answer(200)


@operation("DeletePublicAccessBlock", DELETE, BUCKET, "publicAccessBlock", needs="s3:PutBucketPublicAccessBlock")
async def delete_public_access_block(call: Call) -> Answer:
    """Source: S3 API Reference, DeletePublicAccessBlock."""
    await change_setting(call, BLOCK, None)
    return Answer(204)
