"""The rig itself: a cut is of one instant."""

import mmap
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.end_to_end.daemon import ROOT
from tests.power import disks

SIZE, FIRST, LAST, BLOCK = 256 << 20, 0, 255 << 20, disks.SECTOR


def write_in_turn(device: str, enough: threading.Event) -> None:
    """A number to the first block, then the same to the last one, then the next number."""
    block = mmap.mmap(-1, BLOCK)
    disk = os.open(device, os.O_WRONLY | os.O_DIRECT)
    number = 0
    while not enough.is_set():
        number += 1
        block[:8] = number.to_bytes(8, "big")
        os.pwrite(disk, block, FIRST)
        os.pwrite(disk, block, LAST)
    os.close(disk)


def numbers(image: Path) -> tuple[int, int]:
    with image.open("rb") as file:
        return tuple(int.from_bytes(os.pread(file.fileno(), 8, place), "big") for place in (FIRST, LAST))


def race(folder: Path, copies: int) -> None:
    """Cuts while something writes; run in a namespace of its own."""
    with disks.host(folder) as place:
        image, enough = place / "image", threading.Event()
        with image.open("wb") as file:
            file.truncate(SIZE)
        device = disks.attach(image)
        writer = threading.Thread(target=write_in_turn, args=(device, enough))
        writer.start()
        found = []
        try:
            for number in range(copies):
                time.sleep(0.01)
                disks.cut(image, place / f"copy-{number}")
                found.append(numbers(place / f"copy-{number}"))
        finally:
            enough.set()
            writer.join()
            disks.call("losetup", "--detach", device)
    assert found[-1][1] > 50, "it wrote hardly anything"
    assert [pair for pair in found if pair[0] - pair[1] not in (0, 1)] == []


@pytest.mark.timeout(200)
def test_a_copy_has_no_later_write_without_the_earlier_ones(tmp_path: Path) -> None:
    if reason := disks.lacking("ext4"):
        pytest.skip(f"no power can be cut here: {reason}")
    code = f"from pathlib import Path; from tests.power.test_disks import race; race(Path({str(tmp_path)!r}), 100)"
    done = subprocess.run([*disks.PRIVATE, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
