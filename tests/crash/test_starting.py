"""Starting for the first time and making the catalog again, cut short at any step, can simply be done again."""

import shutil
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import die, finish, in_child, start
from tests.crash.deeds import DEEDS, PATH, Setup, everything, prepare
from tests.crash.killing import watched
from tests.crash.test_steps import copy_of


def ends(work: Any) -> bool:
    """Whether the work in a child was acknowledged before the child was killed."""
    end = finish(*start(work))
    assert end.killed
    return end.acknowledged


def test_a_first_start_that_is_cut_short_is_done_again(tmp_path):
    setup = Setup()
    for steps in count(1):
        folder = tmp_path / str(steps)

        def work(acknowledge: Any, folder: Path = folder, steps: int = steps) -> None:
            watched().no_farther_than(steps)
            with setup.shop(folder):
                acknowledge(None)
                die()

        acknowledged = ends(work)
        in_child(prepare, folder, setup, DEEDS["put"], PATH)
        if acknowledged:
            break
    assert steps > 1


@pytest.mark.parametrize("attributes", ["xattr", "sidecar"])
def test_a_rebuild_that_is_cut_short_loses_nothing(attributes, tmp_path):
    setup, template = Setup(attributes=attributes), tmp_path / "data"

    def seen(folder: Path) -> Any:
        with setup.shop(folder) as shop:
            return everything(shop)

    def rebuilt(folder: Path) -> Any:
        with setup.shop(folder) as shop:
            shop.driver.rebuild()
            return everything(shop)

    in_child(prepare, template, setup, DEEDS["complete"], PATH)
    expected = in_child(seen, template)
    for steps in count(1):
        folder = copy_of(template, steps)

        def work(acknowledge: Any, folder: Path = folder, steps: int = steps) -> None:
            countdown = watched()
            with setup.shop(folder) as shop:
                countdown.no_farther_than(steps)
                shop.driver.rebuild()
                acknowledge(None)
                die()

        acknowledged = ends(work)
        assert in_child(seen, folder) == expected
        assert in_child(rebuilt, folder) == expected
        shutil.rmtree(folder)
        if acknowledged:
            break
    assert steps > 1
