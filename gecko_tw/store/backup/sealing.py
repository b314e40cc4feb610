"""Encrypted targets: keys from a passphrase (scrypt, RFC 7914), and files in the format of encrypted objects (AES-256-GCM in frames)."""

import base64
import hmac
import secrets
from typing import cast

from attrs import frozen
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gecko_tw.store.backup.targets import BackupError, Sink, Source
from gecko_tw.store.checksums import SIZES
from gecko_tw.store.drivers.interfaces import IBlobWriter
from gecko_tw.store.encryption.format import CHECKED, CHECKSUM, FRAME, HEAD, TAG
from gecko_tw.store.encryption.frames import SealedBlob, SealingWriter
from gecko_tw.store.encryption.wrapping import derived
from gecko_tw.store.records import BlobNote, Json
from gecko_tw.store.refusals import ObjectDamaged

_COST = {"n": 2**15, "r": 8, "p": 1}
"""Of scrypt: 32 MiB of memory and about 0.1 s for each guess."""


@frozen
class Sealing:
    """The keys of an encrypted target."""

    key: bytes

    @classmethod
    def begin(cls, passphrase: str) -> "tuple[Sealing, Json]":
        """The keys of a new target, and what it keeps of them: nothing that helps whoever does not know the passphrase."""
        kept = {"kdf": "scrypt", "salt": base64.b64encode(secrets.token_bytes(16)).decode(), **_COST}
        sealing = cls._of(passphrase, kept)
        return sealing, {**kept, "check": sealing._check()}

    @classmethod
    def open(cls, passphrase: str, kept: Json) -> "Sealing | None":
        """The keys of a target that is there; None: the passphrase is not its own. Raises ValueError, KeyError, TypeError."""
        if kept["kdf"] != "scrypt":
            raise ValueError(kept["kdf"])
        sealing = cls._of(passphrase, kept)
        return sealing if hmac.compare_digest(sealing._check(), kept["check"]) else None

    @classmethod
    def _of(cls, passphrase: str, kept: Json) -> "Sealing":
        scrypt = Scrypt(salt=base64.b64decode(kept["salt"]), length=32, n=kept["n"], r=kept["r"], p=kept["p"])
        return cls(scrypt.derive(passphrase.encode("utf-8", "surrogateescape")))

    def _check(self) -> str:
        return derived(self.key, b"geckos3 backup check").hex()

    def name(self, data: bytes) -> str:
        """A name for what is named by ``data``, which tells nothing of it to others."""
        return hmac.digest(derived(self.key, b"geckos3 backup names"), data, "sha256").hex()

    def sink(self, sink: Sink) -> Sink:
        """Encrypts on the way."""
        return _SealingSink(sink, derived(self.key, b"geckos3 backup files"))

    def source(self, source: Source, name: str) -> Source:
        """Decrypts on the way. Raises BackupError."""
        return _SealedSource(source, derived(self.key, b"geckos3 backup files"), name)


class _Writer:
    """A Sink as an IBlobWriter."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.write = sink.write
        self.abort = sink.abort

    def commit(self, note: BlobNote | None) -> str:
        self._sink.commit()
        return ""


class _SealingSink:
    def __init__(self, sink: Sink, key: bytes) -> None:
        self._writer = SealingWriter(cast(IBlobWriter, _Writer(sink)), key)
        self.write = self._writer.write
        self.abort = self._writer.abort

    def commit(self) -> None:
        self._writer.commit(cast(BlobNote, None))


class _SealedSource:
    def __init__(self, source: Source, key: bytes, name: str) -> None:
        self._source, self._name = source, name
        body = source.size - HEAD - SIZES[CHECKSUM]
        self.size = body - TAG * max(1, -(-body // (FRAME + TAG)))
        if self.size < 0:
            raise self._damaged()
        try:
            self._sealed = SealedBlob(source.read, key, self.size)
        except ObjectDamaged:
            raise self._damaged() from None

    def _damaged(self) -> BackupError:
        return BackupError(f"{self._name} is damaged")

    def read(self, offset: int, length: int) -> bytes:
        try:
            return self._sealed.read(offset, length) if offset < self.size or not offset else b""
        except ObjectDamaged:
            raise self._damaged() from None

    def close(self) -> None:
        self._source.close()


assert CHECKED == 2, "what SealingWriter writes by default is what _SealedSource reads"
