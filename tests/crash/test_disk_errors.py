"""When the disk refuses any one call of a step, or that and all that follow, nobody is told anything wrong.

What is refused has no effect, what is acknowledged has its whole effect, and once the disk works again listings and objects agree.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.drivers.files import beneath, placing
from gecko_tw.store.drivers.sqlite import commits
from gecko_tw.store.refusals import InsufficientStorage
from tests.crash.deeds import DEEDS, NO_PATH, PATH, POOLS, Deed, Setup, everything, prepare
from tests.crash.killing import CHANGES, MAKING

SETUPS = {"xattr": Setup(), "sidecar": Setup(attributes="sidecar"), "fsync": Setup(fsync=True), **POOLS}
CASES = [
    *(("xattr", name, PATH) for name in DEEDS),
    *(("sidecar", name, PATH) for name in ("overwrite", "remove", "copy onto itself", "complete", "join")),
    *(("fsync", name, PATH) for name in ("overwrite", "complete")),
    *(("xattr", name, NO_PATH) for name in ("overwrite", "remove")),
    *(("pool of rows and files", name, PATH) for name in ("overwrite", "remove", "complete", "abort")),
]


class Faults:
    """Calls that change the disk, some of which fail.

    :param first: the first one that fails, counted from 1; ``many`` fail one after the other, with the errno ``number``.
    :ivar count: how many there were.
    """

    def __init__(self, first: int, many: int, number: int) -> None:
        self.count = 0
        self._failing = range(first, first + many)
        self._number = number

    def step(self) -> None:
        self.count += 1
        if self.count in self._failing:
            raise OSError(self._number, os.strerror(self._number))

    def before(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.step()
            return real(*arguments, **named)

        return call

    def opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
            if flags & MAKING:
                self.step()
            return real(path, flags, *arguments, **named)

        return call


@contextmanager
def faults(first: int, many: int, number: int) -> Iterator[Faults]:
    found = Faults(first, many, number)
    with pytest.MonkeyPatch.context() as patch:
        for name in (*CHANGES, "write", "pwrite"):
            patch.setattr(os, name, found.before(getattr(os, name)))
        patch.setattr(os, "open", found.opening(os.open))
        patch.setattr(fcntl, "ioctl", found.before(fcntl.ioctl))
        patch.setattr(placing, "exchange", found.before(beneath.exchange))
        yield found


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """What could not be put back is tried again at the next look."""
    monkeypatch.setattr(commits, "PAUSE", 0.0)


@pytest.mark.parametrize("many", [1, 10_000], ids=["one call", "all from then on"])
@pytest.mark.parametrize(("kind", "name", "key"), CASES)
def test_a_verb_that_the_disk_refuses_has_its_whole_effect_or_none(kind, name, key, many, tmp_path):
    setup, deed = SETUPS[kind], DEEDS[name]
    for first in range(1, steps_of(setup, deed, key, tmp_path) + 1):
        with setup.shop(tmp_path / str(first)) as shop:
            prepare(shop, deed, key)
            old = everything(shop)
            refused = None
            with faults(first, many, errno.EIO if first % 2 else errno.EACCES):
                try:
                    deed.act(shop, key)
                except (OSError, InsufficientStorage, sqlite3.Error, AssertionError) as error:
                    refused = error
            seen = everything(shop)
            if refused is not None:
                assert seen == old, f"call {first} was refused with {refused!r}"
            else:
                assert seen[key] != old[key] or name == "join", f"call {first}"
            if setup.small is None:
                shop.driver.rebuild()
                assert everything(shop) == seen, f"made again from the files after call {first}"


def steps_of(setup: Setup, deed: Deed, key: bytes, tmp_path: Path) -> int:
    """How many calls a verb makes that change the disk."""
    with setup.shop(tmp_path / "whole") as shop:
        prepare(shop, deed, key)
        with faults(0, 0, 0) as found:
            deed.act(shop, key)
    assert found.count
    return found.count
