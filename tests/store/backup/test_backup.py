"""What a backup holds is what the store held at one moment, and comes back as it was."""

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.backup.repository import ABOUT, Repository, begin, opened
from gecko_tw.store.backup.restoring import Restored, Restoring, Wanted, backups, check_empty, newest
from gecko_tw.store.backup.taking import Report, Taking
from gecko_tw.store.backup.targets import BackupError, DirectoryTarget
from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.garbage import AlreadyHeld
from gecko_tw.store.drivers.interfaces import IMoments
from gecko_tw.store.drivers.pool.driver import PoolDriver
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import DeleteMarker
from gecko_tw.store.requests import Remove
from tests.contract.drivers import files, pool
from tests.store.integrity.damage import flip
from tests.store.shop import BUCKET, NOW, Shop, open_shop

DRIVERS: dict[str, Callable[[Path], Any]] = {
    "files": files,
    "pool": pool,
    "sidecar": lambda folder: _opened(FilesDriver(str(folder), attributes="sidecar")),
    "fsync": lambda folder: _opened(FilesDriver(str(folder), fsync=True)),
}
LARGE = os.urandom(200_000)


def _opened(driver: Any) -> Any:
    driver.open()
    return driver


everywhere = pytest.mark.parametrize("shop", list(DRIVERS), indirect=True)
"""For the tests of where bytes may be; the others are the same for all of a layout."""


@pytest.fixture(params=["files", "pool"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    driver = DRIVERS[request.param](tmp_path / "data")
    yield open_shop(driver)
    driver.close()


def back_up(shop: Shop, target: Path, passphrase: str | None = None, meanwhile: Callable[[], object] = bool) -> Report:
    place = DirectoryTarget(target)
    try:
        repository = begin(place, passphrase)
        moment = IMoments(shop.driver).moment()
        try:
            meanwhile()
            return Taking(repository, moment).run()
        finally:
            moment.close()
    finally:
        place.close()


def repository_in(target: Path, passphrase: str | None = None) -> Repository:
    return opened(DirectoryTarget(target), passphrase)


def bring_back(target: Path, driver: Any, wanted: Wanted = Wanted(), passphrase: str | None = None) -> Restored:  # noqa: B008
    repository = repository_in(target, passphrase)
    check_empty(driver, wanted)
    return Restoring(repository, newest(repository), driver, wanted).run()


def state(driver: Any, bucket: str = BUCKET) -> dict[bytes, list[Any]]:
    """Every version of a bucket with its bytes."""
    found: dict[bytes, list[Any]] = {}
    for line in driver.catalog.page(bucket, b"", b"", 10_000, "versions"):
        history = reconciled(driver.catalog.history, bucket, line.key, line.id)
        (version,) = [one for one in history.versions if one.version_id == line.id]
        if isinstance(version, DeleteMarker):
            found.setdefault(line.key, []).append(version)
            continue
        data = b""
        for span in version.spans:
            reader = driver.blobs.open(span.blob)
            data += reader.read(span.offset, span.length)
            reader.close()
        found.setdefault(line.key, []).append((version.lying(()), data))
    return found


def fill(shop: Shop) -> None:
    for number in range(30):
        shop.put(b"dir/%d" % number, os.urandom(number * 50), metadata={"n": str(number)}, now=NOW + number)
    shop.put(b"large", LARGE, headers={"content-type": "text/large"})
    shop.put(b"no//path", b"pooled")
    shop.put(b"empty", b"")
    shop.put("grün".encode(), b"green", tags={"a": "b"})
    shop.multipart(b"joined", [b"first", b"second"])
    shop.driver.catalog.change_bucket(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))
    for text in (b"one", b"two", b"three"):
        shop.put(b"versions", text, now=NOW + 1000 + len(text))
    shop.remove(b"dir/3", now=NOW + 5000)
    shop.driver.documents.change("thing", "name", lambda _: {"value": 1})


@everywhere
def test_everything_comes_back_as_it_was_at_the_moment_while_others_go_on(shop, tmp_path):
    fill(shop)
    before = state(shop.driver)

    def meanwhile() -> None:
        for number in range(0, 30, 2):
            shop.put(b"dir/%d" % number, b"newer", now=NOW + 10_000)
        shop.driver.flush()
        shop.driver.catalog.change_bucket(BUCKET, lambda record: record.with_setting("versioning", None))
        shop.put(b"large", LARGE[1:], now=NOW + 10_001)
        shop.remove(b"no//path")
        shop.objects.remove(BUCKET, b"versions", Remove(now=NOW, version_id=before[b"versions"][0][0].version_id))
        for _ in range(3):
            shop.upkeep.join()
            shop.driver.flush()

    report = back_up(shop, tmp_path / "target", meanwhile=meanwhile)
    assert report.left_out == []
    place = files(tmp_path / "restored")
    restored = bring_back(tmp_path / "target", place)
    assert (restored.failed, restored.versions) == ([], sum(map(len, before.values())))
    assert state(place) == before
    assert place.documents.get("thing", "name") == {"value": 1}
    assert place.catalog.bucket(BUCKET).settings == {"versioning": "Enabled"}
    place.close()


def test_the_next_backup_copies_what_has_changed_and_both_can_be_restored(shop, tmp_path):
    fill(shop)
    first = back_up(shop, tmp_path / "target")
    before = state(shop.driver)
    shop.put(b"large", LARGE[:100], now=NOW + 20_000)
    shop.put(b"later", b"later", now=NOW + 20_000)
    second = back_up(shop, tmp_path / "target")
    assert first.copied == sum(isinstance(one, tuple) for versions in before.values() for one in versions)
    assert (second.copied, second.copied_bytes) == (2, 105)
    repository = repository_in(tmp_path / "target")
    assert [one.name for one in backups(repository)] == [second.name, first.name]
    place = pool(tmp_path / "restored")
    Restoring(repository, newest(repository, second.time - 1), place).run()
    assert state(place) == before
    place.close()


@everywhere
def test_nothing_that_a_flush_removes_is_missed_and_all_of_it_goes_afterwards(shop, tmp_path):
    for number in range(50):
        shop.put(b"%d" % number, LARGE[number:70_000], now=NOW + number)
    before = state(shop.driver)
    ended = threading.Event()

    def write() -> None:
        count = 0
        while not ended.is_set():
            count += 1
            shop.put(b"%d" % (count * 7 % 50), os.urandom(70_000 + count % 7), now=NOW + 1000 + count)
            shop.driver.flush()

    writer = threading.Thread(target=write)
    try:
        report = back_up(shop, tmp_path / "target", meanwhile=writer.start)
    finally:
        ended.set()
        writer.join()
    assert report.left_out == []
    place = pool(tmp_path / "restored")
    bring_back(tmp_path / "target", place)
    assert state(place) == before
    place.close()
    while shop.driver.flush():
        pass
    assert shop.orphans() == set()


def test_what_was_held_back_goes_little_by_little(shop, tmp_path, monkeypatch):
    monkeypatch.setattr("gecko_tw.store.drivers.flushing._MOST", 7)
    moment = IMoments(shop.driver).moment()
    for number in range(60):
        shop.put(b"%d" % (number % 10), os.urandom(70_000), now=NOW + number)
        if number % 4 == 0:
            shop.driver.flush()
    assert len(shop.orphans()) >= 40
    moment.close()
    while shop.driver.flush():
        pass
    assert shop.orphans() == set()
    assert len(shop.listed()) == 10


def test_one_bucket_or_a_prefix_comes_back_beside_what_is_there(shop, tmp_path):
    fill(shop)
    before = state(shop.driver)
    back_up(shop, tmp_path / "target")
    with pytest.raises(BackupError, match="there is a bucket photos already"):
        bring_back(tmp_path / "target", shop.driver, Wanted(BUCKET))
    with pytest.raises(BackupError, match="has buckets"):
        bring_back(tmp_path / "target", shop.driver)
    bring_back(tmp_path / "target", shop.driver, Wanted(BUCKET, b"dir/1", "found-again"))
    assert state(shop.driver) == before
    assert state(shop.driver, "found-again") == {key: before[key] for key in before if key.startswith(b"dir/1")}


def test_a_backup_that_was_cut_short_is_none_and_the_next_one_goes_on_with_it(shop, tmp_path, monkeypatch):
    fill(shop)
    back_up(shop, tmp_path / "target")
    shop.put(b"later", b"later", now=NOW + 20_000)
    shop.put(b"zebra", b"zebra", now=NOW + 20_000)
    monkeypatch.setattr("gecko_tw.store.backup.lines._FULL", 1)
    monkeypatch.setattr(Repository, "end", lambda self, backup: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        back_up(shop, tmp_path / "target")
    monkeypatch.undo()
    repository = repository_in(tmp_path / "target")
    assert len(repository.names()) == 2
    assert len(list(backups(repository))) == 1
    report = back_up(shop, tmp_path / "target")
    assert report.copied == 0
    assert len(repository.names()) == len(list(backups(repository))) == 2


def test_large_files_of_a_pool_are_shared_with_the_backup_and_those_that_people_may_change_are_not(shop, tmp_path):
    shop.put(b"large", LARGE)
    back_up(shop, tmp_path / "target")
    (blob,) = [path for path in (tmp_path / "target" / "blobs").rglob("*") if path.is_file()]
    assert blob.stat().st_nlink == (2 if isinstance(shop.driver, PoolDriver) else 1)
    assert blob.read_bytes() == LARGE
    shop.remove(b"large")
    while shop.driver.flush():
        pass
    assert (blob.stat().st_nlink, blob.read_bytes()) == (1, LARGE)


def test_only_one_backup_is_made_at_a_time(shop, tmp_path):
    moment = IMoments(shop.driver).moment()
    with pytest.raises(AlreadyHeld):
        IMoments(shop.driver).moment()
    moment.close()
    target = DirectoryTarget(tmp_path / "target")
    begin(target, None)
    with pytest.raises(BackupError, match="another backup to it is under way"):
        begin(DirectoryTarget(tmp_path / "target"), None)
    target.close()


def test_an_encrypted_backup_tells_nothing_and_opens_with_its_passphrase_alone(shop, tmp_path):
    fill(shop)
    before = state(shop.driver)
    back_up(shop, tmp_path / "target", "secret")
    for path in filter(Path.is_file, (tmp_path / "target").rglob("*")):
        assert not any(text in path.read_bytes() for text in (b"large", b"second", b"photos", LARGE[:32]))
    for passphrase, why in ((None, "is encrypted"), ("other", "passphrase is wrong")):
        with pytest.raises(BackupError, match=why):
            repository_in(tmp_path / "target", passphrase)
    place = files(tmp_path / "restored")
    bring_back(tmp_path / "target", place, passphrase="secret")
    assert state(place) == before
    place.close()
    assert back_up(shop, tmp_path / "target", "secret").copied == 0


def test_damage_in_a_backup_is_told_and_the_rest_comes_back(shop, tmp_path):
    shop.put(b"cat", b"meow")
    shop.put(b"dog", b"bark")
    back_up(shop, tmp_path / "target")
    (path,) = [
        path for path in (tmp_path / "target" / "blobs").rglob("*") if path.is_file() and path.read_bytes() == b"meow"
    ]
    path.write_bytes(b"meoW")
    place = files(tmp_path / "restored")
    restored = bring_back(tmp_path / "target", place)
    assert restored.failed == [f"{BUCKET}/cat (version null): its bytes in the backup are damaged"]
    assert list(state(place)) == [b"dog"]
    place.close()
    (segment,) = (tmp_path / "target" / "backups").rglob("0000*")
    segment.write_bytes(segment.read_bytes()[:-1])
    with pytest.raises(BackupError, match="is damaged"):
        bring_back(tmp_path / "target", pool(tmp_path / "other"))
    report = back_up(shop, tmp_path / "target")
    assert (len(report.distrusted), report.copied) == (1, 2)


def test_a_damaged_object_is_left_out_and_named_and_what_was_copied_before_stays(shop, tmp_path):
    shop.put(b"old", LARGE)
    # Encrypted, so that a pool shares no file with it.
    back_up(shop, tmp_path / "target", "secret")
    version = shop.put(b"new", LARGE[::-1])
    flip(tmp_path / "data", version)
    flip(tmp_path / "data", shop.objects.look(BUCKET, b"old"))
    report = back_up(shop, tmp_path / "target", "secret")
    assert report.left_out == [f"{BUCKET}/new (version null): its bytes are not those that were stored"]
    place = files(tmp_path / "restored")
    bring_back(tmp_path / "target", place, passphrase="secret")
    assert [versions[0][1] for versions in state(place).values()] == [LARGE]
    place.close()


def test_a_full_target_is_told_in_one_line_and_keeps_the_backups_that_it_has(shop, tmp_path, monkeypatch):
    fill(shop)
    back_up(shop, tmp_path / "target")
    before = state(shop.driver)
    shop.put(b"later", LARGE, now=NOW + 20_000)

    def full(descriptor: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gecko_tw.store.backup.targets.write_all", full)
    monkeypatch.setattr(DirectoryTarget, "clone", lambda *_: False)
    with pytest.raises(BackupError, match=f"^{tmp_path / 'target'}: it is full$"):
        back_up(shop, tmp_path / "target")
    monkeypatch.undo()
    place = files(tmp_path / "restored")
    bring_back(tmp_path / "target", place)
    assert state(place) == before
    place.close()
    assert back_up(shop, tmp_path / "target").copied == 1


def test_what_is_missing_in_the_target_is_copied_again(shop, tmp_path):
    shop.put(b"cat", b"meow")
    back_up(shop, tmp_path / "target")
    shutil.rmtree(tmp_path / "target" / "blobs")
    assert back_up(shop, tmp_path / "target").copied == 1


def test_what_a_place_is_is_on_its_disk_before_anything_else_is_there(tmp_path, monkeypatch):
    durable = []
    monkeypatch.setattr(DirectoryTarget, "sync", lambda target: durable.append(target.listed("")))
    place = DirectoryTarget(tmp_path / "target")
    begin(place, "secret")
    place.close()
    assert durable == [[ABOUT]]  # a power cut would leave it empty, and nobody could go on with the place


def test_a_place_with_other_things_in_it_is_no_target(shop, tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "letter").touch()
    with pytest.raises(BackupError, match="is not empty"):
        back_up(shop, tmp_path / "target")
    with pytest.raises(BackupError, match="there is no backup"):
        repository_in(tmp_path / "nowhere")
