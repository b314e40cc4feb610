"""Starting for the first time and making the catalog again, cut short at any step, can simply be done again."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.crash.children import in_child
from tests.crash.copies import copies_of, seen_in
from tests.crash.deeds import DEEDS, PATH, Setup, everything, litter, prepare
from tests.crash.killing import Work


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


def first_start(folder: Path, setup: Setup) -> Work:
    """Starting for the first time, to be cut short."""

    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        begin()
        with setup.shop(folder):
            end()

    return work


def made_and_seen(folder: Path, setup: Setup) -> Any:
    """What is seen when a start is done again, and then something is made."""
    made(folder, setup, "overwrite")
    return seen(folder, setup)


@pytest.mark.parametrize("setup", [Setup(), Setup(small=2000)], ids=str)
def test_a_first_start_that_is_cut_short_is_done_again(setup, tmp_path):
    copies = copies_of(tmp_path / "whole", first_start(tmp_path / "whole", setup))
    found = seen_in(copies, tmp_path / "left", partial(made_and_seen, setup=setup))
    expected = in_child(made_and_seen, tmp_path / "expected", setup)
    assert [steps for steps, state in enumerate(found) if state != expected] == []
    assert len(found) > 3


@pytest.mark.parametrize("attributes", ["xattr", "sidecar"])
def test_a_rebuild_that_is_cut_short_loses_nothing(attributes, tmp_path):
    setup = Setup(attributes=attributes)

    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        with setup.shop(tmp_path / "whole") as shop:
            prepare(shop, DEEDS["complete"], PATH)
            begin()
            shop.driver.rebuild()
            end()

    in_child(made, tmp_path / "expected", setup, "complete")
    expected = in_child(seen, tmp_path / "expected", setup)
    found = seen_in(copies_of(tmp_path / "whole", work), tmp_path / "left", partial(seen, setup=setup))
    assert [steps for steps, state in enumerate(found) if state != expected] == []
    assert len(found) > 3
