"""The digests of one stream, and S3's checksum arithmetic: composite and full-object values of multipart uploads.

Source: S3 User Guide, "Checking object integrity".
"""

import hashlib
import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, Protocol

from gecko_tw.store.refusals import InvalidRequest

SIZES = {
    "CRC32": 4,
    "CRC32C": 4,
    "CRC64NVME": 8,
    "SHA1": 20,
    "SHA256": 32,
    "SHA512": 64,
    "MD5": 16,
    "XXHASH64": 8,
    "XXHASH3": 8,
    "XXHASH128": 16,
}
"""Digest size in bytes by S3's name of the algorithm."""

ALGORITHMS = tuple(SIZES)
"""S3's names of all algorithms."""

CRCS = frozenset({"CRC32", "CRC32C", "CRC64NVME"})

FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"

NO_MD5 = "-1"
"""What the ETag of bytes that nobody hashed ends in, as if they were a multipart object of one part."""


class _Digest(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


@cache
def _crt() -> Any:
    """What only awscrt computes."""
    # Loading it takes 26 ms and 5 MiB: the first digest that needs it pays, and neither a start nor a process without uploads.
    from awscrt import checksums

    return checksums


class _Crc:
    """A running CRC with the face of a hashlib object."""

    __slots__ = ("_function", "_size", "_value")

    def __init__(self, function: Callable[[bytes | memoryview, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XxHash:
    """A running xxHash with the face of a hashlib object."""

    __slots__ = ("_state",)

    def __init__(self, new: str) -> None:
        self._state = getattr(_crt().XXHash, new)()

    def update(self, data: bytes | memoryview, /) -> None:
        self._state.update(data if isinstance(data, bytes) else bytes(data))  # awscrt refuses memoryviews here

    def digest(self) -> bytes:
        digest: bytes = self._state.finalize()
        return digest


_NEW: dict[str, Callable[[], _Digest]] = {
    "CRC32": partial(_Crc, zlib.crc32, 4),  # twice as fast as awscrt's
    "CRC32C": lambda: _Crc(_crt().crc32c, 4),
    "CRC64NVME": lambda: _Crc(_crt().crc64nvme, 8),
    "SHA1": partial(hashlib.sha1, usedforsecurity=False),
    "SHA256": partial(hashlib.sha256, usedforsecurity=False),
    "SHA512": partial(hashlib.sha512, usedforsecurity=False),
    "MD5": partial(hashlib.md5, usedforsecurity=False),
    "XXHASH64": partial(_XxHash, "new_xxhash64"),
    "XXHASH3": partial(_XxHash, "new_xxhash3_64"),
    "XXHASH128": partial(_XxHash, "new_xxhash3_128"),
}

_COMBINE = {"CRC32": "combine_crc32", "CRC32C": "combine_crc32c", "CRC64NVME": "combine_crc64nvme"}


class Digests:
    """Several digests of one stream, computed together.

    :param algorithms: names out of ALGORITHMS; repeated ones are computed once.
    :raises KeyError: an unknown name.
    """

    __slots__ = ("_running",)

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._running = {name: _NEW[name]() for name in algorithms}

    def __contains__(self, algorithm: str) -> bool:
        return algorithm in self._running

    def update(self, data: bytes | memoryview) -> None:
        """Takes the next bytes. Other threads run meanwhile when there are many."""
        for digest in self._running.values():
            digest.update(data)

    def split(self, algorithm: str) -> "tuple[Digests, Digests]":
        """The digest of one algorithm, and the others, so that two threads can compute them; they stay those of this object."""
        alone, others = Digests(()), Digests(())
        for name, digest in self._running.items():
            (alone if name == algorithm else others)._running[name] = digest
        return alone, others

    def raw(self, algorithm: str) -> bytes:
        """The digest so far, big-endian. Raises KeyError when it is not computed here."""
        return self._running[algorithm].digest()

    def value(self, algorithm: str) -> str:
        """The same in base64, as in ``x-amz-checksum-*``."""
        return b64encode(self.raw(algorithm)).decode("ascii")


def raw_of(algorithm: str, text: str, place: str = "header") -> bytes:
    """The raw digest of a claimed ``x-amz-checksum-*`` value. Raises InvalidRequest when it is malformed.

    :param place: where it was claimed, for the message: ``"header"`` or ``"trailing header"``.
    """
    try:
        raw = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raw = b""
    if len(raw) != SIZES[algorithm]:
        raise InvalidRequest(f"Value for x-amz-checksum-{algorithm.lower()} {place} is invalid.")
    return raw


def raw_digest(algorithm: str, data: bytes | bytearray) -> bytes:
    """The digest of all bytes of something small: for a CRC in a tenth of the time that Digests takes to begin."""
    if algorithm == "CRC32":
        return zlib.crc32(data).to_bytes(4, "big")
    if algorithm in CRCS:
        value: int = getattr(_crt(), algorithm.lower())(data)
        return value.to_bytes(SIZES[algorithm], "big")
    digests = Digests((algorithm,))
    digests.update(memoryview(data))
    return digests.raw(algorithm)


def composite(algorithm: str, parts: Sequence[bytes]) -> str:
    """The COMPOSITE value of raw part digests: base64 of the digest of their concatenation, ``-`` and their number."""
    whole = Digests((algorithm,))
    whole.update(b"".join(parts))
    return f"{whole.value(algorithm)}-{len(parts)}"


def combine(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The raw digest of a concatenation, from each part's raw digest and length in bytes. Raises KeyError when not a CRC."""
    join, value = getattr(_crt(), _COMBINE[algorithm]), 0
    for raw, length in parts:
        value = join(value, int.from_bytes(raw, "big"), length)
    return value.to_bytes(SIZES[algorithm], "big")


def default_kind(algorithm: str) -> str:
    """The checksum type of a multipart upload that names only an algorithm: FULL_OBJECT for CRC64NVME, else COMPOSITE."""
    return FULL_OBJECT if algorithm == "CRC64NVME" else COMPOSITE


def check_kind(algorithm: str, kind: str) -> None:
    """Raises InvalidRequest when a multipart upload cannot have this checksum type with this algorithm."""
    if kind not in (FULL_OBJECT, COMPOSITE):
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    if kind == FULL_OBJECT and algorithm not in _COMBINE or kind == COMPOSITE and algorithm == "CRC64NVME":
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )


def composite_etag(etags: Sequence[str]) -> str:
    """The ETag, without quotes, of a multipart object whose parts have these: MD5 in hex, or what stands for it where nobody hashed."""
    joined = bytes.fromhex("".join([etag.removesuffix(NO_MD5) for etag in etags]))
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(etags)}"
