"""Which version of a key is meant."""

from gecko_tw.store.records import KeyHistory, Version
from gecko_tw.store.refusals import DeleteMarkerNamed, NoSuchKey, NoSuchVersion


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
        raise NoSuchKey(Key=name).because_of(versions[0].version_id)
    for version in versions:
        if version.version_id == version_id:
            if isinstance(version, Version):
                return version
            raise DeleteMarkerNamed(ResourceType="DeleteMarker", Allow="DELETE").because_of(version_id)
    raise NoSuchVersion(Key=name, VersionId=version_id)
