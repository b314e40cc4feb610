"""Encrypted messages: read by who has the secret, and by nobody else; against minio-py's own reading and writing."""

import io
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minio import crypto

from gecko_tw.admin.minio.messages import (
    AES_GCM,
    CHACHA20_POLY1305,
    FRAGMENT,
    PBKDF2_AES_GCM,
    UndecipherableMessage,
    decrypt,
    encrypt,
)

SECRET = "the secret"
LENGTHS = (0, 1, FRAGMENT, FRAGMENT + 1)


def _response(message: bytes) -> Mock:
    return Mock(read=io.BytesIO(message).read)


@settings(max_examples=10, deadline=None)
@given(plain=st.binary(max_size=50), algorithm=st.sampled_from((AES_GCM, CHACHA20_POLY1305, PBKDF2_AES_GCM)))
def test_what_was_encrypted_is_read_again(plain: bytes, algorithm: int) -> None:
    assert decrypt(SECRET, encrypt(SECRET, plain, algorithm)) == plain


@pytest.mark.parametrize("length", LENGTHS)
def test_messages_of_any_length_are_read_again(length: int) -> None:
    plain = bytes(index % 251 for index in range(length))
    assert decrypt(SECRET, encrypt(SECRET, plain)) == plain


@pytest.mark.parametrize("length", LENGTHS[1:])
def test_minio_py_reads_what_we_write(length: int) -> None:
    assert crypto.decrypt(_response(encrypt(SECRET, b"x" * length)), SECRET) == b"x" * length
    assert crypto.decrypt(_response(encrypt(SECRET, b"x" * length, CHACHA20_POLY1305)), SECRET) == b"x" * length


@pytest.mark.parametrize("length", LENGTHS[1:])
def test_what_minio_py_writes_is_read(length: int) -> None:
    assert decrypt(SECRET, crypto.encrypt(b"x" * length, SECRET)) == b"x" * length


def test_nobody_reads_it_with_another_secret() -> None:
    with pytest.raises(UndecipherableMessage):
        decrypt("another", encrypt(SECRET, b"hello"))


@pytest.mark.parametrize("algorithm", (AES_GCM, CHACHA20_POLY1305))
def test_a_message_that_was_cut_anywhere_is_refused(algorithm: int) -> None:
    message = encrypt(SECRET, b"y" * (2 * FRAGMENT + 5), algorithm)
    whole = 41 + FRAGMENT + 16
    for length in (
        0,
        1,
        32,
        33,
        40,
        41,
        56,
        57,
        whole - 1,
        whole,
        whole + 1,
        whole + 16,
        2 * whole - 41,
        len(message) - 1,
    ):
        with pytest.raises(UndecipherableMessage):
            decrypt(SECRET, message[:length])


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_changed_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    message = bytearray(encrypt(SECRET, b"some words", PBKDF2_AES_GCM))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(UndecipherableMessage):
        decrypt(SECRET, bytes(message))


def test_fragments_in_another_order_are_refused() -> None:
    message = encrypt(SECRET, b"a" * FRAGMENT + b"b" * FRAGMENT + b"c")
    length = FRAGMENT + 16
    first, second, last = message[41 : 41 + length], message[41 + length : 41 + 2 * length], message[41 + 2 * length :]
    for pieces in ((second, first, last), (first, last), (first, second, last, last), (last,)):
        with pytest.raises(UndecipherableMessage):
            decrypt(SECRET, message[:41] + b"".join(pieces))


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(UndecipherableMessage):
        decrypt(SECRET, noise)
