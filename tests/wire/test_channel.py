"""One connection: requests come in any pieces, one is answered at a time, and nobody waits for ever."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.task import Clock

from gecko_tw.wire.channel import peer_text
from gecko_tw.wire.limits import Limits
from tests.wire.peers import AtHead, Peer, echo
from tests.wire.test_framing import CUTS, pieces_of

GET = b"GET /b/k HTTP/1.1\r\nHost: s3\r\n\r\n"


def put(body: bytes = b"hello", *lines: bytes, target: bytes = b"/b/k") -> bytes:
    headers = b"".join(line + b"\r\n" for line in lines)
    return b"PUT %b HTTP/1.1\r\nHost: s3\r\nContent-Length: %d\r\n%b\r\n%b" % (target, len(body), headers, body)


def chunked(body: bytes, size: int = 3) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    return b"PUT /b/c HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\r\n" + coded


def answering() -> AtHead:
    return AtHead(lambda request: request.answer(200, [], b"body"))


PARTS = st.sampled_from(
    [
        GET,
        b"\r\n" + GET,
        b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        put(),
        put(b"x" * 70_000, target=b"/b/large"),
        put(b""),
        put(GET + GET, target=b"/b/smuggler"),
        chunked(b"hello world"),
        chunked(GET),
        chunked(b""),
    ]
)
ENDS = st.sampled_from(
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: s3\r\nConnection: close\r\n\r\n" + GET,
        b"GET /old HTTP/1.0\r\n\r\n" + GET,
        b"GET / HTTP/1.1\r\n\r\n" + GET,
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nHost: s3\r\nX: " + b"x" * 17_000,
        b"PUT / HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX" + GET,
        put(b"incomplete")[:-1],
        GET[:-1],
    ]
)


def exchanged(pieces: list[bytes]) -> tuple[list[tuple], bool]:
    peer = Peer(AtHead(echo)).send(*pieces)
    answers = [(answer.status, answer.body if answer.status == 200 else b"") for answer in peer.answers()]
    return answers, peer.channel.closing.begun


@given(st.lists(PARTS, max_size=4), ENDS, CUTS)
@example([put(), chunked(b"x")], b"\x16\x03", [1, 2, 3])
def test_requests_are_the_same_however_their_bytes_come(parts, end, cuts):
    data = b"".join(parts) + end
    assert exchanged(pieces_of(data, cuts)) == exchanged([data])


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_requests_are_the_same_byte_by_byte(parts):
    data = b"".join(part for part in parts if len(part) < 1000)
    assert exchanged([data[at : at + 1] for at in range(len(data))]) == exchanged([data])


def test_pipelined_requests_are_rendered_one_at_a_time_in_their_order():
    resource = AtHead()
    peer = Peer(resource).send(b"".join(GET.replace(b"/k", b"/%d" % number) for number in range(3)))
    assert [request.path for request in resource.requests] == [b"/b/0"]
    resource.requests[0].answer(200, [], b"zero")
    assert [request.path for request in resource.requests] == [b"/b/0", b"/b/1"]
    resource.requests[1].answer(404, [])
    resource.requests[2].answer(200, [], b"two")
    assert [(answer.status, answer.body) for answer in peer.answers()] == [(200, b"zero"), (404, b""), (200, b"two")]
    assert not peer.parted


def test_thousands_of_pipelined_requests_need_no_deep_stack():
    peer = Peer(answering()).send(GET * 3000)
    assert len(peer.answers()) == 3000


def test_reading_stops_while_too_much_waits_behind_a_request():
    resource = AtHead()
    peer = Peer(resource, Limits(ahead_bytes=1000)).send(GET)
    assert peer.reading
    peer.send(GET * 10)
    assert peer.reading
    peer.send(GET * 40)
    assert not peer.reading
    while len(resource.requests) < 51:
        resource.requests[-1].answer(200, [])
    assert peer.reading
    resource.requests[-1].answer(200, [])
    assert len(peer.answers()) == 51


def test_no_request_is_begun_while_the_peer_does_not_take_the_answers_before():
    resource = answering()
    peer = Peer(resource)
    peer.transport.producer.pauseProducing()
    peer.send(GET * 3)
    assert not resource.requests
    peer.transport.producer.resumeProducing()
    assert len(resource.requests) == 3


def test_a_client_of_http_1_0_is_told_that_its_connection_is_kept():
    peer = Peer(answering()).send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert peer.answers()[0].headers[b"connection"] == b"keep-alive"
    assert not peer.parted
    peer.send(b"GET / HTTP/1.0\r\n\r\n")
    assert peer.answers()[1].headers[b"connection"] == b"close"
    assert peer.parted


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, b"BadRequest"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, b"BadRequest"),
        (b"GET / HTTP/1.1\r\nHost: s3\r\nX: " + b"x" * 17_000, 400, b"RequestHeaderSectionTooLarge"),
        (b"GET /" + b"x" * 17_000, 400, b"RequestHeaderSectionTooLarge"),
        (b"GET / HTTP/1.1\r\nHost: s3\r\nX: " + b"x" * 16_400 + b"\r\n\r\n", 400, b"RequestHeaderSectionTooLarge"),
        (b"FROB / HTTP/1.1\r\nHost: s3\r\n\r\n", 501, b"NotImplemented"),
        (b"PUT / HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: gzip\r\n\r\n", 400, b"BadRequest"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None, b"Code"),
    ],
)
def test_a_bad_head_is_answered_as_s3_would_and_ends_the_connection(sent, status, code):
    resource = answering()
    peer = Peer(resource).send(sent)
    (answer,) = peer.answers()
    assert status is None or answer.status == status
    assert b"<Code>" + code in answer.body or code in answer.body
    assert answer.headers[b"x-amz-request-id"] in answer.body
    assert answer.headers[b"connection"] == b"close"
    peer.send(GET)
    assert not resource.requests
    peer.wait(5)
    assert peer.parted


def test_a_long_presigned_target_fits():
    peer = Peer(answering()).send(b"GET /b/" + b"%C3%A4" * 1024 + b"?" + b"x" * 3000 + b" HTTP/1.1\r\nHost: s3\r\n\r\n")
    assert peer.answers()[0].status == 200


# ---- time


def test_a_new_connection_has_ten_seconds_for_a_head():
    peer = Peer(answering()).wait(9.9)
    assert not peer.parted
    peer.wait(0.2)
    assert peer.parted
    assert peer.received() == b""


def test_a_head_that_drips_is_given_up():
    peer = Peer(answering()).send(GET).wait(100)
    for byte in GET[:9]:
        peer.send(bytes([byte])).wait(1)
        assert not peer.parted
    peer.send(b"x").wait(1.1)
    assert b"RequestTimeout" in peer.answers()[1].body
    assert peer.wait(5).parted


def test_a_connection_may_be_idle_between_two_requests_and_then_no_more():
    peer = Peer(answering()).send(GET).wait(119).send(GET).wait(119).send(GET)
    assert len(peer.answers()) == 3
    assert not peer.wait(119).parted
    assert peer.wait(2).parted


def test_a_close_that_the_peer_does_not_take_becomes_an_abort():
    peer = Peer(answering()).wait(11)
    assert peer.transport.connected
    peer.wait(15)
    assert not peer.transport.connected


def test_an_answer_may_take_as_long_as_it_takes():
    resource = AtHead()
    peer = Peer(resource).send(GET).wait(100_000)
    resource.requests[0].answer(200, [], b"late")
    assert peer.answers()[0].body == b"late"
    assert not peer.wait(119).parted


def test_the_last_answer_may_take_its_time_to_leave():
    large = AtHead(lambda request: request.answer(200, [], b"x" * 16_384 * 1000))
    peer = Peer(large).send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).wait(1119)
    assert peer.transport.disconnecting
    assert peer.transport.connected
    assert not peer.wait(2).transport.connected
    peer = Peer(large).send(GET).wait(1119)
    assert not peer.parted
    assert peer.wait(2).parted


def test_a_busy_connection_has_one_timer():
    peer = Peer(answering())
    for _ in range(100):
        peer.send(GET).wait(0.01)
    assert len(peer.clock.getDelayedCalls()) == 1


def test_no_timer_survives_the_connection():
    peer = Peer(answering()).send(GET)
    peer.transport.lose()
    assert not peer.clock.getDelayedCalls()


# ---- bodies nobody wants


def refusing() -> AtHead:
    return AtHead(lambda request: request.answer(403, [], b"no"))


def test_a_small_unwanted_body_is_dropped_and_the_connection_goes_on():
    peer = Peer(refusing()).send(put(b"x" * 1000)[:-500])
    assert b"connection" not in peer.answers()[0].headers
    peer.send(b"x" * 500 + GET)
    assert [answer.status for answer in peer.answers()] == [403, 403]
    assert not peer.wait(119).parted


def test_a_small_unwanted_body_that_does_not_come_ends_the_connection():
    peer = Peer(refusing()).send(put(b"x" * 1000)[:-500]).wait(4.9)
    assert not peer.parted
    assert peer.wait(0.2).parted


def test_a_large_unwanted_body_ends_the_connection_after_the_answer_was_left_to_be_read():
    peer = Peer(refusing(), Limits(drain_bytes=1000, linger_bytes=10_000)).send(put(b"x" * 100_000)[:200])
    assert peer.answers()[0].headers[b"connection"] == b"close"
    assert not peer.parted
    assert peer.reading
    peer.send(b"x" * 9_000)
    assert not peer.parted
    peer.send(b"x" * 9_000)
    assert peer.parted


def test_lingering_ends_after_a_while():
    peer = Peer(refusing(), Limits(drain_bytes=1000)).send(put(b"x" * 100_000)[:200]).wait(4.9)
    assert not peer.parted
    assert peer.wait(0.2).parted


def test_an_endless_chunked_body_is_not_drained_for_ever():
    peer = Peer(refusing(), Limits(drain_bytes=1000)).send(
        b"PUT / HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 20,
        GET,
    )
    assert [answer.status for answer in peer.answers()] == [403]
    assert peer.wait(5).parted


def test_a_refused_body_with_broken_framing_ends_the_connection():
    peer = Peer(refusing()).send(b"PUT / HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", GET)
    assert [answer.status for answer in peer.answers()] == [403]
    assert peer.wait(5).parted


# ---- the peer


def test_peers_have_readable_addresses():
    assert peer_text(IPv4Address("TCP", "10.0.0.1", 80)) == "10.0.0.1:80"
    assert peer_text(IPv6Address("TCP", "fe80::1", 80)) == "[fe80::1]:80"
    assert peer_text(IPv6Address("TCP", "::ffff:10.0.0.1", 80)) == "10.0.0.1:80"
    assert peer_text(UNIXAddress("/run/s3")) == ""


def test_the_request_knows_its_peer():
    resource = answering()
    peer = Peer(resource, peerAddress=IPv6Address("TCP", "::1", 5), hostAddress=IPv4Address("TCP", "10.0.0.2", 9000))
    peer.send(GET)
    assert resource.requests[0].head.peer == "[::1]:5"
    assert resource.requests[0].getClientAddress().host == "::1"
    assert resource.requests[0].getHost().port == 9000
    assert not resource.requests[0].isSecure()


def test_a_site_makes_its_date_anew_each_second():
    clock = Clock()
    clock.advance(1_000_000_000.5)
    peer = Peer(answering(), clock=clock).send(GET).wait(0.4).send(GET).wait(0.2).send(GET)
    dates = [answer.headers[b"date"] for answer in peer.answers()]
    assert dates == [b"Sun, 09 Sep 2001 01:46:40 GMT"] * 2 + [b"Sun, 09 Sep 2001 01:46:41 GMT"]
