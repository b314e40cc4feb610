"""Making, changing and removing a bucket, cut short at any step."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.records import BucketRecord
from tests.crash.copies import copies_of, seen_in
from tests.crash.deeds import OWN_FILES, PATH, Setup, files_below
from tests.crash.killing import Work
from tests.store.shop import BUCKET, NOW, Shop

MUSIC = BucketRecord(name="music", created=NOW + 5, owner="me", region="eu-west-1", settings={"cors": [1]})


def a_bucket_and_an_upload(shop: Shop) -> None:
    shop.buckets.create(BucketRecord(name=BUCKET, created=NOW, owner="me"))
    shop.begin(PATH)
    shop.send(PATH, 1, b"part")


def a_bucket_that_was_used(shop: Shop) -> None:
    a_bucket_and_an_upload(shop)
    shop.put(PATH, b"data")
    shop.remove(PATH)


DEEDS: dict[str, tuple[Callable[[Shop], Any], Callable[[Shop], Any]]] = {
    "create": (a_bucket_and_an_upload, lambda shop: shop.buckets.create(MUSIC)),
    "change": (
        a_bucket_and_an_upload,
        lambda shop: shop.buckets.change(BUCKET, lambda record: record.with_setting("cors", [2])),
    ),
    "remove": (a_bucket_and_an_upload, lambda shop: shop.buckets.remove(BUCKET)),
    "remove what was used": (a_bucket_that_was_used, lambda shop: shop.buckets.remove(BUCKET)),
}


def performed(folder: Path, setup: Setup, name: str) -> Work:
    """The deed, to be cut short."""
    before, act = DEEDS[name]

    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        with setup.shop(folder) as shop:
            before(shop)
            begin()
            act(shop)
            end()

    return work


def buckets(shop: Shop) -> list[tuple[BucketRecord, list[str]]]:
    """Every bucket, and the ids of its uploads."""
    catalog = shop.driver.catalog
    return [
        (record, [line.id for line in catalog.page(record.name, b"", b"", 10, "uploads")])
        for record in shop.buckets.page("", "", 100)
    ]


def seen(folder: Path, setup: Setup) -> tuple[Any, Any]:
    """What is there at once, and once the catalog was made again from the files."""
    with setup.shop(folder) as shop:
        at_once = buckets(shop)
        shop.upkeep.sweep(-60)
        assert buckets(shop) == at_once
        setup.rebuild(shop)
        rebuilt = buckets(shop)
        shop.upkeep.sweep(-60)
        held = sum(len(uploads) for _record, uploads in rebuilt)
        assert len(files_below(folder / ".geckos3" / "pool", folder / ".geckos3" / "staging")) == held
        directories = {record.name for record, _ in rebuilt} if setup.small is None else set()
        assert {path.name for path in folder.iterdir()} == {".geckos3", *directories}
        assert {path.name for path in (folder / ".geckos3").iterdir() if path.is_file()} <= OWN_FILES
    return at_once, rebuilt


@pytest.mark.parametrize("setup", [Setup(), Setup(small=2000)], ids=str)
@pytest.mark.parametrize("name", DEEDS)
def test_a_bucket_is_wholly_in_its_old_or_in_its_new_state(name, setup, tmp_path):
    copies = copies_of(tmp_path / "whole", performed(tmp_path / "whole", setup, name))
    (old, _), *_, (new, _) = found = seen_in(copies, tmp_path / "left", partial(seen, setup=setup))
    for steps, (at_once, rebuilt) in enumerate(found):
        allowed = [new] if steps == len(found) - 1 else [old, new]
        assert at_once in allowed, f"after step {steps}"
        assert rebuilt in allowed, f"made again from the files, after step {steps}"
    assert old != new
