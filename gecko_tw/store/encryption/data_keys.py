"""Data keys: made for what is about to be written, and opened again for what was.

Every object or upload has a data key of its own. SSE-S3 wraps it in a key of the key ring, SSE-KMS in a key of the key management, SSE-C
in the customer's key, which is not kept in any form. Source: S3 User Guide, "Protecting data with server-side encryption".
"""

import secrets
from collections.abc import Mapping

from attrs import evolve, field, frozen

from gecko_tw.store.encryption.format import CHECKED, form_of
from gecko_tw.store.encryption.interfaces import IKeyManagement
from gecko_tw.store.encryption.wrapping import KEY_BYTES, CannotUnwrap, derived, unwrap, wrap
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidRequest, WrongCustomerKey
from gecko_tw.store.requests import Encryption

S3, KMS, CUSTOMER = "AES256", "aws:kms", "C"
"""The kinds: SSE-S3, SSE-KMS and SSE-C. The first two are spelled as in S3's headers."""

S3_KEY = "default"
"""The key ring's key for SSE-S3."""

KMS_KEY = "aws/s3"
"""The key of SSE-KMS when nobody names one."""

NEEDS_KEY = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."

PART_NEEDS_SEAL = (
    "The multipart upload initiate requested encryption."
    " Subsequent part requests must include the appropriate encryption parameters."
)
PART_HAS_SEAL = "The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters."
OTHER_KEY = "The provided encryption parameters did not match the ones used originally."
NOT_APPLICABLE = "The encryption parameters are not applicable to this object."


@frozen
class Seal:
    """What one body is encrypted with.

    :ivar record: kept as ``extra["sse"]``: everything but the keys that open it.
    :ivar data_key: 32 bytes, in memory only.
    :ivar number: of the part that is sealed, 0 for a whole object.
    """

    record: Mapping[str, Json]
    data_key: bytes = field(repr=False)
    number: int = 0

    def etag(self, digest: bytes) -> str:
        """The ETag of bytes with that MD5. Only SSE-S3 shows it (S3 API Reference, Object, "ETag").

        Else it tells nothing of the plaintext, yet a part that is sent twice has one and the same.
        """
        return digest.hex() if self.record["kind"] == S3 else derived(self.data_key, b"geckos3 etag", digest)[:16].hex()

    @property
    def form(self) -> int:
        """The format of the blobs that are sealed."""
        return form_of(self.record)

    def for_part(self, number: int) -> "Seal":
        """The seal of a part of the upload that this one was made for."""
        return evolve(self, number=number)


@frozen
class DataKeys:
    """Makes and opens data keys.

    :ivar ring: keys of SSE-S3; None when this deployment has none.
    :ivar management: keys of SSE-KMS; None when this deployment has none.
    """

    ring: IKeyManagement | None = None
    management: IKeyManagement | None = None

    def seal(self, wish: Encryption) -> Seal:
        """A new data key, wrapped as is wished. May block.

        :raises InvalidRequest: there are no keys of that kind.
        :raises KeyNotFound: there is no key of that name.
        """
        if wish.customer_key is not None:
            data_key = secrets.token_bytes(KEY_BYTES)
            wrapped = wrap(wish.customer_key, data_key, CUSTOMER)
            return Seal({"kind": CUSTOMER, "key": wrapped, "format": CHECKED}, data_key)
        record: dict[str, Json] = {"kind": wish.kind, "format": CHECKED}
        if wish.context is not None:
            record["context"] = wish.context
        name = S3_KEY if wish.kind == S3 else wish.key_id or KMS_KEY
        data_key, sealed = self._keys(wish.kind).new_data_key(name, _bound(record))
        record["key"] = sealed
        if wish.kind == KMS:
            record |= {"id": name} | ({"bucket-key": True} if wish.bucket_key else {})
        return Seal(record, data_key)

    def _keys(self, kind: str) -> IKeyManagement:
        keys = self.ring if kind == S3 else self.management
        if keys is None:
            raise InvalidRequest(f"This deployment has no keys for server-side encryption of the kind {kind}.")
        return keys

    def open(self, record: Mapping[str, Json], customer_key: bytes | None = None) -> Seal:
        """The seal that a record was made with. May block.

        :param record: ``extra["sse"]`` of a version or an upload.
        :param customer_key: what the customer gave, or None.
        :raises InvalidRequest: the record needs a customer's key, or none fits because it has none.
        :raises WrongCustomerKey: it needs another one.
        :raises KeyNotFound: the key that wrapped the data key is gone.
        """
        kind = record["kind"]
        if kind == CUSTOMER:
            if customer_key is None:
                raise InvalidRequest(NEEDS_KEY)
            try:
                return Seal(record, unwrap(customer_key, record["key"], CUSTOMER))
            except CannotUnwrap:
                raise WrongCustomerKey from None
        if customer_key is not None:
            raise InvalidRequest(NOT_APPLICABLE)
        name = S3_KEY if kind == S3 else record["id"]
        return Seal(record, self._keys(kind).open_data_key(name, record["key"], _bound(record)))


def _bound(record: Mapping[str, Json]) -> str:
    """What a wrapped data key is bound to beside its name."""
    return f"{record['kind']} {record.get('context', '')}"
