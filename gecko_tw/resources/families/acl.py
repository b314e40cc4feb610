"""Access control lists of buckets and objects: read and replaced.

Sources: S3 User Guide, "Access control list (ACL) overview" and "Controlling ownership of objects and disabling ACLs".
"""

from attrs import evolve

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.acl import Grant, Parties
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MissingSecurityHeader, UnexpectedContent
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, OBJECT, PUT, Document, operation
from gecko_tw.resources.documents.acl import read_acl, write_acl
from gecko_tw.resources.documents.bucket_settings import change_setting
from gecko_tw.resources.gates.access_settings import ACL, acls_count, bucket_owner, object_owner
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.headers.acl import asks_acl, display_name_of, parties_of, takes_acls, unblocked, wished_acl
from gecko_tw.resources.headers.versions import look_described, version_header, version_id
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


@operation("PutBucketAcl", PUT, BUCKET, "acl", needs="s3:PutBucketAcl", body=_DOCUMENT, signed_for="invoke this API")
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
    signed_for="invoke this API",
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
    if not takes_acls(call, record):
        return None
    return unblocked(record, read_acl(document, parties))
