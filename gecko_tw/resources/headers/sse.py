"""Server-side encryption as requests ask for it and answers tell of it: the headers of SSE-S3, SSE-KMS and SSE-C.

Sources: S3 User Guide, "Specifying server-side encryption"; S3 API Reference, PutObject, GetObject, UploadPart, CopyObject.
"""

import hashlib
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.answers.refusals import InvalidEncryptionAlgorithmError, NotImplemented_
from gecko_tw.resources.call import Call
from gecko_tw.store.encryption.data_keys import (
    CUSTOMER,
    KMS,
    NOT_APPLICABLE,
    OTHER_KEY,
    PART_HAS_SEAL,
    PART_NEEDS_SEAL,
    S3,
    Seal,
)
from gecko_tw.store.encryption.reading import SealedReading
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.records import Json, Upload, Version
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, WrongCustomerKey
from gecko_tw.store.requests import Encryption

ASKED = b"x-amz-server-side-encryption"
KEY_ID = b"x-amz-server-side-encryption-aws-kms-key-id"
CONTEXT = b"x-amz-server-side-encryption-context"
BUCKET_KEY = b"x-amz-server-side-encryption-bucket-key-enabled"
CUSTOMERS = b"x-amz-server-side-encryption-customer-"
SOURCES = b"x-amz-copy-source-server-side-encryption-customer-"

SETTING = "encryption"
"""The bucket's setting: ``{"algorithm", "key-id", "bucket-key", "blocked"}``."""

_BOTH = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
_NEEDS_KMS = (
    "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
)
_WITH_CUSTOMER_KEY = "Requests specifying Server Side Encryption with Customer provided keys must provide "

_CUSTOMERS = (CUSTOMERS + b"algorithm", CUSTOMERS + b"key", CUSTOMERS + b"key-md5")
_SOURCES = (SOURCES + b"algorithm", SOURCES + b"key", SOURCES + b"key-md5")


def customer_key(
    headers: Mapping[bytes, bytes], names: tuple[bytes, bytes, bytes] = _CUSTOMERS, opens: bool = False
) -> bytes | None:
    """The key that a customer gives in three headers, or None when none of them is there.

    :param opens: whether it is to open something that is there already.
    :raises InvalidArgument, InvalidEncryptionAlgorithmError: they are not all there, or do not agree.
    :raises WrongCustomerKey: it is none, so that it cannot be the one that opens it.
    """
    if names[0] not in headers and names[1] not in headers and names[2] not in headers:
        return None
    algorithm, encoded, digest = (headers.get(name) for name in names)
    if not algorithm:
        raise _invalid(_WITH_CUSTOMER_KEY + "a valid encryption algorithm.")
    if algorithm != b"AES256":
        raise InvalidEncryptionAlgorithmError(ArgumentName=names[0].decode(), ArgumentValue=algorithm.decode("latin-1"))
    if not encoded:
        raise _invalid(_WITH_CUSTOMER_KEY + "an appropriate secret key.")
    if not digest:
        raise _invalid(_WITH_CUSTOMER_KEY + "the client calculated MD5 of the secret key.")
    key = _decoded(encoded)
    if len(key) != 32 and not opens:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if _decoded(digest) != hashlib.md5(key, usedforsecurity=False).digest():
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    if len(key) != 32:
        raise WrongCustomerKey
    return key


def _decoded(value: bytes) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (BadBase64, ValueError):
        return b""


def _invalid(message: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=ASKED.decode())


def source_key(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The same for the source of a copy."""
    return customer_key(headers, _SOURCES, opens=True)


def wish(headers: Mapping[bytes, bytes]) -> Encryption | None:
    """What a request asks for itself, or None.

    :raises InvalidArgument, InvalidEncryptionAlgorithmError: its headers do not agree.
    :raises NotImplemented_: it asks for two layers of encryption.
    """
    key, asked = customer_key(headers), headers.get(ASKED)
    if key is not None:
        if asked is not None or KEY_ID in headers:
            raise _invalid(_BOTH)
        return Encryption(kind=CUSTOMER, customer_key=key)
    if asked == KMS.encode():
        return Encryption(
            kind=KMS,
            key_id=_text(headers, KEY_ID),
            context=_text(headers, CONTEXT),
            bucket_key=headers.get(BUCKET_KEY, b"").lower() == b"true",
        )
    if KEY_ID in headers or CONTEXT in headers:
        raise _invalid(_NEEDS_KMS)
    if asked is None:
        return None
    if asked == b"aws:kms:dsse":
        raise NotImplemented_(Header=ASKED.decode(), Value="aws:kms:dsse")
    if asked != S3.encode():
        raise InvalidArgument(
            "The encryption method specified is not supported",
            ArgumentName=ASKED.decode(),
            ArgumentValue=asked.decode("latin-1"),
        )
    return Encryption(kind=S3)


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return value.decode("latin-1") if value else None


async def wished(call: Call, headers: Mapping[bytes, bytes] | None = None) -> Encryption | None:
    """How what a request writes is to be encrypted: as it asks, else as its bucket does by default; None for not at all.

    :param headers: those of the request unless a form's fields stand for them.
    :raises: as :func:`wish` and :func:`by_default`; NoSuchBucket.
    """
    asked = wish(call.headers if headers is None else headers)
    record = call.record
    if record is None:
        record = await call.service.read(call.service.buckets.get, call.bucket)
    setting = record.settings.get(SETTING)
    return asked if setting is None else by_default(asked, setting)


def by_default(asked: Encryption | None, setting: Mapping[str, Json]) -> Encryption | None:
    """What a bucket's setting makes of what was asked, or of nothing.

    :raises AccessDenied: the bucket blocks that kind of encryption.
    """
    if asked is not None:
        if asked.kind == CUSTOMER and "SSE-C" in setting.get("blocked", ()):
            raise AccessDenied("The bucket blocks uploads that are encrypted with a customer-provided key.")
        return asked
    if "algorithm" not in setting:
        return None
    return Encryption(
        kind=setting["algorithm"], key_id=setting.get("key-id"), bucket_key=setting.get("bucket-key", False)
    )


def sealing(call: Call, asked: Encryption | None) -> Callable[[], Seal] | None:
    """What the store calls to make a new data key; None when nothing is to be encrypted."""
    if asked is None:
        return None
    keys = call.service.objects.keys
    return lambda: keys.seal(asked)


async def upload_extra(call: Call, extra: Mapping[str, Json]) -> Mapping[str, Json]:
    """``extra`` of an upload that begins, with the data key of its parts when they are to be encrypted. Raises as :func:`wished`."""
    asked = await wished(call)
    if asked is None:
        return extra
    seal = await call.service.write(call.service.objects.keys.seal, asked)
    return {**extra, "sse": seal.record}


def part_sealing(call: Call, upload: Upload, number: int) -> Callable[[], Seal] | None:
    """What the store calls to open the data key of an upload for one of its parts; None when the upload is not encrypted.

    :raises InvalidRequest: the part's headers are not those of its upload; raised by the call as well.
    """
    key, record = customer_key(call.headers), upload.extra.get("sse")
    if record is None:
        if key is not None or ASKED in call.headers:
            raise InvalidRequest(PART_HAS_SEAL)
        return None
    check_part(call, record, key)
    keys = call.service.objects.keys

    def open_() -> Seal:
        try:
            return keys.open(record, key).for_part(number)
        except WrongCustomerKey:
            raise InvalidRequest(OTHER_KEY) from None

    return open_


def check_part(call: Call, record: Mapping[str, Json], key: bytes | None) -> None:
    """Raises InvalidRequest when what belongs to an upload names another kind of encryption than the upload did."""
    if record["kind"] == CUSTOMER and key is None:
        raise InvalidRequest(PART_NEEDS_SEAL)
    if record["kind"] != CUSTOMER and key is not None:
        raise InvalidRequest(NOT_APPLICABLE)
    asked = call.headers.get(ASKED)
    if asked is not None and asked != record["kind"].encode():
        raise InvalidRequest(OTHER_KEY)


def refuse_asking(call: Call) -> None:
    """GetObject and HeadObject decrypt as the object was stored, without being asked. Raises InvalidArgument."""
    if ASKED in call.headers:
        raise InvalidArgument(
            "x-amz-server-side-encryption header is not supported for this operation.",
            ArgumentName=ASKED.decode(),
            ArgumentValue=call.headers[ASKED].decode("latin-1"),
        )


async def unlock(call: Call, reading: IReading) -> None:
    """Opens the data key of a version that is about to be read.

    :param reading: of an encrypted version a SealedReading.
    :raises: as :func:`customer_key` and DataKeys.open; InvalidRequest when the version needs no customer's key.
    """
    refuse_asking(call)
    key = customer_key(call.headers, opens=True)
    if isinstance(reading, SealedReading):
        await call.service.write(reading.unlock, key)
    elif key is not None:
        raise InvalidRequest(NOT_APPLICABLE)


async def check_key(call: Call, version: Version) -> None:
    """The same for a version of which only the record is told."""
    refuse_asking(call)
    key = customer_key(call.headers, opens=True)
    record = version.extra.get("sse")
    if record is not None and (record["kind"] == CUSTOMER or key is not None):
        await call.service.write(call.service.objects.keys.open, record, key)
    elif key is not None:
        raise InvalidRequest(NOT_APPLICABLE)


def told(call: Call, extra: Mapping[str, Json], written: bool = False) -> Headers:
    """The headers that tell how something is encrypted.

    :param extra: of a version or an upload.
    :param written: whether this answers a request that wrote it; then the context is told too.
    """
    record = extra.get("sse")
    if record is None:
        return []
    if record["kind"] == CUSTOMER:
        digest = call.headers.get(_CUSTOMERS[2])
        algorithm = (CUSTOMERS + b"algorithm", b"AES256")
        return [algorithm] if digest is None else [algorithm, (CUSTOMERS + b"key-MD5", digest)]
    found = [(ASKED, record["kind"].encode())]
    if "id" in record:
        found.append((KEY_ID, record["id"].encode("utf-8", "replace")))
    if record.get("bucket-key"):
        found.append((BUCKET_KEY, b"true"))
    if written and "context" in record:
        found.append((CONTEXT, record["context"].encode("latin-1", "replace")))
    return found
