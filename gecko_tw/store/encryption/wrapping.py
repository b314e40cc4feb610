"""Keys wrapped in other keys, pure functions: AES-256-GCM with a fresh wrapping key for every secret, made from the outer key and a salt.

A wrapped key opens only with the right outer key and for the context it was wrapped for, so it needs no check value beside it.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from binascii import Error as BadBase64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32

_SALT = 32
_NONCE = bytes(12)
"""Every wrapping key is used once, so its nonce need not change."""


class CannotUnwrap(Exception):  # noqa: N818 - named for what it tells
    """Another outer key, another context, or damaged text."""


def derived(key: bytes, *purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose (HMAC-SHA256 as in HKDF's expansion, RFC 5869, 2.3); salts must have a fixed length."""
    return hmac.digest(key, b"\0".join(purpose), "sha256")


def wrap(outer: bytes, secret: bytes, context: str) -> str:
    """``secret`` wrapped in the key ``outer``, as base64. ``context`` is not in it and must be given again."""
    salt = secrets.token_bytes(_SALT)
    sealed = AESGCM(derived(outer, b"geckos3 wrap", salt)).encrypt(
        _NONCE, secret, context.encode("utf-8", "surrogateescape")
    )
    return b64encode(salt + sealed).decode("ascii")


def unwrap(outer: bytes, wrapped: str, context: str) -> bytes:
    """The reverse of :func:`wrap`. Raises CannotUnwrap."""
    try:
        data = b64decode(wrapped, validate=True)
    except (BadBase64, ValueError):
        raise CannotUnwrap from None
    cipher = AESGCM(derived(outer, b"geckos3 wrap", data[:_SALT]))
    try:
        return cipher.decrypt(_NONCE, data[_SALT:], context.encode("utf-8", "surrogateescape"))
    except (InvalidTag, ValueError):
        raise CannotUnwrap from None
