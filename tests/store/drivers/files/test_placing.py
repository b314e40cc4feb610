"""Where bytes go: the newest version is the file at its path wherever that can be; everything else is in the pool."""

import os

import pytest

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.sqlite.blobnames import is_visible
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.refusals import NoSuchKey
from tests.store.shop import BUCKET, NOW, Shop, open_shop, shop_over


def visible(shop: Shop, key: bytes) -> bool:
    return all(is_visible(span.blob) for span in reconciled(shop.objects.look, BUCKET, key).spans)


def files(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_ordinary_key_is_an_ordinary_file(described, folder):
    described.put(b"album/cat.jpg", b"meow", now=NOW)
    path = folder / BUCKET / "album" / "cat.jpg"
    assert path.read_bytes() == b"meow"
    assert path.stat().st_mtime_ns == NOW
    assert visible(described, b"album/cat.jpg")


def test_keys_that_a_tree_cannot_hold_together_coexist(described, folder):
    keys = [b"a", b"a/", b"a/b", b"a/b/c", b"a//b", b"x.metadata.json", b"x", b".geckos3/catalog.sqlite", b"../out"]
    for key in keys:
        described.put(key, key)
    for key in keys:
        assert described.get(key) == key
    assert described.listed() == sorted(keys)
    found = [name for name in files(folder / BUCKET) if not name.endswith(".metadata.json")]
    assert found == ["a", "x"]
    described.driver.rebuild()
    assert {key: described.get(key) for key in described.listed()} == {key: key for key in keys}
    for key in keys:
        described.remove(key)
    assert described.listed() == []
    assert files(folder / BUCKET) == []
    assert described.orphans() == set()


def test_removing_leaves_no_empty_directories(described, folder):
    described.put(b"a/b/c/d", b"data")
    described.put(b"a/x", b"data")
    described.remove(b"a/b/c/d")
    assert not (folder / BUCKET / "a" / "b").exists()
    assert described.get(b"a/x") == b"data"
    described.remove(b"a/x")
    assert list((folder / BUCKET).iterdir()) == []


def test_an_overwriting_file_never_has_the_time_of_the_one_it_replaces(described):
    described.put(b"key", b"old", now=NOW)
    old = described.objects.look(BUCKET, b"key").spans[0].blob
    described.put(b"key", b"new", now=NOW)
    new = described.objects.look(BUCKET, b"key")
    assert new.modified == NOW
    assert new.spans[0].blob != old
    described.driver.rebuild()
    assert described.objects.look(BUCKET, b"key") == new


def test_a_large_file_is_replaced_and_nothing_of_it_stays(shop):
    large = os.urandom(1024) * 1200
    shop.put(b"key", large)
    shop.put(b"key", b"small", now=NOW + 1)
    assert shop.get(b"key") == b"small"
    assert shop.blobs() == set()


def test_a_completed_upload_becomes_a_file_when_it_is_joined(described, folder):
    described.put(b"key", b"before")
    described.multipart(b"key", [b"first part", b"second part"])
    assert not visible(described, b"key")
    assert not (folder / BUCKET / "key").exists(), "the file of the version before is gone"
    assert described.get(b"key") == b"first partsecond part"
    version = described.objects.look(BUCKET, b"key")
    described.driver.rebuild()
    assert described.objects.look(BUCKET, b"key") == version
    assert described.upkeep.join() == 1
    assert (folder / BUCKET / "key").read_bytes() == b"first partsecond part"
    assert described.objects.look(BUCKET, b"key").etag == version.etag
    assert described.orphans() == set()


def test_long_descriptions_travel_too(described):
    metadata = {f"name{number}": "x" * 500 for number in range(16)}
    for key in (b"key", b"pool//key"):
        described.put(key, b"data", metadata=metadata)
        described.put(key, b"data!", now=NOW + 1, metadata=metadata)
    described.driver.rebuild()
    for key in (b"key", b"pool//key"):
        assert described.objects.look(BUCKET, key).metadata == metadata
        described.remove(key)
    assert described.blobs() == set()


def test_geckos3_reads_what_sidecars_say(folder):
    driver = FilesDriver(str(folder), attributes="sidecar")
    driver.open()
    shop = open_shop(driver)
    shop.put(b"key", b"data", now=NOW, headers={"content-type": "text/plain"})
    sidecar = (folder / BUCKET / "key.metadata.json").read_text()
    assert sidecar.startswith(
        '{"size":4,"lastModified":"2023-11-14T22:13:20Z","etag":"\\"8d777f385d3dfec8815d20f7496026dc\\"",'
        '"contentType":"text/plain","geckos3":{'
    )
    shop.remove(b"key")
    assert list((folder / BUCKET).iterdir()) == []
    driver.close()


@pytest.mark.parametrize("options", [{}, {"metadata": False}])
def test_an_old_sidecar_does_not_outlive_its_object(options, folder):
    driver = FilesDriver(str(folder), **options)
    driver.open()
    shop = open_shop(driver)
    (folder / BUCKET / "key.metadata.json").write_text('{"size":4,"etag":"\\"x\\"","contentType":"text/plain"}')
    (folder / BUCKET / "notes.metadata.json").write_text("not a sidecar")
    for key in (b"key", b"notes"):
        shop.put(key, b"data", now=NOW)
    assert files(folder / BUCKET) == ["key", "notes", "notes.metadata.json"]
    driver.close()


def test_a_foreign_file_where_the_sidecar_must_be_is_not_overwritten(folder):
    driver = FilesDriver(str(folder), attributes="sidecar")
    driver.open()
    shop = open_shop(driver)
    (folder / BUCKET / "key.metadata.json").write_text("not a sidecar")
    shop.put(b"key", b"data")
    assert not visible(shop, b"key")
    assert shop.get(b"key") == b"data"
    assert (folder / BUCKET / "key.metadata.json").read_text() == "not a sidecar"
    driver.close()


def test_settings_may_change_between_starts(folder):
    rounds = [{}, {"attributes": "sidecar"}, {"metadata": False}, {}, {"attributes": "sidecar"}]
    for number, options in enumerate(rounds):
        driver = FilesDriver(str(folder), **options)
        driver.open()
        shop = shop_over(driver) if number else open_shop(driver)
        for earlier in range(number):
            assert shop.objects.look(BUCKET, b"key%d" % earlier).metadata == {"round": str(number - 1)}
            version = shop.objects.look(BUCKET, b"key%d" % earlier)
            assert version.size == 4
        for key in range(number + 1):
            shop.put(b"key%d" % key, b"data", now=NOW + number, metadata={"round": str(number)})
        if options.get("metadata", True):
            driver.rebuild()
        driver.close()


def test_a_removed_key_is_gone_from_the_files_too(described):
    described.put(b"key", b"data")
    described.put(b"pool//key", b"data")
    described.remove(b"key")
    described.remove(b"pool//key")
    described.driver.rebuild()
    for key in (b"key", b"pool//key"):
        with pytest.raises(NoSuchKey):
            described.objects.look(BUCKET, key)
