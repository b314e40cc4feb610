"""Reading ahead of whoever reads on: what is fetched, when, and how much of it at most."""

from collections.abc import Iterator
from threading import Event

import pytest

from gecko_tw.store.drivers.ahead import FIRST, PIECE, WINDOW, Ahead, AheadReader
from gecko_tw.store.refusals import ServiceUnavailable

SIZE = 20 * PIECE + 17
DATA = bytes(range(251)) * (SIZE // 251 + 1)


class Far:
    """What keeps the bytes; each question is noted, and waits while the gate is closed."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.gate = Event()
        self.gate.set()
        self.broken = False

    def fetch(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        self.gate.wait()
        if self.broken:
            raise ServiceUnavailable
        return DATA[offset : offset + length]


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    ahead = Ahead(threads=4, room=8)
    yield ahead
    ahead.close()


def room_left(ahead: Ahead) -> int:
    return ahead._room._value


def test_a_whole_blob_is_read_as_it_is(far: Far, ahead: Ahead):
    reader = AheadReader(far.fetch, SIZE, ahead)
    found = b"".join(reader.read(offset, 100_000) for offset in range(0, SIZE, 100_000))
    assert found == DATA[:SIZE]
    assert sorted(far.asked) == far.asked or len(far.asked) <= SIZE // PIECE + 2
    assert sum(length for _, length in far.asked) == SIZE
    reader.close()
    assert room_left(ahead) == 8


def test_a_range_fetches_little_and_nothing_ahead(far: Far, ahead: Ahead):
    reader = AheadReader(far.fetch, SIZE, ahead)
    assert reader.read(5 * PIECE, 100) == DATA[5 * PIECE :][:100]
    assert far.asked == [(5 * PIECE, FIRST)]


def test_what_is_read_anywhere_is_right(far: Far, ahead: Ahead):
    reader = AheadReader(far.fetch, SIZE, ahead)
    for offset in (0, FIRST, 2 * FIRST, 7 * PIECE, 3, FIRST + 3, SIZE - 5, SIZE, 0):
        assert reader.read(offset, 1000) == DATA[offset:SIZE][:1000]
    assert reader.read(SIZE - 10, 3 * PIECE) == DATA[SIZE - 10 : SIZE]
    assert reader.read(0, SIZE + 5) == DATA[:SIZE]
    reader.close()


def test_the_window_grows_while_pieces_come_late_and_is_bounded(far: Far, ahead: Ahead):
    reader = AheadReader(far.fetch, SIZE, ahead)
    for offset in range(0, 8 * PIECE, FIRST):
        reader.read(offset, FIRST)
    assert 1 <= len(reader._pieces) <= WINDOW
    reader.close()


def test_what_has_come_is_had_without_waiting(far: Far, ahead: Ahead):
    reader = AheadReader(far.fetch, SIZE, ahead)
    assert reader.at_hand(0, 10) is None
    reader.read(0, FIRST)
    assert reader.at_hand(10, 10) == DATA[10:20]
    far.gate.clear()
    assert reader.at_hand(FIRST, 10) is None
    far.gate.set()
    reader.read(FIRST, PIECE)
    reader._pieces[0]._future.result()
    assert reader.at_hand(FIRST + PIECE, 10) == DATA[FIRST + PIECE :][:10]
    reader.close()


def test_readers_that_are_left_give_their_room_back(far: Far, ahead: Ahead):
    readers = [AheadReader(far.fetch, SIZE, ahead) for _ in range(12)]
    for reader in readers:
        reader.read(0, FIRST)
        reader.read(FIRST, PIECE)
    assert room_left(ahead) == 0  # four of them have none, and read all the same
    assert readers[-1].read(FIRST + PIECE, PIECE) == DATA[FIRST + PIECE :][:PIECE]
    for reader in readers:
        reader.close()
        reader.close()
    ahead.close()
    assert room_left(ahead) == 8


def test_a_piece_that_cannot_be_had_is_refused_and_asked_for_again(far: Far, ahead: Ahead):
    reader = AheadReader(far.fetch, SIZE, ahead)
    reader.read(0, FIRST)
    far.broken = True
    with pytest.raises(ServiceUnavailable):
        reader.read(FIRST, PIECE)
    far.broken = False
    assert reader.read(FIRST, PIECE) == DATA[FIRST:][:PIECE]
    far.broken = True
    for _ in range(3):
        try:
            reader.read(FIRST + PIECE, 2 * PIECE)
        except ServiceUnavailable:
            assert reader.at_hand(FIRST + PIECE + PIECE, 10) is None
    far.broken = False
    assert reader.read(FIRST + PIECE, 2 * PIECE) == DATA[FIRST + PIECE :][: 2 * PIECE]
    reader.close()
    ahead.close()
    assert room_left(ahead) == 8
