"""Older versions: their bytes go to the pool when a newer one takes the path, and come back when it is theirs again."""

from attrs import evolve

from gecko_tw.store.drivers.sqlite.blobnames import is_visible
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, Change, DeleteMarker, Span, Version
from tests.store.shop import BUCKET, NOW, Shop, md5


def add(shop: Shop, key: bytes, version_id: str, data: bytes, now: int) -> None:
    """A new version on top of the others, as a bucket with versioning gets it."""
    version = Version(version_id=version_id, etag=md5(data), size=len(data), modified=now)
    writer = shop.driver.blobs.create()
    writer.write(data)
    blob = writer.commit(BlobNote(bucket=BUCKET, key=key, record=version))
    placed = evolve(version, spans=(Span(blob, 0, len(data)),))
    change(shop, key, lambda versions: (placed, *versions))


def change(shop: Shop, key: bytes, rule) -> None:
    applied = shop.driver.catalog.change_history(
        BUCKET, key, lambda record, history: Change(evolve(history, versions=rule(history.versions)))
    )
    gone = {s.blob for v in applied.before.versions for s in getattr(v, "spans", ())}
    stay = {s.blob for v in applied.after.versions for s in getattr(v, "spans", ())}
    shop.driver.blobs.remove(gone - stay)


def read(shop: Shop, key: bytes, version_id: str) -> bytes:
    reading = shop.objects.open(BUCKET, key, version_id)
    try:
        return reading.read(0, 1000)
    finally:
        reading.close()


def test_each_version_keeps_its_bytes(described, folder):
    add(described, b"key", "v1", b"first", NOW)
    add(described, b"key", "v2", b"second", NOW + 1)
    assert (folder / BUCKET / "key").read_bytes() == b"second"
    assert read(described, b"key", "v1") == b"first"
    assert read(described, b"key", "v2") == b"second"
    described.driver.rebuild()
    assert read(described, b"key", "v1") == b"first"
    assert read(described, b"key", "v2") == b"second"
    listed = described.driver.catalog.page(BUCKET, b"", b"", 10, "versions")
    assert [(entry.id, entry.newest) for entry in listed] == [("v2", True), ("v1", False)]


def test_each_next_older_version_becomes_the_file_when_the_newest_goes(described, folder):
    names = [f"v{number}" for number in range(6)]
    for number, name in enumerate(names):
        add(described, b"key", name, name.encode(), NOW + number)
    for name in reversed(names):
        assert (folder / BUCKET / "key").read_bytes() == name.encode()
        change(described, b"key", lambda versions: versions[1:])
    assert list((folder / BUCKET).iterdir()) == []
    assert described.orphans() == set()


def test_a_marker_hides_the_file_and_its_removal_brings_it_back(described, folder):
    add(described, b"key", "v1", b"first", NOW)
    change(described, b"key", lambda versions: (DeleteMarker(version_id="m", modified=NOW + 1), *versions))
    assert described.listed() == []
    assert list((folder / BUCKET).iterdir()) == []
    described.driver.rebuild()
    assert described.listed() == []
    assert read(described, b"key", "v1") == b"first"
    change(described, b"key", lambda versions: versions[1:])
    assert described.listed() == [b"key"]
    assert (folder / BUCKET / "key").read_bytes() == b"first"
    assert described.orphans() == set()


def test_a_file_that_comes_before_the_hidden_one_is_gone_fails_nobody(described, folder, monkeypatch):
    add(described, b"key", "v1", b"first", NOW)
    catalog = described.driver.catalog
    real = catalog._clear_path

    def clear_path(bucket, key):
        (folder / "other").write_bytes(b"put there by hand")
        (folder / "other").rename(folder / BUCKET / "key")
        real(bucket, key)

    monkeypatch.setattr(catalog, "_clear_path", clear_path)
    change(described, b"key", lambda versions: (DeleteMarker(version_id="m", modified=NOW + 1), *versions))
    assert reconciled(read, described, b"key", None) == b"put there by hand"
    assert read(described, b"key", "v1") == b"first"
    assert (folder / BUCKET / "key").read_bytes() == b"put there by hand"


def test_removing_the_newest_version_puts_the_one_before_in_its_place(described, folder):
    add(described, b"key", "v1", b"first", NOW)
    add(described, b"key", "v2", b"second", NOW + 1)
    change(described, b"key", lambda versions: versions[1:])
    assert (folder / BUCKET / "key").read_bytes() == b"first"
    newest = described.objects.look(BUCKET, b"key")
    assert (newest.version_id, is_visible(newest.spans[0].blob)) == ("v1", True)
    described.driver.rebuild()
    assert described.objects.look(BUCKET, b"key") == newest
    assert described.blobs() == set()


def test_what_is_said_of_an_older_version_can_change(described):
    add(described, b"key", "v1", b"first", NOW)
    add(described, b"key", "v2", b"second", NOW + 1)
    change(described, b"key", lambda versions: (versions[0], evolve(versions[1], tags={"a": "b"})))
    described.driver.rebuild()
    assert described.objects.look(BUCKET, b"key", "v1").tags == {"a": "b"}
    assert read(described, b"key", "v1") == b"first"


def test_the_null_version_moves_to_the_top(described):
    add(described, b"key", "null", b"first", NOW)
    add(described, b"key", "v2", b"second", NOW + 1)
    change(described, b"key", lambda versions: versions[:1])
    add(described, b"key", "null", b"third", NOW + 2)
    listed = described.driver.catalog.page(BUCKET, b"", b"", 10, "versions")
    assert [entry.id for entry in listed] == ["null", "v2"]
    rest = described.driver.catalog.page(BUCKET, b"", b"key", 10, "versions", "null")
    assert [entry.id for entry in rest] == ["v2"]


def test_versions_added_after_a_page_hide_nothing_of_its_rest(described):
    for number in range(70):
        add(described, b"key", f"v{number}", b"%d" % number, NOW + number)
    described.put(b"other", b"x")
    assert described.listed() == [b"key", b"other"]
    gone = described.driver.catalog.page(BUCKET, b"", b"key", 100, "versions", "unknown")
    assert len(gone) == 71


def test_a_foreign_file_replaces_the_visible_version_and_no_other(described, folder):
    add(described, b"key", "v1", b"first", NOW)
    add(described, b"key", "v2", b"second", NOW + 1)
    (folder / BUCKET / "key").write_bytes(b"foreign")
    assert described.get(b"key") == b"foreign"
    assert read(described, b"key", "v1") == b"first"


def test_what_becomes_an_older_version_while_it_is_joined_stays_as_it_is(described):
    described.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))
    described.multipart(b"key", [b"first part, ", b"second part"])
    older = described.objects.look(BUCKET, b"key")
    clone = described.driver.blobs.clone

    def overtaken(*arguments):
        described.put(b"key", b"newer")
        return clone(*arguments)

    described.driver.blobs.clone = overtaken
    assert described.upkeep.join() == 0
    assert described.objects.look(BUCKET, b"key", older.version_id) == older
    assert described.get(b"key") == b"newer"
    assert described.orphans() == set()
