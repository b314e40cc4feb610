"""Parts of whole histories: what a catalog that has all of one in memory hands out, and how it takes a changed part back."""

from attrs import evolve

from gecko_tw.store.records import NULL, DeleteMarker, KeyHistory, Upload, Version

Versions = tuple[Version | DeleteMarker, ...]


def shown(whole: KeyHistory, version_id: str | None, upload_id: str | None) -> KeyHistory:
    """What a rule sees: see ICatalog.change_history."""
    older = tuple(one for one in whole.versions[2:] if one.version_id in (NULL, version_id))
    return evolve(whole, versions=whole.versions[:2] + older, uploads=_named(whole, upload_id))


def asked(whole: KeyHistory, version_id: str | None, upload_id: str | None) -> KeyHistory:
    """What is asked for: see ICatalog.history."""
    uploads = _named(whole, upload_id)
    made_by = None if uploads else upload_id
    older = tuple(one for one in whole.versions[1:] if one.version_id == version_id or _is_made_by(one, made_by))
    return evolve(whole, versions=whole.versions[:1] + older, uploads=uploads)


def _named(whole: KeyHistory, upload_id: str | None) -> tuple[Upload, ...]:
    return tuple(one for one in whole.uploads if one.id == upload_id)


def _is_made_by(version: Version | DeleteMarker, upload_id: str | None) -> bool:
    return isinstance(version, Version) and upload_id is not None and version.upload == upload_id


def merged(whole: KeyHistory, before: KeyHistory, after: KeyHistory) -> KeyHistory:
    """The whole history when a part of it has changed.

    :raises ValueError: a version outside of the part would become the newest one.
    """
    had, has = {one.id for one in before.uploads}, {one.id: one for one in after.uploads}
    kept = tuple(has.pop(one.id, one) for one in whole.uploads if one.id in has or one.id not in had)
    versions = _merged(whole.versions, before.versions, after.versions)
    return evolve(whole, versions=versions, uploads=(*kept, *has.values()))


def _merged(whole: Versions, before: Versions, after: Versions) -> Versions:
    """Versions keep their places as long as they are in the same order; those in front of these are new on top."""
    seen = {one.version_id for one in before}
    places = {one.version_id: place for place, one in enumerate(whole)}
    staying: dict[int, Version | DeleteMarker] = {}
    last = len(whole)
    on_top = list(after)
    while on_top and places.get(on_top[-1].version_id, last) < last:
        last = places[on_top[-1].version_id]
        staying[last] = on_top.pop()
    below = [
        staying.get(place, one) for place, one in enumerate(whole) if place in staying or one.version_id not in seen
    ]
    if below and not on_top and below[0].version_id not in {one.version_id for one in after}:
        raise ValueError("a version that the rule did not see would become the newest")
    return (*on_top, *below)
