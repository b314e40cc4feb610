"""A few real images on each run of the tests; ``make power-test`` is the long run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.daemon import ROOT
from tests.power import disks

SHORT = ("--images=2", "--cuts=2", "--seconds=2", "--no-rebuild")


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("filesystem", "options"), [("ext4", ""), ("ext4-nojournal", "--layout=pool")], ids=["files", "pool-nojournal"]
)
def test_a_power_cut_costs_no_more_than_the_last_flush_interval(filesystem: str, options: str, tmp_path: Path) -> None:
    if reason := disks.lacking(filesystem):
        pytest.skip(f"no power can be cut here: {reason}")
    command = [sys.executable, "-m", "tests.power.run", *SHORT, f"--filesystem={filesystem}", f"--options={options}"]
    done = subprocess.run([*command, f"--keep={tmp_path}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-6000:]}{done.stderr[-3000:]}"
