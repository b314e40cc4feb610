"""Encrypted messages of MinIO's administration: whoever has the secret of an access key reads and writes them. Pure, but slow.

A message is a salt of 32 bytes, one byte that names the algorithm, a nonce of 8 bytes, and fragments of at most 16 KiB, each with a
tag of 16 bytes behind it. The key is made of the secret and the salt by Argon2id (RFC 9106). Fragments are numbered in the last four
bytes of the nonce; what they are bound to besides says whether one is the last, so that none can be cut off, moved or added.
Source: DARE as of github.com/secure-io/sio-go, and EncryptData and DecryptData of github.com/minio/madmin-go.
"""

import os
import struct
from functools import partial
from hashlib import pbkdf2_hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from gecko_tw.store.refusals import Refusal

FRAGMENT = 16 * 1024
"""Bytes of each fragment but the last, before it is encrypted."""

AES_GCM, CHACHA20_POLY1305, PBKDF2_AES_GCM = 0, 1, 2
"""Algorithms, as a message names them. The last has its key made by PBKDF2 with HMAC-SHA-256, as systems do that must obey FIPS 140."""

_SALT, _NONCE, _TAG = 32, 8, 16
_HEAD = _SALT + 1 + _NONCE
_MORE, _LAST = b"\x00", b"\x80"
_ROUNDS = 8192
_PASSES, _KIBIBYTES, _LANES = 1, 64 * 1024, 4


class UndecipherableMessage(Refusal):
    """The body of the request is not encrypted with the secret of the access key that signs it."""

    @property
    def code(self) -> str:
        return "XMinioAdminConfigBadJSON"


def encrypt(secret: str, plain: bytes, algorithm: int = AES_GCM) -> bytes:
    """The message that says ``plain``. Takes a tenth of a second or more, and 64 MiB of memory."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    cipher = _cipher(algorithm, secret, salt)
    bound = cipher.encrypt(_numbered(nonce, 0), b"", b"")
    pieces = [plain[at : at + FRAGMENT] for at in range(0, len(plain), FRAGMENT)] or [b""]
    sealed = [
        cipher.encrypt(_numbered(nonce, number), piece, (_LAST if number == len(pieces) else _MORE) + bound)
        for number, piece in enumerate(pieces, 1)
    ]
    return b"".join((salt, bytes((algorithm,)), nonce, *sealed))


def decrypt(secret: str, message: bytes) -> bytes:
    """What a message says. Takes as long as to encrypt.

    :raises UndecipherableMessage: it was encrypted with another secret, is not whole, or is no message.
    """
    if len(message) < _HEAD + _TAG or message[_SALT] not in (AES_GCM, CHACHA20_POLY1305, PBKDF2_AES_GCM):
        raise UndecipherableMessage
    nonce = message[_SALT + 1 : _HEAD]
    cipher = _cipher(message[_SALT], secret, message[:_SALT])
    bound = cipher.encrypt(_numbered(nonce, 0), b"", b"")
    starts = range(_HEAD, len(message), FRAGMENT + _TAG)
    try:
        return b"".join(
            cipher.decrypt(
                _numbered(nonce, number),
                message[at : at + FRAGMENT + _TAG],
                (_LAST if number == len(starts) else _MORE) + bound,
            )
            for number, at in enumerate(starts, 1)
        )
    except (InvalidTag, ValueError):  # a fragment shorter than its tag
        raise UndecipherableMessage from None


def _cipher(algorithm: int, secret: str, salt: bytes) -> AESGCM | ChaCha20Poly1305:
    if algorithm == PBKDF2_AES_GCM:
        return AESGCM(pbkdf2_hmac("sha256", secret.encode(), salt, _ROUNDS, 32))
    # Only who is administered so needs it.
    from argon2.low_level import Type, hash_secret_raw

    derive = partial(hash_secret_raw, type=Type.ID, hash_len=32)
    key = derive(secret.encode(), salt, time_cost=_PASSES, memory_cost=_KIBIBYTES, parallelism=_LANES)
    return ChaCha20Poly1305(key) if algorithm == CHACHA20_POLY1305 else AESGCM(key)


def _numbered(nonce: bytes, number: int) -> bytes:
    return nonce + struct.pack("<I", number)
