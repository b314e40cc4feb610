"""Places to listen: what they mean, sockets that are held, and acceptors on them."""

import os
import socket

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from gecko_tw.commands.health import address_of
from gecko_tw.daemon.listening import S3, Acceptor, Listener, accept, hold, listeners_of, shown
from gecko_tw.settings import BadSetting, Settings


@pytest.fixture
def reactor():
    from twisted.internet import reactor

    return reactor


class Greeting(Protocol):
    """Says hello and leaves."""

    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseConnection()


class Hearing(Protocol):
    """Fires with everything it was told."""

    def __init__(self):
        self.heard, self.received = Deferred(), b""

    def dataReceived(self, data):
        self.received += data

    def connectionLost(self, reason):
        self.heard.callback(self.received)


async def hear(reactor, port):
    from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

    protocol = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), Hearing())
    return await protocol.heard


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("127.0.0.1:9000", "tcp:9000:interface=127.0.0.1:backlog=1024"),
        ("[::1]:80", r"tcp6:80:interface=\:\:1:backlog=1024"),
        ("localhost:1", "tcp:1:interface=localhost:backlog=1024"),
        ("unix:/run/s3.sock:mode=660", "unix:/run/s3.sock:mode=660"),
    ],
)
def test_host_and_port_become_an_endpoint_string_and_others_stay(text, description):
    assert listeners_of(Settings(listen=(text,))) == (Listener(S3, text, description),)


def test_a_port_alone_means_every_address():
    (listener,) = listeners_of(Settings(listen=(":9000",)))
    assert listener.description in (r"tcp6:9000:interface=\:\::backlog=1024", "tcp:9000:interface=0.0.0.0:backlog=1024")


@given(st.integers(0, 65535))
def test_what_listens_can_be_asked_for_its_health(port):
    assert address_of(f":{port}") == ("127.0.0.1", port, "")
    assert address_of(f"[::1]:{port}") == ("::1", port, "")
    assert address_of(f"tcp:{port}:interface=10.0.0.1") == ("10.0.0.1", port, "")
    assert address_of(rf"tcp6:port={port}:interface=\:\:") == ("::1", port, "")
    assert address_of(f"ssl:{port}:privateKey=/a:certKey=/b") == ("127.0.0.1", port, "")


def test_a_unix_socket_can_be_asked_for_its_health():
    assert address_of("unix:/run/s3.sock:mode=660") == ("", 0, "/run/s3.sock")
    assert address_of(r"unix:address=/run/a\:b") == ("", 0, "/run/a:b")


def test_a_socket_of_systemd_has_no_address_to_ask():
    with pytest.raises(ValueError, match="name one with --listen"):
        address_of("systemd:domain=INET:name=s3")


@pytest_twisted.ensureDeferred
async def test_a_held_port_is_bound_and_answers_only_when_somebody_accepts(reactor):
    listener = Listener(S3, "x", "tcp:0:interface=127.0.0.1")
    port = hold(reactor, listener)
    number = port.getHost().port
    assert shown(listener, port) == f"http://127.0.0.1:{number}"
    hearing = Deferred.fromCoroutine(hear(reactor, number))
    await deferLater(reactor, 0.05)
    assert not hearing.called
    acceptor = accept(reactor, listener, socket.socket(fileno=os.dup(port.fileno())), Factory.forProtocol(Greeting))
    assert await hearing == b"hello"
    acceptor.stop()
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_a_stopped_acceptor_leaves_the_socket_to_the_next(reactor):
    listener = Listener(S3, "x", "tcp:0:interface=127.0.0.1")
    port = hold(reactor, listener)
    for _ in range(2):
        acceptor = accept(reactor, listener, socket.socket(fileno=os.dup(port.fileno())), Factory.forProtocol(Greeting))
        assert await hear(reactor, port.getHost().port) == b"hello"
        acceptor.stop()
        acceptor.stop()
    await port.stopListening()


def test_an_acceptor_whose_connection_another_process_took_does_not_wait(reactor):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        acceptor = Acceptor(reactor, listening.dup(), Factory.forProtocol(Greeting))
        acceptor.doRead()
        acceptor.stop()


def test_an_address_in_use_is_told_in_one_line(reactor):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=r"^--listen: 'mine' cannot be had: \[Errno 98\] Address already in use$"):
            hold(reactor, Listener(S3, "mine", f"tcp:{number}:interface=127.0.0.1"))


class Exhausted:
    """A socket of a process that has no descriptors left, and the reactor that asks it."""

    family = socket.AF_INET

    def __init__(self):
        self.readers, self.calls, self.asked = set(), [], 0

    def accept(self):
        self.asked += 1
        raise OSError(24, "Too many open files")

    def close(self):
        pass

    def setblocking(self, blocking):
        assert not blocking

    def addReader(self, reader):
        self.readers.add(reader)

    def removeReader(self, reader):
        self.readers.discard(reader)

    def callLater(self, seconds, function):
        self.calls.append(function)
        return self

    def cancel(self):
        self.calls.clear()


@pytest_twisted.ensureDeferred
async def test_an_acceptor_that_is_ahead_gives_way_and_takes_what_nobody_else_takes(reactor):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked = []
        acceptor = Acceptor(reactor, listening.dup(), Factory.forProtocol(Greeting), lambda: asked.append(True) is None)
        for _ in range(3):
            assert await hear(reactor, listening.getsockname()[1]) == b"hello"
        acceptor.stop()
        assert len(asked) == 6


def test_an_acceptor_that_is_ahead_asks_again_only_after_a_moment():
    place = Exhausted()
    acceptor = Acceptor(place, place, Factory(), lambda: True)
    acceptor.doRead()
    assert (place.asked, place.readers) == (0, set())
    place.calls.pop()()
    assert place.readers == {acceptor}
    acceptor.doRead()
    assert place.asked == 1
    acceptor.stop()


def test_an_acceptor_without_descriptors_rests_and_then_tries_again():
    place = Exhausted()
    acceptor = Acceptor(place, place, Factory())
    acceptor.doRead()
    assert place.readers == set()
    place.calls.pop()()
    assert place.readers == {acceptor}
    acceptor.doRead()
    acceptor.stop()
    assert place.calls == []
    assert place.readers == set()


@pytest_twisted.ensureDeferred
async def test_whoever_has_too_many_connections_is_not_let_in(reactor):
    asked, admitted = [], [False, True]
    listener = Listener(S3, "x", "tcp:0:interface=127.0.0.1")
    port = hold(reactor, listener)

    def admits(address):
        asked.append(address)
        return admitted.pop(0)

    descriptor = socket.socket(fileno=os.dup(port.fileno()))
    acceptor = accept(reactor, listener, descriptor, Factory.forProtocol(Greeting), admits=admits)
    number = port.getHost().port
    try:
        assert [await hear(reactor, number), await hear(reactor, number)] == [b"", b"hello"]
    finally:
        acceptor.stop()
        await port.stopListening()
    assert asked == ["127.0.0.1"] * 2
