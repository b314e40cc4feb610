"""What a new object has beside its bytes: its headers, metadata and tags, and what further features make of the request."""

from collections.abc import Callable, Mapping

from gecko_tw.callers.access.acl import BUCKET_OWNER_FULL_CONTROL, HEADER, kept
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.access_settings import ACL, ENFORCED, PREFERRED, bucket_owner, ownership_of
from gecko_tw.resources.headers import objects as object_headers
from gecko_tw.resources.headers.acl import asks_acl, parties_of, wished_acl
from gecko_tw.resources.headers.encoded_words import decoded
from gecko_tw.resources.headers.locks import asked_protection
from gecko_tw.resources.headers.objects import Stored
from gecko_tw.store.records import Json


async def stored_for(call: Call) -> Stored:
    """What PutObject, CopyObject and CreateMultipartUpload store, by the headers of the call. Raises as :func:`stored_of`."""
    return stored_of(call, call.headers)


def stored_of(call: Call, headers: Mapping[bytes, bytes], read: Callable[[str], str] = decoded) -> Stored:
    """What a request stores beside the bytes of an object.

    :param headers: those of the request, or the fields of a form that mean the same.
    :param read: as in ``headers.stored``.
    :raises Refusal: as ``headers.stored``, and what a feature has against the request.
    """
    stored, owner = object_headers.stored(headers, read), owner_of_new(call, headers)
    extra = asked_protection(headers, call.service.now())
    if asks_acl(headers):
        extra |= _acl(call, headers, owner)
    return Stored(stored.headers, stored.metadata, stored.tags, extra, owner)


def owner_of_new(call: Call, headers: Mapping[bytes, bytes]) -> str:
    """Whose a new object is: its writer's, or the bucket's owner's where ownership says so."""
    record, service = call.record, call.service
    assert record is not None
    ownership = ownership_of(service, record)
    given = ownership == PREFERRED and headers.get(HEADER) == BUCKET_OWNER_FULL_CONTROL.encode()
    return bucket_owner(service, record) if given or ownership == ENFORCED else call.owner


def _acl(call: Call, headers: Mapping[bytes, bytes], owner: str) -> dict[str, Json]:
    record = call.record
    assert record is not None
    grants = wished_acl(call, record, parties_of(call, owner, bucket_owner(call.service, record)), headers)
    value = None if grants is None else kept(grants, owner)
    return {} if value is None else {ACL: value}
