"""How a connection begins, waits, is held back and ends."""

from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from zope.interface.verify import verifyObject

from gecko_tw.callers.accounts.identities import Identity, OnePair
from gecko_tw.native import frames
from gecko_tw.native.frames import string
from gecko_tw.native.server import site as native_site
from gecko_tw.native.server.site import NativeSite
from gecko_tw.resources.gates.logins import Logins
from gecko_tw.store.refusals import SlowDown
from gecko_tw.wire.head import Head
from gecko_tw.wire.interfaces import IUpload, IWireRequest
from tests.native.peers import NOT_PROVEN, OTHER_VERSION, WELCOME, Peer, town
from tests.resources.asking import HeldPool, shop

WHERE = string("photos") + string("k")
SAID = WHERE + string("") + frames.mapping({})
GREETING = frames.greeting("key", "secret")
GET = frames.frame(frames.GET_OBJECT, WHERE, 3)


class Tally:
    """Counts for one process."""

    last_failure = 0.0

    def __init__(self) -> None:
        self.level = 5.0

    def step(self, name: str, budget: Any, now: float, spend: Any) -> float:
        self.level = spend(self.level)
        return self.level

    def forget(self, name: str) -> None:
        self.level = 5.0


# ---- the handshake


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (GREETING, WELCOME),
        (GREETING + b"", WELCOME),
        (frames.greeting("key", "wrong"), NOT_PROVEN),
        (frames.greeting("nobody", "secret"), NOT_PROVEN),
        (b"JAY\0\1\0\0\3key", NOT_PROVEN),
        (b"JAY\0\2\0\0\3key", OTHER_VERSION),
        (b"JAY\0\1\0\0\0", OTHER_VERSION),
        (b"GET / HTTP/1.1\r\n\r\n", OTHER_VERSION),
        (b"\x16\x03\x01", OTHER_VERSION),
    ],
)
def test_a_handshake_is_answered_as_jay_does(sent: bytes, answer: bytes):
    peer = Peer(pair=None).send(sent).wait(0)
    assert peer.take() == answer
    assert peer.parted == (answer != WELCOME)


def test_a_handshake_may_come_byte_by_byte_and_the_first_frame_with_it():
    peer = Peer(pair=None)
    for byte in GREETING + frames.frame(frames.PING, b"", 9):
        peer.send(bytes((byte,)))
    assert peer.take() == WELCOME + frames.frame(frames.OK, b"", 9)


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (frames.GREETING.pack(frames.MAGIC, frames.VERSION, 0, 0xFFFF), b"k"),
        (GREETING + frames.HEADER.pack(frames.GET_OBJECT, 0, frames.MAX_META, 0), b"m"),
    ],
)
def test_what_comes_byte_by_byte_is_not_copied_for_each_of_them(begun: bytes, piece: bytes):
    peer, waiting = Peer(pair=None).send(begun), []
    for _ in range(1000):
        peer.send(piece)
        if not any(peer.channel._intake.data is one for one in waiting):
            waiting.append(peer.channel._intake.data)
    assert len(waiting) <= 2, "each one is a copy of what waits"
    assert not peer.parted


@pytest.mark.parametrize("half", [b"", GREETING[:3], GREETING[:-1]])
def test_a_handshake_has_ten_seconds(half: bytes):
    peer = Peer(pair=None).send(half).wait(9.9)
    assert not peer.parted
    assert peer.wait(0.2).parted
    assert peer.take() == (OTHER_VERSION if half else b"")


def test_a_handshake_that_ends_too_early_is_of_no_version():
    peer = Peer(pair=None).send(GREETING[:5])
    peer.channel.readConnectionLost()
    assert (peer.take(), peer.parted) == (OTHER_VERSION, True)


def test_who_fails_to_prove_who_it_is_waits_longer_and_longer_and_is_not_listened_to():
    town_ = shop(auth=True)
    town_.service.logins = Logins(Tally(), town_.clock)  # type: ignore[arg-type]
    peers = [Peer(town_, None).send(frames.greeting("key", "wrong")).wait(0) for _ in range(7)]
    assert [peer.take() for peer in peers] == [NOT_PROVEN] * 5 + [b"", b""]
    late = peers[-1].send(b"x" * 100_000)
    assert late.channel._intake.data == b""
    late.transport.lose()
    assert peers[5].wait(5).take() == NOT_PROVEN
    assert Peer(town_).welcome == WELCOME
    peers = [Peer(town_, None).send(frames.greeting("key", "wrong")).wait(0) for _ in range(6)]
    assert [peer.take() for peer in peers] == [NOT_PROVEN] * 5 + [b""]
    peers[5].transport.lose()


def test_an_address_that_asks_too_often_is_closed_without_an_answer():
    def admit(head: Head) -> None:
        raise SlowDown

    town_ = shop(auth=True)
    town_.service.limits = SimpleNamespace(admit_address=admit)  # type: ignore[assignment]
    peer = Peer(town_, None).send(GREETING)
    assert (peer.take(), peer.parted) == (b"", True)


def test_without_authentication_any_pair_will_do():
    assert Peer(shop(), ("any", "thing")).ask(frames.CREATE_BUCKET, string("photos")).status == frames.OK


def test_connections_beyond_the_limit_are_closed_without_an_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(native_site, "MOST_CONNECTIONS", 2)
    first = Peer()
    second = Peer(first.shop, site=first.site)
    third = Peer(first.shop, None, site=first.site).send(GREETING)
    assert (first.welcome, second.welcome, third.take()) == (WELCOME, WELCOME, b"")
    assert not third.transport.connected
    second.transport.lose()
    assert Peer(first.shop, site=first.site).welcome == WELCOME


# ---- a key that changes or ends


@pytest.mark.parametrize("change", ["gone", "other secret", "expired"])
def test_a_key_that_ends_ends_its_connections(change: str):
    peer = town()
    peer.put("k", b"hello")
    identities = peer.shop.service.authenticator._identities
    assert isinstance(identities, OnePair)
    identity = identities._identity
    changed: dict[str, Any] = {
        "gone": {"access_key": "another"},
        "other secret": {"secret": "another"},
        "expired": {"expires": peer.clock.seconds()},
    }
    identities._identity = evolve(identity, **changed[change])
    assert peer.get("k").status == frames.FORBIDDEN
    assert peer.parted


def test_a_key_whose_permissions_change_keeps_its_connections():
    peer = town()
    peer.put("k", b"hello")
    identities = peer.shop.service.authenticator._identities
    identity: Identity = identities._identity  # type: ignore[attr-defined]
    identities._identity = evolve(identity, superuser=False, principal=evolve(identity.principal, account="other"))  # type: ignore[attr-defined]
    assert peer.get("k").error == (4, "AccessDenied", "access denied")
    assert not peer.parted


def test_a_ping_asks_for_the_key_too():
    peer = town()
    peer.shop.service.authenticator._identities._identity = None  # type: ignore[attr-defined]
    peer.shop.service.authenticator._identities = OnePair("another", "pair")
    assert peer.ask(frames.PING).error[:2] == (4, "InvalidAccessKeyId")
    assert peer.parted


# ---- frames


def test_frames_may_come_in_any_pieces_and_together():
    peer = town()
    put = frames.frame(frames.PUT_OBJECT, SAID, 1, 5) + b"hello"
    for byte in put + GET:
        peer.send(bytes((byte,)))
    assert [(reply.stream, reply.data) for reply in peer.replies()] == [(1, b""), (3, b"hello")]
    peer.send(put + GET + put + GET)
    assert [reply.stream for reply in peer.replies()] == [1, 3, 1, 3]


@pytest.mark.parametrize(
    "header",
    [
        frames.HEADER.pack(frames.GET_OBJECT, 0, frames.MAX_META + 1, 0),
        frames.HEADER.pack(frames.GET_OBJECT, 0, 0, frames.MAX_DATA + 1),
    ],
)
def test_a_frame_beyond_the_limits_closes_the_connection(header: bytes):
    peer = town().send(header)
    assert (peer.take(), peer.parted) == (b"", True)


def test_metadata_of_a_whole_mebibyte_is_read():
    peer = town()
    meta = WHERE + b"x" * (frames.MAX_META - len(WHERE))
    assert peer.ask(frames.GET_OBJECT, meta).status == frames.NOT_FOUND


@pytest.mark.parametrize("sent", [GET[:1], GET[:16], GET[:-1]])
def test_half_a_frame_is_not_waited_for_long(sent: bytes):
    peer = town().send(sent).wait(29)
    assert not peer.parted
    assert peer.wait(2).parted
    assert peer.take() == b""


def test_an_idle_connection_is_closed_after_a_minute():
    peer = town().wait(59)
    assert not peer.parted
    peer.ask(frames.PING)
    assert not peer.wait(59).parted
    assert peer.wait(2).parted


def test_a_body_has_as_long_as_jay_gives_it_and_nothing_is_stored_of_half_a_one():
    peer = town().send(frames.frame(frames.PUT_OBJECT, SAID, 0, 40 << 20))
    for _ in range(40):
        peer.send(b"x" * 1024).wait(1)
    assert not peer.parted
    assert peer.wait(2).parted
    (reply,) = peer.replies()
    assert reply.error[:2] == (3, "RequestTimeout")
    assert Peer(peer.shop).get("k").status == frames.NOT_FOUND


def test_a_body_that_is_cut_is_not_stored():
    peer = town().send(frames.frame(frames.PUT_OBJECT, SAID, 0, 100) + b"x" * 99)
    peer.transport.lose()
    assert Peer(peer.shop).get("k").status == frames.NOT_FOUND
    assert peer.shop.service.in_flight == peer.site.in_flight == 0


def test_time_does_not_count_while_the_peer_is_held_back():
    pool = HeldPool()
    peer = Peer(shop(auth=True))
    peer.ask(frames.CREATE_BUCKET, string("photos"))
    peer.shop.service.bytes_pool = pool
    size = 8 << 20
    peer.send(frames.frame(frames.PUT_OBJECT, SAID, 0, size), *[b"x" * 65536] * 64)
    assert peer.transport.producerState == "paused"
    peer.wait(1000)
    assert not peer.parted
    pool.work()
    assert peer.transport.producerState == "producing"
    peer.wait(20).send(*[b"x" * 65536] * 64)
    pool.work()
    pool.work()
    (reply,) = peer.replies()
    assert reply.status == frames.OK


@pytest.mark.parametrize(
    ("operation", "size", "goes_on"),
    [
        (frames.PUT_OBJECT, 10 << 20, True),
        (frames.PUT_OBJECT, (10 << 20) + 1, False),
        (0x77, 10 << 20, True),
        (0x77, 1 << 40, False),
    ],
)
def test_a_body_that_nobody_wants_is_dropped_up_to_ten_mebibytes(operation: int, size: int, goes_on: bool):
    peer = town().send(frames.frame(operation, string("none") + string("k") + SAID, 0, size))
    assert len(peer.replies()) == 1
    assert peer.parted != goes_on
    if goes_on:
        peer.send(*[b"x" * (1 << 20)] * 10, frames.frame(frames.PING, b"", 4))
        assert [reply.stream for reply in peer.replies()] == [4]
        assert peer.transport.producerState == "producing"


def test_a_peer_that_does_not_take_its_answers_is_not_read():
    peer = town()
    peer.put("k", b"x" * 1000)
    peer.transport.producer.pauseProducing()
    peer.send(*[GET] * 1000)
    assert peer.replies() == []
    assert peer.transport.producerState == "paused"
    peer.transport.producer.resumeProducing()
    assert len(peer.replies()) == 1000


def test_a_peer_that_takes_half_an_answer_is_not_waited_for_for_ever():
    peer = town()
    peer.put("k", b"x" * 3_000_000)
    write = peer.transport.write

    def full(data: bytes) -> None:
        write(data)
        peer.transport.producer.pauseProducing()

    peer.transport.write = full  # type: ignore[method-assign]
    peer.channel.output.write = full
    peer.send(GET).wait(119)
    assert peer.transport.connected
    assert 0 < len(peer.transport.value()) < 3_000_000
    peer.wait(2)
    assert not peer.transport.connected
    assert peer.shop.service.in_flight == 0


def test_a_draining_server_answers_what_is_under_way_and_parts():
    peer = town()
    idle = Peer(peer.shop, site=peer.site)
    drained = peer.site.drain()
    assert idle.parted
    assert peer.parted
    for one in (peer, idle):
        one.transport.lose()
    assert drained.called


def test_what_nobody_has_foreseen_is_an_internal_error(logged_failures: Any):
    peer = town()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    peer.shop.service.objects = SimpleNamespace(open=broken)  # type: ignore[assignment]
    assert peer.get("k").error[:2] == (5, "InternalError")
    logged_failures.take(ZeroDivisionError)
    assert peer.ask(frames.PING).status == frames.OK


def test_it_negotiates_no_other_protocol():
    assert NativeSite(shop().service, shop().clock).acceptableProtocols() == []


# ---- as any other request


def test_a_frame_is_a_request_as_any_other():
    seen: list[Any] = []
    peer = town()
    peer.shop.service.limits = SimpleNamespace(  # type: ignore[assignment]
        is_due=lambda: False,
        admit_address=lambda address: seen.append(peer.channel.request),
        admit_key=lambda key: None,
    )
    peer.get("k")
    (request,) = seen
    assert verifyObject(IWireRequest, request)
    assert verifyObject(IUpload, request.upload)
    assert request.upload.whole() == b""


@pytest.mark.parametrize(("wanted", "status"), [(1, frames.OK), (2, frames.BAD_REQUEST)])
def test_a_long_work_is_told_when_it_is_done_and_nothing_before(wanted: int, status: int):
    peer = town(min_part_size=0)
    upload = string(peer.ask(frames.CREATE_UPLOAD, WHERE, string("")).fields.text())
    peer.ask(frames.UPLOAD_PART, WHERE, upload, frames.i32(1), data=b"part")
    peer.shop.service.bytes_pool = pool = HeldPool()
    peer.send(frames.frame(frames.COMPLETE_UPLOAD, WHERE + upload + frames.numbers([wanted]), 8))
    assert peer.wait(20).replies() == []
    pool.work()
    (reply,) = peer.replies()
    assert (reply.status, reply.stream) == (status, 8)
    assert peer.ask(frames.PING).status == frames.OK
