"""The encryption that a bucket applies by default: GetBucketEncryption, PutBucketEncryption, DeleteBucketEncryption.

Source: S3 API Reference, PutBucketEncryption; S3 User Guide, "Setting default server-side encryption behavior".
"""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import ServerSideEncryptionConfigurationNotFoundError
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.encryption import read_configuration
from gecko_tw.resources.documents.markup import element, text, texts
from gecko_tw.resources.headers.sse import SETTING


@operation("GetBucketEncryption", GET, BUCKET, "encryption", needs="s3:GetEncryptionConfiguration")
async def get_bucket_encryption(call: Call) -> Answer:
    """The default as it was set; a bucket that has none encrypts only what asks for it."""
    value = await read_setting(call, SETTING, ServerSideEncryptionConfigurationNotFoundError)
    rule = ""
    if "algorithm" in value:
        default = texts({"SSEAlgorithm": value["algorithm"], "KMSMasterKeyID": value.get("key-id")})
        rule = element("ApplyServerSideEncryptionByDefault", default)
    rule += text("BucketKeyEnabled", value.get("bucket-key", False))
    blocked = value.get("blocked")
    if blocked:
        rule += element("BlockedEncryptionTypes", "".join(text("EncryptionType", name) for name in blocked))
    return xml(markup.document("ServerSideEncryptionConfiguration", element("Rule", rule)))


@operation(
    "PutBucketEncryption", PUT, BUCKET, "encryption", needs="s3:PutEncryptionConfiguration", body=Document(64 * 1024)
)
async def put_bucket_encryption(call: Call, document: bytes) -> Answer:
    """Sets the default of what is written from now on; what is there stays as it is."""
    await change_setting(call, SETTING, read_configuration(document))
    return Answer(200)


@operation("DeleteBucketEncryption", DELETE, BUCKET, "encryption", needs="s3:PutEncryptionConfiguration")
async def delete_bucket_encryption(call: Call) -> Answer:
    """The bucket has no default any more; what is there stays as it is."""
    await change_setting(call, SETTING, None)
    return Answer(204)
