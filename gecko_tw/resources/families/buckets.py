"""Buckets themselves: list, create, look, delete, and the settings that every client reads first."""

from gecko_tw.callers.access.acl import HEADER, kept
from gecko_tw.resources.answers.answer import Answer, Headers, xml
from gecko_tw.resources.answers.refusals import (
    AccessControlListNotSupported,
    InvalidBucketAclWithObjectOwnership,
    InvalidLocationConstraint,
    NotImplemented_,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.keys import as_text
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, HEAD, ITSELF, PUT, SERVICE, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.listing import limited, owner_element, raw, read_token, write_token
from gecko_tw.resources.documents.markup import element, iso_time, texts
from gecko_tw.resources.documents.regions import is_location
from gecko_tw.resources.documents.tagging import tags_in
from gecko_tw.resources.gates.access_settings import ACL, ENFORCED, OWNERSHIP, OWNERSHIPS, REFUSE, bucket_owner
from gecko_tw.resources.gates.authorization import is_superuser
from gecko_tw.resources.gates.emptying import empty_for
from gecko_tw.resources.gates.permits import permit_bucket
from gecko_tw.resources.headers.acl import parties_of, wished_acl
from gecko_tw.resources.headers.force_delete import wants_force
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidArgument,
    NoSuchBucket,
)
from gecko_tw.store.rules import locks, versions
from gecko_tw.store.rules.tags import OF_BUCKET

MAX_BUCKETS = 10_000
_STRIDE = 1000
"""Records looked at in one step when only those of one account are wanted."""


@operation("ListBuckets", GET, SERVICE, needs="s3:ListAllMyBuckets")
async def list_buckets(call: Call) -> Answer:
    """The caller's buckets by name, a page at a time when asked so. Source: S3 API Reference, ListBuckets."""
    query, service = call.query, call.service
    prefix, token = as_text(query.get("prefix", "")), query.get("continuation-token")
    limit = limited(query.get("max-buckets"), "max-buckets", MAX_BUCKETS)
    after = read_token(token).decode("utf-8", "replace") if token else ""
    owner = None if is_superuser(call) else call.owner
    found = await service.scan(_owned, call, owner, prefix, after, limit + 1)
    page, more = found[:limit], len(found) > limit and limit > 0
    region = query.get("bucket-region")
    lines = [_bucket(call, record) for record in page if region in (None, record.region or service.region)]
    ends = {
        "ContinuationToken": write_token(raw(page[-1].name)) if more else None,
        "Prefix": prefix or None,
    }
    content = owner_element(call, call.owner) + element("Buckets", "".join(lines)) + texts(ends)
    return xml(markup.document("ListAllMyBucketsResult", content), about=found)


def _owned(call: Call, owner: str | None, prefix: str, after: str, limit: int) -> list[BucketRecord]:
    """Buckets by name: those of an account, or all of them. Blocks."""
    service = call.service
    found: list[BucketRecord] = []
    while len(found) < limit:
        page = service.buckets.page(prefix, after, _STRIDE if owner is not None else limit - len(found))
        if not page:
            break
        after = page[-1].name
        found += [record for record in page if owner in (None, bucket_owner(service, record))]
    return found[:limit]


def _bucket(call: Call, record: BucketRecord) -> str:
    return element(
        "Bucket",
        texts(
            {
                "Name": record.name,
                "CreationDate": iso_time(record.created),
                "BucketRegion": record.region or call.service.region,
            }
        ),
    )


@operation(
    "CreateBucket",
    PUT,
    BUCKET,
    needs="s3:CreateBucket",
    body=Document(64 * 1024),
    decides=ITSELF,
    new_bucket=True,
    signed_for="invoke this API",
)
async def create_bucket(call: Call, document: bytes) -> Answer:
    """Creates a bucket, in the region that the document names. Source: S3 API Reference, CreateBucket.

    :raises BucketAlreadyOwnedByYou: unless the deployment answers 200 to that, as us-east-1 does.
    """
    _refuse_kinds(call)
    region, tags = _configuration(call, document)
    permit_bucket(call, region, bool(tags))
    service = call.service
    record = BucketRecord(
        name=call.bucket,
        created=service.now(),
        owner=call.owner,
        region=region,
        settings=_first_settings(call, tags),
    )
    record = _with_acl(call, record)
    try:
        await service.write(service.buckets.create, record)
    except (BucketAlreadyOwnedByYou, BucketAlreadyExists) as taken:
        try:
            found = await service.read(service.buckets.get, call.bucket)
        except NoSuchBucket:  # what has its name is none
            raise taken from None
        if not _owns(call, found):
            raise
        if service.recreate_status != 200:
            raise BucketAlreadyOwnedByYou(BucketName=call.bucket) from None
        record = found
    return Answer(200, [(b"Location", b"/" + call.bucket.encode())], about=record)


def _first_settings(call: Call, tags: dict[str, str]) -> dict[str, Json]:
    """The settings that a bucket is created with. Object Lock needs versioning, and neither can be taken back then."""
    settings: dict[str, Json] = {"tagging": tags} if tags else {}
    if (call.header(b"x-amz-bucket-object-lock-enabled") or "").lower() == "true":
        settings |= {versions.SETTING: versions.ENABLED, locks.SETTING: {}}
    return settings


def _with_acl(call: Call, record: BucketRecord) -> BucketRecord:
    """The new bucket with the ownership and the access control list that the headers ask for.

    :raises InvalidArgument: there is no such ownership.
    :raises InvalidBucketAclWithObjectOwnership: both, and they cannot be together.
    """
    asked = call.header(b"x-amz-object-ownership")
    if asked not in (None, *OWNERSHIPS):
        raise InvalidArgument(
            "Invalid x-amz-object-ownership header", ArgumentName="x-amz-object-ownership", ArgumentValue=asked
        )
    ownership = asked or (ENFORCED if call.service.acl == REFUSE else None)
    if ownership is not None:
        record = record.with_setting(OWNERSHIP, ownership)
    try:
        grants = wished_acl(call, record, parties_of(call, record.owner, None), call.headers)
    except AccessControlListNotSupported:
        if call.headers.get(HEADER) != b"private":
            raise InvalidBucketAclWithObjectOwnership from None
        grants = None
    value = None if grants is None else kept(grants, record.owner)
    return record if value is None else record.with_setting(ACL, value)


def _owns(call: Call, record: BucketRecord) -> bool:
    """Whether a bucket is the caller's."""
    return bucket_owner(call.service, record) == call.owner or call.caller.kind == "open"


def _refuse_kinds(call: Call) -> None:
    """Kinds of buckets that we lack. Raises NotImplemented_, naming the header."""
    allowed = {
        b"x-amz-bucket-object-lock-enabled": ("false", "true"),
        b"x-amz-bucket-namespace": ("global",),
    }
    for name, values in allowed.items():
        value = call.header(name)
        if value is not None and value not in values and value.lower() not in values:
            raise NotImplemented_(Header=name.decode(), Value=value)


def _configuration(call: Call, document: bytes) -> tuple[str, dict[str, str]]:
    """Region and tags of a CreateBucketConfiguration; an empty document has neither.

    :raises MalformedXML, InvalidLocationConstraint, TooManyTags, InvalidTag: as S3 does.
    :raises NotImplemented_: it asks for a directory bucket.
    """
    if not document.strip():
        return "", {}
    root = markup.read(document, "CreateBucketConfiguration")
    for child in root:
        if child.name in ("Location", "Bucket"):
            raise NotImplemented_(Resource=child.name)
    region = (root.only(("LocationConstraint", "Tags")).get("LocationConstraint") or "").strip()
    if region and not is_location(call, region):
        raise InvalidLocationConstraint(LocationConstraint=region)
    tags = root.all("Tags")
    return region, tags_in(tags[0], OF_BUCKET) if tags else {}


@operation("HeadBucket", HEAD, BUCKET, needs="s3:ListBucket")
async def head_bucket(call: Call) -> Answer:
    """Whether the bucket is there, and in which region. Source: S3 API Reference, HeadBucket."""
    record = await call.service.read(call.service.buckets.get, call.bucket)
    headers: Headers = [
        (b"x-amz-bucket-region", (record.region or call.service.region).encode()),
        (b"x-amz-access-point-alias", b"false"),
        (b"Content-Type", b"application/xml"),
    ]
    return Answer(200, headers, about=record)


@operation("DeleteBucket", DELETE, BUCKET, needs="s3:DeleteBucket")
async def delete_bucket(call: Call) -> Answer:
    """Removes an empty bucket. Source: S3 API Reference, DeleteBucket.

    With MinIO's ``x-minio-force-delete`` it is emptied first, of what the caller may remove and no lock holds.
    """
    if wants_force(call):
        assert call.record is not None
        done = await call.service.write(empty_for, call, call.record)
        if done.kept:
            raise BucketNotEmpty(f"{done.kept} versions could not be removed.", BucketName=call.bucket)
    await call.service.write(call.service.buckets.remove, call.bucket)
    return Answer(204)


@operation("GetBucketLocation", GET, BUCKET, "location", needs="s3:GetBucketLocation")
async def get_bucket_location(call: Call) -> Answer:
    """The bucket's region; us-east-1 is written as nothing. Source: S3 API Reference, GetBucketLocation."""
    record = await call.service.read(call.service.buckets.get, call.bucket)
    region = record.region or call.service.region
    content = "" if region == "us-east-1" else markup.escape(region)
    return xml(markup.document("LocationConstraint", content))
