"""Peers in memory: a client's side of a connection to a Site, without sockets and without waiting."""

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, execute
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from gecko_tw.pools import IPool
from gecko_tw.store.interfaces import IReading
from gecko_tw.wire.limits import Limits
from gecko_tw.wire.site import Site


class Transport(StringTransport):
    """A transport that can be full, half-closed and lost.

    :ivar half_closed: our side has said that it will write no more.
    """

    half_closed = False

    def __init__(self, protocol: Any, **more: Any) -> None:
        super().__init__(lenient=True, **more)
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        assert self.connected, "written after the connection was lost"
        super().write(data)

    def abortConnection(self) -> None:
        super().abortConnection()
        self.lose()

    def lose(self) -> None:
        """The connection is gone."""
        if self.connected:
            self.connected = False
            if self.producer is not None:
                self.producer.stopProducing()
            self.protocol.connectionLost(Failure(ConnectionLost()))


class Peer:
    """A client of a site that serves one resource.

    :param resource: rendered for every request.
    :ivar clock: the site's time.
    """

    def __init__(
        self, resource: Resource, limits: Limits | None = None, clock: Clock | None = None, **more: Any
    ) -> None:
        self.clock = clock if clock is not None else Clock()
        self.site = Site(resource, self.clock, limits)
        self.connect(**more)

    def connect(self, **more: Any) -> None:
        """A new connection to the same site."""
        self.channel = self.site.buildProtocol(None)
        self.transport = Transport(self.channel, **more)
        self.channel.makeConnection(self.transport)

    def send(self, *pieces: bytes) -> "Peer":
        """Sends; what the site does not want to read yet is sent all the same, as a kernel's buffer would."""
        for piece in pieces:
            if self.transport.connected:
                self.channel.dataReceived(piece)
        return self

    def end(self) -> None:
        """Says that no more will be sent, and goes on receiving."""
        if self.transport.connected and not self.transport.disconnecting:
            self.channel.readConnectionLost()

    def received(self) -> bytes:
        """Everything that the site has sent so far."""
        return self.transport.value()

    def answers(self) -> list["Answer"]:
        """The same, read as answers without bodies to HEAD."""
        return parse_answers(self.received())

    def wait(self, seconds: float) -> "Peer":
        self.clock.advance(seconds)
        return self

    @property
    def reading(self) -> bool:
        """Whether the site reads from this peer."""
        return self.transport.producerState == "producing"

    @property
    def parted(self) -> bool:
        """Whether the site has closed the connection, or has begun to."""
        return self.transport.disconnecting or not self.transport.connected


@define
class Answer:
    """One answer as a client reads it. ``whole`` is false when bytes are missing."""

    status: int
    headers: dict[bytes, bytes] = field(factory=dict)
    body: bytes = b""
    whole: bool = True


def parse_answers(data: bytes) -> list[Answer]:
    """Reads answers strictly, interim ones included."""
    answers = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, f"no end of a head in {head!r}"
        lines = head.split(b"\r\n")
        assert lines[0].startswith(b"HTTP/1."), lines[0]
        answer = Answer(int(lines[0].split(b" ")[1]))
        for line in lines[1:]:
            name, colon, value = line.partition(b": ")
            assert colon, f"{line!r} is no header"
            assert name.lower() not in answer.headers, f"{name!r} twice"
            answer.headers[name.lower()] = value
        answers.append(answer)
        if b"transfer-encoding" in answer.headers:
            answer.body, data = _chunks(data)
        elif answer.status >= 200:
            length = int(answer.headers.get(b"content-length", 0))
            answer.body, data = data[:length], data[length:]
            answer.whole = len(answer.body) == length
    return answers


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        body += data[:size]
        assert data[size : size + 2] == b"\r\n"
        data = data[size + 2 :]
        if not size:
            return body, data


class AtHead(Resource):
    """Calls ``render`` for every request as soon as its head is in, and keeps the requests."""

    isLeaf = True
    renders_at_head = True

    def __init__(self, render: Callable[[Any], object] | None = None) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self._render = render

    def render(self, request: Any) -> int:
        self.requests.append(request)
        if self._render is not None:
            self._render(request)
        return NOT_DONE_YET


class Collector:
    """A consumer that keeps what it gets.

    :ivar writes: how often it got something.
    :ivar registered: producers registered and not unregistered.
    :ivar pause_after: pauses its producer at every write once it has so many bytes, or never.
    """

    def __init__(self) -> None:
        self.data = b""
        self.producer: Any = None
        self.registered = 0
        self.writes = 0
        self.pause_after: int | None = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        self.producer = producer
        self.registered += 1

    def unregisterProducer(self) -> None:
        self.registered -= 1

    def write(self, data: bytes) -> None:
        assert data
        self.data += data
        self.writes += 1
        if self.pause_after is not None and len(self.data) >= self.pause_after:
            self.producer.pauseProducing()


def echo(request: Any) -> None:
    """Answers with the body of the request, read as it comes."""
    collector = Collector()

    def done(_: None) -> None:
        said = b"%b %b " % (request.method, request.uri)
        request.answer(200, [(b"Content-Type", b"text/plain")], said + collector.data)

    def cut(failure: Failure) -> None:
        request.answer(400, [], str(failure.value).encode())

    request.upload.deliver(collector).addCallbacks(done, cut)


@implementer(IPool)
class InlinePool:
    """A pool whose threads are done before anybody can look. ``calls`` counts them."""

    def __init__(self) -> None:
        self.calls = 0

    def run(self, function: Any, *arguments: Any, **named: Any) -> Deferred:
        self.calls += 1
        return execute(function, *arguments, **named)


@implementer(IPool)
class HeldPool:
    """A pool whose work happens when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred, Any]] = []

    def run(self, function: Any, *arguments: Any, **named: Any) -> Deferred:
        result: Deferred = Deferred()
        self.waiting.append((result, lambda: execute(function, *arguments, **named)))
        return result

    def work(self) -> None:
        """Does what waits now."""
        waiting, self.waiting = self.waiting, []
        for result, do in waiting:
            do().chainDeferred(result)


@implementer(IReading)
class Reading:
    """An object of ``spans`` of these lengths (one by default), in memory or, with ``file``, in a file.

    :param at_once: what is in memory may be had at once; else only by reading, as if from a disk.
    """

    def __init__(
        self, data: bytes, file: int | None = None, spans: tuple[int, ...] = (), at_once: bool = False
    ) -> None:
        self.data = data
        self.file = file
        self.at_once = at_once
        self.closed = 0
        self.opened = 0
        self._ends = [sum(spans[: index + 1]) for index in range(len(spans))] or [len(data)]

    def _follow(self, offset: int) -> int:
        return next((end - offset for end in self._ends if end > offset), 0)

    def read(self, offset: int, length: int) -> bytes:
        assert not self.closed, "read after close"
        self.opened += 1
        return self.data[offset : offset + min(length, self._follow(offset))]

    def run(self, offset: int) -> tuple[int, int, int] | None:
        assert not self.closed, "run after close"
        self.opened += 1
        return None if self.file is None else (self.file, offset, self._follow(offset))

    def ready(self, offset: int, length: int) -> bytes | None:
        assert not self.closed, "ready after close"
        return self.data[offset : offset + min(length, self._follow(offset))] if self.at_once else None

    def close(self) -> None:
        self.closed += 1
