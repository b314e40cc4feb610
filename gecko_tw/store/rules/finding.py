"""Which version of a key is meant."""

from gecko_tw.store.records import DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import DeleteMarkerNamed, NoSuchKey, NoSuchVersion, Refusal


def find(history: KeyHistory, version_id: str | None) -> Version:
    """The version of that id, or for None the current one.

    :raises NoSuchKey: there is no current version; when a delete marker is why, the refusal names it.
    :raises NoSuchVersion: the key has no version of that id.
    :raises DeleteMarkerNamed: the id is a delete marker's (S3 User Guide, "Working with delete markers").
    """
    versions = history.versions
    name = history.key.decode("utf-8", "replace")
    if version_id is None:
        if not versions:
            raise NoSuchKey(Key=name)
        if isinstance(versions[0], Version):
            return versions[0]
        raise NoSuchKey(Key=name).because_of(versions[0])
    for version in versions:
        if version.version_id == version_id:
            if isinstance(version, Version):
                return version
            raise not_allowed(version)
    raise NoSuchVersion(Key=name, VersionId=version_id)


def find_described(history: KeyHistory, version_id: str | None) -> Version:
    """The same for what is kept beside the bytes, as tags are: of a current delete marker it is asked as if that were named.

    :raises DeleteMarkerNamed: also where the current version is a delete marker.
    """
    current = history.versions[0] if history.versions and version_id is None else None
    if isinstance(current, DeleteMarker):
        raise not_allowed(current)
    return find(history, version_id)


def not_allowed(marker: DeleteMarker) -> Refusal:
    """The refusal of everything but deleting it."""
    return DeleteMarkerNamed(ResourceType="DeleteMarker", Allow="DELETE").because_of(marker)
