"""Everything from one driver to another, cut short, repeated, and back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store import moving
from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.drivers.pool.driver import PoolDriver
from gecko_tw.store.moving import CannotMove, Move, Moved
from gecko_tw.store.records import Checksum, Notice
from gecko_tw.store.rules.quarantine import QUARANTINE
from tests.clusters.databases import postgresql
from tests.clusters.postgresql import servers_end  # noqa: F401 - a fixture
from tests.contract.acts import (
    a_bucket,
    begin,
    content,
    every_page,
    look,
    mark_deleted,
    put,
    send_part,
    upload_of,
)
from tests.contract.drivers import files

LARGE = b"0123456789" * 20_000


@pytest.fixture(params=("files", "pool"))
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    driver = _directory(request.param, tmp_path / "directory")
    yield driver
    driver.close()


def _directory(layout: str, folder: Path) -> Any:
    if layout == "files":
        return files(folder)
    driver = PoolDriver(str(folder))
    driver.open()
    return driver


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "node").mkdir()
    driver = postgresql(tmp_path / "node")
    yield driver
    driver.close()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(moving, "_TOGETHER", 10)


def fill(driver: Any) -> None:
    bucket = a_bucket(driver)
    driver.catalog.change_bucket(bucket, lambda record: record.with_setting("versioning", "Enabled"))
    a_bucket(driver, "empty")
    a_bucket(driver, "plain")
    put(driver, "plain", b"k", b"null version")
    for number in range(5):
        put(driver, bucket, b"a/k", b"%d" % number * 100, version_id=f"v{number}", modified=1_000_000_000 * number + 7)
    mark_deleted(driver, bucket, b"a/k", "m")
    put(
        driver,
        bucket,
        b"a/k",
        LARGE,
        version_id="v9",
        tags={"a": "b"},
        metadata={"m": "n"},
        extra={"lock": {"hold": True}},
    )
    put(driver, bucket, b"\xff/../odd", b"bytes", headers={"content-type": "text/x"})
    for number in range(40):
        put(driver, bucket, b"many/%03d" % number, b"%d" % number)
    begin(driver, bucket, b"up", "u1")
    begin(driver, bucket, b"up", "u2", metadata={"x": "y"})
    send_part(driver, bucket, b"up", "u2", 3, b"three")
    send_part(driver, bucket, b"up", "u2", 7, LARGE)
    driver.documents.change("user", "a", lambda _: {"name": "a"})
    driver.documents.change("group", "g", lambda _: [1, 2])
    driver.notices.add([Notice("t", {"n": 1}), Notice("s", {"n": 2}), Notice("t", {"n": 3})])


def told(driver: Any) -> Any:
    """Everything that a driver has, places of bytes apart."""
    found: dict[str, Any] = {"documents": [(kind, driver.documents.all(kind)) for kind in driver.documents.kinds()]}
    found["notices"] = [(t, [event for _, event in driver.notices.waiting(t, 99)]) for t in driver.notices.targets()]
    for record in driver.catalog.buckets("", "", 99):
        found[record.name] = record
        for key, version_id in every_page(driver, record.name, "versions"):
            found[f"{record.name}/{key!r}/{version_id}"] = _described(driver, record.name, key, version_id)
        found[f"{record.name}?versions"] = every_page(driver, record.name, "versions")
        found[f"{record.name}?uploads"] = every_page(driver, record.name, "uploads")
        for key, upload_id in every_page(driver, record.name, "uploads"):
            upload = upload_of(driver, record.name, key, upload_id)
            parts = driver.catalog.parts(record.name, key, upload_id, 0, 99)
            shown = [(part.number, part.etag, part.modified, content(driver, part)) for part in parts]
            found[f"{record.name}/{key!r}/{upload_id}"] = (upload.initiated, upload.metadata, upload.owner, shown)
    return found


def _described(driver: Any, bucket: str, key: bytes, version_id: str) -> Any:
    (version,) = [one for one in look(driver, bucket, key, version_id).versions if one.version_id == version_id]
    return (version.lying(()), content(driver, version)) if hasattr(version, "spans") else version


def move(source: Any, target: Any, **more: Any) -> Moved:
    return Move(source, target, "here", **more).run()


def test_everything_is_moved_to_a_deployment_and_back_and_the_source_stays(
    directory: Any, deployment: Any, tmp_path: Path
):
    fill(directory)
    before = told(directory)
    moved = move(directory, deployment)
    assert (moved.versions, moved.parts, moved.buckets, moved.passed_over) == (49, 2, 3, {})
    assert told(deployment) == before == told(directory)
    assert list(deployment.blobs.older_than(-60)) == []
    for layout in ("files", "pool"):
        back = _directory(layout, tmp_path / f"back-{layout}")
        move(deployment, back)
        assert told(back) == before
        back.close()
        again = _directory(layout, tmp_path / f"back-{layout}")
        assert told(again) == before
        again.close()


class _Cut(Exception):
    pass


@pytest.mark.parametrize("directory", ["pool"], indirect=True)
def test_a_move_that_is_cut_short_goes_on_where_it_was(
    directory: Any, deployment: Any, monkeypatch: pytest.MonkeyPatch
):
    fill(directory)
    change = deployment.catalog.change_history
    for after in (3, 20, 10):
        left = [after]

        def cut(*arguments: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise _Cut
            return change(*arguments)

        monkeypatch.setattr(deployment.catalog, "change_history", cut)
        with pytest.raises(_Cut):
            move(directory, deployment)
    monkeypatch.undo()
    with pytest.raises(CannotMove, match="half filled from another source, here"):
        Move(directory, deployment, "there").run()
    assert move(directory, deployment).versions < 30
    assert told(deployment) == told(directory)


def test_what_is_damaged_is_named_and_not_moved(monkeypatch: pytest.MonkeyPatch):
    source, target = MemoryDriver(), MemoryDriver()
    bucket = a_bucket(source)
    put(source, bucket, b"good", b"data", checksum=Checksum("CRC32", "rfPzYw=="))
    put(source, bucket, b"bad", b"other", etag="8d777f385d3dfec8815d20f7496026dc", size=4)
    put(
        source, bucket, b"known", b"other", etag="8d777f385d3dfec8815d20f7496026dc", extra={QUARANTINE: {"reason": "x"}}
    )
    lost = put(source, bucket, b"lost", b"data").spans[0].blob
    open_ = source.blobs.open

    def opened(blob: str) -> Any:
        if blob == lost:
            raise BlobGone(blob)
        return open_(blob)

    monkeypatch.setattr(source.blobs, "open", opened)
    moved = move(source, target)
    assert sorted(moved.passed_over) == ["photos/bad (version null)", "photos/lost (version null)"]
    assert [key for key, _ in every_page(target, bucket, "objects")] == [b"good", b"known"]


def test_a_target_that_has_anything_is_refused():
    source, target = MemoryDriver(), MemoryDriver()
    target.documents.change("user", "a", lambda _: 1)
    with pytest.raises(CannotMove, match="not empty"):
        move(source, target)
    target = MemoryDriver()
    a_bucket(target)
    with pytest.raises(CannotMove, match="not empty"):
        move(source, target)


def test_a_target_that_reads_back_something_else_ends_the_move(monkeypatch: pytest.MonkeyPatch):
    source, target = MemoryDriver(), MemoryDriver()
    put(source, a_bucket(source), b"k", b"data")
    create = target.blobs.create

    def wrong() -> Any:
        writer = create()
        write: Callable[[bytes], None] = writer.write
        writer.write = lambda data: write(data[:-1] + b"!")
        return writer

    monkeypatch.setattr(target.blobs, "create", wrong)
    with pytest.raises(CannotMove, match="not what it reads back"):
        move(source, target)
