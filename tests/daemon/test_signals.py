"""What Unix signals mean: the first, the second, and one that is ignored."""

import os
import signal

import pytest
from twisted.internet.task import Clock

from gecko_tw.daemon.signals import ONE, take_signals


class Reactor(Clock):
    """Calls at once."""

    def callFromThread(self, function, *arguments):
        function(*arguments)


@pytest.fixture
def heard():
    """What came, in order; the handlers that were there before come back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    happened = []
    signal.signal(signal.SIGTERM, lambda *_: happened.append("stop"))
    signal.signal(signal.SIGINT, lambda *_: happened.append("interrupt"))
    yield happened
    for number, handler in before.items():
        signal.signal(number, handler)


def take(heard):
    reactor = Reactor()
    take_signals(reactor, lambda: heard.append("reload"), lambda: heard.append("hurry"))
    return reactor


def test_the_first_sigterm_does_what_it_did_and_a_second_one_hurries(heard):
    reactor = take(heard)
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGTERM)
        reactor.advance(ONE)
    assert heard == ["stop", "hurry", "hurry"]


def test_a_signal_that_comes_to_the_process_and_to_its_group_is_one(heard):
    take(heard)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == ["stop"]


def test_sigint_after_sigterm_hurries_as_well(heard):
    reactor = take(heard)
    os.kill(os.getpid(), signal.SIGTERM)
    reactor.advance(ONE)
    os.kill(os.getpid(), signal.SIGINT)
    assert heard == ["stop", "hurry"]


def test_sighup_reloads_each_time(heard):
    take(heard)
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    assert heard == ["reload", "reload"]


def test_a_signal_that_is_ignored_stays_ignored(heard):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    take(heard)
    os.kill(os.getpid(), signal.SIGINT)
    assert heard == []
