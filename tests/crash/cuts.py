"""The power is cut while verbs change a data directory: what may be found then, and what is."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen

from tests.crash.deeds import Setup, everything, litter
from tests.crash.disks import Chance, Committed, Cut, Fate, Flushed, Recording, Short, Wrote, Zeros, after_power_cut
from tests.crash.power import Recorder, recorder
from tests.store.shop import Shop

State = dict[bytes, Any]
Act = Callable[[Shop], Any]

CUTS = int(os.environ.get("POWER_CUTS", "0"))
"""So many cuts of each case; otherwise as few as the suite has time for."""
SEED = os.environ.get("POWER_SEED", "")


@frozen
class History:
    """What became of a data directory while it was changed.

    :ivar states: what was seen once everything was flushed, and after each act.
    :ivar done: after how many changes each act was acknowledged.
    :ivar flushed: after how many changes a flush had returned, and how many acts had been acknowledged before it.
    """

    recording: Recording
    states: tuple[State, ...]
    done: tuple[int, ...]
    flushed: tuple[tuple[int, int], ...]

    def allowed(self, point: int, fsync: bool) -> tuple[State, ...]:
        """States of which each key may be in any, when the power is cut after so many changes."""
        last = sum(place <= point for place in self.done)
        flushed = [acts for place, acts in self.flushed if place <= point]
        first = last if fsync else max(flushed, default=0)
        return self.states[first : last + 2]


def flush(shop: Shop) -> None:
    """As an act: everything is flushed."""
    shop.driver.flush()


def history(folder: Path, setup: Setup, before: Act, acts: Sequence[Act], look: Act = everything) -> History:
    """Performs acts on what was made before them, and flushed; at last the directory is closed."""
    made = recorder(folder)
    with setup.shop(folder) as shop:
        before(shop)
        made.begin()
        flush_or_mark(shop, made)
        start = len(made.changes)
        states, done, flushed = [look(shop)], [], []
        for act in acts:
            act(shop)
            done.append(len(made.changes))
            if act is flush:
                flushed.append((len(made.changes), len(done)))
            states.append(look(shop))
    if hasattr(shop.driver, "flush"):
        flushed.append((len(made.changes), len(done)))
    recording = made.end()
    return History(recording, tuple(states), tuple(done), ((start, 0), *flushed))


def flush_or_mark(shop: Shop, made: Recorder) -> None:
    if hasattr(shop.driver, "flush"):
        shop.driver.flush()
    else:
        made.flushed()


def some_cuts(history: History, name: str, count: int) -> list[Cut]:
    """So many of the cuts of a history, others for each name: corners first, if all of them are wanted, and then any."""
    random = Random(name + SEED)
    start, end = history.flushed[0][0], len(history.recording.changes)
    corners = list(_corners(history.recording, start, end))
    chosen = random.sample(corners, min(len(corners), -(-count // 2)))
    return chosen + [_any(history.recording, start, end, random) for _ in range(count - len(chosen))]


def _corners(recording: Recording, start: int, end: int) -> Iterator[Cut]:
    """After every change: all, none and every prefix of those of names, with all bytes and none, all transactions and none."""
    for point in range(start, end + 1):
        names, commits = recording.least(point)
        for last, transactions, fate in product(
            _prefixes(recording, names, point), {commits, point}, (Fate, Zeros, Short)
        ):
            yield Cut(point, last, transactions, fate)


def _prefixes(recording: Recording, least: int, point: int) -> Iterator[int]:
    """Each ends with another change of names and the like."""
    yield least
    for place in range(least, point):
        if not isinstance(recording.changes[place], Wrote | Flushed | Committed):
            yield place + 1


def _any(recording: Recording, start: int, end: int, random: Random) -> Cut:
    point = random.randint(start, end)
    names, commits = recording.least(point)
    fate = partial(Chance, random.getrandbits(32))
    return Cut(point, random.randint(names, point), random.randint(commits, point), fate)


def check(history: History, setup: Setup, cuts: Sequence[Cut], folder: Path, rebuilt: Callable[[State], Any]) -> None:
    """Whether each key is found in one of the states that it may be in."""
    recorder(folder)  # so that nothing waits for the disk
    for number, cut in enumerate(cuts):
        folder.mkdir(exist_ok=True)
        place = folder / str(number)
        after_power_cut(history.recording, cut).write(place)
        try:
            _check_one(history.allowed(cut.point, setup.fsync), setup, place, rebuilt)
        except Exception as error:
            error.add_note(f"{setup}, {told(history, cut)}")
            raise


def _check_one(allowed: tuple[State, ...], setup: Setup, folder: Path, rebuilt: Callable[[State], Any]) -> None:
    with setup.shop(folder) as shop:
        found = everything(shop)
        for key in {key for state in (found, *allowed) for key in state}:
            may_be = [state.get(key) for state in allowed]
            assert found.get(key) in may_be, f"{key!r} is {found.get(key)!r}, not any of {may_be!r}"
        if hasattr(shop.driver, "flush"):
            shop.driver.flush()
        assert everything(shop) == found, "flushing changed something"
        shop.upkeep.sweep(-60)
        assert everything(shop) == found, "sweeping changed something"
        assert litter(folder, shop) == []
        setup.rebuild(shop)
        assert rebuilt(everything(shop)) == rebuilt(found), "the files tell something else"


def told(history: History, cut: Cut) -> str:
    """A cut in words."""
    changes = history.recording.changes
    names, commits = history.recording.least(cut.point)
    last = [f"  {place}: {change!r:.300}" for place, change in enumerate(changes[: cut.point])]
    return "\n".join(
        [
            f"{cut}, of {len(changes)} changes; at least {names} and {commits} survive;",
            f"acts acknowledged after {history.done}, flushed after {history.flushed}",
            *last,
        ]
    )
