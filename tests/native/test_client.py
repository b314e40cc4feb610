"""The Twisted client, on a server of ours in memory and on servers that misbehave."""

from collections.abc import Callable, Coroutine
from io import BytesIO
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IConsumer, IStreamClientEndpoint
from twisted.internet.task import Clock, Cooperator
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import FileBodyProducer
from zope.interface import implementer

from gecko_tw import native
from gecko_tw.native import frames
from gecko_tw.native.client import Client, connect, endpoint_of
from gecko_tw.native.frames import string
from gecko_tw.native.server.site import NativeSite
from tests.native.peers import NOT_PROVEN, OTHER_VERSION, WELCOME
from tests.resources.asking import Shop, shop
from tests.wire.peers import Transport


class Line(StringTransport):
    """A client's transport; ``written`` is handed on.

    :ivar other: the server's, which is lost together with it.
    """

    other: Transport | None = None

    def __init__(self, protocol: Any, written: Callable[[bytes], None]) -> None:
        super().__init__(lenient=True)
        self.protocol, self.written = protocol, written

    def write(self, data: bytes) -> None:
        super().write(data)
        self.written(data)

    def abortConnection(self) -> None:
        if self.connected:
            super().abortConnection()
            self.lose()

    def lose(self, why: Exception | None = None) -> None:
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(why or ConnectionDone()))
            if self.other is not None:
                self.other.lose()


@implementer(IStreamClientEndpoint)
class Scripted:
    """An endpoint whose server the test plays.

    :param answers: what is sent for the handshake of each connection, in order; an exception refuses it.
    """

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.lines: list[Line] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        answer = self.answers.pop(0) if self.answers else WELCOME
        if isinstance(answer, Exception):
            return fail(answer)
        protocol = factory.buildProtocol(None)
        line = Line(protocol, lambda data: None)
        self.lines.append(line)
        protocol.makeConnection(line)
        if answer:
            protocol.dataReceived(answer)
        return succeed(protocol)


@implementer(IStreamClientEndpoint)
class Ours:
    """An endpoint of a NativeSite."""

    def __init__(self, site: NativeSite) -> None:
        self.site = site
        self.lines: list[Line] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        channel = self.site.buildProtocol(None)
        server = Transport(channel)
        channel.makeConnection(server)
        protocol = factory.buildProtocol(None)

        def written(data: bytes) -> None:
            if server.connected:
                channel.dataReceived(data)
                self.site.reactor.callLater(0, back)

        def back() -> None:
            data = server.value()
            server.clear()
            if data and line.connected:
                protocol.dataReceived(data)
            if server.disconnecting:
                line.lose()

        line = Line(protocol, written)
        line.other = server
        self.lines.append(line)
        protocol.makeConnection(line)
        return succeed(protocol)


class Town:
    """A server of ours and a client of it."""

    def __init__(self, pair: tuple[str, str] = ("key", "secret"), **more: Any) -> None:
        self.shop: Shop = shop(auth=True, min_part_size=0)
        self.clock = self.shop.clock
        self.endpoint = Ours(NativeSite(self.shop.service, self.clock))
        self.client: Client = self.run(connect(self.clock, self.endpoint, *pair, **more))

    def begin(self, asked: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        return Deferred.fromCoroutine(asked)

    def run(self, asked: Coroutine[Any, Any, Any]) -> Any:
        return result_of(self.begin(asked), self.clock)


def result_of(waited: Deferred[Any], clock: Clock) -> Any:
    """What a Deferred comes to; raises its failure."""
    found: list[Any] = []
    waited.addBoth(found.append)
    for _ in range(100):
        if found:
            break
        clock.advance(0)
    assert found, "nothing comes of it"
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return found[0]


def test_every_operation_has_its_method():
    town = Town()
    client, run = town.client, town.run
    assert run(client.create_bucket("photos")).name == "photos"
    assert run(client.head_bucket("photos")).visibility == "private"
    assert [name for name, _created in run(client.list_buckets())] == ["photos"]
    written = run(client.put("photos", "k", b"hello", "text/plain", {"a": "b"}))
    info, body = run(client.get("photos", "k"))
    assert (body, info.etag, info.sha256, info.metadata) == (b"hello", written.etag, written.sha256, {"a": "b"})
    assert run(client.head("photos", "k")) == info
    page = run(client.list("photos", delimiter="/"))
    assert ([entry.key for entry in page.objects], page.prefixes, page.truncated) == (["k"], [], False)
    upload = run(client.create_upload("photos", "mp"))
    assert run(client.upload_part("photos", "mp", upload, 1, b"part")).etag
    assert [part.size for part in run(client.list_parts("photos", "mp", upload))] == [4]
    assert run(client.complete_upload("photos", "mp", upload, [1])).size == 4
    run(client.abort_upload("photos", "other", run(client.create_upload("photos", "other"))))
    for key in ("k", "mp"):
        run(client.delete("photos", key))
    run(client.delete_bucket("photos"))
    run(client.ping())
    assert len(town.endpoint.lines) == 1


def test_bodies_go_from_files_and_into_files():
    town = Town()
    town.run(town.client.create_bucket("photos"))
    content = bytes(range(256)) * 4096
    steps = Cooperator(scheduler=lambda step: town.clock.callLater(0, step))
    put = town.client.put("photos", "k", FileBodyProducer(BytesIO(content), cooperator=steps))
    town.run(put)
    taken = BytesIO()
    assert town.run(town.client.get_into("photos", "k", taken)).size == len(content)
    assert taken.getvalue() == content


@implementer(IConsumer)
class Slow:
    """Pauses whoever writes to it."""

    def __init__(self) -> None:
        self.data = b""
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.data += data
        self.producer.pauseProducing()


def test_a_consumer_that_pauses_holds_the_server_back_and_time_does_not_count():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret", patience=5)), clock)
    slow = Slow()
    getting = Deferred.fromCoroutine(client.get_into("b", "k", slow))
    (line,) = endpoint.lines
    info = string("") + frames.i64(6) + string("") * 3 + frames.mapping({})
    line.protocol.dataReceived(frames.frame(frames.OK, info, 0, 6) + b"abc")
    assert (slow.data, line.producerState) == (b"abc", "paused")
    clock.advance(1000)
    assert line.connected
    slow.producer.resumeProducing()
    line.protocol.dataReceived(b"def")
    assert (result_of(getting, clock).size, slow.data, slow.producer) == (6, b"abcdef", None)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (ConnectionRefusedError(), native.CannotConnect),
        (OSError("no route"), native.CannotConnect),
        (NOT_PROVEN, native.NotProven),
        (OTHER_VERSION, native.OtherVersion),
        (b"HTTP/1.1 400 Bad Request\r\n", native.NotNative),
        (b"\x15\x03\x01", native.NotNative),
    ],
)
def test_a_connection_that_cannot_be_made_says_why(answer: bytes | Exception, wrong: type[Exception]):
    clock = Clock()
    with pytest.raises(wrong):
        result_of(Deferred.fromCoroutine(connect(clock, Scripted(answer), "key", "secret")), clock)
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("why", [None, OSError("certificate verify failed")])
def test_a_handshake_without_an_answer_says_why(why: Exception | None):
    clock, endpoint = Clock(), Scripted(b"")
    connecting = Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret"))
    endpoint.lines[0].lose(why)
    with pytest.raises(native.Cut if why is None else native.NotNative):
        result_of(connecting, clock)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    clock, endpoint = Clock(), Scripted(b"")
    connecting = Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret", patience=5))
    clock.advance(5)
    with pytest.raises(native.TimedOut):
        result_of(connecting, clock)
    assert not endpoint.lines[0].connected


NOT_THERE = frames.frame(frames.NOT_FOUND, string("object not found") + string("NoSuchKey"))


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (NOT_THERE, native.NotFound),
        (frames.frame(frames.FORBIDDEN, string("ended") + string("InvalidAccessKeyId")), native.KeyEnded),
        (frames.frame(frames.FORBIDDEN, string("no") + string("AccessDenied")), native.Forbidden),
        (frames.frame(99, string("what") + string("What")), native.Internal),
        (frames.frame(frames.BAD_REQUEST, b"\xff"), native.BrokenFrame),
        (frames.HEADER.pack(0, 0, frames.MAX_META + 1, 0), native.OversizedMeta),
        (frames.HEADER.pack(0, 0, 0, 1 << 63), native.BrokenFrame),
        (NOT_THERE + b"more", native.BrokenFrame),
    ],
)
def test_an_answer_that_is_none_of_success_is_its_own_exception(answer: bytes, wrong: type[Exception]):
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    asking = Deferred.fromCoroutine(client.head("b", "k"))
    for byte in answer:
        if endpoint.lines[0].connected:
            endpoint.lines[0].protocol.dataReceived(bytes((byte,)))
    if issubclass(wrong, native.BrokenFrame) and b"more" in answer:
        with pytest.raises(native.NotFound):
            result_of(asking, clock)
        assert not endpoint.lines[0].connected
    else:
        with pytest.raises(wrong):
            result_of(asking, clock)


@pytest.mark.parametrize("sent", [b"\0", frames.HEADER.pack(0, 0, 10, 10) + b"x" * 15])
def test_half_an_answer_is_no_answer(sent: bytes):
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    asking = Deferred.fromCoroutine(client.get("b", "k"))
    endpoint.lines[0].protocol.dataReceived(sent)
    endpoint.lines[0].lose()
    with pytest.raises(native.HalfFrame):
        result_of(asking, clock)
    assert len(endpoint.lines) == 1


def test_an_answer_that_stalls_is_not_waited_for():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret", patience=5)), clock)
    asking = Deferred.fromCoroutine(client.get("b", "k"))
    for _ in range(3):
        clock.advance(4)
        endpoint.lines[0].protocol.dataReceived(b"\0")
    clock.advance(5)
    with pytest.raises(native.TimedOut):
        result_of(asking, clock)


def answered(line: Line, client: Client, clock: Clock) -> None:
    """A ping on the client's only connection, answered."""
    pinging = Deferred.fromCoroutine(client.ping())
    line.protocol.dataReceived(frames.frame(frames.OK))
    result_of(pinging, clock)


def test_a_request_on_a_connection_that_the_server_has_closed_is_made_again_once():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    answered(endpoint.lines[0], client, clock)
    asking = Deferred.fromCoroutine(client.delete("b", "k"))
    endpoint.lines[0].lose()
    endpoint.lines[1].protocol.dataReceived(frames.frame(frames.OK))
    assert result_of(asking, clock) is None
    asking = Deferred.fromCoroutine(client.create_bucket("b"))
    endpoint.lines[1].lose()
    with pytest.raises(native.Cut):
        result_of(asking, clock)
    assert len(endpoint.lines) == 2


def test_a_request_on_a_new_connection_is_not_made_again():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    asking = Deferred.fromCoroutine(client.head("b", "k"))
    endpoint.lines[0].lose()
    with pytest.raises(native.Cut):
        result_of(asking, clock)
    assert len(endpoint.lines) == 1


def test_a_connection_that_was_idle_for_long_is_not_used_again():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    clock.advance(46)
    asking = Deferred.fromCoroutine(client.ping())
    assert not endpoint.lines[0].connected
    endpoint.lines[1].protocol.dataReceived(frames.frame(frames.OK))
    assert result_of(asking, clock) is None


def test_more_requests_than_connections_wait_for_their_turn_and_may_be_cancelled():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret", size=2)), clock)
    asked = [Deferred.fromCoroutine(client.ping()) for _ in range(5)]
    left: list[Any] = []
    for one in asked[1:3]:
        one.addErrback(left.append)
        one.cancel()
    assert len(left) == 2
    for _ in range(3):
        for line in list(endpoint.lines):
            if line.connected and line.protocol._asking is not None:
                line.protocol.dataReceived(frames.frame(frames.OK))
    assert [result_of(one, clock) for one in (asked[0], *asked[3:])] == [None] * 3
    assert len([line for line in endpoint.lines if line.connected]) <= 2


def test_a_client_that_is_closed_asks_nothing_more():
    clock, endpoint = Clock(), Scripted()
    client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret", size=1)), clock)
    under_way, waiting = Deferred.fromCoroutine(client.ping()), Deferred.fromCoroutine(client.ping())
    gone = client.close()
    for asked in (under_way, waiting, Deferred.fromCoroutine(client.ping())):
        with pytest.raises(native.ClientClosed):
            result_of(asked, clock)
    assert gone.called
    assert clock.getDelayedCalls() == []


def test_a_body_that_is_not_as_long_as_it_said_is_not_stored():
    town = Town()
    town.run(town.client.create_bucket("photos"))
    for length in (1, 9):
        body = FileBodyProducer(BytesIO(b"hello"), Cooperator(scheduler=lambda step: town.clock.callLater(0, step)))
        body.length = length
        with pytest.raises(native.WrongLength):
            town.run(town.client.put("photos", "k", body))
    with pytest.raises(native.NotFound):
        town.run(town.client.head("photos", "k"))


def test_a_key_that_ends_is_told_so():
    town = Town()
    town.shop.service.authenticator._identities._identity = None  # type: ignore[attr-defined]
    town.shop.service.authenticator._identities = type("None_", (), {"find": lambda self, key: None})()
    with pytest.raises(native.KeyEnded):
        town.run(town.client.ping())
    with pytest.raises(native.NotProven):
        town.run(town.client.ping())


@pytest.mark.parametrize("where", ["http://host:1", "tcp://", "tls://host/path"])
def test_a_place_that_is_none_is_refused(where: str):
    with pytest.raises(ValueError, match="is not"):
        endpoint_of(Clock(), where)


def test_every_exception_says_what_to_do():
    wrong = [
        value for value in vars(native).values() if isinstance(value, type) and issubclass(value, native.NativeError)
    ]
    assert len(wrong) == len(native.__all__) - 2
    assert all(one.__doc__ for one in wrong)
