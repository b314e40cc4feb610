"""What Unix signals mean: the first, the second, and one that is ignored."""

import os
import signal

import pytest

from gecko_tw.signals import take_signals


class Reactor:
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
    take_signals(Reactor(), lambda: heard.append("reload"), lambda: heard.append("hurry"))


def test_the_first_sigterm_does_what_it_did_and_a_second_one_hurries(heard):
    take(heard)
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGTERM)
    assert heard == ["stop", "hurry", "hurry"]


def test_sigint_after_sigterm_hurries_as_well(heard):
    take(heard)
    os.kill(os.getpid(), signal.SIGTERM)
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
