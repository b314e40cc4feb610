"""Cut short at any step by SIGKILL, a verb leaves its key wholly in the old or wholly in the new state, and nothing lying about.

I1: what was acknowledged is there. I2: a key is in its old or its new state. I3: the catalog can be made again from the files.
I4: no staged byte outlives its grace period.
"""

import shutil
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import End, die, finish, in_child, start
from tests.crash.deeds import DEEDS, NO_PATH, OTHERS, PATH, Deed, Setup, everything, litter, nothing, prepare
from tests.crash.killing import watched
from tests.store.shop import Shop

State = dict[bytes, Any]

SETUPS = {
    "xattr": Setup(),
    "sidecar": Setup(attributes="sidecar"),
    "bytes only": Setup(metadata=False),
    "fsync": Setup(fsync=True),
}
FAR = 10_000


def cut_short(folder: Path, setup: Setup, deed: Deed, key: bytes, steps: int) -> End:
    """The verb in a child that is killed after so many steps, or, when there are not so many, after it is acknowledged."""

    def work(acknowledge: Any) -> None:
        countdown = watched()
        with setup.shop(folder) as shop:
            prepare(shop, deed, key)
            shop.listed()
            countdown.no_farther_than(steps)
            deed.act(shop, key)
            acknowledge(None)
            die()

    return finish(*start(work))


def seen(folder: Path, setup: Setup) -> tuple[State, State]:
    """What a new process finds at once, and what once the catalog was made again from the files.

    In between it sweeps with no grace; then nothing may be left that nobody refers to.
    """
    with setup.shop(folder) as shop:
        at_once = everything(shop)
        swept(shop, folder, at_once)
        shop.driver.rebuild()
        rebuilt = everything(shop)
        swept(shop, folder, rebuilt)
    shutil.rmtree(folder)
    return at_once, comparable(rebuilt, setup)


def swept(shop: Shop, folder: Path, state: State) -> None:
    shop.upkeep.sweep(-60)
    assert everything(shop) == state, "sweeping changed something"
    assert litter(folder, shop) == []


def comparable(state: State, setup: Setup) -> State:
    """What the files can tell of a state: without attributes, the bytes alone."""
    if setup.metadata:
        return state
    return {key: entry["object"] and entry["object"]["body"] for key, entry in state.items()}


@pytest.mark.parametrize("key", [PATH, NO_PATH], ids=["a path", "no path"])
@pytest.mark.parametrize("name", DEEDS)
@pytest.mark.parametrize("kind", SETUPS)
def test_a_verb_that_is_cut_short_leaves_the_old_or_the_new_state(kind, name, key, tmp_path):
    setup, deed = SETUPS[kind], DEEDS[name]
    assert cut_short(tmp_path / "old", setup, Deed(deed.before, nothing), key, FAR).acknowledged
    assert cut_short(tmp_path / "new", setup, deed, key, FAR).acknowledged
    (old, old_rebuilt), (new, new_rebuilt) = (in_child(seen, tmp_path / name, setup) for name in ("old", "new"))
    assert (old_rebuilt, new_rebuilt) == (comparable(old, setup), comparable(new, setup))
    for other in OTHERS:
        assert old[other] == new[other]
    for steps in count(1):
        folder = tmp_path / str(steps)
        end = cut_short(folder, setup, deed, key, steps)
        assert end.killed
        at_once, rebuilt = in_child(seen, folder, setup)
        assert at_once == new if end.acknowledged else at_once in (old, new), f"at once, after step {steps}"
        assert rebuilt == new_rebuilt if end.acknowledged else rebuilt in (old_rebuilt, new_rebuilt), (
            f"made again from the files, after step {steps}"
        )
        if end.acknowledged:
            break
    assert steps > 1
