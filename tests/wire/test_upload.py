"""Bodies on their way in: at the consumer's pace, whole or not at all."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gecko_tw.wire.interfaces import IUpload, UploadCut, UploadStalled
from gecko_tw.wire.limits import Limits
from tests.wire.peers import AtHead, Collector, Peer, echo
from tests.wire.test_channel import GET, chunked, put


class Receiving(AtHead):
    """Delivers each body to a collector of its own; ``ended`` has what became of each."""

    def __init__(self, pause_after: int | None = None) -> None:
        super().__init__(self.receive)
        self.collectors: list[Collector] = []
        self.ended: list[object] = []
        self._pause_after = pause_after

    def receive(self, request) -> None:
        collector = Collector()
        collector.pause_after = self._pause_after
        self.collectors.append(collector)
        request.upload.deliver(collector).addBoth(self.ended.append)


def test_a_body_that_came_with_its_head_is_delivered_in_one_write():
    resource = Receiving()
    Peer(resource).send(put(b"hello" * 800))
    (collector,) = resource.collectors
    assert (collector.data, collector.writes, collector.registered) == (b"hello" * 800, 1, 0)
    assert resource.ended == [None]


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_taken_whole_or_delivered_every_body_is_the_one_that_was_sent(bodies, data):
    found = []

    def receive(request):
        whole = request.upload.whole()
        if whole is not None:
            found.append(whole)
            request.answer(200, [], b"")
            return
        collector = Collector()

        def done(_: object) -> None:
            found.append(collector.data)
            request.answer(200, [], b"")

        request.upload.deliver(collector).addCallback(done)

    sent = b"".join(chunked(body) if data.draw(st.booleans()) else put(body) if body else GET for body in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    pieces = [sent[first:last] for first, last in pairwise([0, *cuts, len(sent)])]
    peer = Peer(AtHead(receive)).send(*[piece for piece in pieces if piece])
    assert found == bodies
    assert [answer.status for answer in peer.answers()] == [200] * len(bodies)
    assert peer.reading


def test_whole_is_only_what_has_come_and_nobody_waits_to_send():
    resource = AtHead()
    part = Peer(resource).send(put(b"hello")[:-1])
    (upload,) = (request.upload for request in resource.requests)
    assert upload.whole() is None
    part.send(b"o")
    assert upload.whole() == b"hello"
    assert upload.whole() is None
    Peer(resource).send(put(b"hello", b"Expect: 100-continue"))
    assert resource.requests[-1].upload.whole() is None
    Peer(resource).send(put(b"hello")).transport.lose()
    assert resource.requests[-1].upload.whole() is None
    for sent in (GET, put(b""), chunked(b"hello")):
        Peer(resource).send(sent)
        assert resource.requests[-1].upload.whole() is None


def test_a_body_is_delivered_as_it_comes():
    resource = Receiving()
    whole = put(b"0123456789")
    peer = Peer(resource).send(whole[:-7])
    assert (resource.collectors[0].data, resource.ended) == (b"012", [])
    peer.send(whole[-7:-1])
    assert (resource.collectors[0].data, resource.ended) == (b"012345678", [])
    peer.send(whole[-1:])
    assert (resource.collectors[0].data, resource.ended) == (b"0123456789", [None])
    assert verifyObject(IUpload, resource.requests[0].upload)


def test_a_body_waits_until_somebody_wants_it():
    resource = AtHead()
    peer = Peer(resource, Limits(ahead_bytes=1000)).send(put(b"x" * 5000)[:3000])
    assert not peer.reading
    peer.wait(1000)
    assert not peer.parted
    collector = Collector()
    ended: list[object] = []
    resource.requests[0].upload.deliver(collector).addBoth(ended.append)
    assert peer.reading
    assert collector.data
    peer.send(b"x" * 2999)
    assert len(collector.data) == 5000
    assert ended == [None]


@pytest.mark.parametrize(("sent", "length"), [(put(b"hello"), 5), (chunked(b"hello"), None), (GET, 0), (put(b""), 0)])
def test_the_length_is_known_when_it_was_said(sent, length):
    resource = Receiving()
    Peer(resource).send(sent)
    assert resource.requests[0].upload.length == length
    assert resource.ended == [None]


def test_a_consumer_that_pauses_holds_the_peer_back_and_time_does_not_count():
    resource = Receiving(pause_after=1)
    peer = Peer(resource).send(put(b"x" * 100_000)[:-90_000])
    assert not peer.reading
    first = len(resource.collectors[0].data)
    peer.send(b"x" * 40_000).wait(7000)
    assert len(resource.collectors[0].data) == first
    assert not peer.parted
    resource.collectors[0].producer.resumeProducing()
    assert len(resource.collectors[0].data) == first + 40_000
    resource.collectors[0].pause_after = None
    resource.collectors[0].producer.resumeProducing()
    assert peer.reading
    peer.send(b"x" * 50_000)
    assert resource.ended == [None]


def test_resuming_from_within_a_write_is_fine():
    class Hasty(Collector):
        def write(self, data: bytes) -> None:
            super().write(data)
            self.producer.pauseProducing()
            self.producer.resumeProducing()

    hasty = Hasty()
    ended: list[object] = []
    resource = AtHead(lambda request: request.upload.deliver(hasty).addBoth(ended.append))
    Peer(resource).send(*[bytes([byte]) for byte in chunked(b"hello world" * 20)])
    assert hasty.data == b"hello world" * 20
    assert ended == [None]


def test_the_client_is_told_to_go_on_only_when_the_body_is_wanted():
    resource = AtHead()
    whole = put(b"hello", b"Expect: 100-continue")
    peer = Peer(resource).send(whole[:-5])
    assert peer.received() == b""
    echo(resource.requests[0])
    assert peer.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.send(b"hello")
    assert [answer.status for answer in peer.answers()] == [100, 200]
    assert peer.answers()[1].body.endswith(b"hello")
    assert not peer.parted


def test_a_client_that_waits_and_is_refused_is_not_asked_for_its_body():
    resource = AtHead(lambda request: request.answer(403, [], b"no"))
    peer = Peer(resource).send(put(b"hello", b"Expect: 100-continue")[:-5])
    (answer,) = peer.answers()
    # Nobody can know whether the next bytes will be the body or a request.
    assert (answer.status, answer.headers[b"connection"]) == (403, b"close")
    peer.send(GET)
    assert len(resource.requests) == 1
    assert peer.wait(5).parted


def test_a_client_of_http_1_0_is_not_told_to_go_on():
    peer = Peer(AtHead(echo)).send(b"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab")
    assert [answer.status for answer in peer.answers()] == [200]


def cut_of(resource: Receiving) -> str:
    (failure,) = resource.ended
    failure.trap(UploadCut)
    assert resource.collectors[0].registered == 0
    return str(failure.value)


def test_a_client_that_leaves_cuts_its_body():
    resource = Receiving()
    peer = Peer(resource).send(put()[:-1])
    gone: list[object] = []
    resource.requests[0].notifyFinish().addErrback(gone.append)
    peer.transport.lose()
    assert "left" in cut_of(resource)
    assert gone
    assert peer.site.in_flight == 0


def test_a_body_that_was_cut_before_anybody_asked_for_it_is_never_delivered():
    resource = AtHead()
    peer = Peer(resource).send(put()[:-1])
    gone: list[object] = []
    resource.requests[0].notifyFinish().addErrback(gone.append)
    peer.transport.lose()
    failures: list[object] = []
    resource.requests[0].upload.deliver(Collector()).addErrback(failures.append)
    failures[0].trap(UploadCut)


def test_a_stalled_body_is_cut_and_the_refusal_can_be_read():
    resource = AtHead(echo)
    peer = Peer(resource).send(put()[:-3]).wait(59).send(b"l").wait(59.5)
    assert peer.received() == b""
    peer.wait(1)
    (answer,) = peer.answers()
    assert (answer.status, answer.body, answer.headers[b"connection"]) == (400, b"the client stalled", b"close")
    assert peer.wait(5).parted


def test_a_body_that_drips_for_hours_is_cut():
    peer = Peer(AtHead(echo), Limits(body_seconds=600)).send(put(b"x" * 100)[:-100])
    for _ in range(20):
        peer.send(b"x").wait(30)
    assert [answer.body for answer in peer.answers()] == [b"the client stalled"]


@pytest.mark.parametrize("broken", [b"5\r\nhelloX", b"G\r\n", b"5;" + b"x" * 2000, b"3\r\nabc\r\n\r\n"])
def test_broken_framing_cuts_the_body_and_ends_the_connection(broken):
    head = b"PUT / HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\r\n"
    resource = AtHead(echo)
    peer = Peer(resource).send(head, b"3\r\nabc\r\n", broken + b"\r\n" + b"y" * 2000, GET)
    (answer,) = peer.answers()
    assert (answer.status, answer.headers[b"connection"]) == (400, b"close")
    assert len(resource.requests) == 1
    assert peer.wait(5).parted


def test_an_answer_before_the_end_of_the_body_ends_its_delivery():
    resource = Receiving()
    peer = Peer(resource).send(put()[:-3])
    resource.requests[0].answer(413, [], b"too large")
    cut_of(resource)
    peer.send(b"llo" + GET)
    assert resource.collectors[0].data == b"he"
    assert len(resource.requests) == 2


def test_a_consumer_that_stops_gets_nothing_more():
    resource = Receiving()
    peer = Peer(resource).send(put()[:-3])
    resource.collectors[0].producer.stopProducing()
    peer.send(b"llo" + GET)
    cut_of(resource)
    assert resource.collectors[0].data == b"he"
    resource.requests[0].answer(400, [])
    assert len(resource.requests) == 2
    assert not peer.parted


def test_a_body_can_be_dropped_before_the_answer_is_known():
    resource = AtHead(lambda request: request.upload.drain())
    peer = Peer(resource, Limits(drain_bytes=1000)).send(put(b"x" * 1000)[:-100])
    assert peer.reading
    peer.send(b"x" * 100 + GET)
    assert len(resource.requests) == 1
    resource.requests[0].answer(403, [])
    assert len(resource.requests) == 2


def test_a_body_is_delivered_once():
    resource = Receiving()
    Peer(resource).send(put())
    with pytest.raises(RuntimeError):
        resource.requests[0].upload.deliver(Collector())


def test_answers_may_wait_until_long_after_the_body():
    resource = Receiving()
    peer = Peer(resource).send(put()).wait(10_000)
    resource.requests[0].answer(200, [])
    assert peer.answers()[0].status == 200


def test_a_body_may_be_given_less_time_than_the_wire_has():
    resource = Receiving()
    peer = Peer(resource, Limits(stalled_body_seconds=60)).send(put(b"hello")[:-3])
    resource.requests[0].upload.within(10)
    for _ in range(9):
        peer.wait(1)
    assert not resource.ended
    peer.send(b"l").wait(1.1)
    assert type(resource.ended[0].value) is UploadStalled
    resource.requests[0].answer(400, [])
    assert peer.parted or peer.transport.half_closed or peer.channel.closing.begun


def test_a_body_that_is_no_longer_waited_for_ends_soon():
    resource = Receiving()
    peer = Peer(resource).send(put(b"hello")[:-3])
    resource.requests[0].upload.within(0)
    peer.wait(0)
    assert type(resource.ended[0].value) is UploadStalled


def test_more_time_may_be_given_back():
    resource = Receiving()
    peer = Peer(resource).send(put(b"hello")[:-3])
    resource.requests[0].upload.within(10)
    resource.requests[0].upload.within(None)
    peer.wait(11).send(b"llo")
    assert resource.ended == [None]
