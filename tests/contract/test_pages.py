"""The contract of ICatalog.page over every driver: byte order, prefixes, limits, and going on where a page ended."""

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.store.objects import Objects
from gecko_tw.store.requests import ListRequest
from gecko_tw.store.rules.listing import common_prefix
from tests.contract.acts import (
    KEYS,
    NOW,
    ODD_KEYS,
    a_bucket,
    begin,
    content,
    every_page,
    forget,
    give_up,
    look,
    mark_deleted,
    put,
)


def keys_of(page):
    return [line.key for line in page]


def test_every_odd_key_is_kept_beside_all_others(driver):
    bucket = a_bucket(driver)
    for key in ODD_KEYS:
        put(driver, bucket, key, b"<" + key + b">", metadata={"hex": key.hex()})
    assert every_page(driver, bucket, "objects", size=7) == [(key, "null") for key in sorted(ODD_KEYS)]
    for key in ODD_KEYS:
        kept = look(driver, bucket, key).newest
        assert content(driver, kept) == b"<" + key + b">"
        assert kept.metadata == {"hex": key.hex()}
    for key in ODD_KEYS[::2]:
        forget(driver, bucket, key)
    assert every_page(driver, bucket, "objects") == [(key, "null") for key in sorted(ODD_KEYS[1::2])]
    for key in ODD_KEYS[1::2]:
        assert content(driver, look(driver, bucket, key).newest) == b"<" + key + b">"


@settings(max_examples=25)
@given(keys=st.sets(KEYS, max_size=12), data=st.data())
def test_pages_are_slices_of_the_sorted_keys(candidate, tmp_path_factory, keys, data):
    with candidate.opened(tmp_path_factory.mktemp("pages")) as driver:
        bucket = a_bucket(driver)
        for key in keys:
            put(driver, bucket, key, key)
        prefixes = [b"", *(key[:length] for key in keys for length in (1, 2, len(key)))]
        for _ in range(4):
            prefix = data.draw(st.sampled_from(prefixes))
            start = data.draw(st.one_of(st.just(prefix), st.sampled_from(prefixes), KEYS))
            limit = data.draw(st.integers(0, 13))
            expected = sorted(key for key in keys if key.startswith(prefix) and key >= start)[:limit]
            for what in ("objects", "versions"):
                assert keys_of(driver.catalog.page(bucket, prefix, start, limit, what)) == expected
        for key in keys:
            assert content(driver, look(driver, bucket, key).newest) == key


@settings(max_examples=25)
@given(keys=st.lists(KEYS, min_size=1, max_size=6, unique=True))
def test_a_key_can_be_written_removed_and_written_again_among_any_others(candidate, tmp_path_factory, keys):
    with candidate.opened(tmp_path_factory.mktemp("again")) as driver:
        bucket = a_bucket(driver)
        for key in keys:
            put(driver, bucket, key, b"first " + key)
        for key in reversed(keys):
            forget(driver, bucket, key)
            assert look(driver, bucket, key).newest is None
        assert every_page(driver, bucket, "versions") == []
        for key in reversed(keys):
            put(driver, bucket, key, b"second " + key)
        assert every_page(driver, bucket, "objects") == [(key, "null") for key in sorted(keys)]
        for key in keys:
            assert content(driver, look(driver, bucket, key).newest) == b"second " + key


def test_a_page_of_nothing_is_empty(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"")
    for what in ("objects", "versions", "uploads"):
        assert list(driver.catalog.page(bucket, b"", b"", 0, what)) == []
        assert list(driver.catalog.page(bucket, b"no", b"", 10, what)) == []
        assert list(driver.catalog.page(bucket, b"", b"z", 10, what)) == []


def test_keys_without_a_newest_version_are_no_objects(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"a", b"")
    mark_deleted(driver, bucket, b"a", "m1")
    begin(driver, bucket, b"b", "u1")
    put(driver, bucket, b"c", b"")
    assert keys_of(driver.catalog.page(bucket, b"", b"", 1, "objects")) == [b"c"]
    assert keys_of(driver.catalog.page(bucket, b"", b"", 10, "versions")) == [b"a", b"a", b"c"]
    assert keys_of(driver.catalog.page(bucket, b"", b"", 10, "uploads")) == [b"b"]


def test_lines_of_objects_tell_what_a_listing_says(driver):
    bucket = a_bucket(driver)
    put(driver, bucket, b"key", b"12345", modified=NOW + 5, headers={"x-amz-storage-class": "GLACIER"})
    (line,) = driver.catalog.page(bucket, b"", b"", 10, "objects")
    assert (line.key, line.id, line.newest, line.modified, line.owner) == (b"key", "null", True, NOW + 5, "owner")
    assert (line.version.size, line.version.etag) == (5, look(driver, bucket, b"key").newest.etag)
    assert line.version.headers == {"x-amz-storage-class": "GLACIER"}


FILED = st.tuples(st.sampled_from([b"", b"a/", b"b/", b"b/c/"]), st.integers(0, 8)).map(lambda one: b"%s%d" % one)


@settings(max_examples=15)
@given(
    keys=st.dictionaries(FILED, st.sampled_from(["kept", "deleted", "begun"]), max_size=24),
    prefix=st.sampled_from([b"", b"b/"]),
    limit=st.integers(1, 7),
)
def test_a_listing_by_folders_has_each_folder_once_and_what_is_in_none(
    candidate, tmp_path_factory, keys, prefix, limit
):
    with candidate.opened(tmp_path_factory.mktemp("folders")) as driver:
        bucket = a_bucket(driver)
        for key, state in keys.items():
            if state == "begun":
                begin(driver, bucket, key, f"u-{key.decode()}")
                continue
            put(driver, bucket, key, b"")
            if state == "deleted":
                mark_deleted(driver, bucket, key, "m1")
        objects = Objects(driver.catalog, driver.blobs)
        for what in ("objects", "versions", "uploads"):
            lines = keys_of(driver.catalog.page(bucket, prefix, b"", 100, what))
            expected = list(
                dict.fromkeys(common_prefix(key, prefix, b"/") or (key, at) for at, key in enumerate(lines))
            )
            request, found = ListRequest(prefix=prefix, delimiter=b"/", limit=limit), []
            while True:
                page = objects.page(bucket, request, what)
                found += sorted([*keys_of(page.entries), *page.prefixes])
                if not page.truncated:
                    break
                request = evolve(request, after=page.next_key, after_id=None if what == "objects" else page.next_id)
            assert found == [one if isinstance(one, bytes) else one[0] for one in expected]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_versions_go_on_behind_the_last_id(driver, size):
    bucket = a_bucket(driver)
    expected = []
    for key in (b"a", b"b", b"b/c"):
        for number in range(3):
            put(driver, bucket, key, b"%d" % number, version_id=f"v{number}")
        expected += [(key, "v2"), (key, "v1"), (key, "v0")]
    assert every_page(driver, bucket, "versions", size=size) == expected
    assert every_page(driver, bucket, "versions", prefix=b"b", size=size) == expected[3:]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_uploads_go_on_behind_the_last_id_oldest_first(driver, size):
    bucket = a_bucket(driver)
    ids = ["zzz", "mmm", "aaa", "nnn"]
    for key in (b"a", b"b"):
        for place, upload_id in enumerate(ids):
            begin(driver, bucket, key, f"{upload_id}-{key.decode()}", initiated=NOW + place)
    expected = [(key, f"{upload_id}-{key.decode()}") for key in (b"a", b"b") for upload_id in ids]
    assert every_page(driver, bucket, "uploads", size=size) == expected


def test_an_id_says_nothing_about_other_keys(driver):
    bucket = a_bucket(driver)
    for key in (b"a", b"b"):
        begin(driver, bucket, key, f"u1-{key.decode()}")
    page = driver.catalog.page(bucket, b"", b"a", 10, "uploads", "u1-a")
    assert keys_of(page) == [b"b"]
    page = driver.catalog.page(bucket, b"b", b"a", 10, "uploads", "u1-a")
    assert keys_of(page) == [b"b"]


def test_uploads_that_were_never_listed_are_not_lost_when_the_last_one_listed_ends(driver):
    bucket = a_bucket(driver)
    for place in range(4):
        begin(driver, bucket, b"key", f"u{place}", initiated=NOW + place)
    first = driver.catalog.page(bucket, b"", b"", 2, "uploads")
    give_up(driver, bucket, b"key", first[-1].id)
    rest = driver.catalog.page(bucket, b"", b"key", 10, "uploads", first[-1].id)
    assert [line.id for line in rest][-2:] == ["u2", "u3"]
