"""What a verb costs: round trips to the database, which do not grow with what there is."""

from collections.abc import Callable
from typing import Any

import pytest

from gecko_tw.store.objects import Objects
from gecko_tw.store.records import Upload
from gecko_tw.store.requests import Complete, ListRequest, Put, PutPart, Remove, WantedPart
from gecko_tw.store.uploads import Uploads
from tests.contract.acts import NOW, a_bucket

SMALL = b"x" * 1000
LARGE = b"x" * 100_000


@pytest.fixture
def objects(driver: Any) -> Objects:
    a_bucket(driver)
    driver.catalog.bucket("photos")
    return Objects(driver.catalog, driver.blobs)


@pytest.fixture
def trips(driver: Any) -> Callable[[Callable[[], object]], int]:
    """How many a call costs."""

    def counted(call: Callable[[], object]) -> int:
        before = driver._connections.trips
        call()
        return int(driver._connections.trips - before)

    return counted


def put(objects: Objects, key: bytes, data: bytes) -> None:
    incoming = objects.receive()
    incoming.push(data)
    objects.put("photos", key, incoming, Put(now=NOW))


def get(objects: Objects, key: bytes) -> bytes:
    reading = objects.open("photos", key)
    try:
        return reading.read(0, 2_000_000)
    finally:
        reading.close()


def test_a_small_object_costs_two_to_put_and_one_to_get(objects, trips):
    for _ in range(2):  # new, and over another
        assert trips(lambda: put(objects, b"k", SMALL)) == 2
    assert trips(lambda: get(objects, b"k")) == 1
    assert trips(lambda: objects.look("photos", b"k")) == 1
    assert trips(lambda: objects.remove("photos", b"k", Remove(now=NOW))) == 2


def test_a_large_object_costs_one_more_to_put_and_two_more_to_get(objects, trips):
    assert trips(lambda: put(objects, b"k", LARGE)) == 3
    assert trips(lambda: get(objects, b"k")) == 3


def test_a_key_with_many_versions_costs_as_much(objects, driver, trips):
    driver.catalog.change_bucket("photos", lambda record: record.with_setting("versioning", "Enabled"))
    driver.catalog.bucket("photos")
    for number in range(20):
        assert trips(lambda n=number: put(objects, b"k", b"%d" % n)) == 2
    assert trips(lambda: get(objects, b"k")) == 1


def test_a_page_costs_one_whatever_it_has(objects, trips):
    for number in range(30):
        put(objects, b"%02d/%d" % (number % 5, number), b"")
    assert trips(lambda: objects.page("photos", ListRequest(limit=10))) == 1
    assert trips(lambda: objects.page("photos", ListRequest(limit=1000), "versions")) == 1
    page = []
    assert trips(lambda: page.append(objects.page("photos", ListRequest(delimiter=b"/")))) <= 2
    assert page[0].prefixes == tuple(b"%02d/" % number for number in range(5))


def test_completing_an_upload_copies_nothing(objects, driver, trips):
    uploads = Uploads(objects, min_part_size=0)
    uploads.create("photos", b"k", Upload(id="u", initiated=NOW))
    wanted = []
    for number in range(1, 9):
        incoming = objects.receive()
        incoming.push(LARGE)
        part = uploads.put_part("photos", b"k", "u", incoming, PutPart(now=NOW, number=number))
        wanted.append(WantedPart(number, part.etag))
    blocks = driver._connections.read("SELECT count(*), sum(length(data)) FROM block")
    complete = Complete(now=NOW, parts=tuple(wanted))
    assert trips(lambda: uploads.complete("photos", b"k", "u", complete)) <= 5
    assert driver._connections.read("SELECT count(*), sum(length(data)) FROM block") == blocks
    assert len(objects.look("photos", b"k").spans) == 8


def test_a_bucket_that_is_remembered_costs_nothing(objects, driver, trips):
    assert trips(lambda: driver.catalog.bucket("photos")) == 0
    assert trips(lambda: driver.documents.get("user", "nobody")) == 0
    assert trips(lambda: driver.documents.revision()) == 0
