"""Versions and what is said of them: cut short anywhere, all of a key's versions are as they were, or as they should be."""

from collections.abc import Callable

import pytest
from attrs import evolve

from gecko_tw.store.records import BucketRecord
from gecko_tw.store.requests import ListRequest, Remove
from gecko_tw.store.rules import locks
from tests.crash.deeds import LATER, NO_PATH, PATH, Deed, an_object, overwrite, remove
from tests.crash.test_steps import SETUPS, cut_short_anywhere
from tests.store.shop import BUCKET, Shop


def switched(shop: Shop, **settings: object) -> None:
    shop.buckets.change(BUCKET, lambda record: evolve(record, settings={**record.settings, **settings}))


def kept(shop: Shop, key: bytes) -> None:
    """An object, and versioning from now on."""
    an_object(shop, key)
    switched(shop, versioning="Enabled")


def two_versions(shop: Shop, key: bytes) -> None:
    kept(shop, key)
    overwrite(shop, key)


def hidden(shop: Shop, key: bytes) -> None:
    kept(shop, key)
    remove(shop, key)


def suspended(shop: Shop, key: bytes) -> None:
    """Two versions, the null version below."""
    two_versions(shop, key)
    switched(shop, versioning="Suspended")


def locked(shop: Shop, key: bytes) -> None:
    two_versions(shop, key)
    switched(shop, **{"object-lock": {}})


def remove_version(place: int) -> Callable[[Shop, bytes], None]:
    def act(shop: Shop, key: bytes) -> None:
        shop.objects.remove(BUCKET, key, Remove(now=LATER, version_id=nth(shop, key, place)))

    return act


def hold(place: int) -> Callable[[Shop, bytes], None]:
    def act(shop: Shop, key: bytes) -> None:
        shop.objects.amend(BUCKET, key, nth(shop, key, place), lambda one, bucket: locks.with_hold(one, bucket, True))

    return act


def nth(shop: Shop, key: bytes, place: int) -> str:
    entries = shop.objects.page(BUCKET, ListRequest(prefix=key), "versions").entries
    return [entry.id for entry in entries if entry.key == key][place]


def tag(shop: Shop, key: bytes) -> None:
    def change(version, bucket: BucketRecord):  # type: ignore[no-untyped-def]
        return evolve(version, tags={"of": bucket.name})

    shop.objects.amend(BUCKET, key, None, change)


DEEDS = {
    "add a version": Deed(kept, overwrite),
    "hide": Deed(two_versions, remove),
    "show again": Deed(hidden, remove_version(0)),
    "remove the newest": Deed(two_versions, remove_version(0)),
    "remove an older one": Deed(two_versions, remove_version(1)),
    "replace the null version": Deed(suspended, overwrite),
    "tag": Deed(an_object, tag),
    "hold the newest": Deed(locked, hold(0)),
    "hold an older one": Deed(locked, hold(1)),
}
CASES = [
    *(("xattr", name, PATH) for name in DEEDS),
    *(("xattr", name, NO_PATH) for name in ("add a version", "hide", "hold the newest")),
    *(("pool of rows and files", name, PATH) for name in DEEDS),
    *(("sidecar", name, PATH) for name in ("show again", "remove the newest", "tag", "hold an older one")),
]


@pytest.mark.parametrize(("kind", "name", "key"), CASES)
def test_versions_are_wholly_as_before_or_as_after(kind, name, key, tmp_path):
    cut_short_anywhere(SETUPS[kind], DEEDS[name], key, tmp_path)
