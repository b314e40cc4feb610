"""Cut short at any step by SIGKILL, a verb leaves its key wholly in the old or wholly in the new state, and nothing lying about.

I1: what was acknowledged is there. I2: a key is in its old or its new state. I3: the catalog can be made again from the files.
I4: no staged byte outlives its grace period.
"""

import shutil
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import Child, die, finish, looking, start
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
    nothing,
    overwrite,
    prepare,
    remove,
)
from tests.crash.killing import watched
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
AT_ONCE = 2
FAR = 10_000


def cut_short(folder: Path, setup: Setup, deed: Deed, key: bytes, steps: int) -> Child:
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

    return start(work)


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
    old, new = whole(setup, deed, key, tmp_path)
    assert {other: old[0][other] for other in OTHERS} == {other: new[0][other] for other in OTHERS}
    steps = 0
    for steps, acknowledged, found in cut_short_each_time(setup, deed, key, tmp_path):
        for place, when in enumerate(("at once", "once made again from the files")):
            allowed = [new[place]] if acknowledged else [old[place], new[place]]
            assert found[place] in allowed, f"{when}, cut short after step {steps}"
    assert steps > 1


@pytest.mark.parametrize("kind", ["xattr", "fsync", "pool of rows and files"])
def test_verbs_that_are_cut_short_together_leave_each_key_in_its_old_or_its_new_state(kind, tmp_path):
    first, second, third, _ = OTHERS

    def together(shop: Shop, key: bytes) -> None:
        verbs = [partial(overwrite, shop, key), partial(overwrite, shop, second), partial(remove, shop, third)]
        shop.objects.catalog.together([*verbs, partial(overwrite, shop, first), partial(remove, shop, first)])

    setup, deed = SETUPS[kind], Deed(an_object, together)
    old, new = whole(setup, deed, PATH, tmp_path)
    # Two verbs change this one, and either may be the first.
    midway = [
        whole(setup, Deed(an_object, lambda shop, _, verb=verb: verb(shop, first)), PATH, tmp_path)[1][0][first]
        for verb in (overwrite, remove)
    ]
    mixed = 0
    for steps, acknowledged, found in cut_short_each_time(setup, deed, PATH, tmp_path):
        for place, when in enumerate(("at once", "once made again from the files")):
            changed = {name for name in old[place] if found[place][name] != old[place][name]}
            for name in changed:
                allowed = [new[place][name], *(midway if name == first else ())]
                assert found[place][name] in allowed, f"{name!r} {when}, cut short after step {steps}"
            assert not acknowledged or found[place] == new[place]
            mixed += 0 < len(changed) < 4
    # All of a transaction or nothing; where bodies wait to be flushed, removals are in one of their own.
    assert (mixed > 0) == (kind == "fsync")


def whole(setup: Setup, deed: Deed, key: bytes, tmp_path: Path) -> tuple[tuple[State, State], tuple[State, State]]:
    """What is seen before and after a verb that is not cut short."""
    old, new = (states(setup, one, key, tmp_path, FAR)[0][1] for one in (Deed(deed.before, nothing), deed))
    for state in (old, new):
        assert state[1] == comparable(state[0], setup)
    return old, new


def cut_short_each_time(
    setup: Setup, deed: Deed, key: bytes, tmp_path: Path
) -> Iterator[tuple[int, bool, tuple[State, State]]]:
    """After how many steps it was cut short, whether it was acknowledged, and what was seen then."""
    for steps in count(1, AT_ONCE):
        found = states(setup, deed, key, tmp_path, *range(steps, steps + AT_ONCE))
        for step, (acknowledged, state) in enumerate(found, steps):
            yield step, acknowledged, state
        if found[-1][0]:
            break


def states(
    setup: Setup, deed: Deed, key: bytes, tmp_path: Path, *counts: int
) -> list[tuple[bool, tuple[State, State]]]:
    """Whether the verb was acknowledged when it may take so many steps, and what was seen then; several at once."""
    folders = [tmp_path / str(steps) for steps in counts]
    cut = [cut_short(folder, setup, deed, key, steps) for folder, steps in zip(folders, counts, strict=True)]
    ends = [finish(*child) for child in cut]
    assert all(end.killed for end in ends)
    looks = [finish(*child) for child in [looking(seen, folder, setup) for folder in folders]]
    return [(end.acknowledged, look.result) for end, look in zip(ends, looks, strict=True)]
