from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.native import frames
from gecko_tw.native.frames import Fields, Malformed

TEXTS = st.text(max_size=50)


def test_a_handshake_is_jays():
    assert frames.greeting("id", "se:cret") == bytes.fromhex("4a415900 01 00 000a") + b"id:se:cret"
    assert frames.answer(frames.NOT_PROVEN) == bytes.fromhex("4a415900 01 01 0000")


def test_a_frame_is_jays():
    assert (
        frames.frame(frames.PUT_OBJECT, b"meta", 7, 258)
        == bytes.fromhex("10 00000007 00000004 0000000000000102") + b"meta"
    )


@given(
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.dictionaries(TEXTS, TEXTS),
    st.lists(TEXTS),
)
def test_what_is_written_is_read(text: str, long: int, short: int, pairs: dict[str, str], texts: list[str]):
    written = frames.string(text) + frames.i64(long) + frames.i32(short) + frames.mapping(pairs) + frames.strings(texts)
    fields = Fields(written + frames.numbers([1, 2**32 - 1]) + frames.boolean(True) + b"more")
    assert (fields.text(), fields.i64(), fields.i32(), fields.mapping(), fields.strings()) == (
        text, long, short, pairs, texts,
    )  # fmt: skip
    assert (fields.numbers(), fields.boolean()) == ([1, 2**32 - 1], True)


@given(
    st.binary(max_size=80),
    st.sampled_from(["raw", "text", "count", "i64", "i32", "boolean", "strings", "mapping", "numbers"]),
)
def test_any_bytes_are_read_or_malformed(meta: bytes, kind: str):
    fields = Fields(meta)
    for _ in range(200):
        try:
            getattr(fields, kind)()
        except Malformed:
            return
    assert meta[:1] == b"\x00"  # pragma: no cover - empty things can follow each other for long


@pytest.mark.parametrize(
    "write",
    [
        lambda: frames.string("x" * 65536),
        lambda: frames.mapping({str(number): "" for number in range(65536)}),
        lambda: frames.i32(2**31),
        lambda: frames.numbers([2**32]),
        lambda: frames.greeting("x" * 65536, ""),
    ],
)
def test_what_no_field_can_hold_is_not_written(write: Any):
    with pytest.raises(Malformed):
        write()
