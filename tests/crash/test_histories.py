"""Any sequence of verbs, cut short anywhere: a driver is as the reference driver is after the verbs acknowledged, or one more.

Afterwards it goes on: what was cut short is done again, and the two are the same.
"""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gecko_tw.store.requests import Copy, Remove, Source
from tests.crash.children import die, finish, in_child, start
from tests.crash.deeds import Setup, everything, litter, said
from tests.crash.killing import watched
from tests.store.shop import BUCKET, NOW, Shop, open_shop

KEYS = (b"a", b"a/", b"a/b", b"a/b/c", b"A", b"..", b"a//b", b"n" * 300)
SECOND = 10**9

VERBS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "remove", "copy", "begin", "send", "send", "complete", "abort", "join"]),
        st.integers(0, len(KEYS) - 1),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


def do(shop: Shop, place: int, verb: tuple[str, int, int]) -> None:
    """One verb; what cannot be done is left out, on both drivers alike."""
    name, which, number = verb
    key, now = KEYS[which], NOW + place * SECOND
    uploads = list(shop.driver.catalog.page(BUCKET, b"", b"", 100, "uploads"))
    upload = uploads[which % len(uploads)] if uploads else None
    if name == "put":
        shop.put(key, b"body %d; " % place * (number * 3000 + 1), now=now, **said(f"put{place}"))
    elif name == "remove":
        shop.objects.remove(BUCKET, key, Remove(now=now))
    elif name == "copy" and (listed := shop.listed()):
        source = Source(bucket=BUCKET, key=listed[(which + number) % len(listed)])
        shop.objects.copy(source, BUCKET, key, Copy(now=now))
    elif name == "begin":
        shop.begin(key, f"u{place}", initiated=now, **said(f"upload{place}"))
    elif name == "join":
        shop.upkeep.join()
    elif upload is not None and name == "send":
        shop.send(upload.key, number + 1, b"part %d; " % place, upload.id)
    elif upload is not None and name == "abort":
        shop.uploads.abort(BUCKET, upload.key, upload.id)
    elif upload is not None and name == "complete":
        parts = shop.uploads.parts(BUCKET, upload.key, upload.id, 0, 10)
        if parts:
            shop.complete(upload.key, parts, upload.id, now=now)


def expected(verbs: list[tuple[str, int, int]]) -> list[Any]:
    """What is seen over the reference driver before the first verb and after each."""
    shop = open_shop()
    states = [everything(shop)]
    for place, verb in enumerate(verbs):
        do(shop, place, verb)
        states.append(everything(shop))
    return states


def cut_short(folder: Path, setup: Setup, verbs: list[tuple[str, int, int]], steps: int) -> int:
    """How many of the verbs were acknowledged before the child was killed."""
    counted, counting = os.pipe()

    def work(acknowledge: Any) -> None:
        tell = partial(os.write, counting, b".")
        countdown = watched()
        with setup.shop(folder) as shop:
            open_shop(shop.driver)
            countdown.no_farther_than(steps)
            for place, verb in enumerate(verbs):
                do(shop, place, verb)
                tell()
            die()

    child = start(work)
    os.close(counting)
    assert finish(*child).killed
    with open(counted, "rb") as told:
        return len(told.read())


def tidy(shop: Shop) -> None:
    """What steps have made worthless goes with the next flush; what steps that were cut short have left is swept."""
    while shop.driver.flush():
        continue
    shop.upkeep.sweep(-60)


def seen(folder: Path, setup: Setup, verbs: list[tuple[str, int, int]], done: int) -> tuple[Any, Any, Any]:
    """What is found at once, once the catalog was made again from the files, and once the rest of the verbs is done."""
    with setup.shop(folder) as shop:
        at_once = everything(shop)
        tidy(shop)
        assert everything(shop) == at_once
        assert litter(folder, shop) == []
        setup.rebuild(shop)
        rebuilt = everything(shop)
        for place in range(expected(verbs).index(rebuilt, done), len(verbs)):
            do(shop, place, verbs[place])
        tidy(shop)
        assert litter(folder, shop) == []
        return at_once, rebuilt, everything(shop)


@pytest.mark.parametrize("setup", [Setup(), Setup(attributes="sidecar"), Setup(small=100)], ids=str)
@settings(max_examples=25)
@given(verbs=VERBS, steps=st.integers(1, 120))
# What is done twice here, because it was cut short behind its commit, would be another upload.
@example(verbs=[("put", 1, 0), ("begin", 0, 0), ("begin", 0, 0), ("abort", 0, 0), ("put", 0, 0)], steps=17)
def test_verbs_that_are_cut_short_anywhere_leave_what_was_acknowledged(setup, verbs, steps):
    states = expected(verbs)
    with tempfile.TemporaryDirectory() as folder:
        done = cut_short(Path(folder), setup, verbs, steps)
        allowed = states[done : done + 2]
        at_once, rebuilt, at_last = in_child(seen, Path(folder), setup, verbs, done)
    assert at_once in allowed
    assert rebuilt in allowed
    assert at_last == states[-1]
