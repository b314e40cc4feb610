"""The power is cut during any sequence of verbs and flushes, and during changes of buckets and documents."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.store.records import BucketRecord
from tests.crash import test_buckets
from tests.crash.cuts import CUTS, Act, Rig, State, flush, some_cuts
from tests.crash.deeds import OWN_FILES, PATH, Setup, files_below
from tests.crash.test_buckets import MUSIC
from tests.crash.test_histories import VERBS, do
from tests.store.shop import BUCKET, NOW, Shop, open_shop

QUICK = 3
SETUPS = [Setup(), Setup(attributes="sidecar"), Setup(small=100), Setup(small=100, fsync=True)]


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@settings(max_examples=CUTS or 8)
@given(verbs=VERBS, flushes=st.sets(st.integers(0, 12), max_size=2), seed=st.integers(0, 1000))
def test_a_power_cut_during_any_verbs_loses_only_the_last_of_them(setup, verbs, flushes, seed):
    acts: list[Act] = []
    for place, verb in enumerate(verbs):
        acts += [flush] if place in flushes else []
        acts.append(partial(do, place=place, verb=verb))
    rig = Rig(setup)
    with tempfile.TemporaryDirectory() as folder:
        history = rig.history(Path(folder) / "whole", lambda shop: open_shop(shop.driver), acts)
        rig.check(history, some_cuts(history, str(seed), QUICK), Path(folder) / "cut")


def settings_of(shop: Shop) -> State:
    """Every bucket with its uploads, and every document."""
    documents = shop.driver.documents.all("user")
    return {
        **{record.name: (record, ids) for record, ids in test_buckets.buckets(shop)},
        **{("user", name): value for name, value in documents},
    }


def lying_about(folder: Path, shop: Shop) -> list[str]:
    """What belongs to no bucket and no upload."""
    inner = folder / ".geckos3"
    buckets = test_buckets.buckets(shop)
    held = sum(len(uploads) for _record, uploads in buckets)
    files = files_below(inner / "pool", inner / "staging")
    wanted = (
        {".geckos3", *(record.name for record, _ in buckets)} if (inner / "catalog.sqlite").exists() else {".geckos3"}
    )
    return [
        *([] if len(files) == held else [str(path) for path in files]),
        *({path.name for path in folder.iterdir()} ^ wanted),
        *({path.name for path in inner.iterdir() if path.is_file()} - OWN_FILES),
    ]


def document(name: str, value: Any) -> Act:
    return lambda shop: shop.driver.documents.change("user", name, lambda old: value)


def used(shop: Shop) -> None:
    test_buckets.a_bucket_that_was_used(shop)
    document("tom", {"keys": [1]})(shop)
    document("ann", {"keys": [2]})(shop)


def change(number: int) -> Act:
    return lambda shop: shop.buckets.change(BUCKET, lambda record: record.with_setting("cors", [number]))


BUCKETS = {
    "create and change": [lambda shop: shop.buckets.create(MUSIC), change(1), change(2)],
    "remove and make again": [
        *(lambda shop: shop.uploads.abort(BUCKET, PATH, "u1"), lambda shop: shop.buckets.remove(BUCKET)),
        lambda shop: shop.buckets.create(BucketRecord(name=BUCKET, created=NOW + 9, owner="you")),
    ],
    "create and remove": [lambda shop: shop.buckets.create(MUSIC), lambda shop: shop.buckets.remove(MUSIC.name)],
    "documents": [document("tom", {"keys": [3]}), document("ann", None), document("new", {"keys": []})],
}


@pytest.mark.parametrize("setup", [Setup(), Setup(fsync=True), Setup(small=2000)], ids=str)
@pytest.mark.parametrize("name", BUCKETS)
def test_a_power_cut_leaves_buckets_and_documents_in_a_state_that_they_had(name, setup, tmp_path):
    rig = Rig(setup, look=settings_of, litter=lying_about)
    history = rig.history(tmp_path / "whole", used, BUCKETS[name])
    rig.check(history, some_cuts(history, name, CUTS or 2 * QUICK), tmp_path / "cut")
