"""Starting for the first time and making the catalog again, cut short at any step, can simply be done again."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import die, finish, in_child, start
from tests.crash.deeds import DEEDS, PATH, Setup, everything, litter, prepare
from tests.crash.killing import watched


def ends(work: Any) -> bool:
    """Whether the work in a child was acknowledged before the child was killed."""
    end = finish(*start(work))
    assert end.killed
    return end.acknowledged


def made(folder: Path, setup: Setup, name: str) -> None:
    with setup.shop(folder) as shop:
        prepare(shop, DEEDS[name], PATH)


def seen(folder: Path, setup: Setup) -> Any:
    with setup.shop(folder) as shop:
        found = everything(shop)
        shop.upkeep.sweep(-60)
        assert everything(shop) == found
        assert litter(folder, shop) == []
    return found


@pytest.mark.parametrize("setup", [Setup(), Setup(small=2000)], ids=str)
def test_a_first_start_that_is_cut_short_is_done_again(setup, tmp_path):
    in_child(made, tmp_path / "whole", setup, "overwrite")
    expected = in_child(seen, tmp_path / "whole", setup)
    for steps in count(1):
        folder = tmp_path / str(steps)

        def work(acknowledge: Any, folder: Path = folder, steps: int = steps) -> None:
            watched().no_farther_than(steps)
            with setup.shop(folder):
                acknowledge(None)
                die()

        acknowledged = ends(work)
        in_child(made, folder, setup, "overwrite")
        assert in_child(seen, folder, setup) == expected, f"after step {steps}"
        if acknowledged:
            break
    assert steps > 1


@pytest.mark.parametrize("attributes", ["xattr", "sidecar"])
def test_a_rebuild_that_is_cut_short_loses_nothing(attributes, tmp_path):
    setup = Setup(attributes=attributes)
    in_child(made, tmp_path / "whole", setup, "complete")
    expected = in_child(seen, tmp_path / "whole", setup)
    for steps in count(1):
        folder = tmp_path / str(steps)

        def work(acknowledge: Any, folder: Path = folder, steps: int = steps) -> None:
            countdown = watched()
            with setup.shop(folder) as shop:
                prepare(shop, DEEDS["complete"], PATH)
                countdown.no_farther_than(steps)
                shop.driver.rebuild()
                acknowledge(None)
                die()

        acknowledged = ends(work)
        assert in_child(seen, folder, setup) == expected, f"after step {steps}"
        if acknowledged:
            break
    assert steps > 1
