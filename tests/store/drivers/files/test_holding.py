"""Inodes of what is removed: held until the removal is on the disk, as many as a process may have descriptors for."""

import os
import resource
import time
from pathlib import Path

import pytest

from gecko_tw.store.drivers.files.holding import HeldInodes


def removed(held: HeldInodes, folder: Path, count: int) -> list[int]:
    """The inodes of so many files that were made and removed."""
    directory, inodes = os.open(folder, os.O_RDONLY), []
    try:
        for number in range(count):
            path = folder / str(number)
            path.touch()
            inodes.append(path.stat().st_ino)
            assert held.unlink(str(number), directory)
    finally:
        os.close(directory)
    return inodes


def test_what_is_removed_is_held_until_it_is_on_the_disk(tmp_path: Path) -> None:
    flushed = [0]
    held = HeldInodes(lambda: flushed[0])
    inodes = removed(held, tmp_path, 5)
    assert len(set(inodes)) == 5  # none was used again
    assert len(held._held) == 5
    held.release()
    assert len(held._held) == 5
    flushed[0] = time.time_ns() + 1
    held.release()
    assert not held._held


def test_as_many_are_held_as_the_process_may_have_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [16]
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limits[0], limits[0]))
    held = HeldInodes(lambda: 0)
    limits[0] = 40
    removed(held, tmp_path, 20)
    assert len(held._held) == 10
    held.close()
    assert not held._held
