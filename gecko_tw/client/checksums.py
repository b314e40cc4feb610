"""The checksums that S3 knows, computed piece by piece.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

import hashlib
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Protocol

from awscrt import checksums as crt


class Checksum(Protocol):
    """What has been told so far."""

    def update(self, data: bytes, /) -> None:
        """Adds bytes."""

    def digest(self) -> bytes:
        """The checksum of all of them."""


class _Cyclic:
    """A cyclic redundancy check.

    :param function: takes bytes and the value so far, and returns the value.
    :param size: bytes of the value.
    """

    def __init__(
        self, function: Callable[[Any, int], int], size: int
    ) -> None:  # the libraries' buffers have no common type
        self._function, self._size, self._value = function, size, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XXHash:
    """One of the hashes of the family xxHash."""

    def __init__(self, hash_of_crt: Any) -> None:  # awscrt has no types
        self._hash = hash_of_crt

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        value: bytes = self._hash.finalize()
        return value


_KINDS: dict[str, Callable[[], Checksum]] = {
    "crc32": lambda: _Cyclic(zlib.crc32, 4),
    "crc32c": lambda: _Cyclic(crt.crc32c, 4),
    "crc64nvme": lambda: _Cyclic(crt.crc64nvme, 8),
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "xxhash64": lambda: _XXHash(crt.XXHash.new_xxhash64()),
    "xxhash3": lambda: _XXHash(crt.XXHash.new_xxhash3_64()),
    "xxhash128": lambda: _XXHash(crt.XXHash.new_xxhash3_128()),
}


def known(algorithm: str) -> bool:
    """Whether there is such a checksum here."""
    return algorithm in _KINDS


def checksum(algorithm: str) -> Checksum:
    """A new checksum of an algorithm, named as in its header: ``"crc32"``."""
    return _KINDS[algorithm]()


def encoded(found: Checksum) -> str:
    """A checksum as headers have it: base64."""
    return b64encode(found.digest()).decode("ascii")
