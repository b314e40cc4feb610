"""The same over real sockets: what only a kernel, or TLS, can get wrong."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from zope.interface import implementer

from gecko_tw.pools import Pool
from gecko_tw.wire.interfaces import IRoomyConsumer
from gecko_tw.wire.limits import Limits
from gecko_tw.wire.site import Site
from tests.end_to_end.certificates import make_certificates
from tests.patience import PATIENCE
from tests.wire.peers import AtHead, Collector, Reading, echo, parse_answers
from tests.wire.test_channel import GET, put

DATA = os.urandom(1024) * 8192


class Served:
    """A site on a free port of the loopback, its port opened by ``listen``."""

    def __init__(self, reactor: Any, listen: Callable[[Any], Any]) -> None:
        self.reactor = reactor
        self.pool = Pool(reactor, "bytes", 4)
        self.pool.startService()
        self._listen = listen
        self.ports: list[Any] = []
        self.sites: list[Site] = []

    def serve(self, resource: AtHead, limits: Limits | None = None) -> int:
        site = Site(resource, self.reactor, limits)
        port = self._listen(site)
        self.sites.append(site)
        self.ports.append(port)
        return port.getHost().port

    def talk(self, conversation: Callable[[int], Any], port: int) -> Deferred:
        """Runs the client's side in a thread."""
        return self.pool.run(conversation, port)

    async def stop(self) -> None:
        for port in self.ports:
            await port.stopListening()
        for site in self.sites:
            for channel in list(site.channels):
                channel.closing.abort()
            await site.drain()
        self.pool.stopService()


@pytest_twisted.async_yield_fixture
async def plain():
    from twisted.internet import reactor

    served = Served(reactor, lambda site: reactor.listenTCP(0, site, interface="127.0.0.1"))
    yield served
    await served.stop()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest_twisted.async_yield_fixture
async def secure(certificates):
    from twisted.internet import reactor

    context = DefaultOpenSSLContextFactory(str(certificates.key), str(certificates.certificate))
    served = Served(reactor, lambda site: reactor.listenSSL(0, site, context, interface="127.0.0.1"))
    yield served
    await served.stop()


def connect(port: int, receive_buffer: int | None = None) -> socket.socket:
    client = socket.socket()
    client.settimeout(PATIENCE)
    if receive_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(("127.0.0.1", port))
    return client


def read_all(client: socket.socket) -> bytes:
    pieces = []
    while piece := client.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Files(AtHead):
    """Answers with a file, through an IReading of its own each time."""

    def __init__(self, served: Served, file: int | None, size: int = len(DATA), offset: int = 0) -> None:
        super().__init__(self.answer)
        self.served, self.file, self.size, self.offset = served, file, size, offset
        self.readings: list[Reading] = []
        self.results: list[Any] = []
        self.ended: Deferred = Deferred()

    def answer(self, request: Any) -> None:
        reading = Reading(DATA, self.file, (1_000_000, len(DATA) - 1_000_000))
        self.readings.append(reading)
        done = request.answer_spans(200, [], reading, self.offset, self.size, self.served.pool)
        done.addBoth(self.results.append).addCallback(lambda _: self.ended.called or self.ended.callback(None))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(DATA)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("size", [0, 1, 4096, 65_536, 65_537, 200_000, len(DATA)])
@pytest_twisted.ensureDeferred
async def test_files_of_any_size_arrive_whole(plain, file, size):
    resource = Files(plain, file, size)

    def conversation(port: int) -> bytes:
        with connect(port) as client:
            client.sendall(GET + LAST)
            return read_all(client)

    answers = parse_answers(await plain.talk(conversation, plain.serve(resource)))
    assert [answer.body == DATA[:size] for answer in answers] == [True, True]
    assert [reading.closed for reading in resource.readings] == [1, 1]


@pytest_twisted.ensureDeferred
async def test_cold_files_arrive_whole(plain, file):
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)

    def conversation(port: int) -> bytes:
        with connect(port) as client:
            client.sendall(LAST)
            return read_all(client)

    (answer,) = parse_answers(await plain.talk(conversation, plain.serve(Files(plain, file))))
    assert answer.body == DATA


@pytest_twisted.ensureDeferred
async def test_files_arrive_whole_over_tls(secure, file, certificates):
    resource = Files(secure, file)

    def conversation(port: int) -> bytes:
        context = ssl.create_default_context(cafile=str(certificates.authority))
        context.check_hostname = False
        with context.wrap_socket(connect(port)) as client:
            client.sendall(GET + LAST)
            return read_all(client)

    answers = parse_answers(await secure.talk(conversation, secure.serve(resource)))
    assert [answer.body == DATA for answer in answers] == [True, True]
    assert resource.requests[0].head.secure
    assert [reading.closed for reading in resource.readings] == [1, 1]


@pytest_twisted.ensureDeferred
async def test_uploads_and_refusals_work_over_tls(secure, certificates):
    body = DATA[:3_000_000]

    def render(request: Any) -> None:
        if request.path == b"/b/k":
            echo(request)
        else:
            request.answer(403, [], b"no")

    def conversation(port: int) -> list[Any]:
        context = ssl.create_default_context(cafile=str(certificates.authority))
        context.check_hostname = False
        with context.wrap_socket(connect(port)) as client:
            client.sendall(put(body))
            first = b""
            while len(first) < len(body):
                first += client.recv(1 << 20)
            client.sendall(put(body, target=b"/refused")[:2_000_000])
            return [parse_answers(first)[0], parse_answers(read_all(client))[0]]

    limits = Limits(linger_seconds=0.3)
    echoed, refused = await secure.talk(conversation, secure.serve(AtHead(render), limits))
    assert echoed.body.endswith(body)
    assert (refused.status, refused.headers[b"connection"]) == (403, b"close")


@pytest_twisted.ensureDeferred
async def test_a_slow_reader_gets_everything_and_holds_nobody_up(plain, file):
    resource = Files(plain, file)
    slow_may_go_on = threading.Event()

    def slow(port: int) -> bytes:
        with connect(port, 4096) as client:
            client.sendall(LAST)
            first = client.recv(1000)
            assert slow_may_go_on.wait(PATIENCE)
            return first + read_all(client)

    def quick(port: int) -> bytes:
        with connect(port) as client:
            client.sendall(LAST)
            return read_all(client)

    port = plain.serve(resource)
    late = plain.talk(slow, port)
    assert parse_answers(await plain.talk(quick, port))[0].body == DATA
    slow_may_go_on.set()
    assert parse_answers(await late)[0].body == DATA


@pytest.mark.parametrize(("take", "buffer"), [(1_500, 4096), (70_000, 4096), (300_000, 100_000), (1 << 20, None)])
@pytest.mark.parametrize(
    ("offset", "size"), [(1, 65_600), (0, 262_144), (123_457, 3_000_000), (999_999, len(DATA) - 999_999)]
)
@pytest_twisted.ensureDeferred
async def test_a_reader_of_any_pace_gets_exactly_the_range(plain, file, take, buffer, offset, size):
    resource = Files(plain, file, size, offset)

    def conversation(port: int) -> bytes:
        pieces = []
        with connect(port, buffer) as client:
            client.sendall(GET + LAST)
            while piece := client.recv(take):
                pieces.append(piece)
        return b"".join(pieces)

    answers = parse_answers(await plain.talk(conversation, plain.serve(resource)))
    assert [answer.body == DATA[offset : offset + size] for answer in answers] == [True, True]


@pytest_twisted.ensureDeferred
async def test_a_reader_that_stops_reading_is_given_up(plain, file):
    resource = Files(plain, file)

    def conversation(port: int) -> bytes:
        with connect(port, 4096) as client:
            client.sendall(LAST)
            client.recv(1000)
            given_up.wait(PATIENCE)
            with pytest.raises(ConnectionError):
                while client.recv(1 << 20):
                    pass
        return b""

    given_up = threading.Event()
    resource.ended.addCallback(lambda _: given_up.set())
    await plain.talk(conversation, plain.serve(resource, Limits(stalled_answer_seconds=0.3)))
    assert resource.results[0].check(ConnectionLost)
    assert resource.readings[0].closed == 1


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_in_the_middle_closes_the_file(plain, file):
    resource = Files(plain, file)

    def conversation(port: int) -> None:
        with connect(port, 4096) as client:
            client.sendall(GET)
            client.recv(1000)

    await plain.talk(conversation, plain.serve(resource))
    await resource.ended
    assert resource.results[0].check(ConnectionLost)
    assert resource.readings[0].closed == 1


@pytest_twisted.ensureDeferred
async def test_a_client_waits_for_leave_to_send_its_body(plain):
    def conversation(port: int) -> tuple[bytes, bytes]:
        with connect(port) as client:
            client.sendall(put(b"hello", b"Expect: 100-continue", b"Connection: close")[:-5])
            leave = client.recv(1000)
            client.sendall(b"hello")
            return leave, read_all(client)

    leave, rest = await plain.talk(conversation, plain.serve(AtHead(echo)))
    assert leave == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert parse_answers(rest)[0].body.endswith(b"hello")


@pytest_twisted.ensureDeferred
async def test_a_large_body_is_echoed(plain):
    def conversation(port: int) -> bytes:
        with connect(port) as client:
            client.sendall(put(DATA, b"Connection: close"))
            return read_all(client)

    (answer,) = parse_answers(await plain.talk(conversation, plain.serve(AtHead(echo))))
    assert answer.body.endswith(DATA)


@implementer(IRoomyConsumer)
class Roomy(Collector):
    """A collector with room for some bytes at a time; after so many in it that it has none any more, it is written to."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = bytearray(room)
        self.filled_sizes: list[int] = []

    def space(self) -> memoryview | None:
        return memoryview(self.room) if len(self.filled_sizes) % 5 < 4 else None

    def filled(self, size: int) -> None:
        self.filled_sizes.append(size)
        self.write(bytes(self.room[:size]))


@pytest.mark.parametrize("room", [10_000, 300_000, 2_000_000])
@pytest.mark.parametrize("size", [1, 131_073, 500_000, len(DATA)])
@pytest_twisted.ensureDeferred
async def test_a_body_read_into_its_consumers_memory_ends_where_the_next_request_begins(plain, room, size):
    collectors = []

    def receive(request: Any) -> None:
        collectors.append(Roomy(room))
        request.upload.deliver(collectors[-1]).addCallback(lambda _: request.answer(200, []))

    body = DATA[:size]

    def conversation(port: int) -> bytes:
        with connect(port) as client:
            client.sendall(put(body) + put(body).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            return read_all(client)

    answers = parse_answers(await plain.talk(conversation, plain.serve(AtHead(receive))))
    assert [answer.status for answer in answers] == [200, 200]
    assert [collector.data == body for collector in collectors] == [True, True]
    assert all(any(collector.filled_sizes) for collector in collectors) or size < len(DATA)


class Asked(Roomy):
    """Counts how often it is asked for room."""

    def __init__(self) -> None:
        super().__init__(100_000)
        self.asked = 0

    def space(self) -> memoryview | None:
        self.asked += 1
        return super().space()


@pytest_twisted.ensureDeferred
async def test_a_body_that_comes_slowly_takes_no_memory_for_much(plain):
    collector = Asked()

    def receive(request: Any) -> None:
        request.upload.deliver(collector).addErrback(lambda _: None)

    def conversation(port: int) -> None:
        with connect(port) as client:
            client.sendall(put(DATA)[: -len(DATA) + 10])
            end = time.monotonic() + PATIENCE
            for size in range(10, 20):
                while len(collector.data) < size and time.monotonic() < end:
                    time.sleep(0.001)
                client.sendall(DATA[size : size + 1])

    await plain.talk(conversation, plain.serve(AtHead(receive)))
    assert collector.data[:19] == DATA[:19]
    assert collector.asked == 0


@pytest_twisted.ensureDeferred
async def test_the_refusal_of_a_body_that_is_still_being_sent_can_be_read(plain):
    def conversation(port: int) -> bytes:
        with connect(port) as client:
            client.sendall(put(DATA)[:-1])
            return read_all(client)

    resource = AtHead(lambda request: request.answer(403, [], b"no"))
    (answer,) = parse_answers(await plain.talk(conversation, plain.serve(resource)))
    assert (answer.status, answer.body, answer.headers[b"connection"]) == (403, b"no", b"close")


@pytest_twisted.ensureDeferred
async def test_an_answer_larger_than_the_kernels_buffers_is_not_torn(plain):
    def conversation(port: int) -> bytes:
        with connect(port, 4096) as client:
            client.sendall(GET * 3 + LAST)
            return read_all(client)

    resource = AtHead(lambda request: request.answer(200, [], DATA))
    answers = parse_answers(await plain.talk(conversation, plain.serve(resource)))
    assert [answer.body == DATA for answer in answers] == [True] * 4


@pytest_twisted.ensureDeferred
async def test_a_drained_site_has_sent_its_answers(plain):
    held: Deferred = Deferred()
    resource = AtHead(held.callback)

    def conversation(port: int) -> bytes:
        with connect(port, 4096) as client:
            client.sendall(GET)
            return read_all(client)

    port = plain.serve(resource)
    conversing = plain.talk(conversation, port)
    request = await held
    drained = plain.sites[0].drain()
    request.answer(200, [], DATA)
    await drained
    (answer,) = parse_answers(await conversing)
    assert (answer.body, answer.headers[b"connection"]) == (DATA, b"close")
