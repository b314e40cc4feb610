"""A peer that says it will send no more still gets what it asked for."""

import socket

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.wire.limits import Limits
from tests.patience import PATIENCE
from tests.wire.peers import AtHead, Collector, Peer, Reading, echo, parse_answers
from tests.wire.test_channel import ENDS, GET, PARTS, answering, chunked, put
from tests.wire.test_framing import CUTS, pieces_of
from tests.wire.test_sockets import DATA, connect, plain  # noqa: F401 - a fixture


def half_closed(resource: AtHead, *pieces: bytes, **more) -> Peer:
    peer = Peer(resource, **more).send(*pieces)
    peer.end()
    return peer


@given(st.lists(PARTS, max_size=4), CUTS)
def test_whole_requests_are_answered_as_ever_and_then_the_connection_closes(parts, cuts):
    data = b"".join(parts)
    peer = half_closed(AtHead(echo), *pieces_of(data, cuts))
    assert peer.answers() == Peer(AtHead(echo)).send(data).answers()
    assert peer.parted
    assert not peer.channel.deadline.what or peer.channel.deadline.what == "close"


@given(st.lists(PARTS, max_size=2), ENDS)
def test_what_is_not_whole_is_refused_and_then_the_connection_closes(parts, end):
    peer = half_closed(AtHead(echo), b"".join(parts) + end)
    assert all(answer.status == 200 for answer in peer.answers()[: len(parts)])
    assert peer.parted
    assert peer.channel.request is None


@pytest.mark.parametrize("sent", [b"", b"\r\n", GET + b"\r\n"])
def test_a_peer_that_asks_nothing_gets_nothing(sent):
    peer = half_closed(answering(), sent)
    assert len(peer.answers()) == sent.count(b"GET")
    assert peer.parted


def test_half_a_head_is_refused():
    peer = half_closed(answering(), GET[:-2])
    assert [answer.status for answer in peer.answers()] == [400]


@pytest.mark.parametrize("sent", [put(b"hello")[:-1], chunked(b"hello")[:-2], chunked(b"hello")[:-8]])
def test_a_body_that_ends_too_early_is_told_to_whoever_reads_it(sent):
    peer = half_closed(AtHead(echo), sent)
    assert [answer.status for answer in peer.answers()] == [400]
    assert peer.parted


def test_a_whole_body_that_nobody_reads_yet_is_kept_for_who_will():
    resource = AtHead()
    peer = half_closed(resource, put(b"hello"))
    assert not peer.parted
    echo(resource.requests[0])
    assert [(answer.status, answer.body[-5:]) for answer in peer.answers()] == [(200, b"hello")]
    assert peer.parted


def test_a_body_that_is_held_back_is_not_cut_before_it_was_taken():
    resource = AtHead()
    peer = Peer(resource).send(put(b"x" * 100_000)[:-1])
    collector, failures = Collector(), []
    collector.pause_after = 1
    resource.requests[0].upload.deliver(collector).addErrback(lambda failure: failures.append(failure.value))
    peer.end()
    if not failures:
        collector.producer.resumeProducing()
    assert len(collector.data) == 99_999
    assert len(failures) == 1


def test_requests_behind_one_that_takes_long_are_answered_too():
    resource = AtHead()
    peer = half_closed(resource, GET + GET)
    for _ in range(2):
        assert not peer.parted
        resource.requests[-1].answer(200, [], b"body")
    assert len(peer.answers()) == 2
    assert peer.parted


def test_nothing_is_read_any_more():
    resource = AtHead()
    peer = Peer(resource, Limits(ahead_bytes=10)).send(GET, GET)
    assert not peer.reading
    peer.end()
    resource.requests[0].answer(200, [], b"body")
    resource.requests[1].answer(200, [], b"body")
    assert not peer.reading


def test_lingering_ends_with_the_peers_own_end():
    peer = Peer(answering()).send(b"GET / HTTP/9\r\nHost: s3\r\n\r\n")
    assert not peer.transport.disconnecting
    peer.end()
    assert peer.transport.disconnecting


@pytest_twisted.ensureDeferred
async def test_a_download_goes_on(plain):  # noqa: F811
    port = plain.serve(AtHead(lambda request: request.answer_spans(200, [], Reading(DATA), 0, len(DATA), plain.pool)))

    def conversation(port):
        with connect(port, 4096) as client:
            client.sendall(GET)
            client.shutdown(socket.SHUT_WR)
            client.settimeout(PATIENCE)
            received = b"".join(iter(lambda: client.recv(1 << 20), b""))
        return parse_answers(received)

    (answer,) = await plain.talk(conversation, port)
    assert (answer.status, answer.body == DATA) == (200, True)


@pytest_twisted.ensureDeferred
async def test_a_refusal_of_the_wire_arrives(plain):  # noqa: F811
    port = plain.serve(answering())

    def conversation(port):
        received = []
        for _ in range(10):
            with connect(port) as client:
                client.sendall(b"GET / HTTP/9\r\nHost: s3\r\n\r\n")
                client.shutdown(socket.SHUT_WR)
                received.append(b"".join(iter(lambda: client.recv(1 << 20), b"")))
        return [parse_answers(data)[0].status for data in received]

    assert await plain.talk(conversation, port) == [400] * 10
