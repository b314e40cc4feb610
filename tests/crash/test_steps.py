"""Cut short at any step by SIGKILL, a verb leaves its key wholly in the old or wholly in the new state, and nothing lying about.

I1: what was acknowledged is there. I2: a key is in its old or its new state. I3: the catalog can be made again from the files.
I4: no staged byte outlives its grace period.
"""

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import finish, in_child
from tests.crash.copies import copies_of, seen_in
from tests.crash.deeds import (
    DEEDS,
    NO_PATH,
    OTHERS,
    PATH,
    POOLS,
    Deed,
    Setup,
    an_object,
    everything,
    litter,
    overwrite,
    prepare,
    remove,
)
from tests.crash.killing import Work, killed_after
from tests.store.shop import Shop

State = dict[bytes, Any]

SETUPS = {
    "xattr": Setup(),
    "sidecar": Setup(attributes="sidecar"),
    "bytes only": Setup(metadata=False),
    "fsync": Setup(fsync=True),
    **POOLS,
}
CASES = [
    *(("xattr", name, key) for name in DEEDS for key in (PATH, NO_PATH)),
    *((kind, name, PATH) for name in DEEDS for kind in ("sidecar", "bytes only")),
    *(("fsync", name, PATH) for name in ("put", "overwrite", "remove", "complete")),
    *((kind, name, PATH) for name in DEEDS for kind in POOLS),
]
"""Where descriptions lie makes a difference only for files at a path; how durable they are, hardly any."""
FAR = 10_000
WHEN = ("at once", "once made again from the files")


def performed(folder: Path, setup: Setup, deed: Deed, key: bytes) -> Work:
    """The verb, to be cut short."""

    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        with setup.shop(folder) as shop:
            prepare(shop, deed, key)
            shop.listed()
            begin()
            deed.act(shop, key)
            end()

    return work


def seen(folder: Path, setup: Setup) -> tuple[State, State]:
    """What a new process finds at once, and what once the catalog was made again from the files.

    In between it sweeps with no grace; then nothing may be left that nobody refers to.
    """
    with setup.shop(folder) as shop:
        at_once = everything(shop)
        swept(shop, folder, at_once)
        setup.rebuild(shop)
        rebuilt = everything(shop)
        swept(shop, folder, rebuilt)
    shutil.rmtree(folder)
    return at_once, comparable(rebuilt, setup)


def swept(shop: Shop, folder: Path, state: State) -> None:
    shop.driver.flush()
    shop.upkeep.sweep(-60)
    assert everything(shop) == state, "sweeping changed something"
    assert litter(folder, shop) == []


def comparable(state: State, setup: Setup) -> State:
    """What the files can tell of a state: without attributes, the bytes alone."""
    if setup.metadata:
        return state
    return {key: entry["object"] and entry["object"]["body"] for key, entry in state.items()}


@pytest.mark.parametrize(("kind", "name", "key"), CASES)
def test_a_verb_that_is_cut_short_leaves_the_old_or_the_new_state(kind, name, key, tmp_path):
    cut_short_anywhere(SETUPS[kind], DEEDS[name], key, tmp_path)


def cut_short_anywhere(setup: Setup, deed: Deed, key: bytes, tmp_path: Path) -> None:
    """Cuts a verb short after every one of its steps, and looks."""
    old, *_, new = found = found_after_each_step(setup, deed, key, tmp_path)
    assert {other: old[0][other] for other in OTHERS} == {other: new[0][other] for other in OTHERS}
    for steps, states in enumerate(found):
        for place, when in enumerate(WHEN):
            assert states[place] in (old[place], new[place]), f"{when}, cut short after step {steps}"
    assert len(found) > 3


@pytest.mark.parametrize("kind", ["xattr", "fsync", "pool of rows and files"])
def test_verbs_that_are_cut_short_together_leave_each_key_in_its_old_or_its_new_state(kind, tmp_path):
    first, second, third, _ = OTHERS

    def together(shop: Shop, key: bytes) -> None:
        verbs = [partial(overwrite, shop, key), partial(overwrite, shop, second), partial(remove, shop, third)]
        shop.objects.catalog.together([*verbs, partial(overwrite, shop, first), partial(remove, shop, first)])

    setup = SETUPS[kind]
    old, *_, new = found = found_after_each_step(setup, Deed(an_object, together), PATH, tmp_path)
    # Two verbs change this one, and either may be the first.
    midway = [
        found_at_the_end(setup, Deed(an_object, lambda shop, _, verb=verb: verb(shop, first)), PATH, tmp_path)
        for verb in (overwrite, remove)
    ]
    mixed = 0
    for steps, states in enumerate(found):
        for place, when in enumerate(WHEN):
            changed = {name for name in old[place] if states[place][name] != old[place][name]}
            for name in changed:
                allowed = [new[place][name], *(state[0][name] for state in midway if name == first)]
                assert states[place][name] in allowed, f"{name!r} {when}, cut short after step {steps}"
            mixed += 0 < len(changed) < 4
    # All of a transaction or nothing; where bodies wait to be flushed, removals are in one of their own.
    assert (mixed > 0) == (kind == "fsync")


def found_after_each_step(setup: Setup, deed: Deed, key: bytes, tmp_path: Path) -> list[tuple[State, State]]:
    """What is seen of what a verb leaves when it is cut short before its first step, after each, and once it is acknowledged."""
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    copies = copies_of(folder / "whole", performed(folder / "whole", setup, deed, key))
    found = seen_in(copies, folder / "left", partial(seen, setup=setup))
    for at_once, rebuilt in (found[0], found[-1]):
        assert rebuilt == comparable(at_once, setup)
    return found


def found_at_the_end(setup: Setup, deed: Deed, key: bytes, tmp_path: Path) -> tuple[State, State]:
    """What is seen of what a verb leaves once it is acknowledged."""
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    end = finish(*killed_after(FAR, performed(folder, setup, deed, key)))
    assert end.killed and end.acknowledged
    at_once, rebuilt = in_child(seen, folder, setup)
    assert rebuilt == comparable(at_once, setup)
    return at_once, rebuilt
