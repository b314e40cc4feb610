"""Threads that write, read, list, complete and join the same few keys at once: every answer is whole."""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from attrs import evolve

from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.refusals import NoSuchKey, NoSuchUpload
from gecko_tw.store.requests import Copy, ListRequest, Source
from tests.store.shop import BUCKET, NOW, md5, read_all

KEYS = (b"album/cat", b"album", b"album//cat", b"dog")
TURNS = 60


def write(shop, seed):
    chance = random.Random(seed)
    for turn in range(TURNS):
        key, now = chance.choice(KEYS), NOW + turn * 1000 + seed
        body = b"%d-%d;" % (seed, turn) * chance.choice((1, 1000))
        kind = chance.randrange(6)
        if kind <= 2:
            shop.put(key, body, now=now, metadata={"md5": md5(body)})
        elif kind == 3:
            shop.remove(key, now=now)
        elif kind == 4:
            try:
                shop.objects.copy(Source(bucket=BUCKET, key=chance.choice(KEYS)), BUCKET, key, Copy(now=now))
            except NoSuchKey:
                continue
        else:
            upload_id = f"u-{seed}-{turn}"
            bodies = [body + b"1", body + b"2"]
            shop.begin(key, upload_id, metadata={"md5": md5(b"".join(bodies))})
            parts = [shop.send(key, number, part, upload_id) for number, part in enumerate(bodies, 1)]
            shop.complete(key, parts, upload_id, now=now)


def read(shop, seed):
    chance = random.Random(seed)
    for _ in range(TURNS * 2):
        try:
            reading = reconciled(shop.objects.open, BUCKET, chance.choice(KEYS))
        except NoSuchKey:
            continue
        try:
            body = read_all(reading, 4096)
        except BlobGone:
            assert "-" in reading.version.etag, "only what is not joined yet may go away while it is read"
            continue
        finally:
            reading.close()
        assert len(body) == reading.version.size
        assert md5(body) == reading.version.metadata["md5"]


def look_around(shop, seed):
    for _ in range(TURNS):
        page = shop.objects.page(BUCKET, ListRequest())
        keys = [entry.key for entry in page.entries]
        assert keys == sorted(set(keys))
        assert set(keys) <= set(KEYS)
        assert len({entry.id for entry in shop.objects.page(BUCKET, ListRequest(), "uploads").entries}) <= 3


def keep_up(shop, seed):
    for _ in range(TURNS):
        shop.upkeep.join()
        shop.upkeep.sweep(3600)


def test_whatever_happens_at_once_every_answer_is_whole(shop):
    deeds = [partial(write, shop, seed) for seed in (1, 2, 3)]
    deeds += [partial(read, shop, seed) for seed in (4, 5)]
    deeds += [partial(look_around, shop, 6), partial(keep_up, shop, 7)]
    with ThreadPoolExecutor(len(deeds)) as threads:
        for done in [threads.submit(deed) for deed in deeds]:
            done.result()
    while shop.upkeep.join():
        continue
    for key in shop.listed():
        version = reconciled(shop.objects.look, BUCKET, key)
        assert md5(shop.get(key)) == version.metadata["md5"]
    assert shop.orphans() == set()
    assert shop.objects.page(BUCKET, ListRequest(), "uploads").entries == ()


def test_an_upload_that_is_completed_and_aborted_at_once_is_one_of_them(shop):
    for turn in range(20):
        key, upload_id = KEYS[turn % len(KEYS)], f"u{turn}"
        shop.begin(key, upload_id)
        parts = [shop.send(key, number, b"part %d" % number, upload_id) for number in (1, 2)]
        with ThreadPoolExecutor(2) as threads:
            completed = threads.submit(shop.complete, key, parts, upload_id)
            aborted = threads.submit(shop.uploads.abort, BUCKET, key, upload_id)
            outcomes = [completed.exception(), aborted.exception()]
        assert [outcome is None for outcome in outcomes] in ([True, False], [False, True])
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [NoSuchUpload]
        if outcomes[0] is None:
            assert shop.get(key) == b"part 1part 2"
            assert evolve(completed.result(), spans=()) == evolve(shop.objects.look(BUCKET, key), spans=())
        assert shop.orphans() == set()
        shop.remove(key)
