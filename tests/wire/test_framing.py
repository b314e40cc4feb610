"""Where bodies end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.wire.framing import Chunked, FramingError, Sized


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True) if start < end]


def decode(framing, pieces: list[bytes]) -> tuple[bytes, bytes | None]:
    body, rest = b"", None
    for piece in pieces:
        if rest is not None:
            rest += piece
            continue
        more, rest = framing.feed(piece)
        body += more
    return body, rest


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(st.binary(min_size=1), st.binary(), CUTS)
def test_a_sized_body_ends_at_its_length_however_it_comes(body, rest, cuts):
    assert decode(Sized(len(body)), pieces_of(body + rest, cuts)) == (body, rest)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.binary(), CUTS, st.booleans(), st.booleans())
def test_a_chunked_body_ends_at_its_last_chunk_however_it_comes(chunks, rest, cuts, extended, trailed):
    extension = b';name="value"' if extended else b""
    coded = (
        b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + b"000" + extension + b"\r\n"
    )
    coded += b"x-trailer: 1\r\n\r\n" if trailed else b"\r\n"
    framing = Chunked()
    assert decode(framing, pieces_of(coded + rest, cuts)) == (b"".join(chunks), rest)
    assert framing.received == sum(map(len, chunks))


@pytest.mark.parametrize(
    "coded",
    [
        b"\r\n",
        b"g\r\n",
        b"0x5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"1_0\r\n",
        b"-1\r\n",
        b"1" * 16 + b"\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"5\r\nhell\r\n0\r\n\r\n0\r\n\r\n",
        b"5;a\nb\r\nhello\r\n",
        b"5;a\rb\r\nhello\r\n",
        b"5\nhello\n0\n\n" + b"x" * 2000,
        b"5;" + b"x" * 2000,
        b"0\r\n" + b"a: b\r\n" * 2000,
        b"0\r\na: \nb\r\n\r\n",
        b"1;" + b"x" * 1000 + b"\r\na\r\n" + (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 20,
    ],
)
def test_a_broken_or_wasteful_coding_is_refused_however_it_comes(coded):
    for size in (1, 7, len(coded)):
        framing = Chunked()
        with pytest.raises(FramingError):
            for start in range(0, len(coded), size):
                framing.feed(coded[start : start + size])


def test_many_small_chunks_without_extensions_are_fine():
    assert Chunked().feed(b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n") == (b"a" * 100_000, b"")
