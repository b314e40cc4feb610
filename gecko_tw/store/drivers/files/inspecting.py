"""Finding out what a visible file is: from its attribute, from a sidecar, or from its bytes."""

import hashlib
import os
import stat
from collections.abc import Iterator

from attrs import evolve, frozen

from gecko_tw.store.drivers.files.attribute_stores import read_attribute, read_beside
from gecko_tw.store.drivers.files.attributes import Description, description_of
from gecko_tw.store.drivers.files.beneath import ABSENT, open_beneath, open_directory
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.paths import file_of, has_path
from gecko_tw.store.drivers.files.sidecars import Sidecar, pseudo_etag, read_sidecar
from gecko_tw.store.drivers.sqlite.takeover import Observation
from gecko_tw.store.records import Version

_READ_STEP = 1024 * 1024
_SIDECAR_LAG = 2_000_000_000
"""GeckoS3 writes the sidecar just after the object; a file changed later than this has been changed by someone else."""


@frozen
class _Claim:
    """What something beside the bytes says they are; true only if their fingerprint or their hash agrees."""

    version: Version
    fits: bool
    kept: str | None = None
    files: tuple[str, ...] = ()


@frozen
class _File:
    """An opened file and where it is."""

    directory: int
    leaf: bytes
    descriptor: int
    told: Description | None
    known: Description | None


class Inspector:
    """Looks at files.

    :param hashing: whether a file that nothing describes is hashed; else its ETag is made of its size and time.
    """

    def __init__(self, disk: Disk, hashing: bool) -> None:
        self._disk = disk
        self._hashing = hashing

    def inspect(
        self,
        bucket: str,
        key: bytes,
        hashing: bool = True,
        told: Description | None = None,
        *,
        known: Description | None = None,
    ) -> Observation:
        """What is at a key's path now. Reads the whole file where nothing that fits describes it.

        :param hashing: False for a file that changes faster than it can be hashed.
        :param told: what the file is to be if it has arrived.
        :param known: what it was: true where nothing with the file says anything else, and its size and time are the same.
        """
        if not has_path(key):
            return Observation(bucket, key)
        parents, _, leaf = file_of(bucket, key).rpartition(b"/")
        try:
            directory = open_directory(self._disk.root, parents)
        except OSError as error:
            if error.errno in ABSENT:
                return Observation(bucket, key)
            raise
        try:
            descriptor = open_beneath(directory, leaf, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            os.close(directory)
            if error.errno in ABSENT:
                return Observation(bucket, key)
            raise
        try:
            file = _File(directory, leaf, descriptor, told, known)
            return self._opened(Observation(bucket, key), file, hashing and self._hashing)
        finally:
            os.close(descriptor)
            os.close(directory)

    def _opened(self, nothing: Observation, file: _File, hashing: bool) -> Observation:
        found = os.fstat(file.descriptor)
        if not stat.S_ISREG(found.st_mode):
            return nothing
        claim = self._described(file, found, hashing)
        if hashing and not claim.fits:
            again = os.fstat(file.descriptor)
            if (again.st_size, again.st_mtime_ns) != (found.st_size, found.st_mtime_ns):
                found, claim = again, _unknown(again, pseudo_etag(again.st_size, again.st_mtime_ns))
        return evolve(
            nothing,
            size=found.st_size,
            mtime=found.st_mtime_ns,
            version=claim.version,
            kept=claim.kept,
            files=claim.files,
        )

    def _described(self, file: _File, found: os.stat_result, hashing: bool) -> _Claim:
        claims = []
        for claim in self._claims(file, found):
            if claim.fits:
                return claim
            claims.append(claim)
        if not hashing:
            return _unknown(found, pseudo_etag(found.st_size, found.st_mtime_ns))
        digest = _md5(file.descriptor, found.st_size)
        for claim in claims:
            if _is_of(claim.version, digest, file.descriptor):
                return evolve(claim, version=evolve(claim.version, modified=found.st_mtime_ns))
        return _unknown(found, digest)

    def _claims(self, file: _File, found: os.stat_result) -> Iterator[_Claim]:
        """What may describe the file, the most trusted first; only claims of the right size."""
        yield from _claim(file.told, found, None)
        description, spill = read_attribute(self._disk, file.descriptor)
        yield from _claim(description, found, spill)
        data = read_beside(file.directory, file.leaf)
        sidecar = None if data is None else read_sidecar(data)
        if sidecar is not None:
            if isinstance(sidecar.ours, dict):
                for name in ("description", "previous"):
                    text = sidecar.ours.get(name)
                    yield from _claim(description_of(text) if isinstance(text, str) else None, found, None)
            yield from _claim_of_geckos3(sidecar, found)
        yield from _claim(file.known, found, None)


def _claim(description: Description | None, found: os.stat_result, spill: str | None) -> Iterator[_Claim]:
    record = None if description is None else description.record
    if not isinstance(record, Version) or "sse" in record.extra:
        return  # an encrypted object is never a visible file
    if description is not None and record.size == found.st_size:
        files = () if spill is None else (spill,)
        yield _Claim(record, description.fits(found), description.kept, files)


def _claim_of_geckos3(sidecar: Sidecar, found: os.stat_result) -> Iterator[_Claim]:
    if sidecar.size == found.st_size and sidecar.etag:
        version = Version(
            etag=sidecar.etag,
            size=found.st_size,
            modified=found.st_mtime_ns,
            headers=sidecar.headers,
            metadata=sidecar.metadata,
        )
        in_time = sidecar.modified is not None and found.st_mtime_ns <= sidecar.modified + _SIDECAR_LAG
        yield _Claim(version, in_time)


def _unknown(found: os.stat_result, etag: str) -> _Claim:
    return _Claim(Version(etag=etag, size=found.st_size, modified=found.st_mtime_ns), False)


def _is_of(version: Version, digest: str, descriptor: int) -> bool:
    """Whether a version's ETag is that of the bytes: their MD5, GeckoS3's ``MD5-parts``, or S3's hash of the parts' hashes."""
    if version.etag.partition("-")[0] == digest:
        return True
    if not version.parts or "-" not in version.etag:
        return False
    outer = hashlib.md5(usedforsecurity=False)
    offset = 0
    for part in version.parts:
        outer.update(bytes.fromhex(_md5(descriptor, part.size, offset)))
        offset += part.size
    return f"{outer.hexdigest()}-{len(version.parts)}" == version.etag


def _md5(descriptor: int, length: int, offset: int = 0) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    while length > 0:
        data = os.pread(descriptor, min(length, _READ_STEP), offset)
        if not data:
            break
        digest.update(data)
        offset += len(data)
        length -= len(data)
    return digest.hexdigest()
