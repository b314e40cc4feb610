"""RenameObject: another key for an object, in buckets without versions."""

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import Answer
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import OBJECT, PUT, operation
from gecko_tw.resources.gates.permits import may_remove, permit_source
from gecko_tw.resources.headers.conditions import check_read, write_conditions
from gecko_tw.resources.headers.sources import read_source
from gecko_tw.store.records import Version
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, PreconditionFailed
from gecko_tw.store.renaming import Rename, rename

_SOURCE = "x-amz-rename-source"
_PREFIX = b"x-amz-rename-source-"


@operation(
    "RenameObject",
    PUT,
    OBJECT,
    "renameObject",
    "x-amz-rename-source",
    needs="s3:PutObject",
    signed_for="rename objects",
)
async def rename_object(call: Call) -> Answer:
    """Moves the object that a header names to the addressed key. Source: S3 API Reference, RenameObject.

    :raises NotImplemented_: the bucket has, or had, versioning; S3 renames in directory buckets only, which have none.
    :raises InvalidArgument, InvalidRequest: the source is no other key of the same bucket.
    """
    service = call.service
    source = _source(call)
    if call.record is not None and "versioning" in call.record.settings:
        raise NotImplemented_(Resource="renameObject", Reason="The bucket has versioning.")
    await permit_source(call, call.bucket, source, None)
    if not may_remove(call, source, None):
        raise AccessDenied

    def check(version: Version) -> None:
        if not check_read(call.headers, version.etag, version.modified, service.now(), _PREFIX):
            raise PreconditionFailed(Condition="x-amz-rename-source-If-None-Match")

    request = Rename(
        now=service.now(),
        source=source,
        check=check,
        conditions=write_conditions(call.headers),
        token=call.header(b"x-amz-client-token"),
    )
    await service.write(rename, service.objects, call.bucket, call.key, request)
    return Answer(200)


def _source(call: Call) -> bytes:
    """The key that the object has."""
    value = call.header(_SOURCE.encode()) or ""
    try:
        named = read_source(value)
    except InvalidArgument:
        named = None
    if named is None or named.version_id is not None or named.bucket != call.bucket:
        raise InvalidArgument(
            "Rename Source must mention the bucket of the request and the source key: bucket/sourcekey",
            ArgumentName=_SOURCE,
            ArgumentValue=value,
        )
    if named.key == call.key:
        raise InvalidRequest("The source and the destination of a rename are the same key.")
    return named.key
