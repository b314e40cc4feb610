"""A load and the images that are cut out of it.

A round makes a file system, starts a daemon with two workers on it, stores something under every key, has it written to the disk, lets
clients loose on it, and cuts the power at random moments, without their noticing.
"""

import random
import time
from contextlib import ExitStack, closing
from pathlib import Path

from attrs import evolve, field, frozen

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import kill_family
from tests.power import disks
from tests.power.client import Client
from tests.power.load import Hand, make_buckets, suspend
from tests.power.model import Cut, Record

ALWAYS = ("--auth=false", "--min-part-size=0")
HANDS = 4
FLUSH_INTERVAL = 1.0


@frozen
class Plan:
    """What a round does.

    :ivar slack: seconds that a flush may take.
    :ivar checked: whether a file system that needs it is checked before it is mounted again.
    :ivar rebuilt: whether ``geckos3 rebuild`` is tried, too.
    """

    filesystem: str
    options: tuple[str, ...]
    seed: str
    seconds: float = 12.0
    cuts: int = 5
    slack: float = 3.0
    checked: bool = True
    rebuilt: bool = True

    def __str__(self) -> str:
        return f"{self.filesystem} {' '.join(self.options) or 'default'} seed {self.seed}"

    @property
    def fsync(self) -> bool:
        return "--fsync=true" in self.options

    @property
    def hashed(self) -> bool:
        return "--metadata=false" not in self.options

    @property
    def rebuilds(self) -> bool:
        return self.rebuilt and self.hashed and "--layout=pool" not in self.options

    @property
    def rebuild_options(self) -> list[str]:
        return [one for one in self.options if one.startswith(("--layout", "--attributes", "--fsync", "--metadata"))]


@frozen
class Image:
    """A copy that a cut left.

    :ivar stopped: whether the daemon had stopped before.
    """

    number: int
    name: str
    file: Path
    cut: Cut
    plan: Plan
    record: Record = field(repr=False)
    stopped: bool = False


class Round:
    """One load and the images that were cut out of it.

    :param place: a folder on a file system with reflink.
    """

    def __init__(self, plan: Plan, place: Path, logs: Path) -> None:
        self.plan, self.place, self.logs = plan, place, logs
        self.system = disks.FILE_SYSTEMS[plan.filesystem]
        self.rng = random.Random(plan.seed)
        self.record = Record()
        self.disk = place / "disk"
        self.options = self.rng.choice(self.system.options)

    def images(self) -> list[Image]:
        """Runs the load. What went wrong for clients while the power was on is an error here."""
        disks.make_image(self.disk, self.system.make, self.system.size)
        daemon = self._daemon("load")
        with disks.mounted(self.disk, self.place / "mounted", self.options) as mounted, ExitStack() as stack:
            daemon.data_dir = mounted / "data"
            daemon.start()
            stack.callback(lambda: daemon.process and kill_family(daemon.pid))
            with disks.write_back(daemon.data_dir, random.Random(f"{self.plan.seed} disk")):
                durable, cuts = self._load(daemon, mounted)
            if self.record.troubles:
                raise AssertionError("\n".join([*self.record.troubles, daemon.log[-3000:]]))
            daemon.stop()
            file = self.place / "stopped"
            began, ended = disks.cut(self.disk, file)
        images = [
            self._image(number, f"cut {number}", path, times, durable) for number, (path, times) in enumerate(cuts)
        ]
        last = self._image(len(cuts), "cut after the stop", file, (began, ended), durable)
        return [*images, evolve(last, cut=Cut(began, ended, began), stopped=True)]

    def _load(self, daemon: Daemon, mounted: Path) -> tuple[float, list[tuple[Path, tuple[float, float]]]]:
        """Until when everything was durable before the load, and the cuts."""
        hands = [self._hand(daemon, number) for number in range(HANDS)]
        with closing(Client(daemon.port)) as client:
            make_buckets(client, self.record)
            for hand in hands:
                hand.prepare()
            suspend(client)
        for hand in hands:
            hand.suspended()
        disks.settle(mounted)
        time.sleep(FLUSH_INTERVAL + 0.5)
        disks.settle(mounted)
        durable, cuts = time.monotonic(), []
        for hand in hands:
            hand.start()
        try:
            for number, moment in enumerate(
                sorted(self.rng.uniform(0.2, self.plan.seconds) for _ in range(self.plan.cuts - 1))
            ):
                time.sleep(max(0.0, durable + moment - time.monotonic()))
                cuts.append((file := self.place / f"cut-{number}", disks.cut(self.disk, file)))
            time.sleep(max(0.0, durable + self.plan.seconds - time.monotonic()))
        finally:
            for hand in hands:
                hand.enough.set()
            for hand in hands:
                hand.join()
        return durable, cuts

    def _hand(self, daemon: Daemon, number: int) -> Hand:
        return Hand(number, Client(daemon.port), self.record, random.Random(f"{self.plan.seed} hand {number}"))

    def _image(self, number: int, name: str, file: Path, times: tuple[float, float], durable: float) -> Image:
        certain = times[0] if self.plan.fsync else max(durable, times[0] - FLUSH_INTERVAL - self.plan.slack)
        return Image(number, f"{name} ({times[0] - durable:.2f} s)", file, Cut(*times, certain), self.plan, self.record)

    def _daemon(self, name: str) -> Daemon:
        return Daemon(self.logs / name, "--workers=2", *ALWAYS, *self.plan.options)
