"""Keys of server-side encryption, under both paths by which clients have asked for them."""

import fnmatch

from gecko_tw.admin.families.encryption_keys import create_key, list_keys
from gecko_tw.admin.minio.rows import KMS, V3, Question, minio, renamed
from gecko_tw.admin.minio.words import UNKNOWN_TIME
from gecko_tw.resources.dispatch.operations import GET, POST
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import KeyNotFound

OWN = "SSE-S3"
"""What the key is called here that encrypts what names no key."""


@minio("KmsStatus", GET, KMS + "status", needs="admin:KMSKeyStatus")
def kms_status(question: Question) -> Json:
    """That keys are kept by the store itself."""
    return {
        "name": "GeckoS3",
        "default-key-id": OWN,
        "endpoints": {"local": "online"},
        "state": {"KeyStoreReachable": True},
    }


old_kms_status = renamed(kms_status, "KmsStatusV3", V3 + "kms/status", method=POST, changes=False)


@minio("KmsKeyStatus", GET, KMS + "key/status", "key-id", needs="admin:KMSKeyStatus")
def kms_key_status(question: Question) -> Json:
    """Whether there is a key, and so can be encrypted and decrypted with."""
    name = question.text("key-id", OWN)
    if name != OWN and name not in question.ground.rings.kms.names():
        raise KeyNotFound(f"Key '{name}' does not exist", KeyId=name)
    return {"key-id": name}


old_kms_key_status = renamed(kms_key_status, "KmsKeyStatusV3", V3 + "kms/key/status")


@minio("KmsCreateKey", POST, KMS + "key/create", "key-id", needs="admin:KMSCreateKey")
def kms_create_key(question: Question) -> Json:
    """Adds a key for SSE-KMS; nothing happens when there is one of that name."""
    question.ask(create_key, body={"name": question.text("key-id")})


old_kms_create_key = renamed(kms_create_key, "KmsCreateKeyV3", V3 + "kms/key/create")


@minio("KmsListKeys", GET, KMS + "key/list", "pattern", needs="admin:KMSListKeys")
def kms_list_keys(question: Question) -> Json:
    """The names of all keys for SSE-KMS that a pattern with `*` covers."""
    pattern = question.text("pattern", "*")
    names = [one["name"] for one in question.ask(list_keys) if one["name"] is not None]
    return [
        {"name": name, "createdAt": UNKNOWN_TIME, "createdBy": ""}
        for name in names
        if fnmatch.fnmatchcase(name, pattern)
    ]
