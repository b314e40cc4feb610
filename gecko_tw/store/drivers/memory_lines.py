"""The lines of a listing that a key has in the reference driver."""

from collections.abc import Callable, Mapping

from gecko_tw.store.records import STORAGE_CLASS, DeleteMarker, KeyHistory, Version
from gecko_tw.store.requests import Listed


def _objects(history: KeyHistory) -> list[Listed]:
    newest = history.newest
    if newest is None:
        return []
    return [_listed(history.key, newest, True)]


def _versions(history: KeyHistory) -> list[Listed]:
    return [_listed(history.key, version, place == 0) for place, version in enumerate(history.versions)]


def _listed(key: bytes, version: Version | DeleteMarker, newest: bool) -> Listed:
    line = Listed(key, version.version_id, version.modified, version.owner, newest=newest)
    if isinstance(version, DeleteMarker):
        return line
    return line._replace(
        etag=version.etag,
        size=version.size,
        checksum=None if version.checksum is None else version.checksum.text,
        storage_class=version.headers.get(STORAGE_CLASS, ""),
    )


def _uploads(history: KeyHistory) -> list[Listed]:
    return [
        Listed(key=history.key, id=upload.id, modified=upload.initiated, upload=upload, owner=upload.owner)
        for upload in history.uploads
    ]


LINES: Mapping[str, Callable[[KeyHistory], list[Listed]]] = {
    "objects": _objects,
    "versions": _versions,
    "uploads": _uploads,
}

HAS_LINES: Mapping[str, Callable[[KeyHistory], bool]] = {
    "objects": lambda history: history.newest is not None,
    "versions": lambda history: bool(history.versions),
    "uploads": lambda history: bool(history.uploads),
}


def behind(lines: list[Listed], after_id: str) -> list[Listed]:
    """What follows an id. All of them when that line is gone: a line told twice is better than one never told."""
    place = next((place for place, line in enumerate(lines) if line.id == after_id), -1)
    return lines[place + 1 :]
