"""Disks whose power can be cut.

A disk is a sparse image file behind a loop device. To cut its power is to copy that file at one instant. A plain copy would not do:
while it reads on, the loop device writes behind and before it, and the copy is of no instant at all. Here image files lie on an XFS
with reflink (itself in a file on a tmpfs, so nothing waits for a real disk), and the copy is one ``FICLONE``: XFS holds the file's
locks against every writer while it shares the extents, so the clone is the file at one instant, a few milliseconds after it was asked
for. The loop device writes with direct I/O: what is in the file is what the file system inside has written to its disk and was told
to be written, no more and no less, and nothing of it waits in a cache between. Device-mapper would do the same; kernels of small
virtual machines often lack it.

Such a disk has no volatile cache: all that reached it is kept, in the order in which it came. What never reached it is lost: dirty
pages, delayed allocations, the journal's open transaction. Which of them reached it is the kernel's choice, for every file at any
time; ``write_back`` makes other choices than an idle kernel would.

Everything is mounted in a mount namespace of this process (``unshare --mount``), which takes mounts, and the loop devices below them,
with it, however it ends.
"""

import ctypes
import fcntl
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

FICLONE = 0x40049409
SYNC_FILE_RANGE_WRITE = 2

SECTOR = 4096

HOST_SIZE = 16 << 30
"""Of the XFS that holds all images; it is sparse."""

PRIVATE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""What runs a command with mounts and processes of its own, all of which end with it."""


@frozen
class FileSystem:
    """How an image is made, mounted and, where every boot would do it, checked before it is mounted again.

    :ivar options: for ``mount``, of which one is drawn each time.
    """

    name: str
    make: tuple[str, ...]
    options: tuple[str, ...] = ("defaults",)
    check: tuple[str, ...] = ()
    size: int = 1 << 30


FILE_SYSTEMS = {
    found.name: found
    for found in (
        FileSystem("ext4", ("mkfs.ext4", "-q", "-F"), ("commit=1", "commit=5")),
        FileSystem("ext4-nojournal", ("mkfs.ext4", "-q", "-F", "-O", "^has_journal"), check=("e2fsck", "-fy")),
        FileSystem("xfs", ("mkfs.xfs", "-q", "-f", "-s", f"size={SECTOR}")),
        FileSystem("btrfs", ("mkfs.btrfs", "-q", "-f"), ("commit=2", "commit=30")),
    )
}


def lacking(*names: str) -> str:
    """Why images of these file systems cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "only root can mount images"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices: /dev/loop-control is missing"
    programs = ["unshare", "losetup", "mount", "umount", "mkfs.xfs"]
    for name in names:
        programs += [command[0] for command in (FILE_SYSTEMS[name].make, FILE_SYSTEMS[name].check) if command]
    missing = sorted({program for program in programs if shutil.which(program) is None})
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run([*PRIVATE, "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"no mounts of its own for a process: {tried.stderr.strip()}"


@contextmanager
def host(folder: Path) -> Iterator[Path]:
    """A folder on an XFS in memory, where images may lie."""
    memory, place = folder / "memory", folder / "images"
    memory.mkdir()
    place.mkdir()
    call("mount", "-t", "tmpfs", "-o", f"size={HOST_SIZE}", "power", memory)
    file = memory / "host"
    try:
        make_image(file, ("mkfs.xfs", "-q", "-m", "reflink=1"), HOST_SIZE)
        with mounted(file, place, "discard", direct=False):
            yield place
    finally:
        unmount(memory)


def make_image(file: Path, make: tuple[str, ...], size: int) -> None:
    """An empty file system in a sparse file."""
    with file.open("wb") as made:
        made.truncate(size)
    call(*make, file)


@contextmanager
def mounted(image: Path, place: Path, options: str, direct: bool = True) -> Iterator[Path]:
    """An image, mounted at a folder that is made when it is missing."""
    place.mkdir(exist_ok=True)
    device = attach(image) if direct else call("losetup", "--find", "--show", image).strip()
    try:
        call("mount", "-o", options, device, place)
    finally:
        call("losetup", "--detach", device)  # when it is unmounted, at the latest
    try:
        yield place
    finally:
        unmount(place)


def attach(image: Path) -> str:
    """The loop device of an image. Its sectors are of one size, whether the image shares its extents with another one or not."""
    return call("losetup", "--find", "--show", "--direct-io=on", f"--sector-size={SECTOR}", image).strip()


def unmount(place: Path) -> None:
    """Waits for processes that are about to end."""
    for _attempt in range(100):
        done = subprocess.run(["umount", place], capture_output=True, text=True)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise OSError(done.stderr)


def cut(image: Path, copy: Path) -> tuple[float, float]:
    """Copies an image as it is at one instant, and says between which times (``time.monotonic``) that was."""
    with image.open("rb") as source, copy.open("wb") as target:
        began = time.monotonic()
        fcntl.ioctl(target, FICLONE, source.fileno())
        return began, time.monotonic()


def check(system: FileSystem, image: Path) -> None:
    """Checks an image until there is nothing left to mend: of blocks that it duplicates ``e2fsck`` forgets the checksums."""
    for _attempt in range(5):
        done = subprocess.run([*system.check, image], capture_output=True, text=True, errors="replace")
        if done.returncode == 0:
            return
    raise OSError(f"{system.check} ended with {done.returncode}: {done.stdout}{done.stderr}")


def settle(place: Path) -> None:
    """What ``sync`` does, for one file system."""
    call("sync", "--file-system", place)


@contextmanager
def write_back(folder: Path, rng: random.Random) -> Iterator[None]:
    """Meanwhile the disk writes what it likes: one file's pages, or all that goes with one file, out of order."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    done = threading.Event()

    def work() -> None:
        while not done.wait(rng.uniform(0.01, 0.3)):
            files = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]
            for file in rng.sample(files, min(len(files), rng.randint(1, 8))):
                with suppress(FileNotFoundError), open(file, "rb") as opened:
                    if rng.random() < 0.1:
                        os.fsync(opened.fileno())
                    else:
                        libc.sync_file_range(opened.fileno(), 0, 0, SYNC_FILE_RANGE_WRITE)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def call(*command: str | Path, codes: tuple[int, ...] = (0,)) -> str:
    """Runs a program that must end with one of these codes; returns what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace")
    if done.returncode not in codes:
        raise OSError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
