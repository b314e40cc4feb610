"""Backups beside writers, killed in between: what comes back is what the store held at one moment.

Each key has one writer, whose writes are numbered. So what is restored is of one moment exactly if every key's write had begun before
some moment, and the write after it had not ended before that moment.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.requests import Put, Remove
from tests.contract.drivers import files, pool
from tests.end_to_end.daemon import ROOT
from tests.patience import PATIENCE
from tests.store.shop import BUCKET, Shop, open_shop, shop_over

KILLS = int(os.environ.get("BACKUP_KILLS", "2"))
SEED = int(os.environ.get("SEED", "17"))
DRIVERS: dict[str, Callable[[Path], Any]] = {"files": files, "pool": pool}
WRITERS, KEYS = 3, 100


class Writer(threading.Thread):
    """Puts and removes its own keys, one after the other, until it is told to end.

    :ivar done: of each key, when each write was begun and ended, and the number that it left there; None for nothing.
    """

    def __init__(self, shop: Shop, number: int) -> None:
        super().__init__()
        self._shop, self._random = shop, random.Random(SEED + number)
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.done: dict[bytes, list[tuple[float, float, int | None]]] = {
            b"%d/%d%s" % (number, index, b"//pooled" * (index % 3 == 0)): [(0.0, 0.0, None)] for index in range(KEYS)
        }

    def fill(self) -> None:
        """Writes each key once."""
        for key in self.done:
            self._write(key)

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                self._write(self._random.choice(sorted(self.done)))
        except BaseException as error:
            self.error = error

    def _write(self, key: bytes) -> None:
        deeds = self.done[key]
        number = None if self._random.random() < 0.2 else len(deeds)
        began = time.monotonic()
        if number is None:
            self._shop.objects.remove(BUCKET, key, Remove(now=time.time_ns()))
        else:
            incoming = self._shop.objects.receive()
            incoming.push(body(key, number))
            self._shop.objects.put(BUCKET, key, incoming, Put(now=time.time_ns()))
        deeds.append((began, time.monotonic(), number))


def body(key: bytes, number: int) -> bytes:
    """Told by key and number alone; some are of more than 64 KiB."""
    return (b"%s %d " % (key, number)) * (1 + number * 397 % 9000)


def geckos3(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gecko_tw.commands", *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def made(*arguments: str) -> None:
    process = geckos3(*arguments)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err


def check_moment(restored: Shop, writers: list[Writer]) -> None:
    latest, soonest = 0.0, float("inf")
    there = set(restored.listed())
    for writer in writers:
        for key, deeds in writer.done.items():
            number = int(restored.get(key).split(b" ", 2)[1]) if key in there else None
            if number is not None:
                assert restored.get(key) == body(key, number)
            fits = [index for index, deed in enumerate(deeds) if deed[2] == number]
            latest = max(latest, min(deeds[index][0] for index in fits)) if number is not None else latest
            if number is not None:
                (index,) = fits
                soonest = min(soonest, deeds[index + 1][1] if index + 1 < len(deeds) else soonest)
    assert latest <= soonest
    for key, deeds in ((key, deeds) for writer in writers for key, deeds in writer.done.items() if key not in there):
        absent = [index for index, deed in enumerate(deeds) if deed[2] is None]
        spans = [(deeds[at][0], deeds[at + 1][1] if at + 1 < len(deeds) else float("inf")) for at in absent]
        assert any(began <= soonest and latest <= ended for began, ended in spans), key


@pytest.mark.parametrize("layout", list(DRIVERS))
def test_a_backup_beside_writers_is_of_one_moment_however_often_one_was_killed_before(layout: str, tmp_path: Path):
    chance = random.Random(SEED)
    data, target = tmp_path / "data", tmp_path / "target"
    driver = DRIVERS[layout](data)
    shop = open_shop(driver)
    flushed = threading.Event()
    writers = [Writer(shop, number) for number in range(WRITERS)]
    flags = (f"--data-dir={data}", f"--layout={layout}")

    def flush() -> None:
        while not flushed.wait(0.01):
            driver.flush()

    flusher = threading.Thread(target=flush)
    for writer in writers:
        writer.fill()
    for thread in (*writers, flusher):
        thread.start()
    try:
        for _ in range(KILLS):
            process = geckos3("backup", str(target), *flags)
            try:
                process.wait(chance.uniform(0.3, 1.2))
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
        made("backup", str(target), *flags)
    finally:
        for writer in writers:
            writer.ended.set()
        for writer in writers:
            writer.join()
        flushed.set()
        flusher.join()
    assert [writer.error for writer in writers] == [None] * WRITERS
    while driver.flush():
        pass
    assert [
        blob for blob in shop.orphans() if driver.blobs.open(blob).size
    ] == []  # empty ones are of starts that were killed
    driver.close()
    shutil.rmtree(data)
    made("restore", str(target), *flags)
    restored = DRIVERS[layout](data)
    check_moment(shop_over(restored), writers)
    restored.close()
