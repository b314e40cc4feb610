"""What is moved from key to key while the power is cut is under one of them; what is encrypted is as whole as anything else."""

from functools import partial

import pytest

from gecko_tw.store.renaming import Rename, rename
from gecko_tw.store.requests import Copy, Source
from tests.crash.cuts import CUTS, Rig, State, some_cuts
from tests.crash.deeds import LATER, NEW, NO_PATH, OLD, PATH, Deed, everything, nothing, prepare, two_objects
from tests.crash.test_steps import SETUPS
from tests.store.shop import BUCKET, Shop

QUICK = 12
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
