"""What waits in a buffer, and how often it is copied."""

from gecko_tw.wire.buffer import Buffer
from gecko_tw.wire.input_buffer import Intake


def buffers_of(buffer: Buffer, pieces: int) -> int:
    """How many buffers are made while so many pieces come: each but the first is a copy of what waits."""
    made: list[object] = []
    for _ in range(pieces):
        buffer.add(b"x")
        if not any(buffer.data is one for one in made):
            made.append(buffer.data)
    return len(made)


def test_what_waits_is_not_copied_for_each_piece_that_comes():
    assert buffers_of(Buffer(), 1000) == buffers_of(Buffer(), 2) == 2
    assert buffers_of(Intake(), 1000) == 2


def test_one_piece_is_handed_on_as_it_came():
    buffer, piece = Buffer(), b"a piece"
    buffer.add(piece)
    assert buffer.data is piece
    assert buffer.take() is piece
    assert buffer.data == b""


def test_what_is_taken_does_not_change_any_more():
    buffer = Buffer()
    for piece in (b"ab", b"cd", b"ef"):
        buffer.add(piece)
    head = buffer.cut(3)
    buffer.add(b"gh")
    assert (type(head), head) == (bytes, b"abc")
    rest = buffer.take()
    buffer.add(b"more")
    assert (type(rest), rest) == (bytes, b"defgh")
    assert buffer.cut(4) == b"more"
    assert buffer.data == b""


def test_a_head_in_small_pieces_is_found_and_is_bytes():
    intake, head = Intake(), b"GET / HTTP/1.1\r\n\r\n"
    for byte in b"\r\n" + head + b"re":
        intake.add(bytes((byte,)))
    found = intake.cut_head(100)
    assert (type(found), found, intake.data) == (bytes, head, b"re")
