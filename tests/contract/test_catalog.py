"""The contract of ICatalog over every driver: buckets, histories and their atomicity."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve
from zope.interface.verify import verifyObject

from gecko_tw.store.drivers.interfaces import ICatalog
from gecko_tw.store.records import BlobNote, BucketRecord, Change, Checksum, KeyHistory, PartSize, Span
from gecko_tw.store.refusals import BucketAlreadyExists, BucketNotEmpty, NoSuchBucket, PreconditionFailed
from tests.contract.acts import (
    NOW,
    a_bucket,
    begin,
    change,
    commit,
    content,
    described,
    every_page,
    forget,
    look,
    mark_deleted,
    on_top,
    put,
    send_part,
    sweep,
)


def test_a_catalog_keeps_its_interface(driver):
    assert verifyObject(ICatalog, driver.catalog)
    assert driver.catalog.quick in (True, False)


def test_a_bucket_is_remembered_as_it_was_added(driver):
    record = BucketRecord(
        name="photos", created=NOW, owner="me", region="eu-west-1", settings={"cors": [{"a": 1}], "x": None, "ü": "ß"}
    )
    driver.catalog.add_bucket(record)
    assert driver.catalog.bucket("photos") == record


def test_a_bucket_cannot_be_added_twice(driver):
    a_bucket(driver)
    with pytest.raises(BucketAlreadyExists):
        driver.catalog.add_bucket(BucketRecord(name="photos", created=1))
    assert driver.catalog.bucket("photos").created == NOW


def test_buckets_are_paged_by_name(driver):
    for name in ("music", "photos", "papers", "photos-2", "photos.old"):
        a_bucket(driver, name)
    everything = [record.name for record in driver.catalog.buckets("", "", 100)]
    assert everything == ["music", "papers", "photos", "photos-2", "photos.old"]
    assert [record.name for record in driver.catalog.buckets("ph", "photos", 1)] == ["photos-2"]
    assert [record.name for record in driver.catalog.buckets("", "papers", 2)] == ["photos", "photos-2"]
    assert driver.catalog.buckets("x", "", 10) == []
    assert driver.catalog.buckets("", "", 0) == []


def test_changing_a_bucket_is_one_step(driver):
    a_bucket(driver)

    def count(record):
        return record.with_setting("count", record.settings.get("count", 0) + 1)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: [driver.catalog.change_bucket("photos", count) for _ in range(10)], range(4)))
    assert driver.catalog.bucket("photos").settings == {"count": 40}


def test_a_refusing_rule_leaves_the_bucket_as_it_was(driver):
    a_bucket(driver)

    def refuse(record):
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        driver.catalog.change_bucket("photos", refuse)
    assert driver.catalog.bucket("photos").settings == {}


def test_an_unknown_bucket_is_refused_by_every_verb(driver):
    catalog = driver.catalog
    for verb in (
        lambda: catalog.bucket("nowhere"),
        lambda: catalog.change_bucket("nowhere", lambda record: record),
        lambda: catalog.remove_bucket("nowhere"),
        lambda: catalog.history("nowhere", b"key"),
        lambda: change(driver, "nowhere", b"key", lambda history: history),
        lambda: list(catalog.page("nowhere", b"", b"", 1, "objects")),
    ):
        with pytest.raises(NoSuchBucket):
            verb()


def test_only_an_empty_bucket_can_be_removed(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"data")
    with pytest.raises(BucketNotEmpty):
        driver.catalog.remove_bucket(bucket)
    forget(driver, bucket, b"key")
    driver.catalog.remove_bucket(bucket)
    with pytest.raises(NoSuchBucket):
        driver.catalog.bucket(bucket)


def test_a_bucket_of_delete_markers_is_not_empty(driver):
    bucket = a_bucket(driver)
    mark_deleted(driver, bucket, b"key", "m1")
    with pytest.raises(BucketNotEmpty):
        driver.catalog.remove_bucket(bucket)


def test_unfinished_uploads_go_with_their_bucket(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"part")
    driver.catalog.remove_bucket(bucket)
    a_bucket(driver)
    assert look(driver, bucket, b"key") == KeyHistory(bucket=bucket, key=b"key")
    sweep(driver)
    assert set(driver.blobs.older_than(-60)) == set()


def test_buckets_do_not_share_keys(driver):
    for name in ("one", "two"):
        a_bucket(driver, name)
        put(driver, name, b"key", name.encode())
    forget(driver, "one", b"key")
    assert look(driver, "one", b"key").newest is None
    assert content(driver, look(driver, "two", b"key").newest) == b"two"


def test_the_history_of_an_unknown_key_is_empty(driver):
    bucket = a_bucket(driver)
    assert look(driver, bucket, b"key") == KeyHistory(bucket=bucket, key=b"key")


def test_everything_about_a_version_is_remembered(driver):
    bucket = a_bucket(driver)
    version = put(
        driver,
        bucket,
        b"key",
        b"12345",
        modified=NOW + 123_456_789,
        headers={"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"},
        metadata={"color": "grün", "empty": "", "quote": "\"'\\"},
        tags={"k": "v", "ключ": "значение"},
        checksum=Checksum("CRC32", "AAAAAA==-2", "COMPOSITE"),
        parts=(PartSize(1, 2, "AA=="), PartSize(3, 3)),
        upload="u-1",
        extra={"acl": {"grants": [1, 2.5, None, True]}, "lock": "x"},
    )
    kept = look(driver, bucket, b"key").newest
    assert kept == version
    assert kept.metadata == {"color": "grün", "empty": "", "quote": "\"'\\"}
    assert kept.extra == {"acl": {"grants": [1, 2.5, None, True]}, "lock": "x"}
    assert kept.parts == (PartSize(1, 2, "AA=="), PartSize(3, 3))
    assert kept.checksum == Checksum("CRC32", "AAAAAA==-2", "COMPOSITE")
    assert (kept.modified, kept.upload, kept.owner) == (NOW + 123_456_789, "u-1", "owner")
    assert content(driver, kept) == b"12345"


def test_a_step_tells_what_was_before_and_after_and_the_outcome(driver):
    bucket = a_bucket(driver)
    first = put(driver, bucket, b"key", b"first")
    applied = driver.catalog.change_history(
        bucket,
        b"key",
        lambda record, history: Change(evolve(history, versions=()), (record.name, history.newest.etag)),
    )
    assert applied.outcome == (bucket, first.etag)
    assert applied.before.newest == first
    assert applied.after.newest is None


def test_a_rule_sees_the_record_of_the_bucket(driver):
    bucket = a_bucket(driver)
    driver.catalog.change_bucket(bucket, lambda record: record.with_setting("versioning", "Enabled"))
    applied = driver.catalog.change_history(bucket, b"key", lambda record, history: Change(history, record))
    assert applied.outcome == driver.catalog.bucket(bucket)


def test_a_raising_rule_leaves_all_as_it_was(driver):
    bucket = a_bucket(driver)
    before = put(driver, bucket, b"key", b"data", metadata={"a": "b"})
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"part")

    def refuse(record, history):
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        driver.catalog.change_history(bucket, b"key", refuse)
    history = look(driver, bucket, b"key")
    assert history.newest == before
    assert content(driver, history.newest) == b"data"
    assert [part.number for part in driver.catalog.parts(bucket, b"key", "u1", 0, 10)] == [1]
    assert every_page(driver, bucket, "objects") == [(b"key", "null")]


def test_whatever_a_rule_raises_comes_out(driver):
    bucket = a_bucket(driver)

    def fail(record, history):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driver.catalog.change_history(bucket, b"key", fail)
    assert put(driver, bucket, b"key", b"fine") is not None


def test_changing_only_what_is_said_about_a_version_keeps_its_bytes(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"data", metadata={"a": "b"})
    for tag in ("one", "two"):
        change(driver, bucket, b"key", lambda history, t=tag: on_top(history, evolve(history.newest, tags={"t": t})))
    kept = look(driver, bucket, b"key").newest
    assert kept.tags == {"t": "two"}
    assert kept.metadata == {"a": "b"}
    assert content(driver, kept) == b"data"


def test_threads_that_change_one_history_lose_nothing(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"counter", b"0", extra={"count": 0})

    def increment(_record, history):
        newest = history.newest
        return Change(on_top(history, evolve(newest, extra={"count": newest.extra["count"] + 1})))

    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(
                lambda: [driver.catalog.change_history(bucket, b"counter", increment) for _turn in range(25)]
            )
            for _thread in range(4)
        ]:
            done.result()
    assert look(driver, bucket, b"counter").newest.extra == {"count": 100}


def test_threads_that_put_one_key_leave_one_whole_version(driver):
    bucket = a_bucket(driver)
    bodies = [bytes([letter]) * 5000 for letter in b"abcd"]
    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(
                lambda body=body: [put(driver, bucket, b"key", body, tags={"t": body[:1].decode()}) for _ in range(10)]
            )
            for body in bodies
        ]:
            done.result()
    kept = look(driver, bucket, b"key").newest
    data = content(driver, kept)
    assert data in bodies
    assert kept.tags == {"t": data[:1].decode()}
    assert len(look(driver, bucket, b"key").versions) == 1


def test_of_threads_that_want_to_be_first_exactly_one_is(driver):
    bucket = a_bucket(driver)

    def committed(data):
        version = described(data)
        return evolve(version, spans=(commit(driver, data, BlobNote(bucket=bucket, key=b"key", record=version)),))

    def wins(version):
        def rule(_record, history):
            if history.newest is not None:
                raise PreconditionFailed
            return Change(on_top(history, version))

        try:
            driver.catalog.change_history(bucket, b"key", rule)
        except PreconditionFailed:
            return False
        return True

    bodies = [b"%d" % number for number in range(8)]
    versions = [committed(body) for body in bodies]
    with ThreadPoolExecutor(8) as threads:
        winners = [body for body, won in zip(bodies, threads.map(wins, versions), strict=True) if won]
    assert winners == [content(driver, look(driver, bucket, b"key").newest)]


def test_versions_and_delete_markers_keep_their_order(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"null")
    put(driver, bucket, b"key", b"one", version_id="v1")
    mark_deleted(driver, bucket, b"key", "m2")
    assert look(driver, bucket, b"key").newest is None
    assert every_page(driver, bucket, "objects") == []
    put(driver, bucket, b"key", b"three", version_id="v3")
    assert every_page(driver, bucket, "versions", size=1) == [
        (b"key", "v3"),
        (b"key", "m2"),
        (b"key", "v1"),
        (b"key", "null"),
    ]
    put(driver, bucket, b"key", b"null again")
    assert [name for _key, name in every_page(driver, bucket, "versions")] == ["null", "v3", "m2", "v1"]
    expected = {"null": b"null again", "v3": b"three", "v1": b"one"}
    for version_id, data in expected.items():
        found = {version.version_id: version for version in look(driver, bucket, b"key", version_id).versions}
        assert content(driver, found[version_id]) == data


def test_when_the_newest_version_goes_the_one_before_is_the_newest(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"one", version_id="v1")
    put(driver, bucket, b"key", b"two", version_id="v2")
    forget(driver, bucket, b"key", "v2")
    assert content(driver, look(driver, bucket, b"key").newest) == b"one"
    assert every_page(driver, bucket, "objects") == [(b"key", "v1")]
    mark_deleted(driver, bucket, b"key", "m3")
    forget(driver, bucket, b"key", "m3")
    assert content(driver, look(driver, bucket, b"key").newest) == b"one"


def test_lines_of_versions_tell_what_they_are(driver):
    bucket = a_bucket(driver)
    version = put(driver, bucket, b"key", b"one", version_id="v1")
    mark_deleted(driver, bucket, b"key", "m2")
    marker, line = driver.catalog.page(bucket, b"", b"", 10, "versions")
    assert (marker.newest, marker.version, marker.id, marker.modified, marker.owner) == (True, None, "m2", NOW, "owner")
    assert (line.newest, line.id, line.modified, line.owner) == (False, "v1", NOW, "owner")
    assert (line.version.etag, line.version.size) == (version.etag, 3)


def test_references_are_the_blobs_that_versions_and_parts_hold(driver):
    bucket = a_bucket(driver)
    version = put(driver, bucket, b"key", b"data")
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"part")
    (part,) = driver.catalog.parts(bucket, b"key", "u1", 0, 10)
    held = {version.spans[0].blob, part.spans[0].blob}
    assert driver.catalog.references([*held, "no-such-blob"]) == held
    assert driver.catalog.references([]) == set()
    forget(driver, bucket, b"key")
    change(driver, bucket, b"key", lambda history: evolve(history, uploads=()), None, "u1")
    assert driver.catalog.references(held) == set()


def test_completed_uploads_that_are_not_joined_yet_are_told(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"whole", b"data")
    begin(driver, bucket, b"key", "u1")
    for number in (1, 2):
        send_part(driver, bucket, b"key", "u1", number, b"part%d" % number)
    spans = tuple(part.spans[0] for part in driver.catalog.parts(bucket, b"key", "u1", 0, 10))
    assert list(driver.catalog.spanned(10)) == []
    version = described(b"part1part2", spans=spans, upload="u1")
    applied = change(driver, bucket, b"key", lambda history: evolve(on_top(history, version), uploads=()), None, "u1")
    assert list(driver.catalog.spanned(10)) == [(bucket, b"key")]
    assert list(driver.catalog.spanned(0)) == []
    assert content(driver, applied.after.newest) == b"part1part2"
    sweep(driver)
    assert content(driver, look(driver, bucket, b"key").newest) == b"part1part2"


def test_a_span_may_be_a_part_of_a_blob(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"0123456789")
    (part,) = driver.catalog.parts(bucket, b"key", "u1", 0, 10)
    other = commit(driver, b"abc", BlobNote(bucket=bucket, key=b"key", record=described(b"abc")))
    spans = (Span(part.spans[0].blob, 2, 3), Span(other.blob, 1, 2))
    change(
        driver, bucket, b"key", lambda history: evolve(on_top(history, described(b"234bc", spans=spans)), uploads=())
    )
    assert content(driver, look(driver, bucket, b"key").newest) == b"234bc"


def test_a_bucket_that_comes_and_goes_is_there_or_is_not(driver):
    """Whoever asks meanwhile gets its record or NoSuchBucket, and never makes it by asking."""
    names = [f"bucket-{number}" for number in range(25)]
    done = []

    def make_and_remove():
        for name in names:
            a_bucket(driver, name)
            put(driver, name, b"key", b"data")
            forget(driver, name, b"key")
            driver.catalog.remove_bucket(name)
        done.append(True)

    def ask():
        while not done:
            for name in names:
                try:
                    assert driver.catalog.bucket(name).owner == "owner"
                    assert [line.key for line in driver.catalog.page(name, b"", b"", 10, "objects")] in ([], [b"key"])
                    assert look(driver, name, b"key").key == b"key"
                except NoSuchBucket:
                    continue

    with ThreadPoolExecutor(3) as threads:
        asking = [threads.submit(ask) for _ in range(2)]
        try:
            threads.submit(make_and_remove).result()
        finally:
            done.append(True)
        for one in asking:
            one.result()
    assert driver.catalog.buckets("", "", 100) == []
