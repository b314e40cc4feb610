"""Several processes at one key, one bucket, one blob: whoever is slower begins again, and nothing is counted or kept by halves."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from attrs import evolve

from gecko_tw.store.drivers.interfaces import BlobGone, IUsage
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BlobNote, Change, Notice, Upload
from gecko_tw.store.refusals import BucketNotEmpty, NoSuchBucket, NoSuchUpload, SlowDown
from gecko_tw.store.requests import ListRequest, Put, PutPart, Remove
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads
from tests.contract.acts import NOW, a_bucket, change, commit, content, described, look, on_top, put, sweep


def objects_of(driver):
    return Objects(driver.catalog, driver.blobs)


def store(objects, key, data):
    incoming = objects.receive()
    incoming.push(data)
    return objects.put("photos", key, incoming, Put(now=NOW))


def test_what_a_bucket_holds_is_counted_exactly_whoever_writes(node):
    nodes = [node(), node()]
    a_bucket(nodes[0])

    def work(number):
        dice, objects = random.Random(number), objects_of(nodes[number % 2])
        for _ in range(40):
            key = b"%d" % dice.randrange(6)
            if dice.random() < 0.7:
                store(objects, key, b"x" * dice.choice((0, 10, 100_000)))
            else:
                objects.remove("photos", key, Remove(now=NOW))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    entries = nodes[0].catalog.page("photos", b"", b"", 100, "versions")
    usage = IUsage(nodes[1].catalog).usage("photos")
    assert (usage.bytes, usage.objects) == (sum(entry.size for entry in entries), len(entries))
    held = nodes[0]._connections.read("SELECT count(*) FROM blob WHERE state = 1")
    assert held == [(sum(entry.size > 70_000 for entry in entries),)]
    bodies = nodes[0]._connections.read("SELECT count(*) FROM body")
    assert bodies == [(sum(entry.size < 70_000 for entry in entries),)]


def test_a_bucket_is_removed_or_written_to_but_never_both(node):
    nodes = [node(), node()]

    def write(_):
        with suppress(NoSuchBucket):
            put(nodes[1], "photos", b"k", b"data")
            return True
        return False

    def remove(_):
        with suppress(BucketNotEmpty):
            nodes[0].catalog.remove_bucket("photos")
            return True
        return False

    with ThreadPoolExecutor(2) as threads:
        for _ in range(30):
            a_bucket(nodes[0])
            written, removed = threads.submit(write, 0), threads.submit(remove, 0)
            assert written.result() is not removed.result()
            if written.result():
                change(nodes[0], "photos", b"k", lambda history: history.having(()))
                nodes[0].catalog.remove_bucket("photos")
    assert nodes[0]._connections.read("SELECT count(*) FROM head") == [(0,)]


def test_a_rule_always_sees_the_record_of_the_bucket_that_is_in_force(node):
    first, second = node(), node()
    a_bucket(first)
    second.catalog.bucket("photos")
    for number in range(20):
        first.catalog.change_bucket("photos", lambda record, n=number: record.with_setting("n", n))
        seen = second.catalog.change_history("photos", b"k", lambda record, history: Change(history, record.settings))
        assert seen.outcome == {"n": number}


def test_parts_that_come_at_once_are_all_kept_and_each_number_once(node):
    nodes = [node(), node()]
    a_bucket(nodes[0])
    Uploads(objects_of(nodes[0])).create("photos", b"k", Upload(id="u", initiated=NOW))

    def send(number):
        objects = objects_of(nodes[number % 2])
        incoming = objects.receive()
        incoming.push(b"%d" % number)
        Uploads(objects).put_part("photos", b"k", "u", incoming, PutPart(now=NOW, number=number % 4 + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(send, range(40)))
    parts = nodes[0].catalog.parts("photos", b"k", "u", 0, 100)
    assert [part.number for part in parts] == [1, 2, 3, 4]
    assert nodes[0]._connections.read("SELECT count(*) FROM blob WHERE state = 1") == [(4,)]
    assert IUsage(nodes[0].catalog).usage("photos").bytes == sum(part.size for part in parts)
    Uploads(objects_of(nodes[0])).abort("photos", b"k", "u")
    assert nodes[0]._connections.read("SELECT count(*) FROM blob WHERE state = 1") == [(0,)]
    assert IUsage(nodes[0].catalog).usage("photos").bytes == 0
    with pytest.raises(NoSuchUpload):
        send(1)


def test_parts_and_the_end_of_their_upload_do_not_stand_in_each_others_way(node):
    nodes = [node(), node()]
    a_bucket(nodes[0])

    def send(number):
        with suppress(NoSuchUpload):
            objects = objects_of(nodes[number % 2])
            incoming = objects.receive()
            incoming.push(b"%d" % number)
            Uploads(objects).put_part(
                "photos", b"k", f"u{number // 8}", incoming, PutPart(now=NOW, number=number % 8 + 1)
            )

    def end(number):
        Uploads(objects_of(nodes[number % 2])).abort("photos", b"k", f"u{number}")

    with ThreadPoolExecutor(8) as threads:
        for number in range(10):
            Uploads(objects_of(nodes[0])).create("photos", b"k", Upload(id=f"u{number}", initiated=NOW))
            sent = [threads.submit(send, number * 8 + part) for part in range(8)]
            threads.submit(end, number).result()
            for one in sent:
                one.result()
    assert nodes[0]._connections.read("SELECT count(*) FROM blob WHERE state = 1") == [(0,)]
    assert nodes[0]._connections.read("SELECT (SELECT count(*) FROM part), (SELECT count(*) FROM head)") == [(0, 0)]
    assert IUsage(nodes[0].catalog).usage("photos").bytes == 0


def test_bytes_that_were_swept_become_no_version(driver, monkeypatch):
    bucket = a_bucket(driver)
    version = described(b"x" * 100_000)
    span = commit(driver, b"x" * 100_000, BlobNote(bucket=bucket, key=b"k", record=version))
    sweep(driver)
    monkeypatch.setattr("gecko_tw.store.drivers.postgresql.catalog.ATTEMPTS", 2)
    with pytest.raises(SlowDown):
        change(driver, bucket, b"k", lambda history: on_top(history, version.lying((span,))))
    assert look(driver, bucket, b"k").versions == ()


def test_bytes_that_a_version_holds_are_never_swept(driver):
    bucket = a_bucket(driver)
    version = put(driver, bucket, b"k", b"x" * 100_000)
    driver.blobs.remove([version.spans[0].blob])
    assert driver.blobs.purge(-60) == 0
    assert content(driver, version) == b"x" * 100_000


def test_dropped_bytes_go_after_a_while_and_nothing_is_looked_through_for_them(driver):
    bucket = a_bucket(driver)
    old = put(driver, bucket, b"k", b"x" * 3_000_000)
    reader = driver.blobs.open(old.spans[0].blob)
    put(driver, bucket, b"k", b"new")
    with pytest.raises(BlobGone):
        driver.blobs.open(old.spans[0].blob)
    upkeep = Upkeep(Uploads(objects_of(driver)))
    assert upkeep.sweep(3600.0) == 0
    assert reader.read(2_999_999, 10) == b"x"
    assert driver.blobs.purge(-60) == 1
    assert driver._connections.read("SELECT (SELECT count(*) FROM block), (SELECT count(*) FROM blob)") == [(0, 0)]
    with pytest.raises(BlobGone):
        reader.read(0, 1)


def test_events_of_one_key_are_kept_in_the_order_of_its_steps(node):
    nodes = [node(), node()]
    a_bucket(nodes[0])
    put(nodes[0], "photos", b"k", b"", extra={"n": 0})

    def step(number):
        def rule(_record, history):
            newest = history.newest
            following = newest.extra["n"] + 1
            changed = on_top(history, evolve(newest, extra={"n": following}))
            return Change(changed, None, (Notice("t", {"n": following}),))

        nodes[number % 2].catalog.change_history("photos", b"k", rule)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(step, range(40)))
    waiting = nodes[0].notices.waiting("t", 100)
    assert [event["n"] for _, event in waiting] == list(range(1, 41))


def test_listings_go_on_while_others_write(node):
    nodes = [node(), node()]
    a_bucket(nodes[0])
    for number in range(0, 100, 2):
        put(nodes[0], "photos", b"%03d" % number, b"")

    def write(number):
        put(nodes[1], "photos", b"%03d" % number, b"")

    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write, number) for number in range(1, 100, 2)]
        seen, after = [], b""
        while True:
            page = objects_of(nodes[0]).page("photos", ListRequest(after=after, limit=7))
            seen += [entry.key for entry in page.entries]
            if not page.truncated:
                break
            after = page.next_key
        for one in writing:
            one.result()
    assert seen == sorted(seen)
    assert {b"%03d" % number for number in range(0, 100, 2)} <= set(seen)
