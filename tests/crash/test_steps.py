"""Cut short at any step by SIGKILL, a verb leaves its key wholly in the old or wholly in the new state, and nothing lying about.

I1: what was acknowledged is there. I2: a key is in its old or its new state. I3: the catalog can be made again from the files.
I4: no staged byte outlives its grace period.
"""

import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import End, die, finish, in_child, start
from tests.crash.deeds import DEEDS, NO_PATH, OTHERS, PATH, Deed, Setup, everything, litter, prepare
from tests.crash.killing import watched

SETUPS = {
    "xattr": Setup(),
    "sidecar": Setup(attributes="sidecar"),
    "bytes only": Setup(metadata=False),
    "fsync": Setup(fsync=True),
}
FAR = 10_000


def copy_of(template: Path, number: int) -> Path:
    folder = template.with_name(f"{template.name}-{number}")
    subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
    return folder


def cut_short(folder: Path, setup: Setup, deed: Deed, key: bytes, steps: int) -> End:
    """The verb in a child that is killed after so many steps, or, when there are not so many, after it is acknowledged."""

    def work(acknowledge: Any) -> None:
        countdown = watched()
        with setup.shop(folder) as shop:
            shop.listed()
            countdown.no_farther_than(steps)
            deed.act(shop, key)
            acknowledge(None)
            die()

    return finish(*start(work))


def seen(folder: Path, setup: Setup) -> dict[bytes, Any]:
    """What a new process finds: at once, after sweeping with no grace, and after making the catalog again from the files."""
    with setup.shop(folder) as shop:
        at_once = everything(shop)
        shop.upkeep.sweep(-60)
        assert everything(shop) == at_once, "sweeping changed something"
        assert litter(folder, shop) == []
        shop.driver.rebuild()
        assert comparable(everything(shop), setup) == comparable(at_once, setup), "the files tell something else"
        assert litter(folder, shop) == []
    return at_once


def comparable(state: dict[bytes, Any], setup: Setup) -> Any:
    """Without attributes the files keep the bytes alone."""
    if setup.metadata:
        return state
    return {key: entry["object"] and entry["object"]["body"] for key, entry in state.items()}


@pytest.mark.parametrize("key", [PATH, NO_PATH], ids=["a path", "no path"])
@pytest.mark.parametrize("name", DEEDS)
@pytest.mark.parametrize("kind", SETUPS)
def test_a_verb_that_is_cut_short_leaves_the_old_or_the_new_state(kind, name, key, tmp_path):
    setup, deed, template = SETUPS[kind], DEEDS[name], tmp_path / "data"
    in_child(prepare, template, setup, deed, key)
    old = in_child(seen, copy_of(template, 0), setup)
    assert cut_short(copy_of(template, FAR), setup, deed, key, FAR).acknowledged
    new = in_child(seen, template.with_name(f"data-{FAR}"), setup)
    for other in OTHERS:
        assert old[other] == new[other]
    for steps in count(1):
        folder = copy_of(template, steps)
        end = cut_short(folder, setup, deed, key, steps)
        assert end.killed
        found = in_child(seen, folder, setup)
        shutil.rmtree(folder)
        if end.acknowledged:
            assert found == new
            break
        assert found in (old, new), f"neither old nor new after step {steps}"
    assert steps > 1
