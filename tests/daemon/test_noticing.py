"""When the events of the data directory's watches are drained, and who looks where something changed."""

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from gecko_tw.daemon import noticing
from gecko_tw.daemon.noticing import PAUSE, Noticing
from gecko_tw.store.drivers.files.adoption import Progress
from gecko_tw.store.drivers.files.noticing import Changes


class Reactor(Clock):
    """A clock that can be told who reads."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)


class AtOnce:
    """A pool that does what it is told where it is told."""

    def __init__(self, *_: object) -> None:
        self.slow: Deferred[None] | None = None

    def run(self, function: Any, *arguments: Any) -> Deferred[Any]:
        result = maybeDeferred(function, *arguments)
        if self.slow is None:
            return result
        slow, self.slow = self.slow, None
        return slow.addCallback(lambda _: result)

    def stopService(self) -> None:
        """Nothing is under way."""


class House:
    """A data directory whose watches and looks write down what is asked of them; ``told`` is that."""

    has_files = True
    crowded = False

    def __init__(self, reactor: Reactor) -> None:
        self.reactor, self.driver, self.tree_watch = reactor, self, self
        self.told: list[Any] = []
        self.events: list[Changes] = []
        self.large: list[bytes] = []
        self.pool = AtOnce()
        self.service = Noticing(reactor, self, self.pool, lambda: self.told.append("all"))

    def begin(self) -> bool:
        return True

    def fileno(self) -> int:
        return 42

    def drain(self) -> Changes:
        self.told.append("drain")
        return self.events.pop(0) if self.events else Changes()

    def take(self, changes: Changes, stop: Any) -> Progress:
        self.told.append(sorted(changes.files))
        return Progress(large=self.large)

    def take_large(self, files: list[bytes], stop: Any) -> None:
        self.told.append(("large", files))

    def happens(self, *events: Changes) -> None:
        self.events += events
        for reader in list(self.reactor.readers):
            reader.doRead()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(noticing, "Pool", AtOnce)
    reactor = Reactor()
    house = House(reactor)
    Deferred.fromCoroutine(house.service.begin())
    yield house
    house.service.stopService()
    assert not reactor.readers
    assert not reactor.getDelayedCalls()


def files(*names: bytes) -> Changes:
    return Changes(files=set(names))


def test_nobody_wakes_up_while_nothing_happens(house):
    assert house.reactor.readers
    assert not house.reactor.getDelayedCalls()


def test_what_happens_is_drained_after_a_pause_and_looked_at_after_another(house):
    house.happens(files(b"a", b"b"))
    assert not house.reactor.readers
    house.reactor.advance(PAUSE)
    assert house.told == ["drain"]
    house.events.append(files(b"c"))
    house.reactor.advance(PAUSE)
    assert house.told == ["drain", "drain", [b"a", b"b"]]
    house.reactor.advance(PAUSE)
    assert house.told[3:] == ["drain", [b"c"]]
    assert house.reactor.readers
    assert not house.reactor.getDelayedCalls()


def test_what_is_all_our_own_is_followed_by_no_look(house):
    house.happens(Changes())
    house.reactor.advance(PAUSE)
    assert house.told == ["drain"]
    assert house.reactor.readers


def test_what_comes_while_somebody_looks_is_looked_at_afterwards(house):
    house.pool.slow = slow = Deferred()
    house.happens(files(b"a"), files(b"b"), files(b"c"))
    house.reactor.pump([PAUSE] * 4)
    assert [told for told in house.told if told != "drain"] == [[b"a"]]
    slow.callback(None)
    assert [told for told in house.told if told != "drain"] == [[b"a"], [b"b", b"c"]]


def test_large_files_are_looked_at_beside_the_small_ones(house):
    house.large = [b"large"]
    house.happens(files(b"a", b"large"))
    house.reactor.pump([PAUSE] * 3)
    assert house.told[2:] == [[b"a", b"large"], ("large", [b"large"])]


def test_after_events_were_lost_everything_is_looked_through_and_then_there_is_a_rest(house):
    house.pool.slow = slow = Deferred()
    house.happens(Changes(lost=True))
    house.reactor.pump([PAUSE] * 2)
    assert house.told[2:] == ["all"]
    house.happens(Changes(lost=True))
    house.reactor.pump([PAUSE] * 2)
    house.reactor.advance(10)
    slow.callback(None)
    house.reactor.advance(9)
    assert house.told.count("all") == 1
    house.reactor.advance(2)
    assert house.told.count("all") == 2


def test_when_more_files_wait_than_can_be_remembered_everything_is_looked_through(house, monkeypatch):
    monkeypatch.setattr(noticing, "MOST_FILES", 2)
    house.happens(files(b"a", b"b", b"c"))
    house.reactor.pump([PAUSE] * 2)
    assert house.told[2:] == ["all"]


def test_a_crowded_queue_is_drained_sooner(house):
    house.crowded = True
    house.happens(files(b"a"))
    house.reactor.advance(PAUSE / 2)
    assert house.told == ["drain"]


def test_it_ends_when_what_is_under_way_has_ended(house):
    house.pool.slow = slow = Deferred()
    house.happens(files(b"a"))
    house.reactor.pump([PAUSE] * 3)
    ended = []
    house.service.stopService().addCallback(ended.append)
    assert not ended
    slow.callback(None)
    assert ended


def test_a_look_that_fails_is_told_and_others_follow(house, monkeypatch, logged_failures):
    def fail(changes: Changes, stop: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(house, "take", fail)
        house.happens(files(b"a"))
        house.reactor.pump([PAUSE] * 3)
    assert len(logged_failures.take(OSError)) == 1
    house.happens(files(b"b"))
    house.reactor.pump([PAUSE] * 3)
    assert [b"b"] in house.told
