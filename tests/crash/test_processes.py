"""I5: several processes on one data directory never lose an update."""

from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import PreconditionFailed
from gecko_tw.store.requests import WriteConditions
from tests.crash.children import finish, in_child, start
from tests.crash.deeds import NO_PATH, PATH, Setup
from tests.store.shop import BUCKET, NOW, Shop

SETUPS = {
    "xattr": Setup(),
    "sidecar": Setup(attributes="sidecar"),
    "fsync": Setup(fsync=True),
    "pool": Setup(small=2000),
}
PROCESSES = 4


def prepare(folder: Path, setup: Setup) -> None:
    with setup.shop(folder) as shop:
        shop.buckets.create(BucketRecord(name=BUCKET, created=NOW, owner="me"))


def all_at_once(folder: Path, setup: Setup, work: Any) -> list[Any]:
    """The results of ``work(shop, number)`` in several processes at the same time."""

    def child(number: int) -> tuple[int, int]:
        def run(acknowledge: Any) -> None:
            with setup.shop(folder) as shop:
                acknowledge(work(shop, number))

        return start(run)

    return [finish(*one).result for one in [child(number) for number in range(PROCESSES)]]


def increment(shop: Shop, key: bytes, now: int) -> None:
    while True:
        version = reconciled(shop.objects.look, BUCKET, key)
        value = int(shop.get(key))
        try:
            shop.put(key, b"%d" % (value + 1), now=now, conditions=WriteConditions(if_match=version.etag))
            return
        except PreconditionFailed:
            continue


@pytest.mark.parametrize("key", [PATH, NO_PATH], ids=["a path", "no path"])
@pytest.mark.parametrize("kind", SETUPS)
def test_processes_that_count_by_if_match_lose_nothing(kind, key, tmp_path):
    setup, turns = SETUPS[kind], 15
    in_child(prepare, tmp_path, setup)

    def begin() -> None:
        with setup.shop(tmp_path) as shop:
            shop.put(key, b"0")

    def count(shop: Shop, number: int) -> None:
        for turn in range(turns):
            increment(shop, key, NOW + number * 1000 + turn)

    def result() -> bytes:
        with setup.shop(tmp_path) as shop:
            return shop.get(key)

    in_child(begin)
    all_at_once(tmp_path, setup, count)
    assert int(in_child(result)) == turns * PROCESSES


@pytest.mark.parametrize("kind", SETUPS)
def test_of_processes_that_want_to_be_first_exactly_one_is(kind, tmp_path):
    setup = SETUPS[kind]
    keys = [b"album/%d" % number for number in range(10)] + [b"album//%d" % number for number in range(10)]
    in_child(prepare, tmp_path, setup)

    def win(shop: Shop, number: int) -> list[bytes]:
        won = []
        for key in keys:
            try:
                shop.put(key, b"%d" % number, conditions=WriteConditions(if_none_match="*"))
                won.append(key)
            except PreconditionFailed:
                continue
        return won

    def owners() -> dict[bytes, bytes]:
        with setup.shop(tmp_path) as shop:
            assert shop.listed() == sorted(keys)
            assert shop.orphans() == set()
            return {key: shop.get(key) for key in keys}

    winners = all_at_once(tmp_path, setup, win)
    assert sorted(key for won in winners for key in won) == sorted(keys)
    assert in_child(owners) == {key: b"%d" % number for number, won in enumerate(winners) for key in won}


@pytest.mark.parametrize("kind", ["xattr", "pool"])
def test_a_new_directory_is_opened_by_many_processes_at_once(kind, tmp_path):
    setup = SETUPS[kind]

    def work(shop: Shop, number: int) -> list[str]:
        shop.buckets.create(BucketRecord(name=f"bucket-{number}", created=NOW))
        return []

    all_at_once(tmp_path / "new", setup, work)

    def names() -> list[str]:
        with setup.shop(tmp_path / "new") as shop:
            return [record.name for record in shop.buckets.page("", "", 100)]

    assert in_child(names) == [f"bucket-{number}" for number in range(PROCESSES)]


@pytest.mark.parametrize("kind", ["xattr", "pool"])
def test_parts_sent_by_many_processes_are_all_kept(kind, tmp_path):
    setup = SETUPS[kind]
    in_child(prepare, tmp_path, setup)

    def begin() -> None:
        with setup.shop(tmp_path) as shop:
            shop.begin(PATH)

    def send(shop: Shop, number: int) -> None:
        for turn in range(10):
            part = number + 1 + turn * PROCESSES
            shop.send(PATH, part, b"part %d;" % part)

    def complete() -> bytes:
        with setup.shop(tmp_path) as shop:
            shop.complete(PATH, shop.uploads.parts(BUCKET, PATH, "u1", 0, 1000))
            assert shop.orphans() == set()
            return shop.get(PATH)

    in_child(begin)
    all_at_once(tmp_path, setup, send)
    assert in_child(complete) == b"".join(b"part %d;" % part for part in range(1, 10 * PROCESSES + 1))


@pytest.mark.parametrize("kind", ["xattr", "pool"])
def test_readers_see_only_whole_objects_while_another_process_overwrites_them(kind, tmp_path):
    setup = SETUPS[kind]
    in_child(prepare, tmp_path, setup)
    bodies = [bytes([65 + number]) * 100_000 for number in range(3)]

    def begin() -> None:
        with setup.shop(tmp_path) as shop:
            shop.put(PATH, bodies[0])

    def work(shop: Shop, number: int) -> bool:
        for turn in range(40):
            if number == 0:
                shop.put(PATH, bodies[turn % 3], now=NOW + turn, metadata={"body": str(turn % 3)})
            else:
                reading = reconciled(shop.objects.open, BUCKET, PATH)
                body, version = reading.read(0, 200_000), reading.version
                reading.close()
                assert body == bodies[int(version.metadata.get("body", 0))]
                assert shop.listed() == [PATH]
        return True

    in_child(begin)
    assert all(all_at_once(tmp_path, setup, work))
