"""Runs of the power tests: ``make power-test``, or ``python -m tests.power.run``.

--images 50          how many images are looked at, all combinations together
--cuts 5             how many of them are taken from one load
--seconds 12         how long a load goes on
--filesystem ext4    one or more, with commas: ext4, ext4-nojournal, xfs, btrfs; default: all that can be made here
--options=--fsync=true
                     of the daemon, several with spaces; may be given more than once; default: a choice
--seed 1             of all choices; the kernel and the daemon make others, so a run repeats only roughly
--keep DIR           where images that failed go, with all that is known of them
--again DIR          looks once more at one that was kept
--slack 3            seconds that a flush may take
--unchecked          mounts without e2fsck what has no journal
--no-rebuild         leaves out ``geckos3 rebuild``
"""

import argparse
import itertools
import os
import pickle
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from tests.power import disks
from tests.power.examining import Examination, Verdict
from tests.power.rounds import Plan, Round

DAEMONS = (
    "",
    "--layout=pool",
    "--fsync=true",
    "--attributes=sidecar",
    "--metadata=false",
    "--layout=pool --fsync=true",
)
INSIDE = "GECKOS3_TESTS_POWER"


def work(plans: list[Plan], keep: Path | None) -> int:
    """Runs all rounds and says how each image did; the number of images that failed."""
    looked = failed = 0
    for plan in plans:
        with tempfile.TemporaryDirectory(prefix="geckos3-power-") as name, disks.host(Path(name)) as place:
            for verdict in _verdicts(plan, place, Path(name)):
                looked, failed = looked + 1, failed + bool(verdict.faults)
                print(line(verdict), flush=True)
                if verdict.faults and keep is not None:
                    print(f"    kept in {store(verdict, keep, failed)}", flush=True)
    print(f"{looked} images, {failed} failed", flush=True)
    return failed


def _verdicts(plan: Plan, place: Path, logs: Path) -> Iterator[Verdict]:
    for image in Round(plan, place, logs).images():
        yield Examination(image, place, logs).verdict()
        image.file.unlink()


def line(verdict: Verdict) -> str:
    """What is printed of an image: one line, and more when it failed."""
    image, notes = verdict.image, "".join(f", {note}" for note in verdict.notes)
    head = f"{image.plan} {image.name}{notes}: "
    if not verdict.faults:
        return f"{head}ok, {verdict.counted}"
    shown = [f"  - {fault.splitlines()[0][:200]}" for fault in verdict.faults[:8]]
    more = [f"  ... and {len(verdict.faults) - 8} more"] if len(verdict.faults) > 8 else []
    return "\n".join([f"{head}FAILED, {len(verdict.faults)} faults", *shown, *more])


def store(verdict: Verdict, keep: Path, number: int) -> Path:
    """Keeps an image that failed, with what is needed to look at it again."""
    image, folder = verdict.image, keep / f"{os.getpid()}-{time.time_ns() // 10**9}-{number}"
    folder.mkdir(parents=True)
    disks.call("cp", "--sparse=always", image.file, folder / "image")
    (folder / "faults").write_text("\n".join([str(image.plan), image.name, *verdict.notes, *verdict.faults]) + "\n")
    (folder / "daemon.log").write_text(verdict.log)
    (folder / "pickle").write_bytes(pickle.dumps(image))
    return folder


def again(folder: Path) -> int:
    """Looks at a kept image once more; 1 when it fails again."""
    with tempfile.TemporaryDirectory(prefix="geckos3-power-") as name, disks.host(Path(name)) as place:
        disks.call("cp", "--sparse=always", folder / "image", place / "image")
        image = evolve(pickle.loads((folder / "pickle").read_bytes()), file=place / "image")
        verdict = Examination(image, place, Path(name)).verdict()
        print(line(verdict))
        return bool(verdict.faults)


def plans(given: argparse.Namespace) -> list[Plan]:
    """Combinations in turn, until there are enough images."""
    systems = given.filesystem.split(",") if given.filesystem else possible()
    daemons = [tuple(shlex.split(options)) for options in given.options or DAEMONS]
    pairs = list(itertools.product(systems, daemons))
    random.Random(given.seed).shuffle(pairs)
    rounds = -(-given.images // given.cuts)
    return [
        Plan(
            system,
            options,
            f"{given.seed}-{number}",
            seconds=given.seconds,
            cuts=given.cuts,
            slack=given.slack,
            checked=not given.unchecked,
            rebuilt=not given.no_rebuild,
        )
        for number, (system, options) in enumerate(itertools.islice(itertools.cycle(pairs), rounds))
    ]


def possible() -> list[str]:
    """The file systems that can be made here; says which cannot, and why."""
    reasons = {name: disks.lacking(name) for name in disks.FILE_SYSTEMS}
    for name, reason in reasons.items():
        if reason:
            print(f"no images of {name}: {reason}", flush=True)
    return [name for name, reason in reasons.items() if not reason]


def main() -> int:
    given = _arguments()
    names = given.filesystem.split(",") if given.filesystem else ["ext4"]
    if reason := disks.lacking(*names):
        print(f"no power can be cut here: {reason}", file=sys.stderr)
        return 2
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", [*disks.PRIVATE, sys.executable, "-m", "tests.power.run", *sys.argv[1:]])
    if given.again:
        return again(given.again)
    return min(1, work(plans(given), given.keep))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Cut the power of a daemon's disk.")
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--slack", type=float, default=3.0)
    parser.add_argument("--filesystem", default="")
    parser.add_argument("--options", action="append")
    parser.add_argument("--seed", default=str(int(time.time())))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--again", type=Path)
    parser.add_argument("--unchecked", action="store_true")
    parser.add_argument("--no-rebuild", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
