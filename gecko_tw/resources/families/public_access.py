"""The public access block: four switches that keep a bucket from becoming public by accident.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MalformedXML, NoSuchPublicAccessBlockConfiguration
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.markup import texts
from gecko_tw.resources.gates.access_settings import BLOCK, BLOCKS

_SPELLED = {"true": True, "false": False}


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


def read_block(document: bytes) -> dict[str, bool]:
    """The switches of a PublicAccessBlockConfiguration. Raises MalformedXML."""
    root = markup.read(document, "PublicAccessBlockConfiguration").only(BLOCKS)
    values = {name: (root.get(name) or "false").strip().lower() for name in BLOCKS}
    if not all(value in _SPELLED for value in values.values()):
        raise MalformedXML
    return {name: _SPELLED[value] for name, value in values.items()}
