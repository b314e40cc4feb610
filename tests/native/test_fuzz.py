"""Any bytes at all: the server answers whole frames or parts, keeps nothing, and never fails. ``FRAMES=100000`` tries as many."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.native import frames
from gecko_tw.native.frames import i32, mapping, numbers, string
from tests.native.peers import WELCOME, Peer
from tests.resources.asking import Shop, shop

FRAMES = int(os.environ.get("FRAMES", "2000"))
WHERE = string("photos") + string("k")
UPLOAD = string("0" * 32)
GREETING = frames.greeting("key", "secret")

GOOD = [
    GREETING,
    *(
        frames.frame(operation, b"".join(meta), 1, len(data)) + data
        for operation, meta, data in (
            (frames.CREATE_BUCKET, (string("photos"),), b""),
            (frames.DELETE_BUCKET, (string("others"),), b""),
            (frames.HEAD_BUCKET, (string("photos"),), b""),
            (frames.LIST_BUCKETS, (), b""),
            (frames.PUT_OBJECT, (WHERE, string("text/plain"), mapping({"a": "b"})), b"hello"),
            (frames.GET_OBJECT, (WHERE,), b""),
            (frames.HEAD_OBJECT, (WHERE,), b""),
            (frames.DELETE_OBJECT, (WHERE,), b""),
            (frames.LIST_OBJECTS, (string("photos"), string(""), string("/"), string(""), i32(10)), b""),
            (frames.CREATE_UPLOAD, (WHERE, string("")), b""),
            (frames.UPLOAD_PART, (WHERE, UPLOAD, i32(1)), b"part"),
            (frames.COMPLETE_UPLOAD, (WHERE, UPLOAD, numbers([1, 2])), b""),
            (frames.ABORT_UPLOAD, (WHERE, UPLOAD), b""),
            (frames.LIST_PARTS, (WHERE, UPLOAD), b""),
            (frames.PING, (), b""),
        )
    ),
]


def mutated(source: random.Random, sent: bytes) -> bytes:
    """Some bytes changed, cut out, doubled or put in."""
    data = bytearray(sent)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 1:
            del data[at : at + source.randint(1, 20)]
        elif kind == 2:
            data[at:at] = source.randbytes(source.randint(1, 20))
        elif kind == 3:
            data[at:at] = data[at : at + source.randint(1, 20)]
        elif at < len(data):
            data[at] ^= 1 << source.randrange(8)
    return bytes(data)


def check(town: Shop, *pieces: bytes) -> None:
    """Whatever is sent: whole frames come back, and when the client leaves nothing of it is left."""
    peer = Peer(town, None)
    peer.send(*pieces)
    answered = peer.take()
    if answered.startswith(WELCOME):
        rest = answered[len(WELCOME) :]
        while rest:
            status, _stream, meta, length = frames.HEADER.unpack_from(rest)
            assert status <= frames.INTERNAL
            assert (status, meta <= frames.MAX_META) != (frames.INTERNAL, True), rest
            rest = rest[frames.HEADER.size + meta + length :]
    else:
        assert len(answered) in (0, 8)
    # A peer that stays silent is not waited for for ever: a body has the longest time, by its length.
    if peer.transport.connected:
        peer.channel.readConnectionLost()
    peer.wait(200)
    peer.transport.lose()
    assert (town.service.in_flight, peer.site.in_flight, len(peer.site.channels)) == (0, 0, 0)
    assert town.clock.getDelayedCalls() == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5), st.booleans())
def test_any_bytes_do_no_harm(pieces: list[bytes], greeted: bool):
    check(shop(auth=True), *([GREETING] if greeted else []), *pieces)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.binary(max_size=60), st.binary(max_size=20), st.integers(0, 40)), max_size=5
    )
)
def test_any_frames_do_no_harm(each: list[tuple[int, bytes, bytes, int]]):
    check(
        shop(auth=True),
        GREETING,
        *[frames.frame(operation, meta, 1, length) + data for operation, meta, data, length in each],
    )


@pytest.mark.parametrize("part", range(4))
def test_mutated_frames_do_no_harm(part: int):
    source = random.Random(part)
    town = shop(auth=True)
    maker = Peer(town)
    maker.ask(frames.CREATE_BUCKET, string("photos"))
    maker.transport.lose()
    for _ in range(FRAMES // 4):
        sent = source.choice(GOOD)
        whole = mutated(source, sent)
        before = b"" if sent is GREETING else GREETING
        check(town, before + source.choice((b"", *GOOD[1:])), whole, source.choice((b"", *GOOD[1:])))
        town.log.clear()
