"""What is moved from key to key while the power is cut is under one of them; what is encrypted is as whole as anything else."""

from functools import partial

import pytest

from gecko_tw.store.encryption.data_keys import S3
from gecko_tw.store.objects import Objects
from gecko_tw.store.renaming import Rename, rename
from gecko_tw.store.requests import Copy, Encryption, Put, Source
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads
from tests.crash.cuts import CUTS, Act, Rig, State, some_cuts
from tests.crash.deeds import LATER, NEW, NO_PATH, OLD, PATH, Deed, everything, nothing, prepare, two_objects
from tests.crash.test_steps import SETUPS
from tests.store.encryption.rings import data_keys
from tests.store.shop import BUCKET, Shop

QUICK = 6
SOURCE = b"source"


def renamed(shop: Shop) -> None:
    rename(shop.objects, BUCKET, PATH, Rename(now=LATER, source=SOURCE, check=lambda version: None))


def copied_and_removed(shop: Shop) -> None:
    shop.objects.copy(Source(bucket=BUCKET, key=SOURCE), BUCKET, PATH, Copy(now=LATER))
    shop.remove(SOURCE)


def exchanged(shop: Shop) -> None:
    """By way of a third key."""
    for source, key in ((SOURCE, NO_PATH), (PATH, SOURCE), (NO_PATH, PATH)):
        shop.objects.copy(Source(bucket=BUCKET, key=source), BUCKET, key, Copy(now=LATER))
        shop.remove(source)


MOVES = {"rename": renamed, "copy and remove": copied_and_removed, "exchange": exchanged}


def bodies(wanted: tuple[bytes, ...], shop: Shop) -> State:
    """Which of some bodies are there under any key."""
    held = {entry["object"]["body"] for entry in everything(shop).values() if entry["object"]}
    return {body[:20]: body in held for body in wanted}


@pytest.mark.parametrize("kind", ["xattr", "sidecar", "bytes only", "fsync", "pool of rows and files", "pool of files"])
@pytest.mark.parametrize("name", MOVES)
def test_what_is_moved_is_still_there_after_a_power_cut(name, kind, tmp_path):
    wanted = (OLD, NEW) if name == "exchange" else (NEW,)
    rig = Rig(SETUPS[kind], look=partial(bodies, wanted))
    history = rig.history(
        tmp_path / "whole", lambda shop: prepare(shop, Deed(two_objects, nothing), PATH), [MOVES[name]]
    )
    assert all(all(state.values()) for state in history.states)
    rig.check(history, some_cuts(history, f"{kind} {name}", CUTS or QUICK), tmp_path / "cut")


def with_keys(shop: Shop) -> Shop:
    """The same store; it can encrypt."""
    objects = Objects(shop.driver.catalog, shop.driver.blobs, keys=KEYS)
    uploads = Uploads(objects, min_part_size=5)
    return Shop(shop.driver, shop.buckets, objects, uploads, Upkeep(uploads))


KEYS = data_keys()
KEYS.seal(Encryption(kind=S3))  # the key that it makes is there in every process


def sealed(key: bytes, body: bytes, seconds: int) -> Act:
    def act(shop: Shop) -> None:
        store = with_keys(shop)
        incoming = store.objects.receive((), lambda: store.objects.keys.seal(Encryption(kind=S3)))
        incoming.push(body)
        store.objects.put(BUCKET, key, incoming, Put(now=LATER + seconds * 10**9))

    return act


ENCRYPTED = {
    "overwrite": [sealed(PATH, NEW, 1), sealed(PATH, OLD, 2)],
    "remove and put": [lambda shop: shop.remove(PATH), sealed(PATH, NEW, 3)],
    "put": [sealed(SOURCE, NEW, 1), lambda shop: shop.remove(SOURCE), sealed(SOURCE, OLD, 2)],
}


@pytest.mark.parametrize("kind", ["xattr", "sidecar", "fsync", "pool of rows and files"])
@pytest.mark.parametrize("name", ENCRYPTED)
def test_what_is_encrypted_is_whole_after_a_power_cut(name, kind, tmp_path):
    def before(shop: Shop) -> None:
        prepare(shop, Deed(lambda shop, key: sealed(key, OLD, 0)(shop), nothing), PATH)

    rig = Rig(SETUPS[kind], look=lambda shop: everything(with_keys(shop)))
    history = rig.history(tmp_path / "whole", before, ENCRYPTED[name])
    rig.check(history, some_cuts(history, f"{kind} {name}", CUTS or QUICK // 2), tmp_path / "cut")
