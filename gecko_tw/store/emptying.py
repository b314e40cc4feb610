"""A bucket emptied, version by version, each through the same rules as a request for it: what a lock holds stays."""

from collections.abc import Callable

from attrs import frozen

from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.refusals import NoSuchKey, NoSuchVersion, Refusal
from gecko_tw.store.requests import ListRequest

PAGE = 1000
TOLD = 100
"""What was kept is told by name, as far as it is not more."""


@frozen
class Emptied:
    """What became of it.

    :ivar removed: how many versions and delete markers.
    :ivar kept: how many were not removed; ``why`` has key, version id and code of the first of them.
    """

    removed: int
    kept: int
    why: tuple[tuple[bytes, str, str], ...]


def empty(objects: Objects, bucket: str, remove: Callable[[bytes, str], object]) -> Emptied:
    """Removes all versions. Raises NoSuchBucket.

    :param remove: removes one version; what it refuses is kept.
    """
    removed, kept = 0, 0
    why: list[tuple[bytes, str, str]] = []
    request = ListRequest(limit=PAGE)
    while True:
        page = reconciled(objects.page, bucket, request, "versions")
        for one in page.entries:
            try:
                remove(one.key, one.id)
                removed += 1
            except (NoSuchKey, NoSuchVersion):
                continue  # somebody else was there before
            except Refusal as refusal:
                kept += 1
                if len(why) < TOLD:
                    why.append((one.key, one.id, refusal.code))
        if not page.truncated:
            return Emptied(removed, kept, tuple(why))
        request = ListRequest(limit=PAGE, after=page.next_key, after_id=page.next_id)
