"""What is done to a key costs the same however many versions and uploads it has: counted in SQLite's own instructions."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.pool.driver import PoolDriver
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import Upload
from gecko_tw.store.renaming import Rename, rename
from gecko_tw.store.requests import ListRequest
from gecko_tw.store.rules.due import Due, expire
from gecko_tw.store.rules.lifecycle import Calendar
from tests.store.shop import BUCKET, NOW, Shop, open_shop

FEW, MANY = 100, 5000
MONTH = 30 * 86_400 * 10**9
RULES = [{"ID": "old", "Status": "Enabled", "Prefix": "", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}]

_NUMBERS = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
_VERSIONS = (
    f"{_NUMBERS} INSERT INTO version SELECT 1, ?, n, CASE n WHEN 50 THEN 'null' ELSE printf('%016x%016x', n, n) END,"
    " 0, 'e', 0, n, 'me', NULL, '', 0, NULL, NULL, '', NULL, '' FROM number"
)
_UPLOADS = f"{_NUMBERS} INSERT INTO upload SELECT 1, ?, n, printf('%032x', n), n, 0, '{{}}' FROM number"


def of_version(number: int) -> str:
    return f"{number:016x}{number:016x}"


def of_upload(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture(params=[FilesDriver, PoolDriver], ids=["files", "pool"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Its bucket has two keys that differ in nothing but in how many versions and uploads they have; both have a null version."""
    driver = request.param(str(tmp_path))
    driver.open()
    shop = open_shop(driver)
    connection = driver.catalog._connections.mine()
    for key, count in ((b"few", FEW), (b"many", MANY)):
        connection.execute(_VERSIONS, (count, key))
        connection.execute(_UPLOADS, (count, key))
    yield shop
    driver.close()


def cost(shop: Shop, act: Callable[[], Any]) -> int:
    """SQLite's instructions."""
    count = 0

    def counted() -> None:
        nonlocal count
        count += 1

    connection = shop.driver.catalog._connections.mine()
    connection.set_progress_handler(counted, 1)
    try:
        act()
    finally:
        connection.set_progress_handler(None, 1)
    return count


def switch(shop: Shop, versioning: str, **more: Any) -> None:
    def changed(record: Any) -> Any:
        return evolve(record, settings={"versioning": versioning, **more})

    shop.buckets.change(BUCKET, changed)


def amended(shop: Shop, key: bytes, version_id: str | None) -> None:
    shop.objects.amend(BUCKET, key, version_id, lambda version, _bucket: evolve(version, tags={"a": "b"}))


def expired(shop: Shop, key: bytes) -> None:
    calendar, one = Calendar(NOW + MONTH), Due(of_version(60), since=1)
    shop.objects.place(BUCKET, key, partial(expire, calendar=calendar, salt="0", one=one), version_id=one.version_id)


def completed(shop: Shop, key: bytes) -> None:
    shop.complete(key, [shop.send(key, 1, b"a part", of_upload(70))], of_upload(70))


def renamed(shop: Shop, key: bytes) -> None:
    shop.put(key, b"to be renamed")
    rename(shop.objects, BUCKET, key + b" renamed", Rename(now=NOW, source=key, check=lambda version: None))


ACTS: dict[str, Callable[[Shop, bytes], Any]] = {
    "put": lambda shop, key: shop.put(key, b"data"),
    "look": lambda shop, key: shop.objects.look(BUCKET, key),
    "look at a version": lambda shop, key: shop.objects.look(BUCKET, key, of_version(40)),
    "look at the null version": lambda shop, key: shop.objects.look(BUCKET, key, "null"),
    "tag": lambda shop, key: amended(shop, key, None),
    "tag a version": lambda shop, key: amended(shop, key, of_version(41)),
    "mark as deleted": lambda shop, key: shop.remove(key),
    "remove a version": lambda shop, key: shop.remove(key, version_id=of_version(42)),
    "remove the first version": lambda shop, key: shop.remove(key, version_id=of_version(1)),
    "remove no version": lambda shop, key: shop.remove(key, version_id="0" * 32),
    "let a version go": expired,
    "begin an upload": lambda shop, key: shop.uploads.create(BUCKET, key, Upload(id="u", initiated=NOW)),
    "get an upload": lambda shop, key: shop.uploads.get(BUCKET, key, of_upload(43)),
    "send a part": lambda shop, key: shop.send(key, 1, b"a part", of_upload(44)),
    "list parts": lambda shop, key: shop.uploads.parts(BUCKET, key, of_upload(45)),
    "complete": completed,
    "rename": renamed,
    "abort": lambda shop, key: shop.uploads.abort(BUCKET, key, of_upload(46)),
    "go on listing versions": lambda shop, key: shop.objects.page(
        BUCKET, ListRequest(prefix=key, after=key, after_id=of_version(80), limit=10), "versions"
    ),
    "go on listing uploads": lambda shop, key: shop.uploads.page(
        BUCKET, ListRequest(prefix=key, after=key, after_id=of_upload(47), limit=10)
    ),
}


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended"])
def test_no_act_costs_more_where_there_are_more_versions_and_uploads(shop: Shop, versioning: str) -> None:
    switch(shop, versioning, lifecycle=RULES)
    shop.put(b"few", b"newest"), shop.put(b"many", b"newest")
    for name, act in ACTS.items():
        few, many = (cost(shop, lambda key=key, act=act: reconciled(act, shop, key)) for key in (b"few", b"many"))
        assert many <= few + 50, (name, few, many)


def test_removing_the_newest_versions_costs_the_same(shop: Shop) -> None:
    switch(shop, "Enabled")
    for number in range(5):
        costs = [
            cost(shop, partial(shop.remove, key, version_id=of_version(count - number)))
            for key, count in ((b"few", FEW), (b"many", MANY))
        ]
        assert costs[1] <= costs[0] + 50
        assert [reconciled(shop.objects.look, BUCKET, key).version_id for key in (b"few", b"many")] == [
            of_version(FEW - number - 1),
            of_version(MANY - number - 1),
        ]


def test_a_quota_costs_the_same(shop: Shop) -> None:
    switch(shop, "Enabled", quota={"bytes": 10**9})
    shop.put(b"other", b"data")  # the first one counts what there is
    few, many = (cost(shop, partial(shop.put, key, b"data")) for key in (b"few", b"many"))
    assert many <= few + 50
    few, many = (cost(shop, partial(shop.uploads.abort, BUCKET, key, of_upload(9))) for key in (b"few", b"many"))
    assert many <= few + 50


def test_repeating_a_completion_costs_the_same(shop: Shop) -> None:
    switch(shop, "Enabled")
    costs = []
    for key in (b"few", b"many"):
        part = shop.send(key, 1, b"a part", of_upload(70))
        shop.complete(key, [part], of_upload(70))
        shop.put(key, b"newer"), shop.put(key, b"newest")
        costs.append(cost(shop, partial(shop.complete, key, [part], of_upload(70))))
    assert costs[1] <= costs[0] + 50


def test_a_completion_is_repeated_when_the_first_one_ends_while_the_key_is_read(shop: Shop) -> None:
    shop.begin(b"key")
    parts = [shop.send(b"key", 1, b"a part")]
    catalog = shop.driver.catalog
    real, first = catalog._newest, []

    def overtaken(*arguments: Any) -> Any:
        before = real(*arguments)
        catalog._newest = real
        first.append(shop.complete(b"key", parts))
        return before

    catalog._newest = overtaken
    assert shop.complete(b"key", parts, now=NOW + 1) == first[0]


@pytest.mark.parametrize("shop", [FilesDriver], indirect=True)
def test_taking_over_a_file_of_others_costs_the_same(shop: Shop, tmp_path: Path) -> None:
    switch(shop, "Enabled")
    costs = []
    for key in (b"few", b"many"):
        shop.put(key, b"ours")
        (tmp_path / BUCKET / key.decode()).write_bytes(b"of others")
        costs.append(cost(shop, partial(reconciled, shop.objects.look, BUCKET, key)))
        assert shop.get(key) == b"of others"
    assert costs[1] <= costs[0] + 50
