"""Adoption: what others put, changed or removed is served as it is now."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from gecko_tw.store.drivers.files import inspecting
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.files.sidecars import pseudo_etag
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.refusals import BucketNotEmpty, NoSuchBucket, NoSuchKey
from tests.store.drivers.files.geckos3 import THEN, UPLOAD, a_data_directory, an_object, digest
from tests.store.shop import BUCKET, NOW, Shop, md5, shop_over


def opened(folder: Path, **options) -> Shop:
    driver = FilesDriver(str(folder), **options)
    driver.open()
    return shop_over(driver)


def look(shop: Shop, key: bytes) -> Version:
    return reconciled(shop.objects.look, BUCKET, key)


def expect_geckos3(shop: Shop) -> None:
    cat = look(shop, b"album/cat.jpg")
    assert (cat.etag, cat.size, cat.modified) == (digest(b"meow" * 100), 400, THEN)
    assert cat.headers == {
        "content-type": "image/jpeg",
        "content-disposition": "inline",
        "cache-control": "max-age=60",
    }
    assert cat.metadata == {"camera": "é".encode().decode("latin-1")}
    assert look(shop, b"joined").etag == digest(b"ab" * 50) + "-2"
    bare = look(shop, b"bare.txt")
    assert (bare.etag, bare.modified, bare.headers) == (digest(b"without a sidecar"), THEN, {})
    for key in (b".DS_Store", b".metadata-tmp-123", b".geckos3-tmp/.put-42", b"bare.txt.metadata.json"):
        with pytest.raises(NoSuchKey):
            look(shop, key)


@pytest.mark.parametrize("attributes", ["xattr", "sidecar"])
def test_a_directory_of_geckos3_is_adopted_exactly(attributes, folder):
    a_data_directory(folder)
    shop = opened(folder, attributes=attributes)
    progress = shop.driver.adopt()
    assert (progress.changed, progress.uploads) == (3, 1)
    assert [record.name for record in shop.buckets.page("", "", 10)] == ["empty-bucket", "photos"]
    assert shop.listed() == [b"album/cat.jpg", b"bare.txt", b"joined"]
    expect_geckos3(shop)
    assert shop.driver.adopt().changed == 0
    shop.driver.rebuild()
    assert shop.listed() == [b"album/cat.jpg", b"bare.txt", b"joined"]
    expect_geckos3(shop)
    shop.driver.close()


def test_a_directory_of_geckos3_is_adopted_on_access(folder):
    a_data_directory(folder)
    shop = opened(folder)
    expect_geckos3(shop)
    assert shop.get(b"album/cat.jpg") == b"meow" * 100
    shop.driver.close()


def test_an_unfinished_upload_of_geckos3_can_be_completed(folder):
    a_data_directory(folder)
    shop = opened(folder)
    shop.driver.adopt()
    key = b"films/one.mp4"
    upload = shop.uploads.get(BUCKET, key, UPLOAD)
    assert upload.headers == {"content-type": "video/mp4"}
    parts = shop.uploads.parts(BUCKET, key, UPLOAD, 0, 10)
    assert [(part.number, part.etag) for part in parts] == [(1, md5(b"first part")), (3, md5(b"third part"))]
    assert not (folder / BUCKET / ".geckos3-multipart" / UPLOAD).exists()
    shop.driver.rebuild()
    shop.complete(key, parts, UPLOAD)
    assert shop.get(key) == b"first partthird part"
    shop.driver.close()


def test_a_file_changed_after_its_sidecar_is_served_as_it_is_now(folder):
    an_object(folder / BUCKET, "new", b"12345", contentType="text/plain")
    an_object(folder / BUCKET, "touched", b"12345", contentType="text/plain")
    (folder / BUCKET / "new").write_bytes(b"54321")
    (folder / BUCKET / "touched").touch()
    shop = opened(folder)
    shop.driver.adopt()
    new, touched = look(shop, b"new"), look(shop, b"touched")
    assert (new.etag, new.headers) == (md5(b"54321"), {})
    assert (touched.etag, touched.headers) == (md5(b"12345"), {"content-type": "text/plain"})
    assert touched.modified == (folder / BUCKET / "touched").stat().st_mtime_ns
    shop.driver.close()


def test_without_metadata_nothing_is_hashed_and_sidecars_are_read(folder):
    a_data_directory(folder)
    shop = opened(folder, metadata=False)
    shop.driver.adopt()
    assert look(shop, b"bare.txt").etag == pseudo_etag(17, THEN)
    assert look(shop, b"album/cat.jpg").etag == digest(b"meow" * 100)
    shop.driver.close()


def test_a_foreign_change_is_noticed_on_access(described, folder):
    described.put(b"a/b", b"old bytes", headers={"content-type": "text/plain"})
    (folder / BUCKET / "a" / "b").write_bytes(b"new")
    assert described.get(b"a/b") == b"new"
    assert look(described, b"a/b").etag == md5(b"new")
    (folder / BUCKET / "a" / "b").unlink()
    with pytest.raises(NoSuchKey):
        look(described, b"a/b")
    (folder / BUCKET / "a" / "b").write_bytes(b"again")
    assert look(described, b"a/b").etag == md5(b"again")


def test_a_file_that_was_only_touched_keeps_what_was_said_of_it(described, folder):
    before = described.put(b"key", b"data", headers={"content-type": "text/plain"}, metadata={"a": "b"})
    (folder / BUCKET / "key").touch()
    after = look(described, b"key")
    assert (after.etag, after.headers, after.metadata) == (before.etag, before.headers, before.metadata)
    assert after.modified == (folder / BUCKET / "key").stat().st_mtime_ns


def test_a_copy_that_keeps_attributes_and_times_keeps_its_description(shop, folder):
    shop.put(b"key", b"data", headers={"content-type": "text/plain"})
    shutil.copy2(folder / BUCKET / "key", folder / BUCKET / "copied")
    assert look(shop, b"copied").headers == {"content-type": "text/plain"}


def test_a_scan_finds_what_was_added_changed_and_removed(described, folder):
    for key in (b"changed", b"kept", b"removed", b"d/removed", b"pool//kept"):
        described.put(key, key)
    (folder / BUCKET / "changed").write_bytes(b"something else")
    (folder / BUCKET / "removed").unlink()
    shutil.rmtree(folder / BUCKET / "d")
    (folder / BUCKET / "added-.x").write_bytes(b"one")
    (folder / BUCKET / "added").mkdir()
    (folder / BUCKET / "added" / "x").write_bytes(b"two")
    (folder / "by-hand").mkdir()
    assert described.driver.adopt().changed == 5
    assert described.listed() == [b"added-.x", b"added/x", b"changed", b"kept", b"pool//kept"]
    assert described.buckets.get("by-hand").name == "by-hand"
    assert described.driver.adopt().changed == 0


def test_a_scan_can_be_stopped_and_told_from(shop, folder):
    for number in range(5):
        (folder / BUCKET / f"file{number}").write_bytes(b"x")
    told = []
    stopped = shop.driver.adopt(told.append, lambda: True)
    assert stopped.looked == 1
    assert [progress.looked for progress in told] == [1]
    assert shop.driver.adopt().looked == 5


def test_links_pipes_and_litter_are_never_objects(shop, folder, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_bytes(b"outside")
    bucket = folder / BUCKET
    (bucket / "link").symlink_to(secret / "file")
    (bucket / "folder").symlink_to(secret)
    os.mkfifo(bucket / "pipe")
    (bucket / "Thumbs.db").write_bytes(b"litter")
    shop.driver.adopt()
    assert shop.listed() == []
    for key in (b"link", b"folder/file", b"pipe", b"Thumbs.db"):
        with pytest.raises(NoSuchKey):
            look(shop, key)
        shop.put(key, key)
        assert shop.get(key) == key
    assert (secret / "file").read_bytes() == b"outside"
    assert (bucket / "link").is_symlink()


def test_an_object_behind_a_directory_that_became_a_link_is_gone(shop, folder, tmp_path):
    shop.put(b"a/b", b"data")
    os.rename(folder / BUCKET / "a", tmp_path / "moved")
    (folder / BUCKET / "a").symlink_to(tmp_path / "moved")
    with pytest.raises(NoSuchKey):
        reconciled(shop.objects.open, BUCKET, b"a/b")
    assert (tmp_path / "moved" / "b").read_bytes() == b"data"


def test_a_bucket_whose_directory_was_removed_is_gone(shop, folder):
    shop.put(b"key", b"data")
    shutil.rmtree(folder / BUCKET)
    shop.driver.adopt()
    with pytest.raises(NoSuchBucket):
        shop.buckets.get(BUCKET)


def test_a_directory_that_cannot_be_looked_at_is_not_taken_for_a_removed_one(shop, monkeypatch):
    def broken(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", broken)
        with pytest.raises(OSError, match="Input/output error"):
            shop.driver.catalog.bucket(BUCKET)
    assert shop.buckets.get(BUCKET).name == BUCKET


def test_a_directory_that_can_be_no_bucket_is_none(shop, folder):
    for name in ("192.168.1.1", "Photos", "a_b", "ab"):
        (folder / name).mkdir()
        (folder / name / "file").write_bytes(b"x")
    shop.driver.adopt()
    shop.driver.rebuild()
    assert [record.name for record in shop.buckets.page("", "", 10)] == [BUCKET]


def test_a_bucket_whose_directory_was_removed_stays_while_the_pool_has_its_objects(shop, folder):
    shop.put(b"key", b"data")
    shop.put(b"//", b"in the pool")
    shutil.rmtree(folder / BUCKET)
    shop.driver.adopt()
    assert shop.listed() == [b"//"]
    assert (folder / BUCKET).is_dir()


def test_a_condition_is_decided_by_what_is_on_the_disk(shop, folder):
    (folder / BUCKET / "key").write_bytes(b"foreign")
    history = reconciled(shop.driver.catalog.history, BUCKET, b"key")
    assert history.newest.etag == md5(b"foreign")
    (folder / BUCKET / "key").write_bytes(b"foreign again")
    seen = []

    def rule(record, history):
        seen.append(history.newest.etag)
        raise NoSuchKey

    with pytest.raises(NoSuchKey):
        shop.driver.catalog.change_history(BUCKET, b"key", rule)
    assert seen == [md5(b"foreign again")]


def test_a_bucket_with_a_foreign_file_is_not_removed(shop, folder):
    (folder / BUCKET / "deep").mkdir()
    (folder / BUCKET / "deep" / "file").write_bytes(b"foreign")
    with pytest.raises(BucketNotEmpty):
        shop.buckets.remove(BUCKET)
    assert shop.listed() == [b"deep/file"]


def test_a_bucket_with_nothing_but_litter_is_removed(shop, folder):
    a_data_directory(folder.with_name("other"))
    for name in (".geckos3-multipart", ".geckos3-tmp", ".DS_Store"):
        os.rename(folder.with_name("other") / "photos" / name, folder / BUCKET / name)
    (folder / BUCKET / "empty" / "folders").mkdir(parents=True)
    shop.buckets.remove(BUCKET)
    assert not (folder / BUCKET).exists()
    shop.driver.catalog.add_bucket(BucketRecord(name=BUCKET, created=NOW))
    assert shop.listed() == []


def test_what_is_no_object_and_not_ours_keeps_its_bucket(shop, folder, caplog):
    (folder / BUCKET / "notes.metadata.json").write_text('{"not": "a sidecar", "size": "big"}')
    with pytest.raises(BucketNotEmpty):
        shop.buckets.remove(BUCKET)
    assert "notes.metadata.json" in caplog.text


def test_a_file_that_cannot_be_read_is_told_and_passed_over(shop, folder, caplog, monkeypatch):
    (folder / BUCKET / "secret").write_bytes(b"x")
    (folder / BUCKET / "open").write_bytes(b"x")
    inspect = shop.driver._inspector.inspect

    def refusing(bucket, key, *more):
        if key == b"secret":
            raise PermissionError(13, "Permission denied", "secret")
        return inspect(bucket, key, *more)

    monkeypatch.setattr(shop.driver._inspector, "inspect", refusing)
    assert shop.driver.adopt().changed == 1
    assert "secret" in caplog.text


def test_a_file_that_changes_while_it_is_hashed_is_served_all_the_same(shop, folder, monkeypatch):
    path = folder / BUCKET / "log"
    path.write_bytes(b"line\n")
    hash_it = inspecting._md5

    def growing(descriptor, length, offset=0):
        with path.open("ab") as log:
            log.write(b"line\n")
        return hash_it(descriptor, length, offset)

    monkeypatch.setattr(inspecting, "_md5", growing)
    version = look(shop, b"log")
    found = path.stat()
    assert (version.size, version.etag) == (found.st_size, pseudo_etag(found.st_size, found.st_mtime_ns))
