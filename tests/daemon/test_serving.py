"""How one process comes to an end: who is still answered, and for how long."""

import socket

import pytest
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gecko_tw.daemon.listening import S3, Listener
from gecko_tw.daemon.serving import LULL, LULLS, Serving
from gecko_tw.settings import BadSetting
from gecko_tw.wire.channel import HEAD, IDLE


class Reactor(Clock):
    """A clock that knows who reads."""

    def __init__(self):
        super().__init__()
        self.readers = set()

    def addReader(self, reader):
        self.readers.add(reader)

    def removeReader(self, reader):
        self.readers.discard(reader)


class Channel:
    """A connection: its own transport and deadline."""

    what = IDLE

    def __init__(self):
        self.transport, self.deadline, self.aborted = self, self, False

    def abortConnection(self):
        self.aborted = True


class Site:
    """A factory of connections that are gone when the test says so."""

    def __init__(self):
        self.channels, self.draining, self.drained, self.started = {Channel()}, False, None, 0

    def admits(self, address):
        return True

    def doStart(self):
        self.started += 1

    def doStop(self):
        self.started -= 1

    def drain(self):
        self.drained = Deferred()
        return self.drained


@pytest.fixture
def house():
    reactor, site = Reactor(), Site()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = Serving(reactor, {S3: site}, (Listener(S3, "x", "tcp:0:interface=127.0.0.1"),), [listening], 30.0)
        serving.open()
        yield reactor, site, serving
    assert not reactor.readers
    assert not reactor.getDelayedCalls()
    assert site.started == 0


def test_from_the_stop_on_nobody_is_accepted_and_every_answer_is_the_last(house):
    reactor, site, serving = house
    (acceptor,) = reactor.readers
    assert acceptor.logPrefix()
    ended = serving.stopService()
    assert not reactor.readers
    assert site.draining
    reactor.advance(LULL)
    site.drained.callback(None)
    assert ended.called
    assert not serving.cut


def test_who_has_just_connected_is_heard_before_idle_connections_are_closed(house):
    reactor, site, serving = house
    serving.stopService()
    reactor.advance(LULL / 2)
    assert site.drained is None
    reactor.advance(LULL / 2)
    site.drained.callback(None)


def test_who_takes_long_to_ask_is_waited_for_but_not_for_ever(house):
    reactor, site, serving = house
    (channel,) = site.channels
    channel.what = HEAD
    serving.stopService()
    reactor.pump([LULL] * (LULLS - 1))
    assert site.drained is None
    reactor.advance(LULL)
    site.drained.callback(None)


def test_who_asks_while_waited_for_is_waited_for_no_longer(house):
    reactor, site, serving = house
    (channel,) = site.channels
    channel.what = HEAD
    serving.stopService()
    reactor.advance(LULL)
    channel.what = IDLE
    reactor.advance(LULL)
    site.drained.callback(None)


def test_a_stop_without_connections_does_not_wait(house):
    reactor, site, serving = house
    site.channels.clear()
    ended = serving.stopService()
    site.drained.callback(None)
    assert ended.called


def test_what_takes_longer_than_the_limit_is_cut_off(house):
    reactor, site, serving = house
    serving.stopService()
    reactor.advance(LULL)
    reactor.advance(30.0 - LULL)
    assert serving.cut
    assert all(channel.aborted for channel in site.channels)
    site.drained.callback(None)


def test_a_reload_accepts_all_the_time(house):
    reactor, site, serving = house
    (before,) = reactor.readers
    serving.reload()
    (after,) = reactor.readers
    assert after is not before
    serving.stopService()
    reactor.advance(LULL)
    site.drained.callback(None)


class Certificates:
    """Certificates that can be wrong."""

    def __init__(self):
        self.loaded, self.wrong = 0, False

    def load(self):
        if self.wrong:
            raise BadSetting("wrong")
        self.loaded += 1


def test_certificates_are_served_anew_to_who_connects_and_wrong_ones_change_nothing():
    reactor, site, certificates = Reactor(), Site(), Certificates()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = Listener(S3, "x", "tcp:0:interface=127.0.0.1")
        serving = Serving(reactor, {S3: site}, (place,), [listening], 30.0, certificates=certificates)
        serving.open()
        (acceptor,) = reactor.readers
        serving.renew()
        assert certificates.loaded == 2
        certificates.wrong = True
        for again in (serving.renew, serving.reload):
            with pytest.raises(BadSetting):
                again()
        assert reactor.readers == {acceptor}
        serving.stopService()
        serving.renew()
        reactor.advance(LULL)
        site.drained.callback(None)
    assert not reactor.getDelayedCalls()


def test_a_reload_that_a_later_place_refuses_leaves_all_places_as_they_were():
    reactor, site = Reactor(), Site()
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_server(("127.0.0.1", 0)) as other:
        places = [Listener(S3, "x", "tcp:0:interface=127.0.0.1"), Listener(S3, "y", "tcp:0:interface=127.0.0.1")]
        serving = Serving(reactor, {S3: site}, tuple(places), [listening, other], 30.0)
        serving.open()
        before = set(reactor.readers)
        serving._places[1] = (Listener(S3, "y", "ssl:0:privateKey=/nowhere"), other)
        with pytest.raises(OSError, match="nowhere"):
            serving.reload()
        assert reactor.readers == before
        assert site.started == 2
        serving.stopService()
        reactor.advance(LULL)
        site.drained.callback(None)


class Logs(Service):
    """A service that ends when the test says so."""

    def stopService(self):
        super().stopService()
        self.ended = Deferred()
        return self.ended


def test_a_reload_that_comes_after_the_stop_accepts_nobody(house):
    reactor, site, serving = house
    serving.stopService()
    serving.reload()
    assert not reactor.readers
    reactor.advance(LULL)
    site.drained.callback(None)


def test_the_log_of_requests_is_ended_after_the_last_one_and_waited_for():
    reactor, site, logs = Reactor(), Site(), Logs()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = Listener(S3, "x", "tcp:0:interface=127.0.0.1")
        serving = Serving(reactor, {S3: site}, (place,), [listening], 30.0, logs)
        serving.startService()
        assert not logs.running
        serving.open()
        serving.reload()
        assert logs.running
        over = []
        serving.stopService().addCallback(over.append)
        reactor.advance(LULL)
        assert logs.running
        site.drained.callback(None)
        assert not logs.running
        assert not over
        logs.ended.callback(None)
        assert over == [None]
    assert not reactor.getDelayedCalls()
