"""The document of a bucket's default encryption. Pure."""

from gecko_tw.resources.answers.refusals import MalformedXML, NotImplemented_
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element
from gecko_tw.store.encryption.data_keys import KMS, S3
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

_BLOCKABLE = ("NONE", "SSE-C")


def read_configuration(document: bytes) -> dict[str, Json]:
    """The setting that a ServerSideEncryptionConfiguration means.

    :raises MalformedXML: it is none.
    :raises InvalidArgument: a key is named where there can be none.
    :raises NotImplemented_: two layers of encryption.
    """
    rules = markup.read(document, "ServerSideEncryptionConfiguration").only(("Rule",)).all("Rule")
    if len(rules) != 1:
        raise MalformedXML
    rule = rules[0].only(("ApplyServerSideEncryptionByDefault", "BucketKeyEnabled", "BlockedEncryptionTypes"))
    defaults, value = rule.all("ApplyServerSideEncryptionByDefault"), dict[str, Json]()
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


def _default(default: Element) -> dict[str, Json]:
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
