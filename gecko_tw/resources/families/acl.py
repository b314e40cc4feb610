"""Access control lists of buckets and objects: read, replaced, and given to what is created.

Sources: S3 User Guide, "Access control list (ACL) overview" and "Controlling ownership of objects and disabling ACLs".
"""

from collections.abc import Callable, Mapping

from attrs import evolve

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.acl import Grant, Parties
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import AccessControlListNotSupported, MissingSecurityHeader, UnexpectedContent
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, OBJECT, PUT, Document, operation
from gecko_tw.resources.documents.acl import read_acl, write_acl
from gecko_tw.resources.documents.bucket_settings import change_setting
from gecko_tw.resources.families.versioning import look_described, version_header, version_id
from gecko_tw.resources.gates.access_settings import (
    ACL,
    BLOCK_ACLS,
    ENFORCED,
    IGNORE,
    acls_count,
    blocks,
    bucket_owner,
    object_owner,
    ownership_of,
)
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.refusals import ConditionalRequestConflict

_DOCUMENT = Document(128 * 1024)


@operation("GetBucketAcl", GET, BUCKET, "acl", needs="s3:GetBucketAcl")
async def get_bucket_acl(call: Call) -> Answer:
    """Who may do what with the bucket. Source: S3 API Reference, GetBucketAcl."""
    service = call.service
    record = await service.read(service.buckets.get, call.bucket)
    owner = bucket_owner(service, record)
    value = record.settings.get(ACL) if acls_count(service, record) else None
    return xml(_written(call, owner, acl.grants_of(value, owner)))


@operation("PutBucketAcl", PUT, BUCKET, "acl", needs="s3:PutBucketAcl", body=_DOCUMENT)
async def put_bucket_acl(call: Call, document: bytes) -> Answer:
    """Replaces the bucket's list. Source: S3 API Reference, PutBucketAcl."""
    service = call.service
    record = await service.read(service.buckets.get, call.bucket)
    owner = bucket_owner(service, record)
    grants = _wished(call, record, parties_of(call, owner, None), document)
    if grants is not None:
        await change_setting(call, ACL, acl.kept(grants, owner))
    return Answer(200)


@operation("GetObjectAcl", GET, OBJECT, "acl", needs="s3:GetObjectAcl", needs_version="s3:GetObjectVersionAcl")
async def get_object_acl(call: Call) -> Answer:
    """Who may do what with an object. Source: S3 API Reference, GetObjectAcl."""
    service = call.service
    record = await service.read(service.buckets.get, call.bucket)
    version = await service.read(service.objects.look, call.bucket, call.key, version_id(call))
    owner = object_owner(service, record, version)
    value = version.extra.get(ACL) if acls_count(service, record) else None
    return xml(_written(call, owner, acl.grants_of(value, owner)), headers=version_header(call, version))


@operation(
    "PutObjectAcl",
    PUT,
    OBJECT,
    "acl",
    needs="s3:PutObjectAcl",
    needs_version="s3:PutObjectVersionAcl",
    body=_DOCUMENT,
)
async def put_object_acl(call: Call, document: bytes) -> Answer:
    """Replaces the list of the current, or the named, version. Source: S3 API Reference, PutObjectAcl."""
    service = call.service
    record = await service.read(service.buckets.get, call.bucket)
    version = await look_described(call)
    owner = object_owner(service, record, version)
    grants = _wished(call, record, parties_of(call, owner, bucket_owner(service, record)), document)
    if grants is None:
        return Answer(200, version_header(call, version))
    value = acl.kept(grants, owner)

    def change(found: Version, bucket: BucketRecord) -> Version:
        if found.owner != version.owner:
            raise ConditionalRequestConflict
        rest = {name: kept for name, kept in found.extra.items() if name != ACL}
        return evolve(found, extra=rest if value is None else {**rest, ACL: value})

    amend = objects_for(call, "ObjectAcl:Put").amend
    amended = await service.commit(0, amend, call.bucket, call.key, version_id(call), change)
    return Answer(200, version_header(call, amended))


def _written(call: Call, owner: str, grants: tuple[Grant, ...]) -> bytes:
    return write_acl(owner, grants, display_name_of(call))


def display_name_of(call: Call) -> Callable[[str], str]:
    """What tells the name for people of an account's id."""
    identities = call.service.identities

    def display_name(account_id: str) -> str:
        account = identities.account(account_id)
        return (account.display_name if account is not None else "") or account_id

    return display_name


def parties_of(call: Call, owner: str, of_bucket: str | None) -> Parties:
    """Whom a list may name: accounts that there are.

    :param of_bucket: for an object the account of its bucket, for a bucket None.
    """
    identities = call.service.identities

    def by_email(email: str) -> str | None:
        account = identities.account_by_email(email)
        return None if account is None else account.id

    return Parties(owner, of_bucket, lambda account_id: identities.account(account_id) is not None, by_email)


def _wished(call: Call, record: BucketRecord, parties: Parties, document: bytes) -> tuple[Grant, ...] | None:
    """The list that a request asks for in its headers or its document; None when lists are not kept.

    :raises MissingSecurityHeader, UnexpectedContent: it asks for none, or for two.
    :raises AccessControlListNotSupported, AccessDenied: the bucket has no lists, or none that are public.
    """
    by_headers = asks_acl(call.headers)
    if by_headers == bool(document.strip()):
        raise UnexpectedContent if by_headers else MissingSecurityHeader(MissingHeaderName="x-amz-acl")
    if by_headers:
        return wished_acl(call, record, parties, call.headers)
    if not _takes_acls(call, record):
        return None
    return _unblocked(record, read_acl(document, parties))


def asks_acl(headers: Mapping[bytes, bytes]) -> bool:
    """Whether headers ask for an access control list."""
    return not headers.keys().isdisjoint(acl.HEADERS)


def wished_acl(
    call: Call, record: BucketRecord, parties: Parties, headers: Mapping[bytes, bytes]
) -> tuple[Grant, ...] | None:
    """The list that headers ask for; None when they ask for none, or lists are not kept.

    :raises AccessControlListNotSupported, AccessDenied: the bucket has no lists, or none that are public.
    :raises Refusal: as ``acl.asked``.
    """
    if not asks_acl(headers):
        return None
    if ownership_of(call.service, record) == ENFORCED and _says_enforced(headers, bucket_owner(call.service, record)):
        return None
    if not _takes_acls(call, record):
        return None
    grants = acl.asked(headers, parties)
    return None if grants is None else _unblocked(record, grants)


def _says_enforced(headers: Mapping[bytes, bytes], owner: str) -> bool:
    """Whether headers ask for exactly what a bucket without lists has: full control for its owner."""
    given = {name: headers[name].decode("latin-1") for name in acl.HEADERS if name in headers}
    if len(given) != 1:
        return False
    if acl.HEADER in given:
        return given[acl.HEADER] == acl.BUCKET_OWNER_FULL_CONTROL
    return given.get(b"x-amz-grant-full-control", "").replace('"', "").strip() == f"id={owner}"


def _takes_acls(call: Call, record: BucketRecord) -> bool:
    """Whether lists are kept. Raises AccessControlListNotSupported when one may not even be asked for."""
    if call.service.acl == IGNORE:
        return False
    if ownership_of(call.service, record) == ENFORCED:
        raise AccessControlListNotSupported
    return True


def _unblocked(record: BucketRecord, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """Raises AccessDenied when the list is public and the bucket takes no such."""
    if blocks(record, BLOCK_ACLS) and acl.is_public(grants):
        raise AccessDenied
    return grants
