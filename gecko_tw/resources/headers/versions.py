"""How a request names a version, and how answers tell which one they are about."""

from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.call import Call
from gecko_tw.store.records import NULL, Version
from gecko_tw.store.refusals import InvalidArgument, NoSuchKey
from gecko_tw.store.rules.finding import not_allowed
from gecko_tw.store.rules.versions import SETTING
from gecko_tw.store.version_ids import is_version_id


def version_id(call: Call) -> str | None:
    """The version that a request names, or None. Raises InvalidArgument for what cannot be a version's id."""
    named = call.query.get("versionId")
    return None if named is None else check_version_id(named)


def check_version_id(named: str) -> str:
    """The id itself. Raises InvalidArgument when no version can have it."""
    if named == "":
        raise InvalidArgument("Version id cannot be the empty string", ArgumentName="versionId")
    if not is_version_id(named):
        raise InvalidArgument("Invalid version id specified", ArgumentName="versionId", ArgumentValue=named)
    return named


async def look_described(call: Call) -> Version:
    """The version that a request names, or the current one, whose tags or access control list are asked for or replaced.

    :raises DeleteMarkerNamed: it is a delete marker, which has none.
    :raises: as IObjects.look.
    """
    try:
        return await call.service.read(call.service.objects.look, call.bucket, call.key, version_id(call))
    except NoSuchKey as missing:
        if missing.marker is None:
            raise
        raise not_allowed(missing.marker) from None


def version_header(call: Call, version: Version) -> Headers:
    """Which version an answer is about, in a bucket that has versions."""
    named = version.version_id
    return null_id(call, named) if named == NULL else [(b"x-amz-version-id", named.encode())]


def null_id(call: Call, named: str) -> Headers:
    """The header that tells of the version ``null``, in a bucket that has or had versioning; others tell of themselves.

    Readers are told, and whoever copies; whoever puts it is not (S3 API Reference, PutObject, its samples).
    """
    if named != NULL or call.record is None or SETTING not in call.record.settings:
        return []
    return [(b"x-amz-version-id", b"null")]
