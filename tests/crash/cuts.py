"""The power is cut while verbs change a data directory: what may be found then, and what is."""

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import awscrt.checksums  # noqa: F401 - a tenth of a second that each child would spend
from attrs import frozen

from gecko_tw.store.drivers.files import torn
from tests.crash.children import finish, in_child, looking
from tests.crash.deeds import Setup, everything, litter
from tests.crash.disks import Ages, Change, Committed, Cut, Flushed, Recording, Wrote, after_power_cut
from tests.crash.fates import Chance, Fate, Short, Zeros
from tests.crash.power import Recorder, recorder
from tests.store.shop import Shop

State = dict[Any, Any]
Act = Callable[[Shop], Any]

CUTS = int(os.environ.get("POWER_CUTS", "0"))
"""So many cuts of each case; otherwise as few as the suite has time for."""
SEED = os.environ.get("POWER_SEED", "")
AT_ONCE = 25
"""Cuts of one child: what it leaves on the disk is removed when it has ended."""


@frozen
class History:
    """What became of a data directory while it was changed.

    :ivar states: what was seen once everything was flushed, and after each act.
    :ivar done: after how many changes each act was acknowledged.
    :ivar flushed: after how many changes a flush had returned, and how many acts had been acknowledged before it.
    :ivar halves: further states that there may be until the last act is done, and ``ends`` further ones that it may end in.
    """

    recording: Recording
    states: tuple[State, ...]
    done: tuple[int, ...]
    flushed: tuple[tuple[int, int], ...]
    halves: tuple[State, ...] = ()
    ends: tuple[State, ...] = ()

    @property
    def start(self) -> int:
        """After so many changes the first flush had returned."""
        return self.flushed[0][0]

    def allowed(self, point: int, fsync: bool) -> tuple[State, ...]:
        """States of which each key may be in any, when the power is cut after so many changes."""
        last = sum(place <= point for place in self.done)
        flushed = [acts for place, acts in self.flushed if place <= point]
        first = last if fsync else max(flushed, default=0)
        halves = self.halves if first < len(self.done) else ()
        return (*self.states[first : last + 2], *halves, *(self.ends if last + 2 >= len(self.states) else ()))

    def told(self, cut: Cut) -> str:
        """A cut in words."""
        names, commits = self.recording.least(cut.point)
        changes = [f"  {place} {_told(change)}" for place, change in enumerate(self.recording.changes[: cut.point])]
        return "\n".join(
            [
                f"{cut}; at least {names} names and {commits} commits survive",
                f"of {len(self.recording.changes)} changes; acts acknowledged after {self.done}, flushed {self.flushed}",
                *changes,
            ]
        )


def _told(change: Change) -> str:
    if isinstance(change, Committed):
        return f"Committed(waited={change.waited}, log={change.kept + len(change.added)})"
    return f"{change!r:.200}"


def flush(shop: Shop) -> None:
    """As an act: everything is flushed."""
    shop.driver.flush()


def keep_ages(ages: Ages) -> None:
    """From now on files of this process's disks are as old as they were when the power was cut, to the nanosecond."""

    def is_recent(self: torn.TornFiles, found: os.stat_result) -> bool:
        return ages.get((found.st_ino, found.st_ctime_ns), found.st_ctime_ns) >= self._since

    torn.SLACK = 0
    torn.TornFiles.is_recent = is_recent  # type: ignore[method-assign]


@frozen
class Rig:
    """How a data directory is used, and looked at.

    :ivar look: what is seen of it, by key.
    :ivar litter: what lies about in it.
    :ivar rebuilt: of a state, what can be told when the catalog was made again from the files.
    """

    setup: Setup
    look: Callable[[Shop], State] = everything
    litter: Callable[[Path, Shop], list[str]] = litter
    rebuilt: Callable[[State], Any] = dict

    def history(self, folder: Path, before: Act, acts: Sequence[Act]) -> History:
        """Performs acts, in a child, on what was made before them and flushed; at last the directory is closed."""
        return in_child(self._history, folder, before, acts)

    def _history(self, folder: Path, before: Act, acts: Sequence[Act]) -> History:
        made = recorder()
        with self.setup.shop(folder) as shop:
            before(shop)
            made.begin(folder)
            shop.driver.flush()
            flushed = [(len(made.changes), 0)]
            states, done = [self.look(shop)], []
            for act in acts:
                act(shop)
                done.append(len(made.changes))
                if act is flush:
                    flushed.append((len(made.changes), len(done)))
                states.append(self.look(shop))
        flushed.append((len(made.changes), len(done)))
        return History(made.end(), tuple(states), tuple(done), tuple(flushed))

    def check(self, history: History, cuts: Sequence[Cut], folder: Path) -> None:
        """Whether after each of the cuts each key is found in one of the states that it may be in."""
        folder.mkdir()
        for start in range(0, len(cuts), AT_ONCE):
            finish(*looking(self._check, history, cuts[start : start + AT_ONCE], folder))
            shutil.rmtree(folder)
            folder.mkdir()

    def _check(self, history: History, cuts: Sequence[Cut], folder: Path) -> None:
        made = recorder()  # so nothing waits for the disk, either
        keep_ages(made.ages)
        for number, cut in enumerate(cuts):
            place = folder / str(number)
            allowed = history.allowed(cut.point, self.setup.fsync)
            try:
                after_power_cut(history.recording, cut).write(place, made.ages)
                if number % 2:
                    self._found(allowed, place)
                else:
                    self._cut_again(made, allowed, place, cut)
            except Exception as error:
                error.add_note(f"{self.setup}, {history.told(cut)}")
                raise

    def _found(self, allowed: tuple[State, ...], folder: Path) -> State:
        """What is found, which must be allowed, and stay so."""
        with self.setup.shop(folder) as shop:
            found = self.look(shop)
            for key in {key for state in (found, *allowed) for key in state}:
                may_be = [state.get(key) for state in allowed]
                assert found.get(key) in may_be, f"{key!r} is {found.get(key)!r}, which is none of {may_be!r}"
            shop.driver.flush()
            assert self.look(shop) == found, "flushing changed something"
            self.setup.rebuild(shop)
            again = self.look(shop)
            assert self.rebuilt(again) == self.rebuilt(found), "the files tell something else"
            shop.upkeep.sweep(-60)
            assert self.look(shop) == again, "sweeping changed something"
            left = self.litter(folder, shop)
            assert left == [], f"left over: {left}"
            return found

    def _cut_again(self, made: Recorder, allowed: tuple[State, ...], folder: Path, cut: Cut) -> None:
        """The power is cut once more while the directory is opened, and flushed."""
        made.begin(folder)
        with self.setup.shop(folder) as shop:
            found = self.look(shop)
            shop.driver.flush()
            flushed = len(made.changes)
        recording = made.end()
        again = _any(recording, 0, len(recording.changes), Random(f"{cut.point} {cut.names} {cut.commits}"))
        second = folder.with_name(f"{folder.name} again")
        after_power_cut(recording, again).write(second, made.ages)
        try:
            self._found((found,) if again.point >= flushed else allowed, second)
        except Exception as error:
            error.add_note(History(recording, (), (), ((flushed, 0),)).told(again))
            raise


def some_cuts(history: History, name: str, count: int) -> list[Cut]:
    """So many of the cuts of a history, others for each name: half of them are corners."""
    random, end = Random(f"{name} {SEED}"), len(history.recording.changes)
    kinds = (_corner, _any)
    return [kinds[number % 2](history.recording, history.start, end, random) for number in range(count)]


def _corner(recording: Recording, start: int, end: int, random: Random) -> Cut:
    """All bytes or none, all transactions or none, and a change of names that is the last one."""
    point = random.randint(start, end)
    names, commits = recording.least(point)
    ends = [names, *(place + 1 for place in range(names, point) if _is_name(recording.changes[place]))]
    last = random.choice((names, point, random.choice(ends)))
    return Cut(point, last, random.choice((commits, point)), random.choice((Fate, Zeros, Short)))


def _is_name(change: Change) -> bool:
    return not isinstance(change, Wrote | Flushed | Committed)


def _any(recording: Recording, start: int, end: int, random: Random) -> Cut:
    point = random.randint(start, end)
    names, commits = recording.least(point)
    fate = partial(Chance, random.getrandbits(32))
    return Cut(point, random.randint(names, point), random.randint(commits, point), fate)
