"""What a daemon makes of an image.

Each is checked as every boot would check it, mounted, and served by a new daemon. What that one serves must be explained by what the
clients were told (``model.py``), and must agree with itself (``survey.py``). It must go on working, stop without a traceback, and have
the same again after ``geckos3 rebuild``. Some images lose their power once more while the daemon starts.
"""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from attrs import frozen

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import kill_family
from tests.power import disks
from tests.power.client import Client
from tests.power.model import Subject, judge, show
from tests.power.rounds import ALWAYS, Image
from tests.power.survey import Survey, survey, use


@frozen
class Verdict:
    image: Image
    faults: list[str]
    notes: list[str]
    log: str
    counted: str = ""


class Examination:
    """What a daemon makes of an image. The image itself stays as it is."""

    def __init__(self, image: Image, place: Path, logs: Path) -> None:
        self.image, self.plan, self.place = image, image.plan, place
        self.system = disks.FILE_SYSTEMS[self.plan.filesystem]
        self.rng = random.Random(f"{self.plan.seed} image {image.number}")
        self.daemon = Daemon(logs / f"image-{image.number}", *ALWAYS, *self.plan.options)
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.counted = ""

    def verdict(self) -> Verdict:
        try:
            self._examine()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            self.faults.append(f"{type(error).__name__}: {error}")
        log = self.daemon.log if self.daemon.log_path.exists() else ""
        return Verdict(self.image, self.faults, self.notes, log, self.counted)

    def _examine(self) -> None:
        disk = self._copy(self.image.file, "examined")
        if self.rng.random() < 0.3 and not self.image.stopped:
            disk = self._cut_again(disk)
        with self._mounted(disk):
            try:
                self._serve()
            finally:
                if self.daemon.process is not None:
                    kill_family(self.daemon.pid)
        disk.unlink()

    def _serve(self) -> None:
        known, record = set(self.image.record.histories), self.image.record
        self.daemon.start()
        with closing(Client(self.daemon.port)) as client:
            found = survey(client, known)
            self.counted = found.counted()
            self.faults += judge(record, self.image.cut, found.states) + found.faults
            self.faults += use(client, found, self.plan.hashed, self.rng)
            used = survey(client, known)
            self.faults += [f"after further use: {fault}" for fault in used.faults]
        self.daemon.stop()
        if self.plan.rebuilds:
            self._rebuild(known, used)

    def _rebuild(self, known: set[Subject], used: Survey) -> None:
        """The files alone tell the same."""
        command = [sys.executable, "-m", "gecko_tw.commands", "rebuild", f"--data-dir={self.daemon.data_dir}"]
        done = subprocess.run([*command, *self.plan.rebuild_options], capture_output=True, text=True, timeout=120)
        if done.returncode or "Traceback" in done.stderr:
            self.faults.append(f"rebuild ended with {done.returncode}: {done.stderr[-2000:]}")
        self.daemon.start()
        with closing(Client(self.daemon.port)) as client:
            found = survey(client, known)
        self.daemon.stop()
        self.faults += [f"after a rebuild: {fault}" for fault in found.faults]
        before, after = used.objects(), found.objects()
        for subject in sorted(before.keys() | after.keys(), key=str):
            if before.get(subject) != after.get(subject):
                self.faults.append(
                    f"after a rebuild {subject} is {show(after.get(subject))}, was {show(before.get(subject))}"
                )

    def _cut_again(self, disk: Path) -> Path:
        """The disk as a second cut leaves it, soon after a daemon was started on it."""
        wait, again = self.rng.uniform(0.2, 1.5), self.place / "again"
        self.notes.append(f"cut again {wait:.2f} s after the start")
        with self._mounted(disk):
            self.daemon.folder.mkdir(parents=True, exist_ok=True)
            with (self.daemon.folder / "first.log").open("wb") as log:
                command = [
                    "-m",
                    "gecko_tw.commands",
                    "serve",
                    f"--data-dir={self.daemon.data_dir}",
                    "--listen=127.0.0.1:0",
                ]
                process = subprocess.Popen(
                    [sys.executable, *command, *ALWAYS, *self.plan.options], stderr=log, stdout=log
                )
            try:
                time.sleep(wait)
                disks.cut(disk, again)
            finally:
                kill_family(process.pid)
                process.wait()
        disk.unlink()
        return again

    def _mounted(self, disk: Path):  # type: ignore[no-untyped-def]
        if self.system.check and self.plan.checked:
            disks.check(self.system, disk)
        place = self.place / "examining"
        self.daemon.data_dir = place / "data"
        return disks.mounted(disk, place, self.rng.choice(self.system.options))

    def _copy(self, file: Path, name: str) -> Path:
        disks.cut(file, self.place / name)
        return self.place / name
