"""Versions and what is said of them: cut short anywhere, all of a key's versions are as they were, or as they should be."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from attrs import evolve

from gecko_tw.store.expiry import Expiry, Tally
from gecko_tw.store.records import BlobNote, BucketRecord, Change, KeyHistory, Span
from gecko_tw.store.refusals import DeleteMarkerNamed, NoSuchKey
from gecko_tw.store.requests import ListRequest, Remove
from gecko_tw.store.rules import locks
from gecko_tw.store.rules.lifecycle import DAY
from tests.crash.deeds import LATER, NO_PATH, PATH, Deed, an_object, an_upload, complete, overwrite, remove
from tests.crash.test_steps import SETUPS, WHEN, cut_short_anywhere, found_after_each_step, found_at_the_end
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


def restore(place: int) -> Callable[[Shop, bytes], None]:
    """A version gets its bytes again, as those that were damaged do."""

    def act(shop: Shop, key: bytes) -> None:
        version_id = nth(shop, key, place)
        former = shop.objects.look(BUCKET, key, version_id)
        reading = shop.objects.open(BUCKET, key, version_id)
        writer = shop.driver.blobs.create()
        writer.write(reading.read(0, former.size))
        reading.close()
        tagged = evolve(former, tags={"it": "was restored"})
        blob = writer.commit(BlobNote(bucket=BUCKET, key=key, record=tagged.lying(())))
        whole = tagged.lying((Span(blob, 0, former.size),))

        def rule(bucket: BucketRecord, history: KeyHistory) -> Change:
            return Change(history.having(tuple(whole if one == former else one for one in history.versions)))

        shop.objects.place(BUCKET, key, rule, blob, version_id=version_id)

    return act


def nth(shop: Shop, key: bytes, place: int) -> str:
    return ids_of(shop, key)[place]


def ids_of(shop: Shop, key: bytes) -> list[str]:
    entries = shop.objects.page(BUCKET, ListRequest(prefix=key), "versions").entries
    return [entry.id for entry in entries if entry.key == key]


def tag(shop: Shop, key: bytes) -> None:
    def change(version, bucket: BucketRecord):  # type: ignore[no-untyped-def]
        return evolve(version, tags={"of": bucket.name})

    shop.objects.amend(BUCKET, key, None, change)


def ruled(before: Callable[[Shop, bytes], None], **action: object) -> Callable[[Shop, bytes], None]:
    """And a lifecycle rule for objects that are as large as this one."""

    def act(shop: Shop, key: bytes) -> None:
        before(shop, key)
        switched(
            shop, lifecycle=[{"ID": "1", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 1000}, **action}]
        )

    return act


def obey(shop: Shop, key: bytes) -> None:
    assert Expiry(shop.uploads).run(LATER + 9 * DAY) == Tally(moved=1)


MOVED = {"Transitions": [{"Days": 1, "StorageClass": "GLACIER_IR"}]}
OLD_MOVED = {"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER_IR"}]}

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
    "move to another class": Deed(ruled(an_object, **MOVED), obey),
    "move an older one to another class": Deed(ruled(two_versions, **OLD_MOVED), obey),
    "restore the newest": Deed(two_versions, restore(0)),
    "restore an older one": Deed(two_versions, restore(1)),
}
CASES = [
    *(("xattr", name, PATH) for name in DEEDS),
    *(("xattr", name, NO_PATH) for name in ("add a version", "hide", "hold the newest", "move to another class")),
    *(("pool of rows and files", name, PATH) for name in DEEDS),
    *(
        ("sidecar", name, PATH)
        for name in ("show again", "remove the newest", "tag", "hold an older one", "move to another class")
    ),
]


@pytest.mark.parametrize(("kind", "name", "key"), CASES)
def test_versions_are_wholly_as_before_or_as_after(kind, name, key, tmp_path):
    cut_short_anywhere(SETUPS[kind], DEEDS[name], key, tmp_path)


def put(body: bytes, seconds: int) -> Callable[[Shop, bytes, list[str]], None]:
    return lambda shop, key, ids: shop.put(key, body, now=LATER + seconds * 10**9) and None


def hide(shop: Shop, key: bytes, ids: list[str]) -> None:
    shop.objects.remove(BUCKET, key, Remove(now=LATER))


def drop(place: int) -> Callable[[Shop, bytes, list[str]], None]:
    return lambda shop, key, ids: shop.objects.remove(BUCKET, key, Remove(now=LATER, version_id=ids[place])) and None


def alone(verb: Callable[[Shop, bytes], None]) -> Callable[[Shop, bytes, list[str]], None]:
    def act(shop: Shop, key: bytes, ids: list[str]) -> None:
        with suppress(NoSuchKey, DeleteMarkerNamed):  # hidden by the other verb
            verb(shop, key)

    return act


def begun(shop: Shop, key: bytes) -> None:
    an_upload(shop, key)
    switched(shop, versioning="Enabled")


TOGETHER = {
    "put twice": (two_versions, put(b"one", 1), put(b"another", 2)),
    "hide twice": (two_versions, hide, hide),
    "remove both": (two_versions, drop(0), drop(1)),
    "remove both, the older one first": (two_versions, drop(1), drop(0)),
    "hide, and remove what is older": (two_versions, hide, drop(1)),
    "put and hide": (two_versions, put(b"one", 1), hide),
    "remove all of what is hidden": (hidden, drop(0), drop(1)),
    "replace the null version twice": (suspended, put(b"one", 1), put(b"another", 2)),
    "hide and remove the null version": (suspended, hide, drop(1)),
    "tag and put": (two_versions, alone(tag), put(b"one", 1)),
    "tag and hide": (two_versions, alone(tag), hide),
    "tag and remove": (two_versions, alone(tag), drop(0)),
    "complete and put": (begun, alone(complete), put(b"one", 1)),
    "complete and hide": (begun, alone(complete), hide),
    "complete and remove": (begun, alone(complete), drop(0)),
}


PAIRS = [
    *(("xattr", name) for name in TOGETHER),
    *(("sidecar", name) for name in ("remove both", "tag and hide")),
    *((kind, "put twice") for kind in ("fsync", "pool of rows and files")),
]


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_verbs_of_one_key_that_are_cut_short_together_are_each_done_or_not(kind, name, tmp_path):
    before, *verbs = TOGETHER[name]
    setup = SETUPS[kind]

    def work(shop: Shop, key: bytes, places: tuple[int, ...]) -> list[Callable[[], None]]:
        ids = ids_of(shop, key)
        return [partial(verbs[place], shop, key, ids) for place in places]

    def one_by_one(shop: Shop, key: bytes, places: tuple[int, ...]) -> None:
        for one in work(shop, key, places):
            one()

    def together(shop: Shop, key: bytes) -> None:
        shop.objects.catalog.together(work(shop, key, (0, 1)))

    done = [
        found_at_the_end(setup, Deed(before, partial(one_by_one, places=places)), PATH, tmp_path)
        for places in ((), (0,), (1,), (0, 1), (1, 0))
    ]
    found = found_after_each_step(setup, Deed(before, together), PATH, tmp_path)
    for steps, states in enumerate(found):
        for place, when in enumerate(WHEN):
            # Who waits for a flush comes later.
            allowed = [state[place] for state in (done[3:] if steps == len(found) - 1 else done)]
            assert states[place] in allowed, f"{when}, cut short after step {steps}"
