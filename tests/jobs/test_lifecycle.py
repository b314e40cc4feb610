"""The lifecycle job: when it runs, and what it says."""

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher

from gecko_tw.jobs.lifecycle import Lifecycle
from gecko_tw.settings import Settings
from gecko_tw.store.expiry import Expiry
from gecko_tw.store.requests import ListRequest
from tests.store.shop import BUCKET, NOW, open_shop

SECONDS = NOW // 10**9
RULE = {"ID": "one", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 2}}
UPLOADS = {"ID": "two", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}


class Pool:
    """A pool that works at once."""

    def run(self, function, *arguments, **named):
        return maybeDeferred(function, *arguments, **named)


class House:
    """A store with one rule and one object, its lifecycle job, and what that logs."""

    def __init__(self, **settings):
        self.clock = Clock()
        self.clock.advance(SECONDS)
        self.shop = open_shop()
        self.shop.buckets.change(BUCKET, lambda record: record.with_setting("lifecycle", [RULE]))
        self.shop.put(b"log", b"data")
        chosen = Settings(**settings)
        self.job = Lifecycle(self.clock, Pool(), Expiry(self.shop.uploads, chosen.lifecycle_day), chosen)
        self.job.startService()

    def keys(self):
        return [entry.key for entry in self.shop.objects.page(BUCKET, ListRequest()).entries]


def test_an_object_goes_within_an_interval_after_its_last_midnight():
    house = House()
    last_midnight = (SECONDS + 2 * 86_400) // 86_400 * 86_400 + 86_400
    house.clock.pump([3600] * ((last_midnight - SECONDS) // 3600))
    assert house.keys() == [b"log"]
    house.clock.pump([3600])
    assert house.keys() == []


def test_short_days_are_looked_at_four_times():
    house = House(lifecycle_day=10.0)
    house.clock.pump([2.5] * 7)
    assert house.keys() == [b"log"]
    house.clock.pump([2.5])
    assert house.keys() == []


def test_stopping_ends_a_run_at_its_next_step_and_starting_again_finishes_it():
    house = House(lifecycle_day=10.0)
    catalog = house.shop.driver.catalog
    real = catalog.page

    def page(*arguments):
        house.stopped = house.job.stopService()
        catalog.page = real
        return real(*arguments)

    house.shop.buckets.change(BUCKET, lambda record: record.with_setting("lifecycle", [RULE, UPLOADS]))
    house.shop.begin(b"log", initiated=NOW)
    house.clock.pump([2.5] * 7)
    catalog.page = page
    house.clock.pump([2.5])
    assert house.stopped.called
    assert house.keys() == [b"log"]
    assert house.shop.uploads.get(BUCKET, b"log", "u1")
    house.clock.pump([2.5] * 8)
    assert house.shop.uploads.get(BUCKET, b"log", "u1")
    house.job.startService()
    house.clock.pump([2.5])
    assert house.keys() == []
    assert house.shop.objects.page(BUCKET, ListRequest(), "uploads").entries == ()


def test_a_run_that_did_something_says_what_in_one_line():
    house, lines = House(lifecycle_day=10.0, lifecycle_interval=1.0), []

    def observe(event):
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    try:
        house.clock.pump([1] * 30)
    finally:
        globalLogPublisher.removeObserver(observe)
    assert [line for line in lines if "expired" in line] == [
        "lifecycle: 1 objects expired, 0 old versions and delete markers removed, 0 multipart uploads aborted,"
        " 0 versions moved to another storage class"
    ]
