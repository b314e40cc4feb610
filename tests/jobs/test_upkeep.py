"""The jobs of a deployment: what runs how often, on a real store in memory, by a clock that the test turns."""

import pytest
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from gecko_tw.jobs.upkeep import jobs
from gecko_tw.settings import Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord, Upload, now_of
from gecko_tw.store.refusals import NoSuchUpload
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads

HOUR = 3600.0


class Pool:
    """A pool that works at once."""

    def run(self, function, *arguments, **named):
        return maybeDeferred(function, *arguments, **named)


class House:
    """A store in memory and its jobs, both by one clock."""

    def __init__(self, **settings):
        self.clock = Clock()
        self.driver = MemoryDriver(self.clock.seconds)
        self.uploads = Uploads(Objects(self.driver.catalog, self.driver.blobs))
        self.scans = 0
        self.jobs = jobs(self.clock, Pool(), Upkeep(self.uploads), Settings(**settings), self.scan)
        self.jobs.startService()
        Buckets(self.driver.catalog).create(BucketRecord(name="photos", created=0))

    def scan(self):
        self.scans += 1
        return 0

    def begin_upload(self, name):
        self.uploads.create("photos", b"key", Upload(id=name, initiated=now_of(self.clock.seconds())))

    def is_under_way(self, name):
        try:
            self.uploads.get("photos", b"key", name)
        except NoSuchUpload:
            return False
        return True

    def pass_time(self, seconds, step=HOUR / 4):
        self.clock.pump([step] * int(seconds / step))


@pytest.fixture
def house():
    return House()


def test_an_upload_nobody_finished_is_aborted_after_a_day(house):
    house.begin_upload("early")
    house.pass_time(23 * HOUR)
    house.begin_upload("late")
    assert house.is_under_way("early")
    house.pass_time(2.25 * HOUR)
    assert not house.is_under_way("early")
    assert house.is_under_way("late")


def test_age_and_interval_of_abandoned_uploads_are_settings():
    house = House(multipart_max_age=60.0, multipart_sweep_interval=10.0)
    house.begin_upload("one")
    house.pass_time(60, 10)
    assert house.is_under_way("one")
    house.pass_time(10, 10)
    assert not house.is_under_way("one")


def test_uploads_of_any_age_are_kept_when_the_age_is_0():
    house = House(multipart_max_age=0.0)
    house.begin_upload("one")
    house.pass_time(1000 * HOUR, HOUR)
    assert house.is_under_way("one")


def test_the_directory_is_scanned_again_after_each_interval():
    house = House(scan_interval=60.0)
    house.pass_time(600, 10)
    assert house.scans == 10


def test_the_directory_is_not_scanned_again_when_the_interval_is_0():
    house = House(scan_interval=0.0)
    house.pass_time(100 * HOUR)
    assert house.scans == 0


def test_bytes_that_nothing_refers_to_are_dropped_after_a_day(house):
    writer = house.driver.blobs.create()
    writer.write(b"orphan")
    house.pass_time(23 * HOUR)
    assert list(house.driver.blobs.older_than(0))
    house.pass_time(3 * HOUR)
    assert not list(house.driver.blobs.older_than(0))
