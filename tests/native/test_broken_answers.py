"""The Twisted client on servers whose answers are wrong, and with files that cannot take them."""

from errno import EAGAIN, ENOSPC
from io import BytesIO, RawIOBase
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gecko_tw import native
from gecko_tw.native import frames
from gecko_tw.native.client import Client, connect
from gecko_tw.native.frames import string
from tests.native.test_client import Scripted, result_of

INFO = string("text/plain") + frames.i64(3) + string("etag") + string("") + string("2026") + frames.mapping({})


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda client: client.head("b", "k"), frames.frame(frames.OK, INFO[:-1])),
        (lambda client: client.list_buckets(), frames.frame(frames.OK, b"\xff\xff")),
        (lambda client: client.create_upload("b", "k"), frames.frame(frames.OK, b"\0")),
        (lambda client: client.get("b", "k"), frames.frame(frames.OK, b"", 0, 3) + b"abc"),
        (lambda client: client.get("b", "k"), frames.frame(frames.OK, INFO, 0, 2) + b"ab"),
        (lambda client: client.get_into("b", "k", BytesIO()), frames.frame(frames.OK, INFO, 0, 4) + b"abcd"),
    ],
)
def test_an_answer_that_contradicts_itself_or_cannot_be_read_is_broken(ask: Any, answer: bytes):
    clock, endpoint = Clock(), Scripted()
    client: Client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    asking = Deferred.fromCoroutine(ask(client))
    endpoint.lines[0].protocol.dataReceived(answer)
    with pytest.raises(native.BrokenFrame):
        result_of(asking, clock)


def test_an_answer_in_small_pieces_is_not_copied_for_each_of_them():
    clock, endpoint = Clock(), Scripted()
    client: Client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    asking = Deferred.fromCoroutine(client.head("b", "k"))
    protocol, waiting = endpoint.lines[0].protocol, []
    protocol.dataReceived(frames.HEADER.pack(frames.OK, 0, frames.MAX_META, 0))
    for _ in range(1000):
        protocol.dataReceived(b"m")
        if not any(protocol._intake.data is one for one in waiting):
            waiting.append(protocol._intake.data)
    assert len(waiting) <= 2, "each one is a copy of what waits"
    asking.addErrback(lambda _: None)
    result_of(client.close(), clock)


class Sparing(BytesIO):
    """Takes one byte at a time, as a file without a buffer may."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data)[:1])


class Silent(BytesIO):
    """Does not say how much it has taken."""

    def write(self, data: Any) -> None:  # type: ignore[override]  # as some file-like objects do
        super().write(data)


class Full(BytesIO):
    def write(self, data: Any) -> int:
        raise OSError(ENOSPC, "No space left on device")


class Refusing(RawIOBase):
    """Would block."""

    def write(self, data: Any) -> None:
        return None


def got_into(file: Any) -> None:
    clock, endpoint = Clock(), Scripted()
    client: Client = result_of(Deferred.fromCoroutine(connect(clock, endpoint, "key", "secret")), clock)
    asking = Deferred.fromCoroutine(client.get_into("b", "k", file))
    endpoint.lines[0].protocol.dataReceived(frames.frame(frames.OK, INFO, 0, 3) + b"abc")
    assert result_of(asking, clock).size == 3


@pytest.mark.parametrize("file", [Sparing(), Silent()])
def test_a_file_that_takes_little_at_a_time_gets_everything(file: BytesIO):
    got_into(file)
    assert file.getvalue() == b"abc"


@pytest.mark.parametrize(("file", "number"), [(Full(), ENOSPC), (Refusing(), EAGAIN)])
def test_a_file_that_cannot_take_the_bytes_says_so_itself(file: Any, number: int):
    with pytest.raises(OSError) as caught:
        got_into(file)
    assert caught.value.errno == number


def test_a_key_pair_that_no_handshake_can_hold_is_refused_before_anything_is_sent():
    clock, endpoint = Clock(), Scripted()
    with pytest.raises(ValueError, match="65535"):
        result_of(Deferred.fromCoroutine(connect(clock, endpoint, "k" * 70_000, "secret")), clock)
    assert not endpoint.lines
