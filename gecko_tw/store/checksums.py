"""The digests of one stream, and S3's checksum arithmetic: composite and full-object values of multipart uploads.

Source: S3 User Guide, "Checking object integrity"; NVM Express NVM Command Set for CRC64NVME.
"""

from collections.abc import Iterable, Sequence

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

FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"


class Digests:
    """Several digests of one stream, computed together.

    :param algorithms: names out of ALGORITHMS; repeated ones are computed once.
    :raises KeyError: an unknown name.
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        raise NotImplementedError

    def update(self, data: bytes | memoryview) -> None:
        """Takes the next bytes. Other threads run meanwhile when there are many."""
        raise NotImplementedError

    def raw(self, algorithm: str) -> bytes:
        """The digest so far, big-endian. Raises KeyError when it is not computed here."""
        raise NotImplementedError

    def value(self, algorithm: str) -> str:
        """The same in base64, as in ``x-amz-checksum-*``."""
        raise NotImplementedError


def raw_of(algorithm: str, text: str) -> bytes:
    """The raw digest of a claimed ``x-amz-checksum-*`` value. Raises InvalidRequest when it is malformed."""
    raise NotImplementedError


def composite(algorithm: str, parts: Sequence[bytes]) -> str:
    """The COMPOSITE value of raw part digests: base64 of the digest of their concatenation, ``-`` and their number."""
    raise NotImplementedError


def combine(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The raw digest of a concatenation, from each part's raw digest and length in bytes. Raises KeyError when not a CRC."""
    raise NotImplementedError


def default_kind(algorithm: str) -> str:
    """The checksum type of a multipart upload that names only an algorithm: FULL_OBJECT for CRC64NVME, else COMPOSITE."""
    raise NotImplementedError


def check_kind(algorithm: str, kind: str) -> None:
    """Raises InvalidRequest when a multipart upload cannot have this checksum type with this algorithm."""
    raise NotImplementedError


def composite_etag(md5s: Sequence[str]) -> str:
    """The ETag, without quotes, of a multipart object whose parts have these MD5 in hex."""
    raise NotImplementedError
