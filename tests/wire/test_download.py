"""Spans on their way to the peer: all of the bytes or no whole answer, and the reading is closed in every case."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionLost

from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.wire.download import STEP_BYTES, Shortened
from tests.wire.peers import AtHead, HeldPool, InlinePool, Peer, Reading
from tests.wire.test_channel import GET

LARGE = bytes(range(256)) * 4096


@pytest.fixture
def file(tmp_path) -> Iterator[int]:
    path = tmp_path / "blob"
    path.write_bytes(LARGE)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


class Spans(AtHead):
    """Answers with part of a reading; ``results`` has what came of it."""

    def __init__(self, reading: Reading, offset: int, length: int, pool=None) -> None:
        super().__init__(self.answer)
        self.pool = pool if pool is not None else InlinePool()
        self.reading, self.offset, self.length = reading, offset, length
        self.results: list = []
        self.status = 200

    def answer(self, request) -> None:
        done = request.answer_spans(self.status, [(b"ETag", b'"x"')], self.reading, self.offset, self.length, self.pool)
        self.deferred = done
        done.addBoth(self.results.append)


def flow(peer: Peer) -> None:
    """Takes everything, a transport's buffer at a time."""
    while peer.transport.producer is not peer.channel.output.backlog and peer.transport.connected:
        peer.transport.producer.resumeProducing()


@given(
    st.lists(st.integers(1, 300_000), min_size=1, max_size=5),
    st.integers(0, 1_000_000),
    st.integers(0, 1_000_000),
    st.booleans(),
)
def test_any_range_of_any_spans_arrives_as_it_is(spans, start, length, in_file):
    data = LARGE[: sum(spans)]
    spans = tuple(spans) if sum(spans) <= len(LARGE) else ()
    offset = start % len(data)
    length = length % (len(data) - offset + 1)
    with open("/dev/null", "rb") as nothing:
        descriptor = os.memfd_create("blob") if in_file else nothing.fileno()
        try:
            if in_file:
                os.write(descriptor, data)
            reading = Reading(data, descriptor if in_file else None, spans)
            resource = Spans(reading, offset, length)
            peer = Peer(resource).send(GET)
            flow(peer)
        finally:
            if in_file:
                os.close(descriptor)
    (answer,) = peer.answers()
    assert answer.whole
    assert answer.body == data[offset : offset + length]
    assert resource.results == [length]
    assert reading.closed == 1
    assert not peer.parted


def test_a_small_warm_span_leaves_with_its_head_and_no_thread_is_asked(file):
    os.pread(file, len(LARGE), 0)
    resource = Spans(Reading(LARGE, file), 1000, 4096)
    writes = []
    peer = Peer(AtHead())
    peer.channel.output.send = writes.append
    peer.site.resource = resource
    peer.send(GET)
    assert len(writes) == 1
    assert writes[0].endswith(b"\r\n\r\n" + LARGE[1000:5096])
    assert resource.pool.calls == 0
    assert resource.results == [4096]


@pytest.mark.parametrize("spans", [(), (1000, 3096)])
def test_bytes_that_were_read_already_leave_without_a_thread(spans):
    pool = HeldPool()
    resource = Spans(Reading(LARGE[:4096], None, spans, at_once=True), 5, 4091, pool)
    (answer,) = Peer(resource).send(GET).answers()
    assert answer.body == LARGE[5:4096]
    assert pool.waiting == []
    assert resource.reading.closed


def test_a_warm_file_is_sent_without_threads(file):
    os.pread(file, len(LARGE), 0)
    resource = Spans(Reading(LARGE, file), 0, len(LARGE))
    flow(peer := Peer(resource).send(GET))
    assert peer.answers()[0].body == LARGE
    assert resource.pool.calls == 0


def test_head_and_empty_answers_open_no_bytes():
    for sent, length in ((GET.replace(b"GET", b"HEAD"), 1000), (GET, 0)):
        reading = Reading(LARGE)
        resource = Spans(reading, 0, length)
        peer = Peer(resource).send(sent)
        assert b"Content-Length: %d\r\n" % length in peer.received()
        assert peer.received().endswith(b"\r\n\r\n")
        assert (reading.opened, reading.closed) == (0, 1)
        assert resource.results == [0]


def test_the_next_bytes_are_read_only_when_the_peer_has_taken_those_before():
    pool = HeldPool()
    reading = Reading(LARGE)
    peer = Peer(Spans(reading, 0, len(LARGE), pool)).send(GET)
    peer.transport.producer.pauseProducing()
    assert peer.received() == b""
    pool.work()
    assert len(peer.answers()[0].body) == STEP_BYTES
    assert not pool.waiting
    peer.transport.producer.resumeProducing()
    assert len(pool.waiting) == 1


def test_a_slow_disk_is_waited_for_and_a_slow_peer_is_not():
    pool = HeldPool()
    resource = Spans(Reading(LARGE), 0, len(LARGE), pool)
    peer = Peer(resource).send(GET).wait(10_000)
    pool.work()
    peer.transport.producer.pauseProducing()
    pool.work()
    peer.wait(121)
    assert not peer.transport.connected
    assert resource.results[0].check(ConnectionLost)
    assert resource.reading.closed == 1


def test_a_client_that_leaves_while_a_thread_reads_leaves_the_file_open_until_the_thread_is_back():
    pool = HeldPool()
    resource = Spans(Reading(LARGE), 0, len(LARGE), pool)
    peer = Peer(resource).send(GET)
    peer.transport.lose()
    assert resource.results[0].check(ConnectionLost)
    assert resource.reading.closed == 0
    pool.work()
    assert resource.reading.closed == 1


def test_a_client_that_has_left_costs_no_reading():
    resource = AtHead()
    peer = Peer(resource).send(GET)
    peer.transport.lose()
    reading = Reading(LARGE)
    results: list = []
    resource.requests[0].answer_spans(200, [], reading, 0, 10, InlinePool()).addErrback(results.append)
    assert results[0].check(ConnectionLost)
    assert (reading.opened, reading.closed) == (0, 1)


def test_an_answer_can_be_cancelled():
    pool = HeldPool()
    resource = Spans(Reading(LARGE), 0, len(LARGE), pool)
    peer = Peer(resource).send(GET)
    pool.work()
    resource.deferred.cancel()
    assert resource.results[0].check(CancelledError)
    assert not peer.transport.connected
    pool.work()
    assert resource.reading.closed == 1


@pytest.mark.parametrize("there", [0, 10, 50_000, STEP_BYTES, STEP_BYTES + 1])
@pytest.mark.parametrize("promised", [60_000, 400_000])
@pytest.mark.parametrize("in_file", [True, False])
def test_bytes_that_are_missing_are_never_a_whole_answer(tmp_path, there, promised, in_file):
    if there >= promised:
        return
    path = tmp_path / "short"
    path.write_bytes(LARGE[:there])
    with path.open("rb") as file:
        reading = Reading(LARGE[:there], file.fileno() if in_file else None, (promised,))
        resource = Spans(reading, 0, promised)
        peer = Peer(resource).send(GET)
        flow(peer)
    assert not peer.transport.connected
    assert all(not answer.whole for answer in peer.answers())
    assert resource.results[0].check(Shortened)
    assert reading.closed == 1


@pytest.mark.parametrize("trouble", [OSError, BlobGone])
def test_a_reading_that_fails_ends_the_connection(trouble):
    class Failing(Reading):
        def read(self, offset, length):
            raise trouble

        def run(self, offset):
            raise OSError

    resource = Spans(Failing(LARGE), 0, 1000)
    peer = Peer(resource).send(GET)
    assert not peer.transport.connected
    assert resource.results[0].check(trouble)
    assert resource.reading.closed
    assert peer.received() == b""


def test_a_reading_that_fails_on_its_way_ends_the_connection():
    class Failing(Reading):
        def ready(self, offset, length):
            return None if offset >= 300_000 else super().ready(offset, length)

        def read(self, offset, length):
            raise BlobGone

    resource = Spans(Failing(LARGE, at_once=True, spans=(300_000, len(LARGE) - 300_000)), 0, len(LARGE))
    peer = Peer(resource).send(GET)
    flow(peer)
    assert not peer.transport.connected
    assert resource.results[0].check(BlobGone)
    assert resource.reading.closed


def test_downloads_follow_each_other_on_one_connection(file):
    results: list = []

    def answer(request) -> None:
        reading = Reading(LARGE, file)
        request.answer_spans(200, [], reading, 0, len(LARGE), InlinePool()).addBoth(results.append)

    peer = Peer(AtHead(answer)).send(GET * 3)
    flow(peer)
    assert [answer.body == LARGE for answer in peer.answers()] == [True] * 3
    assert results == [len(LARGE)] * 3


def test_an_idle_connection_is_closed_in_time_however_much_it_has_carried(file):
    peer = Peer(Spans(Reading(LARGE, file), 0, len(LARGE))).send(GET)
    flow(peer)
    assert not peer.wait(119).parted
    assert peer.wait(2).parted
