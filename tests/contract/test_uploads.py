"""The contract of ICatalog over every driver: multipart uploads and their parts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from gecko_tw.store.records import Checksum, Part, Upload
from gecko_tw.store.refusals import NoSuchBucket, NoSuchUpload, Refusal
from tests.contract.acts import (
    NOW,
    a_bucket,
    begin,
    change,
    content,
    described,
    give_up,
    look,
    on_top,
    put,
    send_part,
    sweep,
    upload_of,
)


def parts_of(driver, bucket, upload_id, after=0, limit=10_000):
    return driver.catalog.parts(bucket, b"key", upload_id, after, limit)


def test_everything_about_an_upload_is_remembered(driver):
    bucket = a_bucket(driver)
    upload = Upload(
        id="u1",
        initiated=NOW + 7,
        headers={"content-type": "text/plain"},
        metadata={"color": "grün"},
        tags={"k": "v"},
        checksum_algorithm="CRC32C",
        checksum_kind="COMPOSITE",
        owner="me",
        extra={"acl": [1]},
    )
    change(driver, bucket, b"key", lambda history: evolve(history, uploads=(*history.uploads, upload)))
    kept = upload_of(driver, bucket, b"key", "u1")
    assert evolve(kept, revision=0) == upload
    (line,) = driver.catalog.page(bucket, b"", b"", 10, "uploads")
    assert (line.key, line.id, line.modified, line.owner, line.version) == (b"key", "u1", NOW + 7, "me", None)
    assert evolve(line.upload, revision=0) == upload


def test_everything_about_a_part_is_remembered(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    assert send_part(driver, bucket, b"key", "u1", 7, b"seven") is None
    (kept,) = parts_of(driver, bucket, "u1")
    part = evolve(kept, checksum=Checksum("SHA256", "AAAA"), modified=NOW + 9, etag="0" * 32)
    assert driver.catalog.add_part(bucket, b"key", "u1", part) == kept
    assert parts_of(driver, bucket, "u1") == [part]


def test_parts_are_paged_by_number(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    for number in (10, 2, 10_000, 1, 100):
        send_part(driver, bucket, b"key", "u1", number, b"%d" % number)
    assert [part.number for part in parts_of(driver, bucket, "u1")] == [1, 2, 10, 100, 10_000]
    assert [part.number for part in parts_of(driver, bucket, "u1", after=2, limit=2)] == [10, 100]
    assert list(parts_of(driver, bucket, "u1", after=10_000)) == []
    assert list(parts_of(driver, bucket, "u1", limit=0)) == []
    assert [content(driver, part) for part in parts_of(driver, bucket, "u1", limit=2)] == [b"1", b"2"]


def test_a_part_sent_again_replaces_the_first(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"first")
    (first,) = parts_of(driver, bucket, "u1")
    assert send_part(driver, bucket, b"key", "u1", 1, b"second") == first
    driver.blobs.remove([span.blob for span in first.spans])
    (second,) = parts_of(driver, bucket, "u1")
    assert content(driver, second) == b"second"
    assert driver.catalog.references([first.spans[0].blob, second.spans[0].blob]) == {second.spans[0].blob}


def test_each_part_gives_its_upload_a_new_revision_and_no_other(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    begin(driver, bucket, b"key", "u2")
    revisions = [upload_of(driver, bucket, b"key", "u1").revision]
    other = upload_of(driver, bucket, b"key", "u2")
    for number in (1, 2, 2):
        send_part(driver, bucket, b"key", "u1", number, b"data")
        revisions.append(upload_of(driver, bucket, b"key", "u1").revision)
    assert len(set(revisions)) == 4
    assert upload_of(driver, bucket, b"key", "u2") == other


def test_a_rule_sees_the_revision_in_force(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"data")
    applied = change(driver, bucket, b"key", lambda history: history, None, "u1")
    assert applied.before.upload("u1") == upload_of(driver, bucket, b"key", "u1")


def test_putting_an_object_leaves_the_uploads_of_its_key_alone(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"part")
    before = upload_of(driver, bucket, b"key", "u1")
    put(driver, bucket, b"key", b"object")
    assert upload_of(driver, bucket, b"key", "u1") == before
    assert [content(driver, part) for part in parts_of(driver, bucket, "u1")] == [b"part"]


def test_an_upload_that_leaves_the_history_takes_its_parts_along(driver):
    bucket = a_bucket(driver)
    for upload_id in ("u1", "u2"):
        begin(driver, bucket, b"key", upload_id)
        send_part(driver, bucket, b"key", upload_id, 1, upload_id.encode())
    (gone,) = parts_of(driver, bucket, "u1")
    give_up(driver, bucket, b"key", "u1")
    for verb in (
        lambda: parts_of(driver, bucket, "u1"),
        lambda: send_part(driver, bucket, b"key", "u1", 2, b"late"),
    ):
        with pytest.raises(NoSuchUpload):
            verb()
    assert driver.catalog.references([gone.spans[0].blob]) == set()
    assert [content(driver, part) for part in parts_of(driver, bucket, "u2")] == [b"u2"]
    begin(driver, bucket, b"key", "u1")
    assert list(parts_of(driver, bucket, "u1")) == []


def test_an_upload_of_another_key_or_bucket_is_unknown(driver):
    bucket, other = a_bucket(driver), a_bucket(driver, "other")
    begin(driver, bucket, b"key", "u1")
    part = Part(number=1, etag="0" * 32, size=0, modified=NOW, spans=())
    for place, key in ((bucket, b"key2"), (other, b"key")):
        with pytest.raises(NoSuchUpload):
            driver.catalog.parts(place, key, "u1", 0, 10)
        with pytest.raises(NoSuchUpload):
            driver.catalog.add_part(place, key, "u1", part)
    with pytest.raises((NoSuchBucket, NoSuchUpload)):
        driver.catalog.parts("nowhere", b"key", "u1", 0, 10)


def test_the_parts_become_a_version_without_moving_bytes_of_others(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"old")
    begin(driver, bucket, b"key", "u1")
    for number in (1, 2, 3):
        send_part(driver, bucket, b"key", "u1", number, b"part %d;" % number)
    chosen = [part for part in parts_of(driver, bucket, "u1") if part.number != 2]
    dropped = [part for part in parts_of(driver, bucket, "u1") if part.number == 2]
    spans = tuple(span for part in chosen for span in part.spans)
    version = described(b"part 1;part 3;", spans=spans, upload="u1")
    change(driver, bucket, b"key", lambda history: evolve(on_top(history, version), uploads=()), None, "u1")
    driver.blobs.remove([span.blob for part in dropped for span in part.spans])
    sweep(driver)
    assert content(driver, look(driver, bucket, b"key").newest) == b"part 1;part 3;"
    assert driver.catalog.references([dropped[0].spans[0].blob]) == set()


def test_a_single_part_becomes_a_version(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    send_part(driver, bucket, b"key", "u1", 1, b"the only one")
    (part,) = parts_of(driver, bucket, "u1")
    version = described(b"the only one", spans=part.spans, upload="u1", etag="e" * 32 + "-1", metadata={"a": "b"})
    change(driver, bucket, b"key", lambda history: evolve(on_top(history, version), uploads=()), None, "u1")
    sweep(driver)
    kept = look(driver, bucket, b"key").newest
    assert content(driver, kept) == b"the only one"
    assert (kept.etag, kept.metadata, kept.upload) == ("e" * 32 + "-1", {"a": "b"}, "u1")


def test_threads_that_send_parts_lose_none(driver):
    bucket = a_bucket(driver)
    begin(driver, bucket, b"key", "u1")
    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(send_part, driver, bucket, b"key", "u1", number, b"%d" % number) for number in range(1, 41)
        ]:
            done.result()
    assert [content(driver, part) for part in parts_of(driver, bucket, "u1")] == [b"%d" % n for n in range(1, 41)]


def test_a_part_that_comes_while_the_upload_ends_is_refused_or_noticed(driver):
    bucket = a_bucket(driver)
    for turn in range(10):
        upload_id = f"u{turn}"
        begin(driver, bucket, b"key", upload_id)
        send_part(driver, bucket, b"key", upload_id, 1, b"one")
        seen = upload_of(driver, bucket, b"key", upload_id)

        def end(history, seen=seen):
            if history.upload(seen.id) != seen:
                raise Refusal("raced")
            return evolve(history, uploads=())

        with ThreadPoolExecutor(2) as threads:
            late = threads.submit(send_part, driver, bucket, b"key", upload_id, 2, b"two")
            ended = threads.submit(change, driver, bucket, b"key", end, None, upload_id)
            assert (late.exception() is None) == (ended.exception() is not None)
        if ended.exception() is not None:
            give_up(driver, bucket, b"key", upload_id)
