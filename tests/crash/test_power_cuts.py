"""The power is cut while verbs change a data directory: every key is whole, in a state that it had since the last flush.

See tests/crash/disks.py for what may be lost. With POWER_CUTS=1000 in the environment so many cuts are tried of each case, with another
POWER_SEED others.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from gecko_tw.store.requests import Copy, Source
from tests.crash import test_versions
from tests.crash.cuts import CUTS, Act, History, Rig, flush, some_cuts
from tests.crash.deeds import (
    DEEDS,
    LATER,
    NEW,
    OTHERS,
    PATH,
    Deed,
    Setup,
    an_object,
    an_upload,
    complete,
    copy,
    copy_onto_itself,
    join,
    nothing,
    prepare,
    remove,
    said,
    two_objects,
)
from tests.crash.disks import Cut
from tests.crash.test_steps import CASES, SETUPS, comparable
from tests.crash.test_versions import ids_of, kept, remove_version, suspended, switched, tag, two_versions
from tests.store.shop import BUCKET, Shop

QUICK = 4


def rig_of(setup: Setup) -> Rig:
    return Rig(setup, rebuilt=partial(comparable, setup=setup))


def cut(rig: Rig, deed: Deed, key: bytes, tmp_path: Path, name: str) -> None:
    """A verb of one key, and one of another, later: files of the same time are of the same version."""
    acts: list[Act] = [lambda shop: deed.act(shop, key), lambda shop: shop.put(OTHERS[0], NEW, now=LATER + 10**9)]
    history = rig.history(tmp_path / "whole", lambda shop: prepare(shop, deed, key), acts)
    rig.check(history, some_cuts(history, name, CUTS or QUICK), tmp_path / "cut")


@pytest.mark.parametrize(("kind", "name", "key"), CASES)
def test_a_power_cut_leaves_each_key_in_a_state_that_it_had_since_the_last_flush(kind, name, key, tmp_path):
    cut(rig_of(SETUPS[kind]), DEEDS[name], key, tmp_path, f"{kind} {name} {key}")


@pytest.mark.parametrize(("kind", "name", "key"), test_versions.CASES)
def test_a_power_cut_leaves_all_versions_of_a_key_in_a_state_that_they_had(kind, name, key, tmp_path):
    cut(rig_of(SETUPS[kind]), test_versions.DEEDS[name], key, tmp_path, f"{kind} {name} {key}")


def put(size: int, seconds: int) -> Act:
    return lambda shop: shop.put(PATH, b"%d; " % seconds * size, now=LATER + seconds * 10**9, **said(str(seconds)))


def lone(verb: Callable[[Shop, bytes], None]) -> Act:
    return lambda shop: verb(shop, PATH)


def versioning(status: str) -> Act:
    return lambda shop: switched(shop, versioning=status)


def copy_back(shop: Shop) -> None:
    """Over what it was made from."""
    shop.objects.copy(Source(bucket=BUCKET, key=PATH), BUCKET, b"source", Copy(now=LATER))


def remove_all(shop: Shop) -> None:
    for key in shop.listed():
        shop.remove(key)


def put_at(key: bytes) -> Act:
    return lambda shop: shop.put(key, NEW, now=LATER, **said("new"))


def a_file_above(shop: Shop, key: bytes) -> None:
    """Where a directory of the key's path must be."""
    remove_all(shop)
    put_at(ABOVE)(shop)


ABOVE = PATH.rpartition(b"/")[0]
PUTS = (put(10, 1), put(3000, 2), lone(remove), put(400, 3))
UNJOINED = (lone(complete), put(2000, 1), lone(remove))
CHAINS = {
    "put, put, remove, put": (an_object, *PUTS),
    "put, remove, put, put": (nothing, put(5000, 1), lone(remove), put(5000, 2), put(5000, 3)),
    "put and flush, and go on": (an_object, put(3000, 1), flush, *PUTS[2:], flush, put(5000, 4), lone(remove)),
    "versions": (kept, *PUTS),
    "versions and flush": (
        two_versions,
        put(3000, 1),
        flush,
        lone(remove_version(0)),
        lone(remove_version(0)),
        put(9, 2),
    ),
    "versions suspended": (suspended, *PUTS),
    "versions switched on and off": (
        an_object,
        *(versioning("Enabled"), put(3000, 1), lone(remove), versioning("Suspended"), put(3000, 2), put(2000, 3)),
    ),
    "complete, put, remove": (an_upload, *UNJOINED),
    "complete, join, put": (an_upload, lone(complete), lone(join), put(3000, 1)),
    "complete, flush, join, remove": (an_upload, lone(complete), flush, lone(join), lone(remove)),
    "copy, overwrite the copy and the source": (two_objects, lone(copy), put(2000, 1), copy_back),
    "tags and tags": (an_object, lone(tag), lone(copy_onto_itself), lone(tag), put(3000, 1)),
    "remove everything, put": (an_object, remove_all, put(3000, 1), lone(remove)),
    "a file, and then its directory": (a_file_above, remove_all, put(3000, 1)),
    "a directory, and then a file there": (an_object, remove_all, put_at(ABOVE)),
}
KINDS = ("xattr", "sidecar", "bytes only", "fsync", "pool of rows and files", "pool of files")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHAINS)
def test_a_power_cut_undoes_no_more_than_the_last_verbs(kind, name, tmp_path):
    before, *acts = CHAINS[name]
    rig = rig_of(SETUPS[kind])
    history = rig.history(tmp_path / "whole", lambda shop: prepare(shop, Deed(before, nothing), PATH), acts)
    rig.check(history, some_cuts(history, f"{kind} {name}", CUTS or QUICK), tmp_path / "cut")


@pytest.mark.parametrize(("kind", "name"), test_versions.PAIRS)
def test_a_power_cut_while_verbs_are_done_together_leaves_each_of_them_done_or_not(kind, name, tmp_path):
    before, *verbs = test_versions.TOGETHER[name]
    rig = rig_of(SETUPS[kind])

    def work(shop: Shop, places: tuple[int, ...]) -> list[Callable[[], None]]:
        ids = ids_of(shop, PATH)
        return [partial(verbs[place], shop, PATH, ids) for place in places]

    def one_by_one(places: tuple[int, ...], shop: Shop) -> None:
        for one in work(shop, places):
            one()

    def together(shop: Shop) -> None:
        shop.objects.catalog.together(work(shop, (0, 1)))

    def history(act: Act) -> History:
        folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "whole"
        return rig.history(folder, lambda shop: prepare(shop, Deed(before, nothing), PATH), [act])

    orders = (0, 1), (1, 0)
    halves = [history(partial(one_by_one, order[:1])).states[-1] for order in orders]
    ends = [history(partial(one_by_one, order)).states[-1] for order in orders]
    one = history(together)
    cuts = some_cuts(one, f"{kind} {name}", CUTS or QUICK)
    rig.check(evolve(one, halves=tuple(halves), ends=tuple(ends)), cuts, tmp_path / "cut")


@pytest.mark.parametrize("kind", ["xattr", "sidecar", "fsync", "pool of files"])
def test_what_a_flush_has_removed_is_gone_or_still_known_after_a_power_cut(kind, tmp_path):
    """Everything of the catalog survives, and of the changes of names only what must."""
    rig = rig_of(SETUPS[kind])
    acts: list[Act] = [lone(remove_version(1)), flush, put(3000, 1), lone(remove_version(1)), flush]
    history = rig.history(tmp_path / "whole", lambda shop: prepare(shop, Deed(two_versions, nothing), PATH), acts)
    points = range(history.start, len(history.recording.changes) + 1)
    cuts = [Cut(point, history.recording.least(point)[0], point) for point in points]
    rig.check(history, cuts, tmp_path / "cut")
