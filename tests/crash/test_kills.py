"""I1 and I2 under load: several processes work on one directory, and each is killed at any moment. With KILLS=1000 in the environment so
many are killed of each kind of store."""

import os
import select
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen

from gecko_tw.store.requests import Copy, Source
from tests.crash.children import finish, in_child, start
from tests.crash.deeds import LATER, Setup, got, litter, versions_of
from tests.store.shop import BUCKET, Shop, open_shop

KILLS = int(os.environ.get("KILLS", "0")) or 24
SEED = os.environ.get("KILLS_SEED", "")
PROCESSES = 3
PATIENCE = 30
"""Seconds until a process has done its first verb."""
MOST = 2000
"""Verbs of a process."""
A_DIRECTORY = 24
"""Processes that are killed in one data directory, before its catalog is made again."""
KEYS = (b"%d/cat.jpg", b"%d/album/dog.jpg", b"%d//no path", b"%d")
SETUPS = {
    "xattr": Setup(),
    "sidecar": Setup(attributes="sidecar"),
    "fsync": Setup(fsync=True),
    "pool": Setup(small=2000),
}
State = dict[bytes, Any]


@frozen
class Work:
    """One verb on a key; ``number`` tells it from all others."""

    name: str
    key: bytes
    source: bytes
    number: int

    def do(self, shop: Shop) -> None:
        now = LATER + self.number * 1000
        if self.name == "put":
            shop.put(self.key, self.body, now=now, tags={"put": str(self.number)})
        elif self.name == "remove":
            shop.remove(self.key, now=now)
        elif self.name == "copy" and got(shop, self.source) is not None:
            shop.objects.copy(Source(bucket=BUCKET, key=self.source), BUCKET, self.key, Copy(now=now))
        elif self.name == "upload":
            upload = f"u{self.number}"
            shop.begin(self.key, upload, initiated=now)
            parts = [shop.send(self.key, number, self.body, upload) for number in (1, 2)]
            shop.complete(self.key, parts, upload, now=now)
        elif self.name == "join":
            shop.upkeep.join()
        elif self.name == "flush":
            shop.driver.flush()

    @property
    def body(self) -> bytes:
        return b"body %d; " % self.number * (self.number % 7 * 100 + 1)


@frozen
class Life:
    """One process: what it does, on keys of its own, until it is killed.

    :ivar acknowledged: the descriptor that its dots come from.
    """

    number: int
    works: list[Work]
    child: tuple[int, int]
    acknowledged: int

    @property
    def keys(self) -> list[bytes]:
        return keys_of(self.number)


def keys_of(number: int) -> list[bytes]:
    return [key % number for key in KEYS]


def works_of(number: int, random: Random) -> list[Work]:
    """More than a process does in its life."""
    names, keys = ["put", "put", "remove", "copy", "upload", "join", "flush"], keys_of(number)
    return [
        Work(random.choice(names), random.choice(keys), random.choice(keys), number * MOST + place)
        for place in range(MOST)
    ]


def begin(folder: Path, setup: Setup, number: int, random: Random) -> Life:
    """A process at work, which has a dot written for every verb that was acknowledged."""
    works = works_of(number, random)
    counted, counting = os.pipe()

    def work(acknowledge: Any) -> None:
        with setup.shop(folder) as shop:
            for one in works:
                one.do(shop)
                os.write(counting, b".")

    child = start(work)
    os.close(counting)
    return Life(number, works, child, counted)


def kill(life: Life) -> int:
    """How many of its verbs were acknowledged."""
    os.kill(life.child[0], signal.SIGKILL)
    finish(*life.child)
    with open(life.acknowledged, "rb") as told:
        return len(told.read())


def seen(shop: Shop, keys: list[bytes]) -> State:
    return {key: (got(shop, key), versions_of(shop, key)) for key in keys}


def allowed(life: Life, done: int, versioning: str) -> list[State]:
    """What may be there: the last verb may have been done before it was acknowledged."""
    shop = open_shop()
    switch(shop, versioning)
    for work in life.works[:done]:
        work.do(shop)
    before = seen(shop, life.keys)
    life.works[done].do(shop)
    return [before, seen(shop, life.keys)]


def switch(shop: Shop, versioning: str) -> None:
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", versioning))


def make(folder: Path, setup: Setup, versioning: str) -> None:
    with setup.shop(folder) as shop:
        switch(open_shop(shop.driver), versioning)


def look(folder: Path, setup: Setup, keys: list[bytes], rebuilding: bool) -> State:
    """What is there, which nothing changes that a store does by itself."""
    with setup.shop(folder) as shop:
        found = seen(shop, keys)
        if rebuilding:
            shop.driver.flush()
            shop.upkeep.sweep(-60)
            setup.rebuild(shop)
            assert seen(shop, keys) == found, "the files tell something else"
            assert litter(folder, shop) == []
        return found


def round_of(folder: Path, setup: Setup, numbers: range, versioning: str, random: Random) -> State:
    """Some processes at work at once, which are killed one after the other. Returns what was found then."""
    lives = [begin(folder, setup, number, random) for number in numbers]
    random.shuffle(lives)
    done = []
    for life in lives:
        if random.random() < 0.9:  # the others are just opening the directory
            select.select([life.acknowledged], [], [], PATIENCE)
        time.sleep(random.uniform(0.01, 0.1))
        done.append(kill(life))
    found = in_child(look, folder, setup, [key for life in lives for key in life.keys], False)
    for life, count in zip(lives, done, strict=True):
        state = {key: found[key] for key in life.keys}
        assert state in allowed(life, count, versioning), f"{life.works[max(0, count - 5) : count + 1]}"
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("versioning", ["Suspended", "Enabled"])
@pytest.mark.parametrize("kind", SETUPS)
def test_killed_processes_lose_nothing_that_they_acknowledged_and_nothing_comes_back(kind, versioning, tmp_path):
    setup, random = SETUPS[kind], Random(f"{kind} {versioning} {SEED}")
    for begun in range(0, KILLS, A_DIRECTORY):
        folder, found = tmp_path / str(begun), {}
        in_child(make, folder, setup, versioning)
        for first in range(begun, min(KILLS, begun + A_DIRECTORY), PROCESSES):
            found |= round_of(folder, setup, range(first, first + PROCESSES), versioning, random)
        assert in_child(look, folder, setup, list(found), True) == found
