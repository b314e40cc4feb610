"""Versions: the bucket's switch, and the listing of all versions."""

from collections.abc import Iterator

from attrs import evolve

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import IllegalVersioningConfigurationException, MalformedXML, NotImplemented_
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.bucket_settings import read_setting
from gecko_tw.resources.documents.listing import (
    Spelling,
    asked,
    checksum_elements,
    common_prefixes,
    limited,
    owner_elements,
    raw,
    spelling,
)
from gecko_tw.resources.documents.markup import iso_time, texts
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import InvalidArgument, InvalidBucketState
from gecko_tw.store.requests import Page
from gecko_tw.store.rules import locks
from gecko_tw.store.rules.versions import ENABLED, SETTING, SUSPENDED
from gecko_tw.store.version_ids import is_version_id


@operation("GetBucketVersioning", GET, BUCKET, "versioning", needs="s3:GetBucketVersioning")
async def get_bucket_versioning(call: Call) -> Answer:
    """Never set: an empty document. Source: S3 API Reference, GetBucketVersioning."""
    status = await read_setting(call, SETTING)
    return xml(markup.document("VersioningConfiguration", texts({"Status": status})))


@operation("PutBucketVersioning", PUT, BUCKET, "versioning", needs="s3:PutBucketVersioning", body=Document(64 * 1024))
async def put_bucket_versioning(call: Call, document: bytes) -> Answer:
    """Enables or suspends it; there is no way back to never. Source: S3 API Reference, PutBucketVersioning."""
    status = read_status(document)

    def rule(record: BucketRecord) -> BucketRecord:
        if locks.SETTING in record.settings and status != ENABLED:
            raise InvalidBucketState(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        return record if record.settings.get(SETTING) == status else record.with_setting(SETTING, status)

    await call.service.write(call.service.buckets.change, call.bucket, rule)
    return Answer(200)


def read_status(document: bytes) -> str:
    """What a VersioningConfiguration asks for.

    :raises MalformedXML, IllegalVersioningConfigurationException: as S3 does.
    :raises NotImplemented_: it asks for MFA delete.
    """
    root = markup.read(document, "VersioningConfiguration").only(("Status", "MfaDelete"))
    status, mfa = root.get("Status"), root.get("MfaDelete")
    if mfa == "Enabled":
        raise NotImplemented_(Resource="MfaDelete")
    if mfa not in (None, "Disabled"):
        raise MalformedXML
    if status is None:
        raise IllegalVersioningConfigurationException
    if status not in (ENABLED, SUSPENDED):
        raise MalformedXML
    return status


@operation("ListObjectVersions", GET, BUCKET, "versions", needs="s3:ListBucketVersions")
async def list_object_versions(call: Call) -> Answer:
    """A page of versions and delete markers, by key and then newest first. Source: S3 API Reference, ListObjectVersions."""
    query = call.query
    spell = spelling(query.get("encoding-type"))
    key_marker, id_marker = raw(query.get("key-marker", "")), query.get("version-id-marker")
    request = asked(call, key_marker, limited(query.get("max-keys"), "max-keys"))
    if id_marker is not None:
        request = evolve(request, after_id=_read_marker(key_marker, id_marker))
    service = call.service

    def read() -> tuple[Page, str]:
        page = service.objects.page(call.bucket, request, "versions")
        return page, "".join(_lines(call, page, spell)) + common_prefixes(page, spell)

    page, lines = await service.scan(read)
    head = texts(
        {
            "Name": call.bucket,
            "Prefix": spell(request.prefix),
            "KeyMarker": spell(key_marker),
            "VersionIdMarker": id_marker or "",
            "NextKeyMarker": spell(page.next_key) if page.truncated else None,
            "NextVersionIdMarker": page.next_id if page.truncated else None,
            "MaxKeys": request.limit,
            "Delimiter": spell(request.delimiter) if request.delimiter else None,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": page.truncated,
        }
    )
    return xml(markup.document("ListVersionsResult", head + lines))


def _read_marker(key_marker: bytes, id_marker: str) -> str | None:
    """The version id to go on behind. Raises InvalidArgument when it is none, or stands alone."""
    if not key_marker and id_marker:
        raise _invalid("version-id-marker", id_marker, "A version-id marker cannot be specified without a key marker.")
    if id_marker and not is_version_id(id_marker):
        raise _invalid("version-id-marker", id_marker, "Invalid version id specified")
    return id_marker or None


def _invalid(name: str, value: str, message: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=name, ArgumentValue=value)


def _lines(call: Call, page: Page, spell: Spelling) -> Iterator[str]:
    owners = owner_elements(call, page)
    keys = spell.contents([entry.key for entry in page.entries])
    for key, entry in zip(keys, page.entries, strict=True):
        named = (
            f"<Key>{key}</Key><VersionId>{entry.id}</VersionId><IsLatest>{'true' if entry.newest else 'false'}</IsLatest>"
            f"<LastModified>{iso_time(entry.modified)}</LastModified>"
        )
        if entry.etag is None:
            yield f"<DeleteMarker>{named}{owners[entry.owner]}</DeleteMarker>"
        else:
            yield (
                f"<Version>{named}<ETag>&quot;{entry.etag}&quot;</ETag>{checksum_elements(entry.checksum)}"
                f"<Size>{entry.size}</Size><StorageClass>{entry.storage_class or 'STANDARD'}</StorageClass>"
                f"{owners[entry.owner]}</Version>"
            )
