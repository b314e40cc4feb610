"""The power is cut while verbs change a data directory: every key is whole, in a state that it had since the last flush.

See tests/crash/disks.py for what may be lost. With POWER_CUTS=1000 in the environment so many cuts are tried of each case, with another
POWER_SEED others.
"""

from functools import partial
from pathlib import Path

import pytest

from tests.crash import test_versions
from tests.crash.cuts import CUTS, Rig, some_cuts
from tests.crash.deeds import DEEDS, OTHERS, Deed, Setup, overwrite, prepare
from tests.crash.test_steps import CASES, SETUPS, comparable

QUICK = 6


def rig_of(setup: Setup) -> Rig:
    return Rig(setup, rebuilt=partial(comparable, setup=setup))


def cut(rig: Rig, deed: Deed, key: bytes, tmp_path: Path, name: str) -> None:
    """A verb of one key, and one of another."""
    acts = [lambda shop: deed.act(shop, key), lambda shop: overwrite(shop, OTHERS[0])]
    history = rig.history(tmp_path / "whole", lambda shop: prepare(shop, deed, key), acts)
    rig.check(history, some_cuts(history, name, CUTS or QUICK), tmp_path / "cut")


@pytest.mark.parametrize(("kind", "name", "key"), CASES)
def test_a_power_cut_leaves_each_key_in_a_state_that_it_had_since_the_last_flush(kind, name, key, tmp_path):
    cut(rig_of(SETUPS[kind]), DEEDS[name], key, tmp_path, f"{kind} {name} {key}")


@pytest.mark.parametrize(("kind", "name", "key"), test_versions.CASES)
def test_a_power_cut_leaves_all_versions_of_a_key_in_a_state_that_they_had(kind, name, key, tmp_path):
    cut(rig_of(SETUPS[kind]), test_versions.DEEDS[name], key, tmp_path, f"{kind} {name} {key}")
