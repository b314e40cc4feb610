"""The encryption that a bucket applies by default: GetBucketEncryption, PutBucketEncryption, DeleteBucketEncryption.

Source: S3 API Reference, PutBucketEncryption; S3 User Guide, "Setting default server-side encryption behavior".
"""

from typing import Any

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import (
    MalformedXML,
    NotImplemented_,
    ServerSideEncryptionConfigurationNotFoundError,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.markup import Element, element, text, texts
from gecko_tw.resources.headers.sse import SETTING
from gecko_tw.store.encryption.data_keys import KMS, S3
from gecko_tw.store.refusals import InvalidArgument

_BLOCKABLE = ("NONE", "SSE-C")


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


def read_configuration(document: bytes) -> dict[str, Any]:
    """The setting that a ServerSideEncryptionConfiguration means.

    :raises MalformedXML: it is none.
    :raises InvalidArgument: a key is named where there can be none.
    :raises NotImplemented_: two layers of encryption.
    """
    rules = markup.read(document, "ServerSideEncryptionConfiguration").only(("Rule",)).all("Rule")
    if len(rules) != 1:
        raise MalformedXML
    rule = rules[0].only(("ApplyServerSideEncryptionByDefault", "BucketKeyEnabled", "BlockedEncryptionTypes"))
    defaults, value = rule.all("ApplyServerSideEncryptionByDefault"), dict[str, Any]()
    if len(defaults) > 1:
        raise MalformedXML
    for default in defaults:
        value |= _default(default.only(("SSEAlgorithm", "KMSMasterKeyID")))
    enabled = rule.get("BucketKeyEnabled") or "false"
    if enabled not in ("true", "false"):
        raise MalformedXML
    if enabled == "true":
        value["bucket-key"] = True
    blocked = [one.text for types in rule.all("BlockedEncryptionTypes") for one in types.only(("EncryptionType",))]
    if any(name not in _BLOCKABLE for name in blocked):
        raise MalformedXML
    if blocked:
        value["blocked"] = blocked
    if not value:
        raise MalformedXML
    return value


def _default(default: Element) -> dict[str, Any]:
    algorithm, key_id = default.need("SSEAlgorithm"), default.get("KMSMasterKeyID")
    if algorithm == "aws:kms:dsse":
        raise NotImplemented_(Argument="SSEAlgorithm", Value=algorithm)
    if algorithm not in (S3, KMS):
        raise MalformedXML
    if key_id and algorithm != KMS:
        raise InvalidArgument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )
    return {"algorithm": algorithm, "key-id": key_id} if key_id else {"algorithm": algorithm}
