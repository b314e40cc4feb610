"""Buckets themselves: list, create, look, delete, and the settings that every client reads first."""

from gecko_tw.resources import documents
from gecko_tw.resources.answers import Answer, Headers, xml
from gecko_tw.resources.call import Call
from gecko_tw.resources.documents import Element, element, iso_time, text, texts
from gecko_tw.resources.headers import check_tags, refuse_acl
from gecko_tw.resources.listing import limited, owner_element, raw, read_token, write_token
from gecko_tw.resources.operations import BUCKET, DELETE, GET, HEAD, PUT, SERVICE, Document, operation
from gecko_tw.resources.refusals import InvalidLocationConstraint, NotImplemented_
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import BucketAlreadyExists, BucketAlreadyOwnedByYou

MAX_BUCKETS = 10_000

_ALL_USERS = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'


@operation("ListBuckets", GET, SERVICE, needs="s3:ListAllMyBuckets")
async def list_buckets(call: Call) -> Answer:
    """The caller's buckets by name, a page at a time when asked so. Source: S3 API Reference, ListBuckets."""
    query, service = call.query, call.service
    prefix, token = query.get("prefix", ""), query.get("continuation-token")
    limit = limited(query.get("max-buckets"), "max-buckets", MAX_BUCKETS)
    after = "" if token is None else read_token(token).decode("utf-8", "replace")
    found = await service.scan(service.buckets.page, prefix, after, limit + 1)
    page, more = found[:limit], len(found) > limit and limit > 0
    region = query.get("bucket-region")
    lines = [_bucket(call, record) for record in page if region in (None, record.region or service.region)]
    ends = {
        "ContinuationToken": write_token(raw(page[-1].name)) if more else None,
        "Prefix": prefix or None,
    }
    content = owner_element(call, call.owner) + element("Buckets", "".join(lines)) + texts(ends)
    return xml(documents.document("ListAllMyBucketsResult", content))


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


@operation("CreateBucket", PUT, BUCKET, needs="s3:CreateBucket", body=Document(64 * 1024))
async def create_bucket(call: Call, document: bytes) -> Answer:
    """Creates a bucket, in the region that the document names. Source: S3 API Reference, CreateBucket.

    :raises BucketAlreadyOwnedByYou: unless the deployment answers 200 to that, as us-east-1 does.
    """
    _refuse_kinds(call)
    region, tags = _configuration(document)
    service = call.service
    record = BucketRecord(
        name=call.bucket,
        created=service.now(),
        owner=call.owner,
        region=region,
        settings={"tagging": tags} if tags else {},
    )
    try:
        await service.write(service.buckets.create, record)
    except (BucketAlreadyOwnedByYou, BucketAlreadyExists):
        if not _owns(call, await service.read(service.buckets.get, call.bucket)):
            raise
        if service.recreate_status != 200:
            raise BucketAlreadyOwnedByYou(BucketName=call.bucket) from None
    return Answer(200, [(b"Location", b"/" + call.bucket.encode())])


def _owns(call: Call, record: BucketRecord) -> bool:
    """Whether a bucket is the caller's; one that nobody owns, e.g. an adopted directory, is everybody's who may do everything."""
    return record.owner == call.owner or call.caller.kind == "open" or record.owner in ("", call.service.owner)


def _refuse_kinds(call: Call) -> None:
    """Kinds of buckets that we lack. Raises NotImplemented_, naming the header."""
    refuse_acl(call.headers)
    allowed = {
        b"x-amz-bucket-object-lock-enabled": ("false",),
        b"x-amz-object-ownership": ("BucketOwnerEnforced",),
        b"x-amz-bucket-namespace": ("global",),
    }
    for name, values in allowed.items():
        value = call.header(name)
        if value is not None and value not in values and value.lower() not in values:
            raise NotImplemented_(Header=name.decode(), Value=value)


def _configuration(document: bytes) -> tuple[str, dict[str, str]]:
    """Region and tags of a CreateBucketConfiguration; an empty document has neither.

    :raises MalformedXML, InvalidLocationConstraint, InvalidTag: as S3 does.
    :raises NotImplemented_: it asks for a directory bucket.
    """
    if not document.strip():
        return "", {}
    root = documents.read(document, "CreateBucketConfiguration")
    for child in root:
        if child.name in ("Location", "Bucket"):
            raise NotImplemented_(Resource=child.name)
    region = (root.only(("LocationConstraint", "Tags")).get("LocationConstraint") or "").strip()
    if len(region) > 64 or not all(char.isalnum() or char in "-_" for char in region):
        raise InvalidLocationConstraint(LocationConstraint=region)
    return region, _tags(root)


def _tags(root: Element) -> dict[str, str]:
    pairs = [(tag.need("Key"), tag.need("Value")) for tags in root.all("Tags") for tag in tags.only(("Tag",))]
    return check_tags(pairs, 50)


@operation("HeadBucket", HEAD, BUCKET, needs="s3:ListBucket")
async def head_bucket(call: Call) -> Answer:
    """Whether the bucket is there, and in which region. Source: S3 API Reference, HeadBucket."""
    record = await call.service.read(call.service.buckets.get, call.bucket)
    headers: Headers = [
        (b"x-amz-bucket-region", (record.region or call.service.region).encode()),
        (b"x-amz-access-point-alias", b"false"),
        (b"Content-Type", b"application/xml"),
    ]
    return Answer(200, headers)


@operation("DeleteBucket", DELETE, BUCKET, needs="s3:DeleteBucket")
async def delete_bucket(call: Call) -> Answer:
    """Removes an empty bucket. Source: S3 API Reference, DeleteBucket."""
    await call.service.write(call.service.buckets.remove, call.bucket)
    return Answer(204)


@operation("GetBucketLocation", GET, BUCKET, "location", needs="s3:GetBucketLocation")
async def get_bucket_location(call: Call) -> Answer:
    """The bucket's region; us-east-1 is written as nothing. Source: S3 API Reference, GetBucketLocation."""
    record = await call.service.read(call.service.buckets.get, call.bucket)
    region = record.region or call.service.region
    content = "" if region == "us-east-1" else documents.escape(region)
    return xml(documents.document("LocationConstraint", content))


@operation("GetBucketVersioning", GET, BUCKET, "versioning", needs="s3:GetBucketVersioning")
async def get_bucket_versioning(call: Call) -> Answer:
    """Never set: an empty document. Source: S3 API Reference, GetBucketVersioning."""
    await call.service.read(call.service.buckets.get, call.bucket)
    return xml(documents.document("VersioningConfiguration", ""))


@operation("GetBucketAcl", GET, BUCKET, "acl", needs="s3:GetBucketAcl")
async def get_bucket_acl(call: Call) -> Answer:
    """The owner may do everything, nobody else anything. Source: S3 API Reference, GetBucketAcl."""
    record = await call.service.read(call.service.buckets.get, call.bucket)
    owner = texts({"ID": record.owner or call.service.owner, "DisplayName": record.owner or call.service.owner})
    grant = f"<Grantee {_ALL_USERS}>{owner}</Grantee>" + text("Permission", "FULL_CONTROL")
    content = element("Owner", owner) + element("AccessControlList", element("Grant", grant))
    return xml(documents.document("AccessControlPolicy", content))
