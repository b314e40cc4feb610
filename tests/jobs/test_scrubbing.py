"""The scrub job: when it runs, and how it ends."""

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from gecko_tw.jobs.scrubbing import LOOKS, Scrubbing
from gecko_tw.settings import Settings
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.integrity.scrub import KIND, TOTALS, Scrub
from gecko_tw.store.records import now_of
from tests.store.shop import NOW, open_shop

HOUR = 3600.0


class Lane:
    """A lane that works at once."""

    def run(self, function, *arguments, **named):
        return maybeDeferred(function, *arguments, **named)


class House:
    """A store with three objects and its job."""

    def __init__(self, **settings):
        self.clock = Clock()
        self.clock.advance(NOW // 10**9)
        self.shop = open_shop()
        for name in (b"a", b"b", b"c"):
            self.shop.put(name, b"data")
        self.leaving = False
        quarantine = Quarantine(self.shop.objects, self.shop.driver.documents)
        scrub = Scrub(quarantine, self.shop.uploads, lambda: now_of(self.clock.seconds()), lambda seconds: self.leaving)
        self.job = Scrubbing(self.clock, Lane(), scrub, Settings(scrub_interval=HOUR, **settings))
        self.job.startService()

    def passes(self, seconds):
        self.clock.pump([LOOKS] * int(seconds // LOOKS))

    def read(self):
        return (self.shop.driver.documents.get(KIND, TOTALS) or {"read": 0})["read"]


def test_a_pass_begins_an_interval_after_the_first_start_and_again_an_interval_later():
    house = House()
    house.passes(HOUR)
    assert house.read() == 0
    house.passes(2 * LOOKS)
    assert house.read() == 3
    house.passes(HOUR - 2 * LOOKS)
    assert house.read() == 3
    house.passes(3 * LOOKS)
    assert house.read() == 6


def test_a_run_that_has_read_enough_goes_on_an_interval_later():
    house = House(scrub_max_per_run=2)
    house.passes(HOUR + 2 * LOOKS)
    assert house.read() == 2
    house.passes(HOUR + 2 * LOOKS)
    assert house.read() == 3


def test_what_was_cut_short_is_gone_on_with_at_once():
    house = House()
    house.leaving = True
    house.passes(HOUR + 2 * LOOKS)
    assert house.read() == 0
    house.leaving = False
    house.passes(LOOKS)
    assert house.read() == 3


def test_a_clock_that_was_set_back_does_not_put_a_scrub_off_for_ever():
    house = House()
    house.shop.driver.documents.change(KIND, "due", lambda _: {"at": NOW * 2})
    house.passes(HOUR + 2 * LOOKS)
    assert house.read() == 3
